/*
 * LambdaRank: over the pairs of a group with target_i > target_j the sum of |change of NDCG when i and j swap places|
 * times log(1 + e^-(pred_i - pred_j)), times the rows of the group. The places come from the predictions of this call
 * and are not differentiated, so the loss jumps where two predictions cross. Sources: Burges, Ragno, Le, Learning to
 * rank with nonsmooth cost functions, NIPS 2006, section 4; Wang et al., The LambdaLoss framework, CIKM 2018, eq. 15.
 * Discount 1 / log2(1 + place); Jaervelin and Kekaelaeinen, TOIS 20 (2002).
 */
#include <gradmill/loss_rows.h>

enum { GAIN_EXPONENTIAL = 0, GAIN_LINEAR = 1 };

GM_INLINE double gain_of(double target, const struct gm_loss_batch *b)
{
    return b->param[1].integer == GAIN_LINEAR ? target : gm_exp(target * GM_LN2) - 1.0;
}

/* 1 / log2(1 + place), place from 1; 0 past the truncation. */
GM_INLINE double discount(size_t place, const struct gm_loss_batch *b)
{
    const int64_t truncation = b->param[0].integer;
    return truncation && place > (size_t)truncation ? 0.0 : GM_LN2 / gm_log(1.0 + (double)place);
}

GM_INLINE double group_loss(struct gm_group *g, const double *constant)
{
    double *gain = g->work[0], *weight = g->work[1], best = 0.0, sum = 0.0;
    (void)constant;
    for (size_t i = 0; i < g->n; i++)
        gain[i] = gain_of(g->target[i], g->batch);
    gm_sort_falling(gain, g->n, g->place);
    for (size_t k = 0; k < g->n; k++)
        best += gain[g->place[k]] * discount(k + 1, g->batch);
    if (!(best > 0.0))
        return 0.0;
    gm_sort_falling(g->pred, g->n, g->place);
    for (size_t k = 0; k < g->n; k++)
        weight[g->place[k]] = discount(k + 1, g->batch);
    const double scale = (double)g->n / best;
    for (size_t i = 0; i < g->n; i++)
        for (size_t j = 0; j < g->n; j++) {
            if (!(g->target[i] > g->target[j]))
                continue;
            const double stake = scale * (gain[i] - gain[j]) * gm_abs(weight[i] - weight[j]);
            const double margin = g->pred[i] - g->pred[j], push = stake * gm_sigmoid(-margin);
            sum += stake * gm_softplus(-margin);
            g->grad[i] -= push;
            g->grad[j] += push;
            g->curve[i] += stake * gm_sigmoid_slope(margin);
            g->curve[j] += stake * gm_sigmoid_slope(margin);
        }
    return sum;
}

GM_LOSS_KERNEL static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    return gm_groupwise(b, r, group_loss, NULL);
}

static const struct gm_loss_param params[] = {
    {.name = "truncation",
     .help = "places that count, from the top; 0: all",
     .type = GM_PARAM_INTEGER,
     .fallback = 0.0,
     .low = 0.0,
     .high = 1e9},
    {.name = "gain",
     .help = "worth of a target: 2^target - 1, or the target itself",
     .type = GM_PARAM_CHOICE,
     .fallback = GAIN_EXPONENTIAL,
     .choices = "exponential|linear"},
};

static const struct gm_loss_spec spec = {.struct_size = sizeof spec,
                                         .outputs = 1,
                                         .coupling = GM_ROWS_GROUPED,
                                         .gives = GM_GIVES_HESS_DIAG,
                                         .nature = GM_NATURE_NON_SMOOTH | GM_NATURE_NON_CONVEX,
                                         .target_rule = GM_TARGET_LOW | GM_TARGET_HIGH,
                                         .target_low = 0.0,
                                         .target_high = 1000.0,
                                         .task = GM_TASK_RANKING,
                                         .scratch_per_row = GM_GROUP_SCRATCH};

GM_LOSS_PLUGIN(
        .id = "lambdarank", .version = "1.0",
        .formula = "group rows * sum over pairs target_i > target_j of |delta NDCG| log(1 + exp(pred_j - pred_i))",
        .help = "Use it to rank the rows of each group when the top of the list matters most (NDCG).\n"
                "Not when all places count the same (pairwise_logistic), nor when a smooth loss is needed (listnet).",
        .license = "MIT", .params = params, .n_params = 2, .spec = &spec, .evaluate = evaluate)
