/*
 * Quantile (pinball): max(tau d, (tau - 1) d), d = target - pred. With one tau: mean over outputs, one per target. With
 * several: one target column and one output for each tau, mean over them. No constants are left out.
 * Source: Koenker and Bassett, Regression quantiles, Econometrica 46 (1978), eq. 3.1. The slope at 0 is that below.
 */
#include <gradmill/loss_rows.h>

GM_INLINE struct gm_point point(double pred, double target, const double *constant)
{
    const double tau = constant[0], d = target - pred;
    const double slope = (pred > target ? 1.0 : 0.0) - tau;
    return (struct gm_point){-slope * d, slope, 0.0};
}

/* One target, an output for each tau. */
GM_INLINE double several(const struct gm_row *row, const double *constant)
{
    const double *tau = row->batch->param[0].list.values;
    double sum = 0.0;
    (void)constant;
    for (size_t k = 0; k < row->outputs; k++) {
        struct gm_point p = point(row->pred[k], row->target[0], &tau[k]);
        sum += p.loss;
        if (row->grad)
            row->grad[k] = p.slope / (double)row->outputs;
        if (row->hess_diag)
            row->hess_diag[k] = 0.0;
    }
    for (size_t k = 0; row->hess && k < row->outputs * row->outputs; k++)
        row->hess[k] = 0.0;
    return sum / (double)row->outputs;
}

GM_LOSS_KERNEL static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    const double tau = b->param[0].list.values[0];
    if (b->param[0].list.count == 1)
        return gm_pointwise(b, r, point, &tau);
    return gm_rowwise(b, r, several, NULL);
}

static int create(const struct gm_loss_batch *b, struct gm_loss_spec *spec, void **instance)
{
    const size_t count = b->param[0].list.count;
    *instance = NULL;
    if (count == 0)
        return gm_fail(b, GM_LOSS_BAD_PARAM, "tau holds no number");
    if (count > 1 && b->targets > 1)
        return gm_fail(b, GM_LOSS_BAD_PARAM, "several tau need a target of one column");
    if (count > 1)
        spec->outputs = (int32_t)count;
    return GM_LOSS_OK;
}

GM_LOSS_KERNEL static int baseline(const struct gm_loss_batch *b, double *raw)
{
    const double *tau = b->param[0].list.values;
    const int one = b->param[0].list.count == 1;
    for (size_t k = 0; k < b->outputs; k++)
        raw[k] = gm_balance(b, one ? k : 0, 0.0, point, one ? tau : tau + k);
    return GM_LOSS_OK;
}

static const struct gm_loss_param params[] = {
    {.name = "tau",
     .help = "quantile wanted, or a list of them: one output each",
     .type = GM_PARAM_LIST,
     .flags = GM_PARAM_LOW_OPEN | GM_PARAM_HIGH_OPEN,
     .fallback = 0.5,
     .low = 0.0,
     .high = 1.0},
};

static const struct gm_loss_spec spec = {.struct_size = sizeof spec,
                                         .gives = GM_GIVES_ALL,
                                         .nature = GM_NATURE_NON_SMOOTH | GM_NATURE_HESS_CONSTANT,
                                         .task = GM_TASK_REGRESSION};

GM_LOSS_PLUGIN(.id = "quantile", .version = "1.0",
               .formula = "mean over outputs of max(tau d, (tau - 1) d); d = target - pred",
               .help = "Use it for a quantile instead of a mean, or for several at once as a prediction interval.\n"
                       "Not with second-order optimisers (no curvature); expectile is its smooth relative.",
               .license = "MIT", .params = params, .n_params = 1, .spec = &spec, .evaluate = evaluate, .create = create,
               .baseline = baseline)
