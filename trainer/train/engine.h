/*
 * Loss and gradient over rows, on all threads with the same bits at any number of them.
 *
 * engine_gradient makes one pass over the data: forward, loss and backward of a block while it is in the cache. Lanes
 * are added in a fixed tree. engine_batch does the same for some scattered rows and hands the gradient to an updater.
 *
 * Parameters are one vector: the model's, and behind them the theta that the loss learns.
 */
#ifndef TRAIN_ENGINE_H
#define TRAIN_ENGINE_H

#include "train/coupled.h"
#include "train/problem.h"
#include "train/wide.h"
#include "train/worker.h"

/* What else is to be done with each training block of engine_gradient, after its gradient, in the parallel region. */
struct engine_extra {
    walk_fn *visit; /* NULL: nothing */
    /* Whether the loss's second derivatives of a block are wanted; NULL: of every block, where workers have them. */
    bool (*wants_second)(void *context, const struct walk_block *block);
    void *context;
};

/* It must not move: its workers point into it. */
struct engine {
    const struct problem *problem; /* borrowed */
    struct worker *workers;        /* [threads] */
    int threads;
    struct loss loss;       /* the problem's, with theta; borrowed */
    size_t n, n_theta;      /* parameters; those of them that are the loss's, at the end */
    double *theta;          /* [n_theta] of the last engine_prepare */
    double *lanes;          /* [n_lanes x n] */
    struct lane_sums *sums; /* [n_sums] */
    size_t n_lanes, n_sums;
    double *squares;        /* [ranges of parameters] of a gradient whose norm is wanted */
    struct wide wide;       /* of a model that takes batches by a tape */
    struct coupled coupled; /* of a loss that couples rows */
    void *weights;          /* the model's, made from the parameters of the call */
    const double *params;   /* of the last engine_prepare */
    uint64_t passes;        /* over the training data */
    struct walk_stop stop;  /* ends a pass: GM_INTERRUPTED */
    struct engine_extra extra;
    size_t sample; /* > 1: of so many training blocks one makes up a pass of engine_gradient, always the same */
};

/* Weighted sums over rows. loss is NaN when it was not finite in some block, then bad_row is that block's first row. */
struct engine_totals {
    double loss[2], weight[2]; /* 0: training rows, 1: validation rows seen on the way */
    bool finite;
    size_t bad_row;
};

enum gm_code engine_init(struct engine *e, const struct problem *p, struct gm_error *err);
void engine_release(struct engine *e);

/* Loss sums and mean gradient [n] of the training rows at params, held-out rows' loss on the way; one pass.
 * gradient NULL: loss only. GM_PLUGIN_BROKEN, GM_IO. */
enum gm_code engine_gradient(struct engine *e, const double *params, struct engine_totals *totals, double *gradient,
                             struct gm_error *err);

/* Adds the loss sums of the separate validation dataset at params to side 1 of totals. */
enum gm_code engine_validate(struct engine *e, const double *params, struct engine_totals *totals,
                             struct gm_error *err);

/* Rows of a window: window rows index[0 .. rows-1]. */
struct engine_batch {
    const struct data_window *window;
    const size_t *index;
    size_t rows;
    uint64_t step;
    size_t ahead; /* known rows behind them in index: what is to be fetched next */
};
/*
 * What becomes of a batch's gradient. Functions are called for disjoint ranges [first, end) of parameters that together
 * are all, by several threads; gradient [end - first] begins with that of parameter `first`.
 */
struct engine_update {
    void *context;
    double *gradient; /* [n] working space */
    /* Adds what belongs to the gradient beside the data (l2); NULL: the mean gradient of the batch is all that is
     * wanted, by a model whose batches go by lanes. */
    void (*amend)(void *context, double *gradient, size_t first, size_t end);
    /* The Euclidean norm of the whole, amended gradient, before any step; NULL: not wanted. By one thread. */
    void (*norm)(void *context, double norm);
    /* Parameters that `step` will be asked for next; NULL: it does not matter. */
    void (*soon)(void *context, size_t first, size_t end);
    /* Changes parameters [first, end) of the vector that was prepared. */
    void (*step)(void *context, const double *gradient, size_t first, size_t end);
};
/* Mean gradient of a batch at the prepared parameters, and their update; they are prepared again afterwards. Adds to
 * totals. */
enum gm_code engine_step(struct engine *e, const struct engine_batch *batch, const struct engine_update *update,
                         struct engine_totals *totals, struct gm_error *err);
/* params [n], borrowed until the next engine_prepare. */
void engine_prepare(struct engine *e, const double *params);
/* The length of that vector. */
size_t engine_params(const struct problem *p);

/* Validation loss at the prepared weights, of the held-out rows or of the separate dataset, into side 1 of totals. */
enum gm_code engine_validation_loss(struct engine *e, struct engine_totals *totals, struct gm_error *err);

/* A walk over `data` whose visitor adds to e->sums with e's workers: clears the sums, walks, adds them up into
 * e->sums[0]. When e->coupled.rows, the losses are in the sums before the walk begins, and the visitor adds none; it
 * finds the predictions of all rows in e->coupled.pred. GM_PLUGIN_BROKEN, GM_IO. */
enum gm_code engine_walk(struct engine *e, const struct problem_data *data, const struct walk *walk,
                         struct gm_error *err);

#endif
