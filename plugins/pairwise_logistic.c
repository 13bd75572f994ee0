/*
 * Pairwise logistic (RankNet): mean over the pairs of a group with target_i > target_j of log(1 + e^-(pred_i -
 * pred_j)), times the rows of the group, so that the objective is a mean over groups weighted by their size. Source:
 * Burges et al., Learning to rank using gradient descent, ICML 2005, eq. 3 (with certain targets).
 */
#include <gradmill/loss_rows.h>

GM_INLINE double group_loss(struct gm_group *g, const double *constant)
{
    double sum = 0.0;
    size_t pairs = 0;
    (void)constant;
    for (size_t i = 0; i < g->n; i++)
        for (size_t j = 0; j < g->n; j++) {
            if (!(g->target[i] > g->target[j]))
                continue;
            const double margin = g->pred[i] - g->pred[j], push = gm_sigmoid(-margin), bend = gm_sigmoid_slope(margin);
            sum += gm_softplus(-margin);
            g->grad[i] -= push;
            g->grad[j] += push;
            g->curve[i] += bend;
            g->curve[j] += bend;
            pairs++;
        }
    const double scale = pairs ? (double)g->n / (double)pairs : 0.0;
    gm_scale(g->grad, g->n, scale);
    gm_scale(g->curve, g->n, scale);
    return scale * sum;
}

GM_LOSS_KERNEL static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    return gm_groupwise(b, r, group_loss, NULL);
}

static const struct gm_loss_spec spec = {.struct_size = sizeof spec,
                                         .outputs = 1,
                                         .coupling = GM_ROWS_GROUPED,
                                         .gives = GM_GIVES_HESS_DIAG,
                                         .task = GM_TASK_RANKING,
                                         .scratch_per_row = GM_GROUP_SCRATCH};

GM_LOSS_PLUGIN(.id = "pairwise_logistic", .version = "1.0",
               .formula = "group rows * mean over pairs target_i > target_j of log(1 + exp(pred_j - pred_i))",
               .help = "Use it to rank the rows of each group when every pair counts the same (area under the curve).\n"
                       "Not when only the top of the list matters (lambdarank), nor for groups of many thousand rows.",
               .license = "MIT", .spec = &spec, .evaluate = evaluate)
