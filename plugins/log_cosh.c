/*
 * Log-cosh: log(cosh(pred - target)), mean over outputs. No constants are left out.
 * Source: Green, IEEE Trans. Med. Imaging 9 (1990), eq. 14. Behaves like d^2 / 2 near 0 and |d| - ln 2 far out.
 */
#include <gradmill/loss_rows.h>

GM_INLINE struct gm_point point(double pred, double target, const double *constant)
{
    (void)constant;
    const double d = pred - target;
    return (struct gm_point){gm_logcosh(d), gm_tanh(d), 4.0 * gm_sigmoid_slope(2.0 * d)};
}

GM_POINTWISE(point, 0)
GM_BALANCE_BASELINE(point, 0.0, 0)

static const struct gm_loss_spec spec = {.struct_size = sizeof spec, .gives = GM_GIVES_ALL, .task = GM_TASK_REGRESSION};

GM_LOSS_PLUGIN(.id = "log_cosh", .version = "1.0", .formula = "mean over outputs of log(cosh(pred - target))",
               .help = "Use it for regression with some outliers when a smooth loss without a parameter is wanted.\n"
                       "Not when errors are far from size 1 in the target's units: huber has a width to set.",
               .license = "MIT", .spec = &spec, .evaluate = evaluate, .baseline = baseline)
