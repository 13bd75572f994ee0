/*
 * Second derivatives of linear models, exact: with h_kl = d2 loss / d pred_k d pred_l of a row and x its centred
 * features (and a 1 for the intercept), the Hessian's block for outputs k and l is sum_rows h_kl x x', a weighted Gram
 * matrix (gram.h). All blocks are symmetric, and block (l, k) is block (k, l).
 *
 * As with gradients, a lane adds up its rows in order: rows are collected into a panel by the thread that works on the
 * lane, and added to the lane's sums when the panel is full and at the end of the lane's run.
 */
#ifndef MODEL_CURVATURE_H
#define MODEL_CURVATURE_H

#include "model/gram.h"
#include "model/model.h"

/* Sizes, a pure function of the model and of what the loss gives. */
struct curvature_shape {
    bool full;         /* every pair of outputs; else only an output with itself */
    size_t columns;    /* features, and the intercept's ones */
    size_t pairs;      /* of outputs, k <= l */
    size_t pair_sums;  /* doubles of a pair's sums */
    size_t panel_rows; /* rows that are summed in the model's precision */
};

/* full: the loss gives all second derivatives, not only the diagonal. False when the sizes overflow. */
bool curvature_shape_of(struct curvature_shape *shape, const struct model_spec *spec, bool full);
/* Doubles of a lane's sums. */
size_t curvature_lane(const struct curvature_shape *shape);

/* What one thread collects. */
struct curvature {
    const struct model *model; /* borrowed */
    struct curvature_shape shape;
    struct gram_kernels gram;
    size_t pending;      /* rows in the panel */
    void *x, *w, *strip; /* [panel_rows x stride], [pairs x panel_rows], [panel_rows x GRAM_COLUMNS] */
};

enum gm_code curvature_init(struct curvature *c, const struct model *m, const struct curvature_shape *shape,
                            struct gm_error *err);
void curvature_release(struct curvature *c);

/* Rows of a block with their second derivatives, [rows x outputs x outputs] or, when not full, [rows x outputs]. lane
 * [curvature_lane] gets what has been collected whenever the panel is full. */
void curvature_add(struct curvature *c, const struct model_block *block, const double *second, double *lane);
/* The rest; to be called before the thread turns to another lane. */
void curvature_flush(struct curvature *c, double *lane);

/* The upper triangle of hessian [n_params x n_params] on the optimiser's scale, from the sum of all lanes. */
void curvature_finish(const struct model *m, const struct curvature_shape *shape, const double *sum, double divisor,
                      double *hessian);

#endif
