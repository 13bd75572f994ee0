/*
 * Is the loss convex in pred? Only what can be proven counts; "not proven" is common and harmless.
 *
 * Two proofs are tried. By composition: sums of convex functions, convex functions of affine ones, products with
 * factors of known sign (the rules of disciplined convex programming, Grant, Boyd, Ye 2006). By the second derivative:
 * a smooth formula without where(), abs, min or max whose second derivative is never negative by interval arithmetic;
 * for several outputs only when all mixed derivatives are zero.
 */
#ifndef FORMULA_CONVEX_H
#define FORMULA_CONVEX_H

#include "formula/derive.h"

/* Values a node can take, given the bounds of parameters and target. */
struct range {
    double low, high;
};

/* ranges is [graph's count]. */
void range_all(const struct formula *f, struct range *ranges);
enum gm_code convex_proven(const struct formula *f, const struct derivatives *s, bool *proven, struct gm_error *err);

#endif
