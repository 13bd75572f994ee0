/*
 * Models: forward and backward of one block of rows.
 *
 * A model's parameters are one vector of doubles on the scale the optimiser sees. model_prepare makes from it the
 * WEIGHTS that the inner loops read: folded with the standardisation and in the precision of the computation. forward
 * reads a block and the weights; backward adds a block's contribution to a lane's sums (double); model_finish turns the
 * sum of all lanes into the gradient on the optimiser's scale.
 *
 * A new model is one file that fills struct model_ops, and a row in model.c's table.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

#include "model/activation.h"
#include "model/dense.h"
#include "model/panel.h"
#include "model/sparse.h"
#include "model/tape.h"

struct archive;       /* base/archive.h */
struct factorization; /* model/factorization.h */

enum model_type { MODEL_LINEAR, MODEL_MLP, MODEL_FACTORIZATION, MODEL_CENTROIDS, MODEL_TWO_TOWER, MODEL_TYPES };
enum model_precision { MODEL_F32, MODEL_F64 };
enum model_start { MODEL_START_AUTO, MODEL_START_HE, MODEL_START_GLOROT };

enum model_fuse { MODEL_FUSE_PAIR, MODEL_FUSE_DOT, MODEL_FUSE_CONCAT };

#define MODEL_HIDDEN_MOST 64 /* hidden layers */

struct model_spec {
    enum model_type type;
    size_t features, outputs;
    bool intercept;
    enum model_precision precision;
    bool sparse; /* rows are sparse; never in a file: one model takes both */
    /* mlp */
    size_t hidden[MODEL_HIDDEN_MOST], n_hidden; /* units of each hidden layer */
    enum activation activation;
    double dropout;
    enum model_start start;
    uint64_t seed; /* of the start values */
    /* two_tower: hidden is of the first tower, the rest as in mlp */
    size_t first_features; /* columns of the first input; the others are the second's */
    size_t hidden_second[MODEL_HIDDEN_MOST], n_hidden_second;
    size_t embedding; /* outputs of a tower */
    enum model_fuse fuse;
    size_t users, items, rank; /* factorization */
};

struct model {
    const struct model_ops *ops;
    struct model_spec spec;
    size_t n_params;
    uint8_t *penalised; /* [n_params] 1 where l1 and l2 apply */
    double
        *center; /* [features] subtracted from every row, exactly a number of the precision; zeros: not standardised */
    double *scale;     /* [features] what a centred feature is divided by; ones: not standardised */
    bool unscaled;     /* all are ones */
    bool centered;     /* rows are centred while they are read */
    bool folded;       /* no center is far from 0 in units of its scale: the bias takes the centers instead */
    void *center_real; /* [features] center in the precision */
    struct dense_kernels dense;
    struct sparse_kernels sparse;
    struct panel_kernels panel;
    void *inside; /* the model's own */
    const struct factorization
        *factors; /* factorization: its parameters, borrowed; the vector of all others is empty */
};

/* Rows as the inner loops want them, in the model's precision: dense, or sparse (spec.sparse). */
struct model_block {
    const void *x; /* [rows x features] float or double, or as `stored` says where model_reads allows */
    enum dense_stored stored;
    size_t stride; /* elements between rows */
    size_t rows;
    const size_t *at; /* [rows] which rows of x they are, where the model reads_scattered; NULL: the first */
    const void *next; /* where the next block of the same shape is stored, to prefetch; or NULL */
    /* Sparse: row i has the entries e from first[i] to first[i] + count[i] - 1, x[e] in column index[e]. */
    const uint32_t *index;
    const uint64_t *first; /* [rows] */
    const uint32_t *count; /* [rows] */
    size_t soon;           /* rows behind them in first and count that will be wanted later */
    bool far;              /* descend: the weights are not in the cache of this core */
};

static inline struct sparse_rows model_sparse_rows(const struct model_block *b)
{
    return (struct sparse_rows){b->x, b->index, b->first, b->count, b->rows, b->soon, b->far};
}

/* A column of the rows of a tape: its entries, in the order of the rows. */
struct model_column {
    size_t column, count;
    const uint32_t *row; /* [count] rows of the tape */
    const void *value;   /* [count] in the model's precision */
};

/*
 * How a WIDE model takes the rows of a batch together, so that its weight gradients need no lanes: rows go forward and
 * backward in ranges, by any threads; then tiles of the parameters, each by one thread, have their whole gradient at
 * once and may be updated on the spot. Every row and every tile has the same bits whoever makes it.
 */
struct model_tape_ops {
    size_t (*bytes)(const struct model *m, size_t rows); /* of the tape's memory */
    void (*forward)(const struct model *m, const void *weights, const struct model_tape *tape,
                    const struct model_block *block, double *pred);
    void (*backward)(const struct model *m, const void *weights, const struct model_tape *tape,
                     const double *grad_pred);
    size_t (*tiles)(const struct model *m);
    size_t (*tile_bytes)(const struct model *m); /* of a thread's scratch */
    /* Gradient of a tile's parameters, summed over rows [0, tape->rows). */
    void (*gradient)(const struct model *m, const struct model_tape *tape, size_t tile, void *scratch);
    /* The tile's parameters, run by run; false behind the last. All tiles' runs together are all parameters, once, but
     * those of the columns of sparse rows. */
    bool (*run)(const struct model *m, size_t tile, size_t run, const void *scratch, struct model_run *out);
    /* The tile's part of the weights from changed parameters. */
    void (*refresh)(const struct model *m, size_t tile, const double *params, void *weights);
    /*
     * Sparse rows: the parameters of column j are [j * units, (j + 1) * units), and belong to no tile. Their gradient
     * over the rows of the tape, in the model's precision at whole lines, which is still to be divided by the column's
     * scale; ops->refresh for their weights. NULL: the model takes none.
     */
    size_t (*column_units)(const struct model *m);
    void (*column_gradient)(const struct model *m, const struct model_tape *tape, const struct model_column *column,
                            void *gradient);
    /* Its weights will be refreshed soon, and may come to the cache. */
    void (*column_fetch)(const struct model *m, size_t column, const void *weights);
};

