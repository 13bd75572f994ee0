/*
 * Negative binomial with log link and dispersion a (variance mu + a mu^2): (target + 1/a) log(1 + a e^pred) - target
 * pred, mean over outputs. Left out: -target log a and the log-gamma terms of target and a. Source: Cameron and
 * Trivedi, Regression Analysis of Count Data (1998), eq. 3.26 (NB2).
 */
#include <gradmill/loss_rows.h>

/* constant: 1 / a, log a. */
GM_INLINE double via(double pred, double target, const double *constant)
{
    (void)target;
    return gm_exp(-gm_abs(pred + constant[1]));
}

GM_INLINE struct gm_point point(double pred, double target, double e, const double *constant)
{
    const double shifted = pred + constant[1], trials = target + constant[0];
    const double fall = gm_sigmoid_from(-shifted, e), rise = gm_sigmoid_from(shifted, e);
    /* trials sigmoid - target, without the cancellation far out */
    const double slope = shifted > 0.0 ? constant[0] - trials * fall : trials * rise - target;
    return (struct gm_point){trials * gm_softplus_from(shifted, e) - target * pred, slope, trials * rise * fall};
}

GM_POINTWISE_VIA(via, point, 1.0 / b->param[0].real, gm_log(b->param[0].real))

static const struct gm_loss_param params[] = {
    {.name = "dispersion",
     .help = "a in variance = mean + a mean^2",
     .type = GM_PARAM_REAL,
     .flags = GM_PARAM_LOW_OPEN,
     .fallback = 1.0,
     .low = 0.0,
     .high = INFINITY},
};

static const struct gm_loss_spec spec = {.struct_size = sizeof spec,
                                         .gives = GM_GIVES_ALL,
                                         .link = GM_LINK_LOG,
                                         .target_rule = GM_TARGET_LOW,
                                         .target_low = 0.0,
                                         .task = GM_TASK_COUNTS};

GM_LOSS_PLUGIN(.id = "negative_binomial", .version = "1.0",
               .formula = "mean over outputs of (target + 1/a) log(1 + a exp(pred)) - target pred",
               .help =
                   "Use it for counts whose variance is clearly larger than their mean.\n"
                   "Not when variance and mean agree (poisson), nor when the dispersion is unknown and itself wanted.",
               .license = "MIT", .params = params, .n_params = 1, .spec = &spec, .evaluate = evaluate,
               .baseline = gm_log_mean_baseline)
