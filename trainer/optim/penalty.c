/* l1 and l2 on the penalised parameters. Sums run in index order: the same bits whoever calls. */
#include "optim/penalty.h"

#include <math.h>
#include <stdbool.h>

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

/* The element of smallest magnitude of the i-th subdifferential. */
static double least_slope(double l1, bool penalised, double w, double g)
{
    if (!penalised || l1 == 0)
        return g;
    if (w > 0)
        return g + l1;
    if (w < 0)
        return g - l1;
    return penalty_shrink(g, l1);
}

double penalty_gradient_norm(double l1, const uint8_t *penalised, const double *w, const double *g, size_t n)
{
    double sum = 0, most = 0;
    for (size_t i = 0; i < n; i++) {
        double slope = least_slope(l1, penalised[i], w[i], g[i]);
        sum += slope * slope;
        most = fmax(most, fabs(slope));
    }
    if ((sum > 1e-280 && sum < INFINITY) || isnan(sum) || most == 0 || isinf(most))
        return sqrt(sum);
    sum = 0; /* the squares left the range of a double: again, in units of the largest */
    for (size_t i = 0; i < n; i++) {
        double slope = least_slope(l1, penalised[i], w[i], g[i]) / most;
        sum += slope * slope;
    }
    return most * sqrt(sum);
}
