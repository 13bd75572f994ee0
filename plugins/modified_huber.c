/*
 * Modified Huber for classes: max(0, 1 - m)^2 where m = s pred >= -1, else -4 m; mean over outputs.
 * Source: Zhang, Solving large scale linear prediction problems using stochastic gradient descent, ICML 2004,
 * section 2.
 */
#include <gradmill/loss_rows.h>

GM_INLINE struct gm_point point(double pred, double target, const double *constant)
{
    (void)constant;
    const double sign = 2.0 * target - 1.0, short_by = gm_max(1.0 - sign * pred, 0.0), near = gm_min(short_by, 2.0);
    const double curve = short_by > 0.0 && short_by < 2.0 ? 2.0 : 0.0;
    return (struct gm_point){near * (2.0 * short_by - near), -2.0 * sign * near, curve};
}

GM_POINTWISE(point, 0)

/* As for squared_hinge: the lines begin beyond -1 and 1. */
static int baseline(const struct gm_loss_batch *b, double *raw)
{
    for (size_t k = 0; k < b->outputs; k++)
        raw[k] = 2.0 * gm_target_mean(b, k) - 1.0;
    return GM_LOSS_OK;
}

static const struct gm_loss_spec spec = {.struct_size = sizeof spec,
                                         .target_kind = GM_TARGET_MULTILABEL,
                                         .gives = GM_GIVES_ALL,
                                         .task = GM_TASK_CLASSIFICATION};

GM_LOSS_PLUGIN(.id = "modified_huber", .version = "1.0",
               .formula = "mean over outputs of max(0, 1 - m)^2 if m >= -1 else -4 m; m = (2 target - 1) pred",
               .help = "Use it for two classes with some wrong labels: far misses cost a line, not a square.\n"
                       "Not when calibrated probabilities are wanted (logistic).",
               .license = "MIT", .spec = &spec, .evaluate = evaluate, .baseline = baseline)
