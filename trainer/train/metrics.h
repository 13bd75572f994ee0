/* Metrics of a linear or other model over a dataset, weighted, in one pass. */
#ifndef TRAIN_METRICS_H
#define TRAIN_METRICS_H

#include <gradmill/gradmill.h>

#include "train/engine.h"

/* Over rows of a dataset at the prepared weights: sides[0] gets the rows that the split leaves for training, sides[1]
 * those it holds out (rows == 0 when there are none). split NULL: all rows go to sides[0]. */
struct metrics_request {
    const struct problem_data *data;
    const struct data_split *split;
};
enum gm_code metrics_run(struct engine *e, const struct metrics_request *request, struct gm_metrics sides[2],
                         struct gm_error *err);

#endif
