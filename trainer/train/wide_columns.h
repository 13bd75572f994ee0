/*
 * The first layer of a wide model on sparse rows, in its steps (wide.h): what a step costs is what its batch holds, not
 * what the model has.
 *
 * The columns that occur are found (columns.h) and shared among the threads. Each one's gradient is one sum over its
 * entries in the order of the rows, which is used on the spot, as a tile's. What penalties and velocity do to columns
 * that do not occur is made good before they are looked at again (optim/lazy.h, as for linear models in sparse_step.h);
 * after so many steps that it costs little, and at the end of a sweep, all columns are.
 */
#ifndef TRAIN_WIDE_COLUMNS_H
#define TRAIN_WIDE_COLUMNS_H

#include "optim/optim.h"
#include "train/engine.h"

struct wide_step;

/* ---- before the first epoch ---- */

/* Do batches of so many rows go by columns? No: by lanes, all columns in each step. */
bool wide_columns_fit(const struct problem *p, size_t rows);
/* The key of the optimiser that is why not; NULL: none. */
const char *wide_columns_refused(const struct problem *p);
uint64_t wide_columns_bytes(const struct problem *p, size_t rows);
size_t wide_columns_scratch(const struct model *m); /* bytes of a column's gradient */
/* e->wide.columns, which stays NULL where the job's batches do not go by columns. GM_SYSTEM. */
enum gm_code wide_columns_open(struct engine *e, const struct optim_config *config, struct gm_error *err);
void wide_columns_close(struct wide_columns *c); /* NULL is fine */

/* The weights from e->params, of any model with a tape on sparse rows, whose columns are so many that all threads share
 * them. */
void wide_columns_prepare(struct engine *e);

/* ---- a sweep ---- */

/* The parameters are prepared; both are borrowed until wide_columns_end. */
void wide_columns_begin(struct engine *e, struct optim *optim, double *params);
/* All parameters are caught up: the state is whole, as after a sweep. */
bool wide_columns_are_whole(const struct engine *e);
void wide_columns_end(struct engine *e);

/* ---- a step, between optim_step_begin and the next ---- */

void wide_columns_begin_step(struct engine *e);
/* The columns that occur, as they are after the steps before this one: by all threads of the region; or by a region of
 * its own. */
void wide_columns_find(const struct wide_step *s);
void wide_columns_find_alone(const struct wide_step *s);
/* After backward: gradients, and updates unless the norm is waited for. By all threads of the region. */
void wide_columns_use(const struct wide_step *s);
double wide_columns_squares(const struct engine *e); /* of those gradients */
/* The updates that waited. By all threads of the region. */
void wide_columns_step(const struct wide_step *s);
/* After the step. */
void wide_columns_end_step(struct engine *e);

#endif
