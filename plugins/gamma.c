/*
 * Gamma with log link: pred + target e^-pred, mean over outputs. Half the deviance without its constant -log(target) -
 * 1: the loss at (target 2, pred ln 4) is ln 4 + 1/2. Source: McCullagh and Nelder, Generalized Linear Models (1989),
 * section 8.3.
 */
#include <gradmill/loss_rows.h>

GM_INLINE double via(double pred, double target, const double *constant)
{
    (void)target, (void)constant;
    return gm_exp_rest(-pred);
}

GM_INLINE struct gm_point point(double pred, double target, double rest, const double *constant)
{
    (void)constant;
    const double ratio = target * gm_exp_from(-pred, rest);
    return (struct gm_point){pred + ratio, 1.0 - ratio, ratio};
}

GM_POINTWISE_VIA(via, point, 0)

static const struct gm_loss_spec spec = {.struct_size = sizeof spec,
                                         .gives = GM_GIVES_ALL,
                                         .link = GM_LINK_LOG,
                                         .target_rule = GM_TARGET_LOW_OPEN,
                                         .target_low = 0.0,
                                         .task = GM_TASK_REGRESSION};

GM_LOSS_PLUGIN(.id = "gamma", .version = "1.0", .formula = "mean over outputs of pred + target exp(-pred)",
               .help = "Use it for positive amounts whose spread grows with their size: durations, costs, claims.\n"
                       "Not when some targets are 0 (tweedie), nor for counts (poisson).",
               .license = "MIT", .spec = &spec, .evaluate = evaluate, .baseline = gm_log_mean_baseline)
