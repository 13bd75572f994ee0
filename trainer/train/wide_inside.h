/* What the steps of tiles (wide.c) and of the columns of sparse rows (wide_columns.c) share. */
#ifndef TRAIN_WIDE_INSIDE_H
#define TRAIN_WIDE_INSIDE_H

#include "train/engine_inside.h"

/* The step at hand. */
struct wide_step {
    struct engine *engine;
    const struct engine_batch *batch;
    const struct engine_update *update;
    struct model_tape tape; /* all rows */
    double divisor;
};

/* The calling thread's: a tile's gradient, then a run of it in double. */
char *wide_scratch(const struct engine *e);
/* A run of sums, divided, and used piece by piece: amended, then stepped, or kept for the step that waits for the norm.
 * Returns its part of the squared norm. */
double wide_use_run(const struct wide_step *s, const struct model_run *run, double divisor);

#endif
