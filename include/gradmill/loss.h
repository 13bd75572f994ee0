/*
 * gradmill/loss.h - the loss plugin ABI, version 1.0.
 *
 * A loss plugin is a shared object that exports ONE function, gm_loss_entry_v1, and links nothing of gradmill's.
 * This header is all it needs. A minimal plugin:
 *
 *     #include <gradmill/loss.h>
 *
 *     static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
 *     {
 *         double sum = 0;
 *         for (size_t i = 0; i < b->rows * b->outputs; i++) {
 *             double w = gm_weight(b, i / b->outputs) / (double)b->outputs, d = b->pred[i] - b->target[i];
 *             sum += w * d * d;
 *             if (r->grad) r->grad[i] = 2 * w * d;
 *         }
 *         r->loss = sum;
 *         return GM_LOSS_OK;
 *     }
 *
 *     GM_LOSS_PLUGIN(.id = "my_mse", .version = "1.0", .evaluate = evaluate)
 *
 * Rules of the house, checked by `gradmill check-loss`:
 *  - Everything is borrowed. Neither side frees the other's memory. Scratch comes from the host.
 *  - [any] functions are called by many threads at once with the same instance, which is then read-only;
 *    [main] functions by one thread.
 *  - A plugin starts no threads, uses no OpenMP, does not fork, print, exit, keep mutable globals, change the
 *    floating-point mode or the locale, and is not built with -ffast-math.
 *  - `loss` is a weighted SUM over rows; the host divides by the sum of weights. `grad` is its derivative.
 *  - In a loss that couples rows, a row of weight 0 takes no part, and equal weights scale the loss.
 *  - An output pointer that is NULL is not wanted. One that is not NULL is written for every row, except theta_grad,
 *    which is added into.
 *
 * Stability: after 1.0 the meaning of a field never changes and structs grow only at their end. `struct_size` says
 * how much of a struct the other side knows: never touch a field beyond it. The host copies the smaller of its own and
 * the plugin's vtable size into a zeroed vtable, so a plugin older or newer than the host loads as long as abi_major
 * agrees and needs_minor is not above the host's minor.
 */
#ifndef GRADMILL_LOSS_H
#define GRADMILL_LOSS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GM_LOSS_MAGIC     0x534C4D47u /* "GMLS" in little endian */
#define GM_LOSS_ABI_MAJOR 1
#define GM_LOSS_ABI_MINOR 0

#if defined(_WIN32)
#define GM_LOSS_EXPORT __declspec(dllexport)
#else
#define GM_LOSS_EXPORT __attribute__((visibility("default")))
#endif

enum gm_loss_status {
    GM_LOSS_OK = 0,
    GM_LOSS_BAD_PARAM = 1,  /* a parameter, or a combination of parameters, makes no sense */
    GM_LOSS_BAD_TARGET = 2, /* a target is outside the domain */
    GM_LOSS_NO_MEMORY = 3,
    GM_LOSS_NUMERIC = 4,    /* no meaningful number can be given */
    GM_LOSS_UNSUPPORTED = 5 /* this shape or request is not supported */
};

/* ---- parameters ---------------------------------------------------------------------------------------------- */

enum gm_loss_param_type {
    GM_PARAM_REAL = 0,    /* value.real */
    GM_PARAM_INTEGER = 1, /* value.integer */
    GM_PARAM_BOOLEAN = 2, /* value.integer, 0 or 1 */
    GM_PARAM_CHOICE = 3,  /* value.integer, index into choices */
    GM_PARAM_LIST = 4     /* value.list, reals within the bounds; fallback is ignored unless it is a single number */
};

enum gm_loss_param_flags {
    GM_PARAM_REQUIRED = 1, /* there is no default */
    GM_PARAM_LOW_OPEN = 2, /* the value must be > low, not only >= */
    GM_PARAM_HIGH_OPEN = 4 /* the value must be < high, not only <= */
};

