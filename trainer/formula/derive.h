/*
 * Symbolic derivatives in reverse order.
 *
 * One sweep from the result to the leaves gives the derivative with respect to every leaf at once (Griewank and
 * Walther, "Evaluating Derivatives", 2nd ed., section 3.2), as expressions of the same graph. Where an element node
 * uses a scalar one, the scalar one's share is a sum over the outputs: sum_j(...).
 *
 * The second derivative of a formula over any number of outputs has the form
 *     H[j][k] = (j == k) D(j) + sum over s of U_s(j) V_s(k)
 * with element expressions D, U_s, V_s: D is the derivative of the gradient's element j by pred[j] itself, s runs over
 * the scalars that the gradient holds (a logsumexp, a sum, pred[target]), U_s is the derivative of the gradient by that
 * scalar and V_s the scalar's derivative by pred[k]. For softmax cross-entropy that is p_j (j == k) - p_j p_k.
 */
#ifndef FORMULA_DERIVE_H
#define FORMULA_DERIVE_H

#include "formula/formula.h"

#define DERIVE_PARTS 16 /* scalars in the gradient: at most so many for a full Hessian */

struct derivatives {
    dag_id loss;
    /* FORMULA_EACH, FORMULA_FIXED: [outputs], and the lower triangle [outputs x outputs] */
    dag_id grad[FORMULA_OUTPUTS];
    dag_id hess[FORMULA_OUTPUTS][FORMULA_OUTPUTS];
    /* FORMULA_INDEXED: the gradient's element j, and the second derivative as above */
    dag_id grad_j, own_j;
    dag_id by_scalar[DERIVE_PARTS], of_scalar[DERIVE_PARTS]; /* U_s, V_s */
    size_t parts;
    dag_id hess_diag_j;
    dag_id theta_grad[FORMULA_NAMES];
};

/* GM_SYSTEM, GM_USAGE when it grows too large. */
enum gm_code derive_all(struct formula *f, struct derivatives *out, struct gm_error *err);

/* Derivative of `root` by every leaf, into adjoint[0 .. root]. When `inside` is true the sweep stays on the level of
 * elements: a scalar gets its share as an element expression and is not entered. */
enum gm_code derive_sweep(struct dag *d, dag_id root, bool inside, dag_id *adjoint, struct gm_error *err);

#endif
