/*
 * Epsilon-insensitive: max(0, |pred - target| - epsilon), mean over outputs. No constants are left out.
 * Source: Vapnik, The Nature of Statistical Learning Theory (1995), eq. 6.3. The slope on the edge is 0.
 */
#include <gradmill/loss_rows.h>

GM_INLINE struct gm_point point(double pred, double target, const double *constant)
{
    const double d = pred - target, beyond = gm_abs(d) - constant[0];
    return (struct gm_point){gm_max(beyond, 0.0), beyond > 0.0 ? gm_sign(d) : 0.0, 0.0};
}

GM_POINTWISE(point, b->param[0].real)
GM_BALANCE_BASELINE(point, 0.0, b->param[0].real)

static const struct gm_loss_param params[] = {
    {.name = "epsilon",
     .help = "error that costs nothing, in units of the target",
     .type = GM_PARAM_REAL,
     .fallback = 0.1,
     .low = 0.0,
     .high = INFINITY},
};

static const struct gm_loss_spec spec = {
    .struct_size = sizeof spec, .gives = GM_GIVES_ALL, .nature = GM_NATURE_NON_SMOOTH, .task = GM_TASK_REGRESSION};

GM_LOSS_PLUGIN(.id = "epsilon_insensitive", .version = "1.0",
               .formula = "mean over outputs of max(0, |pred - target| - epsilon)",
               .help = "Use it when small errors do not matter at all, as in support vector regression.\n"
                       "Not when all errors count (mae, huber), nor with second-order optimisers (no curvature).",
               .license = "MIT", .params = params, .n_params = 1, .spec = &spec, .evaluate = evaluate,
               .baseline = baseline)
