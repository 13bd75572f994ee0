/*
 * Uncertainty-weighted sum of tasks: sum over the target's columns of e^-s_k (pred_k - target_k)^2 / 2 + s_k / 2, where
 * s_k, the log variance of a task's errors, is learned with the model. Left out: log(2 pi) / 2 a task. Source: Kendall,
 * Gal, Cipolla, Multi-task learning using uncertainty to weigh losses, CVPR 2018, eq. 5 and 7 (s = log sigma^2).
 */
#include <gradmill/loss_rows.h>

GM_INLINE double row_loss(const struct gm_row *row, const double *constant)
{
    const size_t outputs = row->outputs;
    const double *precision = (const double *)row->batch->scratch, *theta = row->batch->theta;
    double loss = 0.0;
    (void)constant;
    for (size_t k = 0; k < outputs; k++) {
        const double d = row->pred[k] - row->target[k];
        loss += 0.5 * (precision[k] * d * d + theta[k]);
        if (row->grad)
            row->grad[k] = precision[k] * d;
        if (row->hess_diag)
            row->hess_diag[k] = precision[k];
        for (size_t l = 0; row->hess && l < outputs; l++)
            row->hess[k * outputs + l] = k == l ? precision[k] : 0.0;
    }
    return loss;
}

GM_LOSS_KERNEL static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    double *precision = (double *)b->scratch;
    for (size_t k = 0; k < b->outputs; k++)
        precision[k] = gm_exp(-b->theta[k]);
    for (size_t i = 0; r->theta_grad && i < b->rows; i++)
        for (size_t k = 0; k < b->outputs; k++) {
            const double d = b->pred[i * b->outputs + k] - b->target[i * b->outputs + k];
            r->theta_grad[k] += gm_weight(b, i) * 0.5 * (1.0 - precision[k] * d * d);
        }
    return gm_rowwise(b, r, row_loss, NULL);
}

static int create(const struct gm_loss_batch *b, struct gm_loss_spec *spec, void **instance)
{
    *instance = NULL;
    spec->n_theta = (uint32_t)b->targets;
    spec->scratch_fixed = b->targets * sizeof(double);
    return GM_LOSS_OK;
}

/* The log variance of each column: right for a model that gives the mean. */
static int theta_start(const struct gm_loss_batch *b, double *theta)
{
    for (size_t k = 0; k < b->targets; k++) {
        const double mean = gm_target_mean(b, k);
        double sum = 0.0, weight = 0.0;
        for (size_t i = 0; i < b->rows; i++) {
            const double d = b->target[i * b->targets + k] - mean;
            sum += gm_weight(b, i) * d * d;
            weight += gm_weight(b, i);
        }
        theta[k] = weight > 0.0 ? gm_log(gm_max(sum / weight, 1e-12)) : 0.0;
    }
    return GM_LOSS_OK;
}

static const struct gm_loss_spec spec = {
    .struct_size = sizeof spec, .gives = GM_GIVES_ALL, .nature = GM_NATURE_HESS_CONSTANT, .task = GM_TASK_MULTI_TASK};

GM_LOSS_PLUGIN(
        .id = "uncertainty", .version = "1.0",
        .formula = "sum_k exp(-s_k) (pred_k - target_k)^2 / 2 + s_k / 2; s learned",
        .help =
            "Use it for several real targets on different scales at once: their weights are learned.\n"
            "Not for one target (it is mse then), nor when the tasks' worth is given (weights in a list of losses).",
        .license = "MIT", .spec = &spec, .evaluate = evaluate, .create = create, .theta_start = theta_start,
        .baseline = gm_mean_baseline)
