/* Derivatives of a loss against finite differences. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/trial.h"
#include "support.h"

/* What is differentiated: the loss (index < 0) or one component of the gradient, by *x. */
static double value_at(struct trial *t, double *x, double there, long index)
{
    const double keep = *x;
    *x = there;
    double loss = trial_evaluate(t, 0, ROWS, index < 0 ? 0 : WANT_GRAD);
    double value = index < 0 ? loss : t->grad[index];
    *x = keep;
    return value;
}

/* Central differences, extrapolated once (Richardson); false when the two steps disagree: a kink is near. */
static bool difference(struct trial *t, double *x, long index, double scale, double *slope)
{
    const double h = 1e-3, at = *x;
    double wide = (value_at(t, x, at + h, index) - value_at(t, x, at - h, index)) / (2 * h);
    double narrow = (value_at(t, x, at + h / 2, index) - value_at(t, x, at - h / 2, index)) / h;
    *slope = (4 * narrow - wide) / 3;
    return fabs(wide - narrow) <= 2e-4 * (scale + fabs(narrow));
}

double trial_largest(const double *x, size_t n)
{
    double top = 1e-3;
    for (size_t i = 0; i < n; i++)
        top = fmax(top, fabs(x[i]));
    return top;
}

/* Compare `analytic` [n] with differences by x[0..n) of the loss (stride 0) or of gradient components. */
static void compare(struct trial *t, double *x, const double *analytic, size_t n, bool second, const char *what)
{
    double copy[SIZE], tolerance = second ? 1e-5 : 1e-6;
    memcpy(copy, analytic, n * sizeof *copy);
    const double scale = trial_largest(copy, n);
    size_t skipped = 0;
    for (size_t i = 0; i < n; i++) {
        double slope;
        if (!difference(t, x + i, second ? (long)i : -1, scale, &slope)) {
            skipped++;
            continue;
        }
        trial_report(fabs(slope - copy[i]) <= tolerance * (fabs(copy[i]) + scale), t, what, i, copy[i], slope);
    }
    trial_report(2 * skipped <= n, t, "points skipped", skipped, (double)skipped, (double)n);
}

static void check_full_hessian(struct trial *t)
{
    const size_t K = t->h->outputs;
    static double keep[SIZE * HARNESS_OUTPUTS];
    memcpy(keep, t->hess, sizeof keep);
    const double scale = trial_largest(keep, ROWS * K * K);
    for (size_t row = 0; row < ROWS; row++)
        for (size_t k = 0; k < K; k++)
            for (size_t l = 0; l < K; l++) {
                double slope, got = keep[(row * K + k) * K + l];
                trial_report(fabs(got - keep[(row * K + l) * K + k]) <= 1e-13 * scale, t, "Hessian symmetric", row, got,
                             keep[(row * K + l) * K + k]);
                if (difference(t, t->pred + row * K + l, (long)(row * K + k), scale, &slope))
                    trial_report(fabs(slope - got) <= 1e-5 * scale, t, "Hessian", row, got, slope);
            }
}

void trial_derivatives(struct trial *t)
{
    struct harness *h = t->h;
    const size_t n = ROWS * h->outputs;
    trial_evaluate(t, 0, ROWS, WANT_ALL);
    static struct trial all;
    all = *t;
    compare(t, t->pred, all.grad, n, false, "gradient");
    if (h->spec.gives & GM_GIVES_HESS_DIAG && !(h->spec.nature & GM_NATURE_HESS_BOUND))
        compare(t, t->pred, all.diag, n, true, "Hessian diagonal");
    if (h->spec.n_theta)
        compare(t, h->theta, all.theta_grad, h->spec.n_theta, false, "theta gradient");
    memcpy(t->hess, all.hess, sizeof t->hess);
    if (h->spec.gives & GM_GIVES_HESS && !(h->spec.nature & GM_NATURE_HESS_BOUND))
        check_full_hessian(t);
    for (size_t i = 0; i < n && !(h->spec.nature & GM_NATURE_NON_CONVEX) && h->spec.gives & GM_GIVES_HESS_DIAG; i++)
        trial_report(all.diag[i] >= 0, t, "curvature of a convex loss", i, all.diag[i], 0);
}
