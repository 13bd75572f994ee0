/*
 * Training of the model centroids: where the centres start, and Lloyd's step.
 *
 * The start is the best of some restarts on a sample of the training rows (all of them when they are few), each by
 * greedy k-means++ (Arthur and Vassilvitskii 2007, section 5) and Lloyd's iteration (Lloyd 1982) until it stands still.
 * gd with an automatic rate then goes on with all rows, by the step that is exact while every row keeps its share in
 * each centre: c_k = sum_i g_ik x_i / sum_i g_ik with g_ik = d loss_i / d distance_ik. For kmeans that is Lloyd's
 * iteration, for soft_kmeans expectation maximisation (MacKay 2003, section 20.2); it never increases a loss that is
 * concave in the distances. A centre without rows moves to the row of the sample that is farthest from all centres.
 */
#ifndef TRAIN_CLUSTERS_H
#define TRAIN_CLUSTERS_H

#include "train/engine.h"

struct clusters {
    double *rows;    /* [count x stride] the sample, on the optimiser's scale, padded (model/distance.h) */
    double *weights; /* [count] */
    size_t count, stride;
    double *masses; /* [n_lanes x outputs] sums of g, for Lloyd's step */
};

/* Takes the sample and fills params [n_params] with the start. e: for its workers. GM_BAD_DATA: fewer rows than
 * centres. */
enum gm_code clusters_init(struct clusters *c, struct engine *e, double *params, struct gm_error *err);
void clusters_release(struct clusters *c); /* a zeroed struct is fine */

/* engine_gradient with the masses of the centres. */
enum gm_code clusters_gradient(struct clusters *c, struct engine *e, const double *params, struct engine_totals *totals,
                               double *gradient, struct gm_error *err);
/* Lloyd's step from there, in place. False: no centre moves. */
bool clusters_step(const struct clusters *c, const struct engine *e, const struct engine_totals *totals,
                   const double *gradient, double *params);

#endif
