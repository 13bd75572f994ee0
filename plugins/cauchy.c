/*
 * Cauchy (Lorentzian): c^2 / 2 log(1 + (d / c)^2), d = pred - target; mean over outputs. Not convex. It is d^2 / 2 near
 * 0; the constants of the Cauchy density are left out.
 * Source: Black and Anandan, Comput. Vis. Image Underst. 63 (1996), eq. 17 (up to scale).
 */
#include <gradmill/loss_rows.h>

GM_INLINE struct gm_point point(double pred, double target, const double *constant)
{
    const double c = constant[0], d = pred - target, u = d / c, square = u * u, below = 1.0 / (1.0 + square);
    return (struct gm_point){0.5 * c * c * gm_log1p(square), d * below, (1.0 - square) * below * below};
}

GM_POINTWISE(point, b->param[0].real)
GM_BALANCE_BASELINE(point, 0.0, b->param[0].real)

static const struct gm_loss_param params[] = {
    {.name = "scale",
     .help = "spread of the good errors, in units of the target",
     .type = GM_PARAM_REAL,
     .flags = GM_PARAM_LOW_OPEN,
     .fallback = 1.0,
     .low = 0.0,
     .high = 1e100},
};

static const struct gm_loss_spec spec = {
    .struct_size = sizeof spec, .gives = GM_GIVES_ALL, .nature = GM_NATURE_NON_CONVEX, .task = GM_TASK_REGRESSION};

GM_LOSS_PLUGIN(.id = "cauchy", .version = "1.0",
               .formula = "mean over outputs of scale^2/2 log(1 + ((pred - target)/scale)^2)",
               .help =
                   "Use it for regression with gross outliers: their pull falls off with distance.\n"
                   "Not from a cold start far away (not convex: start from a huber model), nor for clean data (mse).",
               .license = "MIT", .params = params, .n_params = 1, .spec = &spec, .evaluate = evaluate,
               .baseline = baseline)
