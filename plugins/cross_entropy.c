/*
 * Cross-entropy of K classes: logsumexp(pred) - sum_k q_k pred_k, where q is 1 at the target's class; label smoothing s
 * makes it q = (1 - s) onehot + s / K. No constants are left out.
 * Sources: Bridle 1990 (softmax); Szegedy et al., Rethinking the Inception architecture, CVPR 2016, section 7
 * (smoothing).
 */
#include <gradmill/loss_rows.h>

/* loss = [top + log sum e^(pred - top)] - sum q pred, taken against the largest so that nothing large cancels. */
GM_INLINE double row_loss(const struct gm_row *row, const double *constant)
{
    const size_t outputs = row->outputs, class = (size_t)row->target[0];
    const double spread = constant[0] / (double)outputs, own = 1.0 - constant[0];
    for (size_t k = 0; row->grad && k < outputs; k++)
        row->grad[k] = row->share[k] - spread;
    if (row->grad)
        row->grad[class] -= own;
    gm_softmax_hess(row, row->share, 1.0);
    double below = 0.0;
    for (size_t k = 0; spread > 0.0 && k < outputs; k++)
        below += row->top - row->pred[k];
    return row->log_sum + own * (row->top - row->pred[class]) + spread * below;
}

GM_LOSS_KERNEL static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    const double smoothing = b->param[0].real;
    return gm_rowwise_softmax(b, r, row_loss, &smoothing, 1.0);
}

static int create(const struct gm_loss_batch *b, struct gm_loss_spec *spec, void **instance)
{
    *instance = NULL;
    if (b->outputs < 2)
        return gm_fail(b, GM_LOSS_UNSUPPORTED, "the target has fewer than two classes");
    spec->scratch_fixed = GM_SOFTMAX_BYTES(b->outputs);
    return GM_LOSS_OK;
}

/* Log frequencies; a class that is never seen gets one row in 10^12. */
static int baseline(const struct gm_loss_batch *b, double *raw)
{
    const double smoothing = b->param[0].real;
    double total = 0.0;
    for (size_t k = 0; k < b->outputs; k++)
        raw[k] = 0.0;
    for (size_t i = 0; i < b->rows; i++) {
        raw[(size_t)b->target[i]] += gm_weight(b, i);
        total += gm_weight(b, i);
    }
    for (size_t k = 0; k < b->outputs; k++) {
        const double frequency = total > 0.0 ? raw[k] / total : 1.0;
        raw[k] = gm_log(gm_max((1.0 - smoothing) * frequency + smoothing / (double)b->outputs, 1e-12));
    }
    return GM_LOSS_OK;
}

static const struct gm_loss_param params[] = {
    {.name = "label_smoothing",
     .help = "share of each target spread evenly over all classes",
     .type = GM_PARAM_REAL,
     .flags = GM_PARAM_HIGH_OPEN,
     .fallback = 0.0,
     .low = 0.0,
     .high = 1.0},
};

static const struct gm_loss_spec spec = {.struct_size = sizeof spec,
                                         .target_kind = GM_TARGET_CLASS,
                                         .outputs = GM_OUTPUTS_PER_CLASS,
                                         .gives = GM_GIVES_ALL,
                                         .link = GM_LINK_SOFTMAX,
                                         .task = GM_TASK_CLASSIFICATION};

GM_LOSS_PLUGIN(
        .id = "cross_entropy", .version = "1.0",
        .formula = "logsumexp(pred) - sum_k q_k pred_k; q = (1 - s) onehot(target) + s/K",
        .help = "Use it for K classes that exclude each other: softmax probabilities. label_smoothing near 0.1 keeps\n"
                "large networks from certainty.\n"
                "Not for labels that may hold together (multilabel), nor for ordered classes (ordinal), nor for\n"
                "given probabilities (kl_divergence).",
        .license = "MIT", .params = params, .n_params = 1, .spec = &spec, .evaluate = evaluate, .create = create,
        .baseline = baseline)