struct model_ops {
    const char *name;
    bool reads_stored;                 /* blocks may hold rows as they are stored: see model_reads */
    bool reads_scattered;              /* dense blocks may name their rows by number */
    const struct model_tape_ops *tape; /* NULL: rows always go by lanes */
    /* Allocates m->inside; the scales are known. Both may be NULL. */
    enum gm_code (*init)(struct model *m, struct gm_error *err);
    void (*release)(struct model *m);
    size_t (*n_params)(const struct model_spec *spec);
    void (*mark_penalised)(const struct model *m, uint8_t *penalised);
    /* Start values: baseline [outputs] is the raw prediction of the best constant model. */
    void (*start)(const struct model *m, const double *baseline, double *params);
    size_t (*weights_bytes)(const struct model *m);
    void (*prepare)(const struct model *m, const double *params, void *weights);
    size_t (*scratch_bytes)(const struct model *m, size_t rows); /* per thread */
    void (*forward)(const struct model *m, const void *weights, const struct model_block *block, void *scratch,
                    double *pred);
    /* lane [n_params] += contribution of grad_pred [rows x outputs] */
    void (*backward)(const struct model *m, const void *weights, const struct model_block *block, void *scratch,
                     const double *grad_pred, double *lane);
    /* Sparse rows of one output, forward in two steps: what sparse_kernels do. NULL: there are none. */
    void (*multiply)(const struct model *m, const void *weights, const struct model_block *block, void *product);
    void (*add)(const struct model *m, const void *weights, const struct sparse_products *products, void *scratch,
                double *pred);
    /* Sparse rows: the weights of some columns from changed parameters, and all weights that belong to no column.
     * NULL: there are no steps for some columns only. */
    void (*refresh)(const struct model *m, const double *params, const uint32_t *columns, size_t count, void *weights);
    void (*refresh_rest)(const struct model *m, const double *params, void *weights);
    /* Sparse rows, steps without parameters: the weights of the entries' columns -= the change of their parameters
     * for rate * grad_pred [rows x outputs], where the gradient is on the optimiser's scale. And parameters [first,
     * end) from the weights, but those that belong to no column; all that `prepare` set come back as they were, or
     * rounded. */
    void (*descend)(const struct model *m, const struct model_block *block, const double *grad_pred, double rate,
                    void *weights);
    void (*collect)(const struct model *m, const void *weights, size_t first, size_t end, double *params);
    /* Parameters [first, end) of a summed lane, divided by `divisor`, on the optimiser's scale: gradient. `sum` is
     * complete, also outside of the range. */
    void (*finish)(const struct model *m, const double *sum, double divisor, size_t first, size_t end,
                   double *gradient);

    /* ---- model files: arrays of the model's own, on the RAW feature scale ---- */
    enum gm_code (*save)(const struct model *m, const double *params, struct archive *a, struct gm_error *err);
    /* The sizes in a file that save wrote; spec->precision is the caller's. GM_BAD_DATA: arrays that do not fit. */
    enum gm_code (*open)(const struct archive *a, const char *path, struct model_spec *spec, struct gm_error *err);
    /* Parameters for a model of that spec that was made without center and scale. */
    enum gm_code (*load)(const struct model *m, const struct archive *a, double *params, struct gm_error *err);
    /* One line for people about the inside: "784 -> 256 -> 10, relu". */
    void (*describe)(const struct model_spec *spec, char *text, size_t room);
};

const struct model_ops *model_ops_of(enum model_type type); /* NULL: this version has no such model */
const struct model_ops *model_ops_named(const char *name, enum model_type *type); /* likewise */

/* center, scale [features] or NULL. center is rounded to the precision. */
enum gm_code model_init(struct model *m, const struct model_spec *spec, const double *center, const double *scale,
                        struct gm_error *err);
/* Only to ask for sizes: what takes memory with the parameters is not there, nor are scales. */
enum gm_code model_sketch(struct model *m, const struct model_spec *spec, struct gm_error *err);
void model_release(struct model *m); /* a zeroed struct is fine */

/* May forward and backward have rows of this type as they are stored? They give the bits of converted rows. */
bool model_reads(const struct model *m, enum dense_stored stored);
bool model_takes_sparse(enum model_type type);

extern const struct model_ops model_centroids;
extern const struct model_ops model_linear, model_linear_sparse, model_mlp, model_mlp_sparse, model_two_tower;

/* For models with a tape whose gradient needs no more than that: lane [n_params] += every tile's, after tape->backward;
 * scratch of tile_bytes. And their `finish`. */
void model_tape_add(const struct model *m, const struct model_tape *tape, void *scratch, double *lane);
void model_divide(const struct model *m, const double *sum, double divisor, size_t first, size_t end, double *gradient);

/* ---- linear: parameters are [outputs x features] (sparse: [features x outputs]) coefficients, then [outputs]
 * intercepts when there are any ---- */

/* Parameters to raw feature scale: coefficients [outputs x features], intercept [outputs]. */
void linear_to_raw(const struct model *m, const double *params, double *coefficients, double *intercept);

#endif
