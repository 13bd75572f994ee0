/*
 * Squared hinge: max(0, 1 - s pred)^2, s = +1 for class 1 and -1 for class 0; mean over outputs.
 * Source: Cortes and Vapnik 1995, section 3 (sigma = 2); Lee and Mangasarian, SSVM, Comput. Optim. Appl. 20 (2001),
 * eq. 3.
 */
#include <gradmill/loss_rows.h>

GM_INLINE struct gm_point point(double pred, double target, const double *constant)
{
    (void)constant;
    const double sign = 2.0 * target - 1.0, short_by = gm_max(1.0 - sign * pred, 0.0);
    return (struct gm_point){short_by * short_by, -2.0 * sign * short_by, short_by > 0.0 ? 2.0 : 0.0};
}

GM_POINTWISE(point, 0)

/* Between -1 and 1 every row has its parabola: the optimum is the mean of the signs. */
static int baseline(const struct gm_loss_batch *b, double *raw)
{
    for (size_t k = 0; k < b->outputs; k++)
        raw[k] = 2.0 * gm_target_mean(b, k) - 1.0;
    return GM_LOSS_OK;
}

static const struct gm_loss_spec spec = {.struct_size = sizeof spec,
                                         .target_kind = GM_TARGET_MULTILABEL,
                                         .gives = GM_GIVES_ALL,
                                         .task = GM_TASK_CLASSIFICATION};

GM_LOSS_PLUGIN(.id = "squared_hinge", .version = "1.0",
               .formula = "mean over outputs of max(0, 1 - s pred)^2; s = 2 target - 1",
               .help =
                   "Use it for two classes when only the decision counts and a smooth loss is wanted.\n"
                   "Not with mislabelled rows (modified_huber grows only linearly), nor for probabilities (logistic).",
               .license = "MIT", .spec = &spec, .evaluate = evaluate, .baseline = baseline)