/* One row of the parameter schema. The host parses, checks and prints help from it. */
struct gm_loss_param {
    const char *name;     /* [a-z][a-z0-9_]*, never renamed */
    const char *help;     /* one line, with the unit */
    uint32_t type, flags; /* enum gm_loss_param_type, enum gm_loss_param_flags */
    double fallback;      /* default; for a choice its index */
    double low, high;     /* bounds; low == high: unbounded. Infinite bounds are fine */
    const char *choices;  /* "a|b|c" for GM_PARAM_CHOICE, else NULL */
};

union gm_loss_value {
    double real;
    int64_t integer;
    struct {
        const double *values;
        size_t count;
    } list;
};

/* ---- what a loss is ------------------------------------------------------------------------------------------ */

enum gm_loss_target_kind {
    GM_TARGET_REAL = 0,       /* real numbers */
    GM_TARGET_CLASS = 1,      /* one class index a row, 0 .. classes-1, as a whole number in a double */
    GM_TARGET_MULTILABEL = 2, /* one 0/1 (or probability, as target_low..high says) per output; when the target is one
                                 of two classes, as words for example, the class index is the 0/1 */
    GM_TARGET_NONE = 3        /* no target: clustering, some metric losses */
};

/* Values of gm_loss_spec.outputs. */
enum gm_loss_outputs {
    GM_OUTPUTS_PER_TARGET = 0, /* as many columns of pred as the target has */
    GM_OUTPUTS_PER_CLASS = -1, /* one column a class */
    GM_OUTPUTS_ANY = -2        /* whatever the model gives (clustering, metric learning) */
    /* > 0: that many; may be set by create() from a parameter */
};

enum gm_loss_coupling {
    GM_ROWS_INDEPENDENT = 0, /* the loss is a sum over rows */
    GM_ROWS_GROUPED = 1,     /* a sum over groups; a group comes whole, its rows adjacent, in one call (ranking) */
    GM_ROWS_BATCH = 2        /* the whole batch in one call (contrastive) */
};

enum gm_loss_gives {
    GM_GIVES_HESS_DIAG = 1, /* result.hess_diag can be asked for */
    GM_GIVES_HESS = 2,      /* result.hess can be asked for */
    GM_GIVES_ROW_LOSS = 4   /* result.row_loss can be asked for */
};

enum gm_loss_nature {
    GM_NATURE_NON_SMOOTH = 1,   /* has kinks; grad is a subgradient there */
    GM_NATURE_NON_CONVEX = 2,   /* in pred */
    GM_NATURE_HESS_BOUND = 4,   /* hess and hess_diag are upper bounds, not exact */
    GM_NATURE_HESS_CONSTANT = 8 /* the second derivative does not depend on pred */
};

enum gm_loss_link {                       /* response = inverse link(raw prediction) */
                    GM_LINK_IDENTITY = 0, /* response = raw */
                    GM_LINK_LOG = 1,      /* response = exp(raw) */
                    GM_LINK_LOGIT = 2,    /* response = 1 / (1 + exp(-raw)) */
                    GM_LINK_SOFTMAX = 3,  /* response = softmax over the outputs */
                    GM_LINK_CUSTOM = 4    /* inverse_link() is given */
};

enum gm_loss_target_rule { /* which of target_low and target_high apply to GM_TARGET_REAL and _MULTILABEL */
                           GM_TARGET_LOW = 1,       /* target >= target_low */
                           GM_TARGET_LOW_OPEN = 2,  /* target >  target_low */
                           GM_TARGET_HIGH = 4,      /* target <= target_high */
                           GM_TARGET_HIGH_OPEN = 8, /* target <  target_high */
                           GM_TARGET_INTEGER = 16   /* whole numbers only */
};

