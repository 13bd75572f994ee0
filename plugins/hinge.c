/*
 * Hinge: max(0, 1 - s pred), s = +1 for class 1 and -1 for class 0; mean over outputs. The slope on the edge is 0.
 * Source: Cortes and Vapnik, Support-vector networks, Machine Learning 20 (1995), eq. 13.
 */
#include <gradmill/loss_rows.h>

GM_INLINE struct gm_point point(double pred, double target, const double *constant)
{
    (void)constant;
    const double sign = 2.0 * target - 1.0, short_by = 1.0 - sign * pred;
    return (struct gm_point){gm_max(short_by, 0.0), short_by > 0.0 ? -sign : 0.0, 0.0};
}

GM_POINTWISE(point, 0)

/* The sign of the larger class. */
static int baseline(const struct gm_loss_batch *b, double *raw)
{
    for (size_t k = 0; k < b->outputs; k++)
        raw[k] = gm_target_mean(b, k) < 0.5 ? -1.0 : 1.0;
    return GM_LOSS_OK;
}

static const struct gm_loss_spec spec = {.struct_size = sizeof spec,
                                         .target_kind = GM_TARGET_MULTILABEL,
                                         .gives = GM_GIVES_ALL,
                                         .nature = GM_NATURE_NON_SMOOTH,
                                         .task = GM_TASK_CLASSIFICATION};

GM_LOSS_PLUGIN(.id = "hinge", .version = "1.0", .formula = "mean over outputs of max(0, 1 - s pred); s = 2 target - 1",
               .help = "Use it for two classes when only the decision counts: a linear support vector machine.\n"
                       "Not for probabilities (logistic), nor with second-order optimisers (squared_hinge).",
               .license = "MIT", .spec = &spec, .evaluate = evaluate, .baseline = baseline)
