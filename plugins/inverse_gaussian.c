/*
 * Inverse Gaussian with log link: target e^(-2 pred) / 2 - e^-pred, mean over outputs. Half the deviance without its
 * constant 1 / (2 target): the loss at (target 2, pred ln 4) is -3/16. Not convex where pred is far too high.
 * Source: McCullagh and Nelder, Generalized Linear Models (1989), table 2.1.
 */
#include <gradmill/loss_rows.h>

GM_INLINE struct gm_point point(double pred, double target, const double *constant)
{
    (void)constant;
    const double inverse = gm_exp(-pred), ratio = target * inverse * inverse;
    return (struct gm_point){0.5 * ratio - inverse, inverse - ratio, 2.0 * ratio - inverse};
}

GM_POINTWISE(point, 0)

static const struct gm_loss_spec spec = {.struct_size = sizeof spec,
                                         .gives = GM_GIVES_ALL,
                                         .nature = GM_NATURE_NON_CONVEX,
                                         .link = GM_LINK_LOG,
                                         .target_rule = GM_TARGET_LOW_OPEN,
                                         .target_low = 0.0,
                                         .task = GM_TASK_REGRESSION};

GM_LOSS_PLUGIN(.id = "inverse_gaussian", .version = "1.0",
               .formula = "mean over outputs of target exp(-2 pred) / 2 - exp(-pred)",
               .help =
                   "Use it for positive amounts with a longer tail than gamma's: first-passage times, large claims.\n"
                   "Not from a bad start (not convex: start from a gamma model), nor with targets of 0 (tweedie).",
               .license = "MIT", .spec = &spec, .evaluate = evaluate, .baseline = gm_log_mean_baseline)
