/*
 * Expectile: |tau - [d < 0]| d^2, d = target - pred; mean over outputs. No half, so tau = 0.5 is half of mse.
 * Source: Newey and Powell, Asymmetric least squares estimation and testing, Econometrica 55 (1987), eq. 2.1.
 */
#include <gradmill/loss_rows.h>

GM_INLINE struct gm_point point(double pred, double target, const double *constant)
{
    const double tau = constant[0], d = pred - target;
    const double side = d > 0.0 ? 1.0 - tau : tau;
    return (struct gm_point){side * d * d, 2.0 * side * d, 2.0 * side};
}

GM_POINTWISE(point, b->param[0].real)
GM_BALANCE_BASELINE(point, 0.0, b->param[0].real)

static const struct gm_loss_param params[] = {
    {.name = "tau",
     .help = "weight of targets above the prediction; 0.5 is the mean",
     .type = GM_PARAM_REAL,
     .flags = GM_PARAM_LOW_OPEN | GM_PARAM_HIGH_OPEN,
     .fallback = 0.5,
     .low = 0.0,
     .high = 1.0},
};

static const struct gm_loss_spec spec = {.struct_size = sizeof spec, .gives = GM_GIVES_ALL, .task = GM_TASK_REGRESSION};

GM_LOSS_PLUGIN(.id = "expectile", .version = "1.0",
               .formula = "mean over outputs of |tau - [target < pred]| (target - pred)^2",
               .help = "Use it when misses on one side cost more and a smooth, fast loss is wanted.\n"
                       "Not when a share of rows is to lie below the prediction: that is quantile.",
               .license = "MIT", .params = params, .n_params = 1, .spec = &spec, .evaluate = evaluate,
               .baseline = baseline)
