/* The loss part of a job made concrete: one plugin, or a list of them as a weighted sum. */
#ifndef TRAIN_PROBLEM_LOSS_H
#define TRAIN_PROBLEM_LOSS_H

#include "train/problem.h"

/* In this order, with the data opened in between: find the plugins and what they want of the target; turn labels into
 * classes; bind parameters and shapes, and check plugins that do not come with the program. GM_PLUGIN_LOAD,
 * GM_BAD_DATA, GM_BAD_JOB, GM_PLUGIN_BROKEN. */
enum gm_code problem_load_loss(struct problem *p, struct gm_error *err);
enum gm_code problem_make_classes(struct problem *p, struct gm_error *err);
enum gm_code problem_bind_loss(struct problem *p, struct gm_error *err);
void problem_release_loss(struct problem *p);

#endif
