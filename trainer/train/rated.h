/* A problem over ratings instead of rows of features: what stands in for the dataset, the scan and the model. */
#ifndef TRAIN_RATED_H
#define TRAIN_RATED_H

#include <gradmill/gradmill.h>

#include "data/data.h"
#include "data/ratings.h"
#include "loss/plugin.h"
#include "train/grid.h"

struct problem;

struct rated {
    struct ratings ratings; /* of the training file; its rows are released when the grid has them */
    struct grid grid;
    struct grid_set validation; /* of a separate file; rows == 0: there is none */
    size_t negatives;           /* terms added to each event; 0: there are ratings */
    size_t rank;
    struct data_schema schema; /* for the log and the summary: 2 "features", user and item */
};

/* The ratings that measure a model: the separate file's, or those held out; rows == 0: there are none. */
const struct grid_set *rated_held_out(const struct rated *rated);

/* Before the loss is bound: is the job one that factorization can do? Reads the ratings, sets p->rated and
 * p->train.schema. GM_BAD_JOB, and as ratings_read. */
enum gm_code rated_open(struct problem *p, const struct gm_watch *watch, struct gm_error *err);
/* Once it is bound: checks the ratings against the loss, splits them, builds the grid, reads the validation file. */
enum gm_code rated_load(struct problem *p, const struct gm_watch *watch, struct gm_error *err);
/* GM_BAD_DATA: the first rating outside of the loss's domain. */
enum gm_code rated_check_targets(const struct loss *loss, const struct ratings *ratings, struct gm_error *err);
void rated_release(struct rated *rated); /* NULL is fine */

#endif