/* All zero: real targets, outputs = targets, rows independent, identity link. create() may refine a copy. */
struct gm_loss_spec {
    uint32_t struct_size;
    uint32_t target_kind; /* enum gm_loss_target_kind */
    int32_t outputs;      /* enum gm_loss_outputs, or a count */
    uint32_t coupling;    /* enum gm_loss_coupling */
    uint32_t gives;       /* enum gm_loss_gives, or-ed */
    uint32_t nature;      /* enum gm_loss_nature, or-ed */
    uint32_t link;        /* enum gm_loss_link */
    uint32_t target_rule; /* enum gm_loss_target_rule, or-ed */
    double target_low, target_high;
    uint32_t n_theta;                        /* learned loss parameters, unconstrained reals owned by the trainer */
    uint32_t task;                           /* enum gm_loss_task: where `gradmill losses` lists it */
    uint64_t scratch_fixed, scratch_per_row; /* bytes of scratch for a call of `rows` rows: fixed + per_row * rows */
};

enum gm_loss_task {
    GM_TASK_OTHER = 0,
    GM_TASK_REGRESSION = 1,
    GM_TASK_CLASSIFICATION = 2,
    GM_TASK_COUNTS = 3,
    GM_TASK_ORDINAL = 4,
    GM_TASK_RANKING = 5,
    GM_TASK_CLUSTERING = 6,
    GM_TASK_METRIC = 7,
    GM_TASK_MULTI_TASK = 8
};

/* ---- one call ------------------------------------------------------------------------------------------------ */

enum gm_loss_purpose { GM_PURPOSE_TRAINING = 0, GM_PURPOSE_VALIDATION = 1 };

/* Services of the host. [any] */
struct gm_loss_host {
    uint32_t struct_size;
    uint32_t reserved;
    void *context;
    void (*error)(const struct gm_loss_host *host, const char *text); /* why a call is about to return an error */
};

/* In. Valid during the call only. */
struct gm_loss_batch {
    uint32_t struct_size;
    uint32_t purpose;                 /* enum gm_loss_purpose */
    size_t rows, outputs, targets;    /* rows may be 0 */
    const double *pred;               /* [rows x outputs] raw predictions (link scale) */
    const double *target;             /* [rows x targets]; NULL for GM_TARGET_NONE */
    const double *weight;             /* [rows] finite, >= 0; NULL: all 1 */
    const int64_t *group;             /* [rows] for grouped losses, else NULL */
    const double *theta;              /* [n_theta]; NULL when n_theta is 0 */
    const union gm_loss_value *param; /* [n_params] in the order of the schema, checked against it */
    const void *instance;             /* what create() made, or NULL */
    void *scratch; /* aligned to 64 bytes, private to the calling thread; NULL when none is asked for */
    uint64_t seed, step;
    const struct gm_loss_host *host;
};

/* Out. A NULL pointer: not wanted. */
struct gm_loss_result {
    uint32_t struct_size;
    uint32_t reserved;
    double loss;        /* weighted sum over rows; always written */
    double *grad;       /* [rows x outputs] d loss / d pred, weight included */
    double *hess_diag;  /* [rows x outputs] d2 loss / d pred_k2, weight included; if GM_GIVES_HESS_DIAG */
    double *hess;       /* [rows x outputs x outputs], weight included; if GM_GIVES_HESS */
    double *theta_grad; /* [n_theta] d loss / d theta, ADD into it */
    double *row_loss;   /* [rows] loss of each row, weight NOT included; if GM_GIVES_ROW_LOSS */
};

/* ---- the vtable ---------------------------------------------------------------------------------------------- */

/* Only the first block, id and evaluate are mandatory. Functions return enum gm_loss_status. */
struct gm_loss {
    uint32_t magic; /* GM_LOSS_MAGIC */
    uint16_t abi_major, abi_minor, needs_minor, reserved;
    uint32_t struct_size; /* sizeof(struct gm_loss) the plugin was built with */

