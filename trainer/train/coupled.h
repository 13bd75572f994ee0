/*
 * Losses that couple rows, where a block of rows has no loss of its own: first the predictions of all rows, in parallel
 * over blocks, into one buffer; then the loss, a call for each piece (whole groups, or a whole batch); then backward,
 * in parallel over blocks again, with the forward pass of the block done anew. Two passes over the data instead of one.
 *
 * Lane sums and their order are those of any other loss, so the bits are the same on any number of threads.
 */
#ifndef TRAIN_COUPLED_H
#define TRAIN_COUPLED_H

#include "train/problem.h"
#include "train/worker.h"

struct engine;
struct engine_batch;

struct coupled {
    size_t rows;  /* room; 0: the loss does not couple rows */
    double *pred; /* [rows x outputs], afterwards the gradient where one is wanted */
    double *target, *weight;
    int64_t *group;
    struct pieces batch; /* of a batch, cut anew for each */
};

/* What becomes of the rows of a dataset. */
enum coupled_use {
    COUPLED_GRADIENT,   /* by the split; rows that train get a gradient */
    COUPLED_LOSS,       /* by the split; predictions stay */
    COUPLED_VALIDATION, /* all count as validation */
    COUPLED_HELD_OUT    /* only those that the split holds out */
};

enum gm_code coupled_init(struct coupled *c, const struct problem *p, struct gm_error *err);
void coupled_release(struct coupled *c);
/* Bytes that coupled_init and problem_cut will ask for, known before the data are loaded. */
uint64_t coupled_bytes(const struct problem *p);
/* Rows of the largest call of the loss, and of the largest batch; 0: the loss does not couple rows. */
size_t coupled_call_rows(const struct problem *p);
size_t coupled_batch_rows(const struct problem *p);

/* All rows of a dataset at the prepared weights, into the engine's cleared lanes. GM_IO. */
enum gm_code coupled_walk(struct engine *e, const struct problem_data *data, enum coupled_use use,
                          struct gm_error *err);
/* The same for a batch of scattered rows. */
void coupled_batch(struct engine *e, const struct engine_batch *batch, const struct lane_plan *plan);

/* Its three parts, for those who have their own way with rows: what a worker found of rows [at, ...) of the batch, the
 * loss of all of them into `lanes` sums, and the gradient of rows [at, at + w->all.rows) into w->all.grad. */
void coupled_store(struct coupled *c, const struct worker *w, size_t at);
void coupled_batch_loss(struct engine *e, const struct engine_batch *batch, size_t lanes);
void coupled_take(const struct coupled *c, struct worker *w, size_t at);

#endif
