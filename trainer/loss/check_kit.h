/*
 * What the checks share: the child's state, guarded buffers, samples, calls. A check is a function that runs in a child
 * process and returns when it found nothing wrong; check_fail ends the child.
 */
#ifndef LOSS_CHECK_KIT_H
#define LOSS_CHECK_KIT_H

#include <setjmp.h>
#include <stdnoreturn.h>

#include "base/random.h"
#include "loss/check.h"

/* ---- buffers: each between two pages that may not be touched -------------------------------------------------- */

enum check_buffer {
    BUFFER_PRED,
    BUFFER_TARGET,
    BUFFER_WEIGHT,
    BUFFER_GROUP,
    BUFFER_THETA,
    BUFFER_PARAM,
    BUFFER_LISTS,
    BUFFER_BATCH,
    BUFFER_INPUTS, /* those above may only be read */
    BUFFER_GRAD = BUFFER_INPUTS,
    BUFFER_HESS_DIAG,
    BUFFER_HESS,
    BUFFER_THETA_GRAD,
    BUFFER_ROW_LOSS,
    BUFFER_RESULT,
    BUFFER_SCRATCH,
    BUFFER_COUNT
};

struct guarded {
    unsigned char *map; /* [room] between the guard pages */
    size_t room;
    unsigned char *at; /* where the bytes of this call begin */
    size_t size;       /* bytes of this call */
    bool is_strict; /* flush with a guard page, inputs read-only; else with a margin, so that a check which is not about
                       bounds is not failed by them */
    bool is_unwanted; /* its pointer was NULL in this call */
};

/* ---- a child ---------------------------------------------------------------------------------------------------- */

struct check_shape {
    size_t targets, classes, outputs;
    int target_style; /* how targets are drawn so that the loss takes them */
};
enum { CHECK_SHAPES = 2 };

/* Memory that the parent and all children share. */
struct check_shared {
    int verdict; /* of the check that runs: enum check_verdict, or CHECK_RUNNING */
    char text[CHECK_TEXT];
    const char
        *volatile doing;  /* "evaluate": what a crash or a hang is blamed on; a literal, the same in all processes */
    bool is_pure_call;    /* the plugin's statics and instance are read-only just now */
    struct gm_error stop; /* code not GM_OK: nothing more can be checked (not loadable, settings do not fit) */
    size_t n_shapes;      /* found by check_calls, for all later checks */
    struct check_shape shapes[CHECK_SHAPES];
    bool no_memory; /* we had none: this says nothing about the plugin */
};
enum { CHECK_RUNNING = -1 };

struct check {
    const struct check_options *options;
    struct check_shared *shared;
    struct loss_plugin plugin;
    struct loss loss; /* bound for `shape` */
    struct check_shape shape;
    struct guarded buffers[BUFFER_COUNT];
    size_t rows_most; /* rows the buffers have room for */
    double *theta;    /* [n_theta] point at which everything is looked at */
    struct random_key key;
    uint64_t drawn;       /* random numbers used so far */
    bool mode_changed;    /* a call came back with another floating-point mode (it is put back) */
    bool protect_own;     /* calls of evaluate find the plugin's statics and instance read-only */
    void *blocks;         /* what check_memory gave out */
    jmp_buf *escape;      /* where check_fail goes instead of ending the process; NULL in a child */
    struct gm_error said; /* last text a plugin gave through the host */
};

