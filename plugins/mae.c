/*
 * Mean absolute error: |pred - target|, mean over outputs. No constants are left out.
 * Source: Laplace 1818; Koenker and Bassett, Econometrica 46 (1978): the median is its optimum. The slope at 0 is 0.
 */
#include <gradmill/loss_rows.h>

GM_INLINE struct gm_point point(double pred, double target, const double *constant)
{
    (void)constant;
    const double d = pred - target;
    return (struct gm_point){gm_abs(d), gm_sign(d), 0.0};
}

GM_POINTWISE(point, 0)
GM_BALANCE_BASELINE(point, 0.0, 0)

static const struct gm_loss_spec spec = {.struct_size = sizeof spec,
                                         .gives = GM_GIVES_ALL,
                                         .nature = GM_NATURE_NON_SMOOTH | GM_NATURE_HESS_CONSTANT,
                                         .task = GM_TASK_REGRESSION};

GM_LOSS_PLUGIN(.id = "mae", .version = "1.0", .formula = "mean over outputs of |pred - target|",
               .help =
                   "Use it for regression when the median is wanted, or when errors have heavy tails.\n"
                   "Not with second-order optimisers (no curvature: log_cosh or huber), nor when the mean is wanted.",
               .license = "MIT", .spec = &spec, .evaluate = evaluate, .baseline = baseline)
