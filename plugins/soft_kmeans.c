/*
 * Soft k-means: -1/b log sum_k e^(-b pred_k), pred_k the squared distances to the centres, b the stiffness. No target.
 * It goes to min_k pred_k as b grows; no constants are left out. Source: MacKay, Information Theory, Inference, and
 * Learning Algorithms (2003), section 20.2 (responsibilities).
 */
#include <gradmill/loss_rows.h>

GM_INLINE double row_loss(const struct gm_row *row, const double *constant)
{
    const double b = constant[0];
    for (size_t k = 0; row->grad && k < row->outputs; k++)
        row->grad[k] = row->share[k];
    gm_softmax_hess(row, row->share, -b);
    return row->top - row->log_sum / b;
}

/* More centres than shares are kept for (their number is not known before, so that no scratch can be asked for): each
 * is computed where it is used. */
GM_INLINE double wide_loss(const struct gm_row *row, const double *constant)
{
    const double b = constant[0];
    const size_t outputs = row->outputs;
    double least = row->pred[0], sum = 0.0;
    for (size_t k = 1; k < outputs; k++)
        least = gm_min(least, row->pred[k]);
    for (size_t k = 0; k < outputs; k++)
        sum += gm_exp(-b * (row->pred[k] - least));
    for (size_t k = 0; k < outputs; k++) {
        const double share = gm_exp(-b * (row->pred[k] - least)) / sum;
        if (row->grad)
            row->grad[k] = share;
        if (row->hess_diag)
            row->hess_diag[k] = -b * share * (1.0 - share);
        for (size_t l = 0; row->hess && l < outputs; l++)
            row->hess[k * outputs + l] =
                -b * share * ((k == l ? 1.0 : 0.0) - gm_exp(-b * (row->pred[l] - least)) / sum);
    }
    return least - gm_log(sum) / b;
}

GM_LOSS_KERNEL static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    const double stiffness = b->param[0].real;
    if (b->outputs > GM_STRIP)
        return gm_rowwise(b, r, wide_loss, &stiffness);
    return gm_rowwise_softmax(b, r, row_loss, &stiffness, -stiffness);
}

static const struct gm_loss_param params[] = {
    {.name = "stiffness",
     .help = "one over the squared distance at which a row is shared; large: hard clusters",
     .type = GM_PARAM_REAL,
     .flags = GM_PARAM_LOW_OPEN,
     .fallback = 1.0,
     .low = 0.0,
     .high = INFINITY},
};

static const struct gm_loss_spec spec = {.struct_size = sizeof spec,
                                         .target_kind = GM_TARGET_NONE,
                                         .outputs = GM_OUTPUTS_ANY,
                                         .gives = GM_GIVES_ALL,
                                         .nature = GM_NATURE_NON_CONVEX,
                                         .task = GM_TASK_CLUSTERING};

GM_LOSS_PLUGIN(.id = "soft_kmeans", .version = "1.0", .formula = "-1/b log sum_k exp(-b pred_k)",
               .help =
                   "Use it to cluster rows that may belong to several clusters; smooth, so gradient methods go well.\n"
                   "Not when distances are far from size 1/stiffness, nor when hard clusters are wanted (kmeans).",
               .license = "MIT", .params = params, .n_params = 1, .spec = &spec, .evaluate = evaluate)
