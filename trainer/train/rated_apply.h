/*
 * A trained factorization put to use on a dataset of ratings. Users and items that training did not know are predicted
 * by what is known of the other side: the mean and its bias.
 */
#ifndef TRAIN_RATED_APPLY_H
#define TRAIN_RATED_APPLY_H

#include "train/apply.h"

/* Predictions of all rows, in row order; see gm_predict. Ratings need not be there. */
enum gm_code rated_predict(const struct apply_setup *setup, gm_predictions_fn *predictions, void *context,
                           struct gm_error *err);
/* Metrics as strata_metrics. GM_BAD_DATA: the model was trained on ratings and there are none. */
enum gm_code rated_evaluate(const struct apply_setup *setup, struct gm_metrics *metrics, struct gm_error *err);

#endif
