/* The files that a job writes: each of its own, none of them a file that it reads. */
#ifndef TRAIN_OUTPUTS_H
#define TRAIN_OUTPUTS_H

#include "train/problem.h"

/* Before anything is read: can they be written, and is nothing lost by that? Takes their locks, which problem_release
 * gives back. GM_BAD_JOB (one is named twice, or is an input), GM_CANNOT_CREATE, GM_DENIED. */
enum gm_code outputs_take(struct problem *p, struct gm_error *err);

#endif