    const char *id;      /* [a-z][a-z0-9_]*; what users type */
    const char *version; /* of the loss: its meaning; goes into the model */
    const char *formula; /* one line of plain text */
    const char *help;    /* when to use it, when not; plain text, may hold newlines */
    const char *license;
    const struct gm_loss_param *params; /* [n_params] */
    size_t n_params;
    const struct gm_loss_spec *spec; /* NULL: all zero */

    /* Loss and every wanted output of a block of rows, in one sweep. [any] */
    int (*evaluate)(const struct gm_loss_batch *batch, struct gm_loss_result *result);

    /* Look at the parameters (batch->param, ->targets, ->outputs = number of classes when the target is a class, else
     * 0; no rows), refine the copy of the spec, make an instance. Only when more is needed than the schema checks.
     * [main] */
    int (*create)(const struct gm_loss_batch *batch, struct gm_loss_spec *spec, void **instance);
    void (*destroy)(void *instance); /* [main] */

    /* Targets beyond what the spec's interval says. On GM_LOSS_BAD_TARGET *bad_row is the first bad row. [any] */
    int (*check_targets)(const struct gm_loss_batch *batch, size_t *bad_row);

    /* Start value of theta; absent: zeros. batch holds all or a sample of the training rows, pred is NULL. [main] */
    int (*theta_start)(const struct gm_loss_batch *batch, double *theta);

    /* Raw prediction of the best constant model, [outputs]; absent: zeros, or what the host solves for. batch holds the
     * targets and weights of all training rows, or of a large sample; pred is NULL. [main] */
    int (*baseline)(const struct gm_loss_batch *batch, double *raw);

    /* Raw to response, [rows x outputs], for GM_LINK_CUSTOM. May be in place. [any] */
    int (*inverse_link)(const struct gm_loss_batch *batch, double *response);

    const void *(*extension)(const char *id); /* NULL for what is not known. [main] */
};

/* The one symbol of a plugin: loss number `index`, NULL past the last. Idempotent. */
typedef const struct gm_loss *gm_loss_entry_fn(uint32_t index);
GM_LOSS_EXPORT const struct gm_loss *gm_loss_entry_v1(uint32_t index);

/* ---- for plugin authors ---------------------------------------------------------------------------------------- */

/* What hot loops call must become part of them: a call from vector code into plain code costs up to 300 cycles. */
#if !defined(GM_INLINE) && defined(__GNUC__)
#define GM_INLINE static inline __attribute__((always_inline))
#elif !defined(GM_INLINE)
#define GM_INLINE static inline
#endif

/* Weight of a row. */
GM_INLINE double gm_weight(const struct gm_loss_batch *batch, size_t row)
{
    return batch->weight ? batch->weight[row] : 1.0;
}

/* Say why, then return the code: return gm_fail(batch, GM_LOSS_BAD_PARAM, "low must be below high"); */
static inline int gm_fail(const struct gm_loss_batch *batch, int status, const char *text)
{
    if (batch->host && batch->host->error)
        batch->host->error(batch->host, text);
    return status;
}

/* Filled vtable header. In C: { GM_LOSS_HEADER, .id = "mine", ... }. In C++ assign the fields one by one. */
#define GM_LOSS_HEADER                                                                                        \
    .magic = GM_LOSS_MAGIC, .abi_major = GM_LOSS_ABI_MAJOR, .abi_minor = GM_LOSS_ABI_MINOR, .needs_minor = 0, \
    .struct_size = sizeof(struct gm_loss)

/* A plugin with one loss: GM_LOSS_PLUGIN(.id = "mine", .version = "1.0", .evaluate = evaluate) */
#define GM_LOSS_PLUGIN(...)                                                  \
    static const struct gm_loss gm_the_loss = {GM_LOSS_HEADER, __VA_ARGS__}; \
    const struct gm_loss *gm_loss_entry_v1(uint32_t index)                   \
    {                                                                        \
        return index == 0 ? &gm_the_loss : NULL;                             \
    }

#ifdef __cplusplus
}
#endif
#endif
