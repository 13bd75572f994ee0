/*
 * What one thread needs to work on a block: the rows in the model's precision, targets and weights as doubles,
 * predictions, the loss and its gradient. All memory is allocated before the first epoch.
 */
#ifndef TRAIN_WORKER_H
#define TRAIN_WORKER_H

#include "base/pulse.h"
#include "data/data.h"
#include "data/split.h"
#include "loss/plugin.h"
#include "model/model.h"
#include "train/walk.h"

/* What a worker works with, borrowed. */
struct worker_setup {
    const struct model *model;
    const struct loss *loss;        /* its theta stays where it is, and changes only between passes */
    const struct data_split *split; /* NULL or without a mask: no row is held out */
    const double *fill;             /* [features] what replaces a missing feature; NULL: none is missing */
    uint64_t seed;
    size_t block_rows; /* of the largest block */
    size_t call_rows;  /* of the largest call of a loss that couples rows; 0: it does not */
    size_t entries;    /* sparse rows: the most of any block; 0: dense rows */
    bool second;       /* the loss's second derivatives of training rows are wanted too */
};

/* Arrays for some rows of a block. */
struct worker_part {
    size_t rows;
    double *pred, *grad; /* [rows x outputs]; what the loss writes stands between canaries */
    double *second;      /* [rows x outputs x outputs], or [rows x outputs] when worker_second_is_diagonal; or NULL */
    double *target;      /* [rows x targets] */
    double *weight;      /* [rows] */
    int64_t *group;      /* [rows] */
};

struct worker {
    struct worker_setup setup;
    struct model_block block;       /* filled by worker_fill or worker_gather */
    struct worker_part all;         /* all rows of the block */
    struct worker_part train, held; /* its rows sorted into those that train and those held out */
    struct worker_part call;        /* rows of one call of a loss that couples rows */
    bool has_target, has_weight, has_group;
    bool wants_second;  /* of this block; never without setup.second */
    double *theta_grad; /* [n_theta] of one call, between canaries */
    void *x;            /* converted rows */
    uint32_t *index;    /* [entries] columns of gathered sparse rows */
    uint64_t *first;    /* [block_rows] of block.first */
    uint32_t *count;    /* [block_rows] of block.count */
    void *scratch;      /* the model's */
    void *loss_scratch; /* the loss's */
    struct gm_loss_host host;
    struct pulse pulse;    /* where in the plugin this thread is */
    bool overrun;          /* the loss wrote behind the rows of a call */
    struct gm_error error; /* the loss's own words when it refused */
    void *memory[32];      /* everything allocated */
    size_t n_memory;
};

/* What a lane adds up. */
struct lane_sums {
    double loss[2], weight[2]; /* 0: training rows, 1: held-out rows */
    double *theta_grad;        /* [n_theta] of the training rows; NULL: not wanted */
    /* The first block of the lane where the loss failed: GM_PLUGIN_BROKEN when evaluate returned `status`, GM_DIVERGED
     * when the loss was not finite; `row` is the dataset row of the block's start. */
    enum gm_code code;
    int status;
    size_t row;
};

enum gm_code worker_init(struct worker *w, const struct worker_setup *setup, struct gm_error *err);
void worker_release(struct worker *w);

/* Make a block of a window in storage order ready: x in place where its type allows, else converted. */
void worker_fill(struct worker *w, const struct data_schema *schema, const struct walk_block *block);
/* Make `rows` scattered rows of a window ready. */
void worker_gather(struct worker *w, const struct data_schema *schema, const struct data_window *window,
                   const size_t *index, size_t rows);

/* Of such rows all but the features: block stays as it is. */
void worker_gather_sides(struct worker *w, const struct data_schema *schema, const struct data_window *window,
                         const size_t *index, size_t rows);

/* Does the loss's diagonal of second derivatives say all there is, or all it gives? */
bool worker_second_is_diagonal(const struct loss *loss);

/* Predictions of the block: all.pred. */
void worker_forward(struct worker *w, const void *weights);
/* Loss of all rows of the block into side 0 (training, all.grad and all.second are written) or 1 (validation). row: for
 * messages. */
void worker_loss(struct worker *w, int side, uint64_t step, size_t row, struct lane_sums *sums);
/* The same; rows that the split holds out go to side 1, and their part of all.grad and all.second is 0. row: of the
 * block's first row. */
void worker_loss_split(struct worker *w, size_t row, struct lane_sums *sums);
/* Rows index[0 .. rows-1] of whole arrays, for a loss that couples rows. */
struct worker_rows {
    size_t rows;
    const size_t *index;
    const double *pred, *target, *weight; /* target NULL: there is none */
    const int64_t *group;                 /* NULL: not wanted */
    double *grad; /* gets the gradient of these rows, 0 on side 1; may be pred; NULL: not wanted */
    size_t row;   /* for messages */
    uint64_t step;
};
/* Their loss, in one call of the plugin. */
void worker_loss_rows(struct worker *w, const struct worker_rows *rows, int side, struct lane_sums *sums);
/* lane [n_params] += the block's gradient. */
void worker_backward(struct worker *w, const void *weights, double *lane);

/* Did the loss write outside its gradient buffers? GM_PLUGIN_BROKEN. To be asked after a parallel region. */
enum gm_code worker_check(const struct worker *w, struct gm_error *err);

#endif
