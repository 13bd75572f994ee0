/*
 * ListNet: cross-entropy between softmax(target) and softmax(pred) over the rows of a group, times the rows of the
 * group. The entropy of softmax(target), a constant, is included in the cross-entropy, not taken off. Source: Cao, Qin,
 * Liu, Tsai, Li, Learning to rank: from pairwise approach to listwise approach, ICML 2007, section 4.
 */
#include <gradmill/loss_rows.h>

GM_INLINE double group_loss(struct gm_group *g, const double *constant)
{
    double *want = g->work[0], *share = g->work[1], loss = 0.0;
    const double size = (double)g->n, whole = gm_softmax(g->pred, g->n, share);
    (void)constant;
    gm_softmax(g->target, g->n, want);
    for (size_t i = 0; i < g->n; i++) {
        loss += want[i] * (whole - g->pred[i]);
        g->grad[i] = size * (share[i] - want[i]);
        g->curve[i] = size * share[i] * (1.0 - share[i]);
    }
    return size * loss;
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

GM_LOSS_PLUGIN(.id = "listnet", .version = "1.0",
               .formula = "group rows * -sum_i softmax(target)_i log softmax(pred)_i over the group",
               .help = "Use it to rank the rows of each group by graded targets with a smooth, convex loss.\n"
                       "Not when targets are on an arbitrary scale (softmax feels it: pairwise_logistic).",
               .license = "MIT", .spec = &spec, .evaluate = evaluate)
