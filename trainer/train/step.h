/*
 * One step of a minibatch method: the batch's gradient, what is done to it, the update, and the average of the weights.
 *
 *  - svrg: the gradient is corrected by what the same batch says at the epoch's start, and by the full gradient there,
 *    so that its variance vanishes at the minimum (Johnson and Zhang 2013; with l1 Xiao and Zhang 2014);
 *  - clip_norm: a gradient that is longer is scaled down to it (Pascanu, Mikolov, Bengio 2013);
 *  - average: the mean of the weights so far (optim/average.h) is what is validated and kept.
 */
#ifndef TRAIN_STEP_H
#define TRAIN_STEP_H

#include "train/run.h"

/* Allocates what the job's method needs, in r->step. */
enum gm_code step_init(struct run *r, struct gm_error *err);
void step_release(struct run *r);

/* Before the steps of an epoch, also where a resumed run goes on in the middle of one. */
enum gm_code step_epoch(struct run *r, struct gm_error *err);

/* A step with this optimiser, at the rate it was begun with, from the prepared parameters. whole: of the run itself;
 * else of a trial, which is plain. Adds to totals. */
enum gm_code step_batch(struct run *r, struct optim *optim, const struct engine_batch *batch, bool whole,
                        struct engine_totals *totals, struct gm_error *err);

/* The weights [n] that count: the average, where one is kept, else those of the last step. */
const double *step_point(const struct run *r);

#endif
