/*
 * A trained model put to use: a problem without training, made from a model file and a dataset.
 */
#ifndef TRAIN_APPLY_H
#define TRAIN_APPLY_H

#include <gradmill/gradmill.h>

#include "model/file.h"
#include "train/problem.h"

/* Where the model and its loss come from, and how to use them. */
struct apply_setup {
    const struct gm_job *job; /* a job with default values and float64 */
    const struct model_file *file;
    const char *path; /* of the model file, for messages */
    const struct loss *loss;
    const struct gm_data *data;
    const struct gm_use *use;
    bool evaluates; /* losses are asked for, not only predictions */
};

/* p->train is the dataset; params (memory_free them) are the model's, then the loss's. apply_release(p) afterwards;
 * plugin and loss stay the caller's. GM_BAD_DATA when the dataset does not fit the model. */
enum gm_code apply_init(struct problem *p, double **params, const struct apply_setup *setup, struct gm_error *err);

void apply_release(struct problem *p);

/* Predictions of all rows, in row order; see gm_predict. */
enum gm_code apply_predict(const struct problem *p, const double *params, bool raw, gm_predictions_fn *predictions,
                           void *context, struct gm_error *err);

#endif