/* Wrong: write the report and end the child. */
noreturn void check_fail(struct check *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Does not apply: likewise. */
noreturn void check_skip(struct check *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Worth knowing; the check goes on. The first text stays. */
void check_warn(struct check *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Nothing more can be checked: the whole run ends with this error. */
noreturn void check_stop(struct check *c, const struct gm_error *err);
/* Zeroed memory that lasts until the shape is unbound. */
void *check_memory(struct check *c, size_t count, size_t size);
void check_memory_release(struct check *c);
/* Crash handlers, limits, a process group of its own, no output (check_child.c). */
void check_child_begin(struct check *c, double cpu_seconds);

/* ---- subject: load, shapes, buffers (check_subject.c) ----------------------------------------------------------- */

/* Try the shapes that the spec allows and keep those that bind and evaluate in shared->shapes; fails when there is
 * none. */
void subject_find_shapes(struct check *c);
/* Bind for one shape and make the buffers and theta. */
void subject_bind(struct check *c, const struct check_shape *shape);
/* Likewise, but false with *err filled when the loss refuses. */
bool subject_try(struct check *c, const struct check_shape *shape, struct gm_error *err);
/* Buffers, theta and a way to draw targets for a loss that somebody else has bound; check_skip when no targets fit. */
void subject_adopt(struct check *c);
void subject_release_memory(struct check *c); /* all but the loss */
void subject_unbind(struct check *c);         /* a second time does nothing */

/* ---- samples (check_sample.c) ---------------------------------------------------------------------------------- */

struct sample {
    size_t rows;
    double *pred, *target, *weight; /* [rows x outputs], [rows x targets], [rows] */
    int64_t *group;                 /* [rows] for grouped losses, else NULL */
};

double check_uniform(struct check *c);
double check_normal(struct check *c);
size_t check_below(struct check *c, size_t n);

enum { CHECK_MARGIN = 16 }; /* numbers behind an array that a plugin is given outside the guarded buffers */
/* Random rows; predictions of the given scale. Groups of 1 to 6 rows. */
struct sample sample_make(struct check *c, size_t rows, double scale);
/* Room for rows, without values. */
struct sample sample_room(struct check *c, size_t rows);
void sample_copy_row(const struct check *c, struct sample *to, size_t to_row, const struct sample *from,
                     size_t from_row);
/* Rows [first, end) as a view that borrows. */
struct sample sample_slice(const struct check *c, const struct sample *s, size_t first, size_t end);
/* Units: what may be looked at alone. A row, a group, or all rows; returns the end of the unit that starts at `first`.
 */
size_t sample_unit_end(const struct check *c, const struct sample *s, size_t first);
/* Draw the targets of a sample again in style `style`; false: there is no such style. */
bool sample_targets(struct check *c, struct sample *s, int style);

/* ---- calls (check_call.c) -------------------------------------------------------------------------------------- */

enum check_want {
    WANT_GRAD = 1,
    WANT_HESS_DIAG = 2,
    WANT_HESS = 4,
    WANT_THETA = 8,
    WANT_ROW_LOSS = 16,
    WANT_ALL = 31 /* of those the loss gives */
};

/* What a call gave, copied out of the buffers. Arrays are NULL where the loss does not give them. */
struct outcome {
    int status;
    double loss;
    double *grad, *hess_diag, *hess, *theta_grad, *row_loss;
};

struct call {
    const struct sample *sample;
    unsigned want;     /* enum check_want; what the loss does not give is left out */
    bool no_weight;    /* weight = NULL */
    bool at_front;     /* strict: flush with the front guard page instead of the rear one; else: elsewhere */
    size_t more_bytes; /* struct_size larger by this, the tail filled with 0xA5 */
    unsigned char
        litter; /* byte that scratch and outputs are filled with before the call; 0: all ones, which is a NaN */
    double theta_before; /* what theta_grad holds before the call */
};

struct outcome outcome_make(struct check *c);
/* One call of evaluate; outputs that were asked for are copied into *o. */
void check_call(struct check *c, const struct call *call, struct outcome *o);
/* As above; the status must be GM_LOSS_OK, or the check fails. */
void check_evaluate(struct check *c, const struct sample *sample, unsigned want, struct outcome *o);
/* The loss value alone. */
double check_loss(struct check *c, const struct sample *sample);
/* What this loss gives, as enum check_want. */
unsigned check_gives(const struct check *c);
/* Fill in what every function of the vtable gets. *host must live as long as the batch. */
struct gm_loss_batch check_batch(struct check *c, const struct sample *sample, struct gm_loss_host *host);

/* Equal bits, NaN included. */
bool same_bits(const double *a, const double *b, size_t count);
/* Fail unless both outcomes have the same bits in `want` over `rows` rows. `what` says what was compared. */
void require_same(struct check *c, const struct outcome *a, const struct outcome *b, size_t rows, unsigned want,
                  const char *what);

/* ---- buffers (check_buffer.c) ---- */
bool guarded_make(struct guarded *b, size_t room);
void guarded_free(struct guarded *b);
void guarded_strict(struct check *c, bool strict); /* for all buffers from now on */
/* Take `size` bytes, writable; when strict, flush with one of the guard pages (aligned to `align` bytes). */
void guarded_place(struct guarded *b, size_t size, size_t align, bool at_front);
void guarded_protect(struct guarded *b, bool writable);
/* Slack between the bytes and the guard pages keeps its pattern? */
bool guarded_is_clean(const struct guarded *b);
const char *buffer_name(enum check_buffer which);

/* The plugin's writable segments and its instance, read-only or writable again (check_memory.c). */
void protect_own_memory(struct check *c, bool writable);

/* ---- derivatives by differences (check_differences.c) ---- */

/* Values of a function with its argument moved by `shift`. */
typedef void probe_fn(void *context, double shift, double *values);
struct difference {
    double value, error; /* derivative and an estimate of its error */
};
/* d values[i] / d shift at 0, for `count` values. Central differences, halved steps, Richardson extrapolation by
 * Neville's scheme; the entry of the smallest error: Ridders, Advances in Engineering Software 4 (1982). Two widths of
 * steps are tried, so that a kink near by does not spoil both. */
void differentiate(struct check *c, probe_fn *probe, void *context, size_t count, struct difference *out);

/* Places that differences could decide on, and those where they could not (a kink, cancellation). */
struct tally {
    size_t decided, undecided;
};
/* Warn when most places, or all, were undecided. `what` begins the sentence. */
void report_tally(struct check *c, const struct tally *tally, const char *what);
/* -1: wrong, 0: not decided, 1: right. `floor`: a size below which a difference means nothing. */
int difference_agrees(const struct difference *d, double claimed, double tolerance, double floor);
/* Sizes of predictions, and rows, at which derivatives are looked at. */
enum { DERIVATIVE_SCALES = 3 };
extern const double derivative_scales[DERIVATIVE_SCALES];
size_t derivative_rows(const struct check *c);
/* Rows [first, end) copied, so that their predictions can be moved. */
struct sample copy_unit(struct check *c, const struct sample *s, size_t first, size_t end);
/* Compare grad with differences at `places` predictions of a unit (all of them, or so many at random). */
void gradient_of_unit(struct check *c, struct sample *unit, size_t places, struct tally *tally);
/* Compare `rows` rows in one call with the same cut into blocks. */
void blocks_of(struct check *c, size_t rows);

/* ---- the checks ---- */
typedef void check_fn(struct check *c);
check_fn check_abi, check_calls, check_mode, check_behaviour, check_parameters;  /* check_abi.c, check_params.c */
check_fn check_forged, check_bounds, check_unwritten, check_purity, check_leaks; /* check_memory.c */
check_fn check_determinism, check_threads, check_blocks, check_permutation;      /* check_repeat.c */
check_fn check_gradient, check_hessian, check_theta;                             /* check_derivative.c */
check_fn check_weights, check_nan, check_extremes;                               /* check_weights.c */
check_fn check_targets, check_link;                                              /* check_domain.c */

#endif
