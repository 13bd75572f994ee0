/*
 * The objective, its gradient and its Hessian in one pass over the data, for newton on linear models.
 *
 * engine_gradient does the pass; this adds every block's second derivatives on the way (model/curvature.h), kept per
 * lane and added in the fixed tree: the same bits at any number of threads.
 */
#ifndef TRAIN_HESSIAN_H
#define TRAIN_HESSIAN_H

#include "model/curvature.h"
#include "train/engine.h"

struct hessian {
    struct curvature_shape shape;
    struct curvature *threads; /* [threads] */
    int n_threads;
    double *lanes;  /* [n_lanes x curvature_lane] */
    double *matrix; /* [n x n] upper triangle: the Hessian of the mean loss */
    /* Set before each pass: one piece of every `stride` is taken, another one in each epoch. */
    size_t stride;
    uint64_t epoch;
};

/* Bytes that newton adds to a lane of the problem's plan: 0 for the other methods. */
size_t hessian_lane_bytes(const struct problem *p);
/* Bytes of everything newton keeps for this problem; UINT64_MAX: more than a number holds; 0 for other methods. */
uint64_t hessian_bytes(const struct problem *p);
/* One of how many blocks is enough to begin with (optim_hessian_stride): a pure function of the problem's shape. */
size_t hessian_first_stride(const struct problem *p);
/* The same for any method that wants to know the curvature from a sample. */
size_t hessian_sample_stride(const struct problem *p);
/* Can newton train this problem? GM_BAD_JOB: the loss gives no second derivatives, or they take more than `bytes`. */
enum gm_code hessian_check(const struct problem *p, uint64_t bytes, const struct gm_watch *watch, struct gm_error *err);

/* For problems that passed hessian_check; for another method it does nothing. */
enum gm_code hessian_init(struct hessian *h, const struct engine *e, struct gm_error *err);
void hessian_release(struct hessian *h); /* a zeroed struct is fine */

/* engine_gradient with the Hessian, or an estimate of it, into h->matrix. */
enum gm_code hessian_gradient(struct hessian *h, struct engine *e, const double *params, struct engine_totals *totals,
                              double *gradient, struct gm_error *err);

#endif
