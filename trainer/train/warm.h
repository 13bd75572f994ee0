/*
 * A start from a sample of the rows, for lbfgs on linear models with very many rows.
 *
 * The first steps go far and need not be exact. The objective of a fixed sample of the blocks is minimised as far as a
 * sample is worth it, and the curvature seen on the way is kept: with 512 rows for each parameter it is that of all
 * rows within some hundredths, so that the steps on all rows which follow are nearly Newton's (Byrd, Chin, Neveitt,
 * Nocedal, "On the use of stochastic Hessian information in optimization methods for machine learning", 2011). Epoch 0
 * is the point where that ends. The sample is a pure function of shape and seed, so the bits depend on neither threads
 * nor streaming.
 */
#ifndef TRAIN_WARM_H
#define TRAIN_WARM_H

#include "train/run.h"

/* r->params and r->optim before their first trial; others are left as they are. GM_INTERRUPTED: as before it. */
enum gm_code warm_start(struct run *r, struct gm_error *err);

/* After the first pass over all rows: a sample that lacks rare rows may end where all rows have no finite loss, or a
 * far larger one than the start. Then r->params are the start again. */
bool warm_misled(struct run *r, double objective);

#endif
