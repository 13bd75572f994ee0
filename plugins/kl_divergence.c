/*
 * Kullback-Leibler divergence of softmax(pred) from a target distribution t: sum_k t_k (log t_k - log softmax(pred)_k).
 * One target column and one output a class. The entropy of t is included: the loss of a perfect prediction is 0.
 * Source: Kullback and Leibler, On information and sufficiency, Ann. Math. Statist. 22 (1951), eq. 2.6.
 */
#include <gradmill/loss_rows.h>

GM_INLINE double row_loss(const struct gm_row *row, const double *constant)
{
    const size_t outputs = row->outputs;
    (void)constant;
    const double all = gm_sum(row->target, outputs), whole = row->top + row->log_sum;
    double loss = 0.0, term[GM_STRIP];
    for (size_t at = 0, n; at < outputs; at += n) {
        n = outputs - at < GM_STRIP ? outputs - at : GM_STRIP;
        for (size_t k = 0; k < n; k++) {
            const double t = row->target[at + k], part = t * (gm_log(t) - (row->pred[at + k] - whole));
            term[k] = t > 0.0 ? part : 0.0;
        }
        loss += gm_sum(term, n);
    }
    for (size_t k = 0; row->grad && k < outputs; k++)
        row->grad[k] = all * row->share[k] - row->target[k];
    gm_softmax_hess(row, row->share, all);
    return loss;
}

GM_LOSS_KERNEL static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    return gm_rowwise_softmax(b, r, row_loss, NULL, 1.0);
}

static int create(const struct gm_loss_batch *b, struct gm_loss_spec *spec, void **instance)
{
    *instance = NULL;
    if (b->targets < 2)
        return gm_fail(b, GM_LOSS_UNSUPPORTED, "the target needs a column for each class, two at least");
    spec->scratch_fixed = GM_SOFTMAX_BYTES(b->targets);
    return GM_LOSS_OK;
}

static int check_targets(const struct gm_loss_batch *b, size_t *bad_row)
{
    for (size_t i = 0; i < b->rows; i++)
        if (gm_abs(gm_sum(b->target + i * b->targets, b->targets) - 1.0) > 1e-6) {
            *bad_row = i;
            return gm_fail(b, GM_LOSS_BAD_TARGET, "the target row does not sum to 1");
        }
    return GM_LOSS_OK;
}

static const struct gm_loss_spec spec = {.struct_size = sizeof spec,
                                         .gives = GM_GIVES_ALL,
                                         .link = GM_LINK_SOFTMAX,
                                         .target_rule = GM_TARGET_LOW | GM_TARGET_HIGH,
                                         .target_low = 0.0,
                                         .target_high = 1.0,
                                         .task = GM_TASK_CLASSIFICATION};

GM_LOSS_PLUGIN(.id = "kl_divergence", .version = "1.0", .formula = "sum_k t_k (log t_k - log softmax(pred)_k)",
               .help = "Use it when targets are distributions: soft labels, votes, a teacher's probabilities.\n"
                       "Not for one class a row (cross_entropy), nor for labels that may hold together (multilabel).",
               .license = "MIT", .spec = &spec, .evaluate = evaluate, .create = create, .check_targets = check_targets,
               .baseline = gm_log_mean_baseline)
