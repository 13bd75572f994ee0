/*
 * A step of a wide model (model/model.h, struct model_tape_ops): one parallel region, in which the rows of the batch
 * are shared for forward, loss and backward, and then the tiles of the parameters for gradient, update and refreshed
 * weights. There are no lanes of gradients and nothing to reduce.
 *
 * The rows are cut into pieces by their number alone; a piece's loss is one call of the plugin, and the pieces' sums
 * are added in the fixed tree. So the bits are the same on any number of threads.
 */
#ifndef TRAIN_WIDE_H
#define TRAIN_WIDE_H

#include "train/problem.h"
#include "train/worker.h"

#define WIDE_ROWS 64 /* of a piece, at most */

struct engine;
struct engine_batch;
struct engine_update;
struct engine_totals;
struct wide_columns;

struct wide {
    size_t rows;     /* of the largest batch; 0: batches go by lanes */
    size_t capacity; /* of the tape, in rows */
    void *tape;      /* the model's */
    char *scratch;   /* [threads x scratch_bytes]: a tile's gradient, then a run of it in double */
    size_t scratch_bytes;
    double *theta;                /* [pieces x n_theta] gradient of what the loss learns */
    double *squares;              /* [tiles] of the gradient */
    struct wide_columns *columns; /* the first layer of sparse rows, or NULL (wide_columns.h) */
};

/* Rows of the largest batch of a job whose batches go by a tape; 0: they do not. A pure function of the job and of the
 * shape of data and model. */
size_t wide_rows(const struct problem *p);
/* What wide_init and wide_columns_open will ask for, known before the data are loaded; 0: batches go by lanes.
 * GM_SYSTEM. */
enum gm_code wide_bytes(const struct problem *p, uint64_t *bytes, struct gm_error *err);
/* Of a job with a tape: is a vector for the whole gradient wanted? Sparse rows have so many parameters that it matters.
 */
bool wide_wants_gradient(const struct problem *p);
/* Pieces of a batch of `rows` rows. */
size_t wide_pieces(size_t rows);

enum gm_code wide_init(struct wide *w, const struct problem *p, int threads, struct gm_error *err);
void wide_release(struct wide *w);

/* engine_step for such a job. */
enum gm_code wide_step(struct engine *e, const struct engine_batch *batch, const struct engine_update *update,
                       struct engine_totals *totals, struct gm_error *err);

#endif
