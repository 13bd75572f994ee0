/* l1 and l2 on the penalised parameters. */
#ifndef OPTIM_PENALTY_H
#define OPTIM_PENALTY_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* l2/2 * sum w_i^2 over penalised i, and adds l2 * w_i to g (g may be NULL). */
double penalty_l2(double l2, const uint8_t *penalised, const double *w, double *g, size_t n);
/* Adds l2 to the diagonal of hessian [n x n] at penalised i. */
void penalty_l2_hessian(double l2, const uint8_t *penalised, double *hessian, size_t n);
/* l1 * sum |w_i| over penalised i. */
double penalty_l1(double l1, const uint8_t *penalised, const double *w, size_t n);
/* Euclidean norm of the gradient of smallest norm in the subdifferential of f + l1: 0 at a minimum. g includes l2. */
double penalty_gradient_norm(double l1, const uint8_t *penalised, const double *w, const double *g, size_t n);
/* Soft threshold: sign(x) * max(|x| - t, 0), t >= 0. NaN stays NaN. */
static inline double penalty_shrink(double x, double t)
{
    double size = fabs(x) - t;
    return size <= 0 ? 0 : copysign(size, x);
}

/* The element of smallest magnitude of the subdifferential of f + l1 |w|, g the slope of f: 0 at a minimum. */
static inline double penalty_slope(double l1, double w, double g)
{
    if (w > 0)
        return g + l1;
    if (w < 0)
        return g - l1;
    return penalty_shrink(g, l1);
}

#endif
