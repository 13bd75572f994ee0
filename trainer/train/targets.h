/* Facts about the targets before training: are they in the loss's domain, and where to start from. */
#ifndef TRAIN_TARGETS_H
#define TRAIN_TARGETS_H

#include "train/problem.h"

/* Every target of training and validation data inside the loss's domain: GM_BAD_DATA with the first bad row. */
enum gm_code targets_check(const struct problem *p, struct gm_error *err);

/* Where training starts, from the training rows or the first million of them: theta [n_theta] by the loss's own
 * theta_start(), and raw [outputs], the prediction of the best constant model by its baseline(). Zeros where the loss
 * has none. */
enum gm_code targets_start(const struct problem *p, double *raw, double *theta, struct gm_error *err);

#endif
