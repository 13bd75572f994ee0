/* Facts about the targets before training: are they in the loss's domain, and which constant predicts them best. */
#ifndef TRAIN_TARGETS_H
#define TRAIN_TARGETS_H

#include "train/problem.h"

/* Every target of training and validation data inside the loss's domain: GM_BAD_DATA with the first bad row. */
enum gm_code targets_check(const struct problem *p, struct gm_error *err);

/* Raw prediction [outputs] of the best constant model by the loss's own baseline(), from the training rows or the first
 * million of them; zeros when the loss gives none. */
enum gm_code targets_baseline(const struct problem *p, double *raw, struct gm_error *err);

#endif
