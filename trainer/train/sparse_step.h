/*
 * Minibatch steps on sparse rows that cost what the batch holds, not what the model has.
 *
 * Each range of columns (sparse_batch.h) is taken by one thread: it lists the columns that occur and sums their
 * gradients, in the order of the rows, then updates them and their weights. So the bits do not depend on threads, and
 * there are no lanes of all parameters. What penalties do to columns that do not occur is made good later
 * (optim/lazy.h); after `period` steps and at the end of a sweep all columns are.
 */
#ifndef TRAIN_SPARSE_STEP_H
#define TRAIN_SPARSE_STEP_H

#include "optim/optim.h"
#include "train/engine.h"

struct sparse_step;

/* *out stays NULL when the job's batches are not for it: dense rows, models that take batches by a tape
 * (wide_columns.h), no batch size, losses that couple rows or learn parameters, batches that hold more entries than
 * there are parameters. GM_SYSTEM. */
enum gm_code sparse_step_open(struct sparse_step **out, struct engine *e, const struct optim_config *config,
                              struct gm_error *err);
void sparse_step_close(struct sparse_step *s); /* NULL is fine */

/* What a sweep works on, borrowed until sparse_step_end. */
struct sparse_sweep {
    struct optim *optim;
    double *params;
};
void sparse_step_begin(struct sparse_step *s, const struct sparse_sweep *sweep);
/* One step, between optim_step_begin and the next. As engine_step. */
enum gm_code sparse_step_batch(struct sparse_step *s, const struct engine_batch *batch, struct engine_totals *totals,
                               struct gm_error *err);
/* All parameters are caught up: the state is whole, as after a sweep. */
bool sparse_step_is_whole(const struct sparse_step *s);
void sparse_step_end(struct sparse_step *s);

#endif
