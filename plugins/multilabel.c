/*
 * Multi-label: for each output w t log(1 + e^-pred) + (1 - t) log(1 + e^pred), t the target (0, 1 or a probability), w
 * the weight of a label that holds; mean over outputs. w = 1 is logistic. Source: Read, Pfahringer, Holmes, Frank,
 * Classifier chains for multi-label classification, Mach. Learn. 85 (2011), section 2 (binary relevance).
 */
#include <gradmill/loss_rows.h>

GM_INLINE double via(double pred, double target, const double *constant)
{
    (void)target, (void)constant;
    return gm_exp(-gm_abs(pred));
}

GM_INLINE struct gm_point point(double pred, double target, double e, const double *constant)
{
    const double yes = constant[0] * target, no = 1.0 - target;
    const double rise = gm_sigmoid_from(pred, e), fall = gm_sigmoid_from(-pred, e);
    return (struct gm_point){yes * gm_softplus_from(-pred, e) + no * gm_softplus_from(pred, e), no * rise - yes * fall,
                             (yes + no) * rise * fall};
}

GM_POINTWISE_VIA(via, point, b->param[0].real)

/* Log odds of the mean, moved by the weight of the label. */
static int baseline(const struct gm_loss_batch *b, double *raw)
{
    gm_logit_mean_baseline(b, raw);
    for (size_t k = 0; k < b->outputs; k++)
        raw[k] += gm_log(b->param[0].real);
    return GM_LOSS_OK;
}

static const struct gm_loss_param params[] = {
    {.name = "positive_weight",
     .help = "weight of a label that holds; above 1 finds more of them",
     .type = GM_PARAM_REAL,
     .flags = GM_PARAM_LOW_OPEN,
     .fallback = 1.0,
     .low = 0.0,
     .high = 1e100},
};

static const struct gm_loss_spec spec = {.struct_size = sizeof spec,
                                         .target_kind = GM_TARGET_MULTILABEL,
                                         .gives = GM_GIVES_ALL,
                                         .link = GM_LINK_LOGIT,
                                         .target_rule = GM_TARGET_LOW | GM_TARGET_HIGH,
                                         .target_low = 0.0,
                                         .target_high = 1.0,
                                         .task = GM_TASK_CLASSIFICATION};

GM_LOSS_PLUGIN(.id = "multilabel", .version = "1.0",
               .formula = "mean over outputs of w t log(1 + exp(-pred)) + (1 - t) log(1 + exp(pred))",
               .help = "Use it when several labels may hold at once: one 0/1 column each.\n"
                       "Not for classes that exclude each other (cross_entropy).",
               .license = "MIT", .params = params, .n_params = 1, .spec = &spec, .evaluate = evaluate,
               .baseline = baseline)
