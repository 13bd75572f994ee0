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
    uint64_t *done;      /* batches of this epoch: those done before are passed over; counts on */
    bool whole;          /* between two batches r is a whole state: run_pause is called */
};

/* Sweep over the shuffled training rows, updating r->params batch by batch. totals: the sums of the batches' losses,
 * each before its update, are added to it. Stops early when the loss is not finite, or when the watcher wants to stop:
 * then r->reason says so. */
enum gm_code minibatch_sweep(struct run *r, const struct minibatch_sweep *sweep, struct engine_totals *totals,
                             struct gm_error *err);

#endif
