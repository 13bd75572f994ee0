/* l1 and l2 on the penalised parameters. Sums run in index order: the same bits whoever calls. */
#include "optim/penalty.h"

#include <math.h>

double penalty_l2(double l2, const uint8_t *penalised, const double *w, double *g, size_t n)
{
    if (l2 == 0)
        return 0; /* not 0 * Inf */
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (!penalised[i])
            continue;
        sum += w[i] * w[i];
        if (g)
            g[i] += l2 * w[i];
    }
    return 0.5 * l2 * sum;
}

void penalty_l2_hessian(double l2, const uint8_t *penalised, double *hessian, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (penalised[i])
            hessian[i * n + i] += l2;
}

double penalty_l1(double l1, const uint8_t *penalised, const double *w, size_t n)
{
    if (l1 == 0)
        return 0;
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        if (penalised[i])
            sum += fabs(w[i]);
    return l1 * sum;
}

double penalty_gradient_norm(double l1, const uint8_t *penalised, const double *w, const double *g, size_t n)
{
    double sum = 0, most = 0;
    for (size_t i = 0; i < n; i++) {
        double slope = penalty_slope(penalised[i] ? l1 : 0, w[i], g[i]);
        sum += slope * slope;
        most = fmax(most, fabs(slope));
    }
    if ((sum > 1e-280 && sum < INFINITY) || isnan(sum) || most == 0 || isinf(most))
        return sqrt(sum);
    sum = 0; /* the squares left the range of a double: again, in units of the largest */
    for (size_t i = 0; i < n; i++) {
        double slope = penalty_slope(penalised[i] ? l1 : 0, w[i], g[i]) / most;
        sum += slope * slope;
    }
    return most * sqrt(sum);
}
