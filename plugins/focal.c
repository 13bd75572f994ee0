/*
 * Focal: -(1 - p)^gamma log p, p = sigmoid(m) the probability of the true class, m = s pred, s = +1 for class 1 and -1
 * for class 0; mean over outputs. gamma = 0 is logistic. Not convex. Use row weights for the paper's alpha.
 * Source: Lin, Goyal, Girshick, He, Dollar, Focal loss for dense object detection, ICCV 2017, eq. 4.
 */
#include <gradmill/loss_rows.h>

GM_INLINE double via(double pred, double target, const double *constant)
{
    (void)constant;
    return gm_exp(-gm_abs((2.0 * target - 1.0) * pred));
}

GM_INLINE struct gm_point point(double pred, double target, double e, const double *constant)
{
    const double gamma = constant[0], sign = 2.0 * target - 1.0, m = sign * pred;
    const double p = gm_sigmoid_from(m, e), q = gm_sigmoid_from(-m, e), surprise = gm_softplus_from(-m, e);
    const double factor = gm_exp(-gamma * gm_softplus_from(m, e)); /* (1 - p)^gamma */
    const double slope = -factor * (gamma * p * surprise + q);
    const double curve = factor * p * (gamma * surprise * (gamma * p - q) + q * (2.0 * gamma + 1.0));
    return (struct gm_point){factor * surprise, sign * slope, curve};
}

GM_INLINE struct gm_point whole(double pred, double target, const double *constant)
{
    return point(pred, target, via(pred, target, constant), constant);
}

GM_POINTWISE_VIA(via, point, b->param[0].real)
GM_BALANCE_BASELINE(whole, 30.0, b->param[0].real)

static const struct gm_loss_param params[] = {
    {.name = "gamma",
     .help = "how much rows that are right already are played down; 0: not at all",
     .type = GM_PARAM_REAL,
     .fallback = 2.0,
     .low = 0.0,
     .high = 100.0},
};

static const struct gm_loss_spec spec = {.struct_size = sizeof spec,
                                         .target_kind = GM_TARGET_MULTILABEL,
                                         .gives = GM_GIVES_ALL,
                                         .nature = GM_NATURE_NON_CONVEX,
                                         .link = GM_LINK_LOGIT,
                                         .task = GM_TASK_CLASSIFICATION};

GM_LOSS_PLUGIN(.id = "focal", .version = "1.0",
               .formula = "mean over outputs of -(1 - p)^gamma log p; p of the true class",
               .help = "Use it for two classes of which one is rare and most rows are easy: detection.\n"
                       "Not when probabilities must be calibrated, nor when classes are balanced (logistic).",
               .license = "MIT", .params = params, .n_params = 1, .spec = &spec, .evaluate = evaluate,
               .baseline = baseline)
