/*
 * Logistic: log(1 + e^pred) - target * pred, the negative log-likelihood of a 0/1 target with P(1) = sigmoid(pred);
 * mean over outputs. No constants are left out for 0/1 targets; a target between is a probability (cross-entropy).
 * Source: Cox, The regression analysis of binary sequences, J. R. Stat. Soc. B 20 (1958); Hastie et al. 2009, eq. 4.20.
 *
 * The target kind is GM_TARGET_MULTILABEL with the interval [0, 1]: "a 0/1 or a probability per output". So soft
 * targets stay possible, and a host that reads two classes as words hands over their index, 0 or 1: class_names[1] is
 * the class whose probability the model gives.
 */
#include <gradmill/loss_rows.h>

GM_INLINE double via(double pred, double target, const double *constant)
{
    (void)target, (void)constant;
    return gm_exp(-gm_abs(pred));
}

GM_INLINE struct gm_point point(double pred, double target, double e, const double *constant)
{
    (void)constant;
    /* softplus(s) - (...) written so that a large, right prediction gives e^-|pred|, not a difference of large numbers:
     * with target 1 the loss is softplus(-pred). */
    const double inverse = 1.0 / (1.0 + e);
    const double high = inverse, low = e * inverse;          /* sigmoid(|pred|), sigmoid(-|pred|) */
    const double wrong = pred < 0.0 ? target : 1.0 - target; /* weight of the class the sign speaks against */
    const double size = wrong * high - (1.0 - wrong) * low;  /* slope against the sign of pred */
    return (struct gm_point){wrong * gm_abs(pred) + gm_log1p_unit(e), pred < 0.0 ? -size : size, low * high};
}

GM_POINTWISE_VIA(via, point, 0)

static const struct gm_loss_spec spec = {.struct_size = sizeof spec,
                                         .target_kind = GM_TARGET_MULTILABEL,
                                         .gives = GM_GIVES_ALL,
                                         .link = GM_LINK_LOGIT,
                                         .target_rule = GM_TARGET_LOW | GM_TARGET_HIGH,
                                         .target_low = 0.0,
                                         .target_high = 1.0,
                                         .task = GM_TASK_CLASSIFICATION};

GM_LOSS_PLUGIN(
        .id = "logistic", .version = "1.0", .formula = "log(1 + exp(pred)) - target * pred, mean over outputs",
        .help = "Use it for two classes (words or 0/1) when probabilities are wanted; targets may be probabilities.\n"
                "Not for more than two classes (cross_entropy), nor when many labels are wrong (modified_huber).",
        .license = "MIT", .spec = &spec, .evaluate = evaluate, .baseline = gm_logit_mean_baseline)
