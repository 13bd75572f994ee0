/*
 * A learning rate for minibatch methods that nobody has to tune.
 *
 * Before training, short trials from the start values on the first batches, each rate four times the other, the lowest
 * loss wins (as Bottou 2012, "Stochastic gradient descent tricks", section 5.2, finds eta_0 on a sample). While
 * training on `auto`, the rate is halved after an epoch that did not improve the objective.
 */
#ifndef TRAIN_RATE_H
#define TRAIN_RATE_H

#include "train/run.h"

/* Sets r->rate: the job's learning rate, or the result of the trials. r->params is left as it was. */
enum gm_code rate_resolve(struct run *r, struct gm_error *err);

#endif
