/*
 * Steps of sgd on sparse rows. Its update is linear in the gradient, so no gradient is made: each entry of the batch
 * moves its own coefficient, in the order of the rows, and what is read and written is what the batch holds.
 *
 * During a sweep the coefficients are the model's weights, in its precision; the parameters are made from them after so
 * many entries that it costs next to nothing, and at the end of a sweep. l2 shrinks all coefficients by the same factor
 * in each step, which is kept apart: the weights are those of w / factor (Shalev-Shwartz, Singer, Srebro, "Pegasos",
 * 2007; Bottou, "Stochastic gradient descent tricks", 2012).
 *
 * A column is moved in the order of the rows by the thread that has its range (sparse_batch.h), so the bits depend
 * neither on threads nor on where the ranges end.
 */
#ifndef TRAIN_SPARSE_DIRECT_H
#define TRAIN_SPARSE_DIRECT_H

#include "train/sparse_batch.h"
#include "train/sparse_step.h"

struct sparse_direct;

bool sparse_direct_fits(const struct optim_config *config);
/* batch is borrowed, for batches of up to `entries` entries. GM_SYSTEM. */
enum gm_code sparse_direct_open(struct sparse_direct **out, struct sparse_batch *batch, uint64_t entries,
                                struct gm_error *err);
void sparse_direct_close(struct sparse_direct *s); /* NULL is fine */
/* As those of sparse_step.h. */
void sparse_direct_begin(struct sparse_direct *s, const struct sparse_sweep *sweep, double l2);
enum gm_code sparse_direct_batch(struct sparse_direct *s, const struct engine_batch *batch,
                                 struct engine_totals *totals, struct gm_error *err);
bool sparse_direct_is_whole(const struct sparse_direct *s);
void sparse_direct_end(struct sparse_direct *s);

#endif
