/*
 * Mean squared error: (pred - target)^2, mean over outputs, without a half. No constants are left out.
 * Source: Gauss, Theoria combinationis observationum (1821); Hastie, Tibshirani, Friedman 2009, eq. 2.9.
 */
#include <gradmill/loss_rows.h>

GM_INLINE struct gm_point point(double pred, double target, const double *constant)
{
    (void)constant;
    const double d = pred - target;
    return (struct gm_point){d * d, 2.0 * d, 2.0};
}

GM_POINTWISE(point, 0)

static const struct gm_loss_spec spec = {
    .struct_size = sizeof spec, .gives = GM_GIVES_ALL, .nature = GM_NATURE_HESS_CONSTANT, .task = GM_TASK_REGRESSION};

GM_LOSS_PLUGIN(.id = "mse", .version = "1.0", .formula = "mean over outputs of (pred - target)^2",
               .help =
                   "Use it for regression when errors are of one size and outliers are rare: it estimates the mean.\n"
                   "Not with heavy tails or gross errors in the target: huber, cauchy or mae resist them.",
               .license = "MIT", .spec = &spec, .evaluate = evaluate, .baseline = gm_mean_baseline)
