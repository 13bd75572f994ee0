/* The steps of a minibatch epoch, for training and for learning-rate trials. */
#ifndef TRAIN_MINIBATCH_H
#define TRAIN_MINIBATCH_H

#include "train/run.h"

struct minibatch_sweep {
    struct optim *optim;
    uint32_t epoch;      /* keys the order of the rows */
    double rate;         /* base learning rate */
    size_t most_batches; /* stop after these; 0: all of the epoch */
    uint64_t first_step; /* number of the first step, goes to the loss */
};

/* Sweep over the shuffled training rows, updating r->params batch by batch. totals: sums of the batches' losses, each
 * before its update. *steps (may be NULL) gets the number of batches. Stops early when the loss is not finite. */
enum gm_code minibatch_sweep(struct run *r, const struct minibatch_sweep *sweep, struct engine_totals *totals,
                             size_t *steps, struct gm_error *err);

#endif
