/*
 * Poisson with log link: e^pred - target * pred; mean over outputs. The constant log(target!) is left out: the loss at
 * (target 2, pred ln 4) is 4 - 2 ln 4.
 * Source: McCullagh and Nelder, Generalized Linear Models (1989), section 6.2.
 */
#include <gradmill/loss_rows.h>

GM_INLINE double via(double pred, double target, const double *constant)
{
    (void)target, (void)constant;
    return gm_exp_rest(pred);
}

GM_INLINE struct gm_point point(double pred, double target, double rest, const double *constant)
{
    (void)constant;
    const double mu = gm_exp_from(pred, rest);
    return (struct gm_point){mu - target * pred, mu - target, mu};
}

GM_POINTWISE_VIA(via, point, 0)

static const struct gm_loss_spec spec = {.struct_size = sizeof spec,
                                         .gives = GM_GIVES_ALL,
                                         .link = GM_LINK_LOG,
                                         .target_rule = GM_TARGET_LOW,
                                         .target_low = 0.0,
                                         .task = GM_TASK_COUNTS};

GM_LOSS_PLUGIN(.id = "poisson", .version = "1.0", .formula = "exp(pred) - target * pred, mean over outputs",
               .help =
                   "Use it for counts and rates whose variance is near their mean; weights may be exposures.\n"
                   "Not when the variance is clearly larger (negative_binomial), nor for amounts of money (tweedie).",
               .license = "MIT", .spec = &spec, .evaluate = evaluate, .baseline = gm_log_mean_baseline)
