#include <gradmill/loss_rows.h>

/* Pairwise logistic ranking: for each pair of a group whose targets differ, log(1 + exp(-(pred of the better -
 * other))). */
GM_INLINE double group_loss(struct gm_group *g, const double *constant)
{
    (void)constant;
    double loss = 0.0;
    for (size_t i = 0; i < g->n; i++)
        for (size_t j = 0; j < g->n; j++) {
            if (!(g->target[i] > g->target[j]))
                continue;
            const double margin = g->pred[j] - g->pred[i], slope = gm_sigmoid(margin), curve = gm_sigmoid_slope(margin);
            loss += gm_softplus(margin);
            g->grad[i] -= slope;
            g->grad[j] += slope;
            g->curve[i] += curve;
            g->curve[j] += curve;
        }
    return loss;
}

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    return gm_groupwise(b, r, group_loss, NULL);
}

static const struct gm_loss_spec spec = {.struct_size = sizeof spec,
                                         .outputs = 1,
                                         .coupling = GM_ROWS_GROUPED,
                                         .gives = GM_GIVES_HESS_DIAG,
                                         .scratch_per_row = GM_GROUP_SCRATCH,
                                         .task = GM_TASK_RANKING};

GM_LOSS_PLUGIN(.id = "my_rank", .version = "1.0", .formula = "sum over pairs of log(1 + exp(-(better - other)))",
               .help = "For ranking within groups.", .spec = &spec, .evaluate = evaluate)
