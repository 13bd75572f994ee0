/*
 * Huber: d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2), with d = pred - target; mean over outputs.
 * Source: Huber, Robust estimation of a location parameter, Ann. Math. Statist. 35 (1964), eq. 2. No constants are left
 * out.
 */
#include <gradmill/loss_rows.h>

GM_INLINE struct gm_point point(double pred, double target, const double *constant)
{
    const double delta = constant[0], d = pred - target, size = gm_abs(d);
    const double inner = gm_min(size, delta); /* the slope's size */
    return (struct gm_point){inner * (size - 0.5 * inner), gm_copysign(inner, d), size > delta ? 0.0 : 1.0};
}

GM_POINTWISE(point, b->param[0].real)
GM_BALANCE_BASELINE(point, 0.0, b->param[0].real)

static const struct gm_loss_param params[] = {
    {.name = "delta",
     .help = "distance where squares turn into lines, in units of the target",
     .type = GM_PARAM_REAL,
     .flags = GM_PARAM_LOW_OPEN,
     .fallback = 1.0,
     .low = 0.0,
     .high = INFINITY},
};

static const struct gm_loss_spec spec = {.struct_size = sizeof spec, .gives = GM_GIVES_ALL, .task = GM_TASK_REGRESSION};

GM_LOSS_PLUGIN(.id = "huber", .version = "1.0",
               .formula = "d^2/2 where |d| <= delta, else delta (|d| - delta/2); d = pred - target, mean over outputs",
               .help = "Use it for regression with some outliers: squares for small errors, lines for large ones.\n"
                       "Choose delta near the spread of the good errors (1.345 of it keeps 95 % efficiency).\n"
                       "Not when more than a few rows in ten are wrong (cauchy), nor for a median (mae).",
               .license = "MIT", .params = params, .n_params = 1, .spec = &spec, .evaluate = evaluate,
               .baseline = baseline)
