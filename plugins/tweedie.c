/*
 * Tweedie of a power p with log link: e^((2-p) pred) / (2 - p) - target e^((1-p) pred) / (1 - p), mean over outputs.
 * Half the deviance without the terms of target alone; p = 1 and p = 2 are the limits poisson and gamma. The loss at
 * power 3, (target 2, pred ln 4) is -3/16. Convex for p <= 2. Source:
 * Joergensen, The Theory of Dispersion Models (1997), section 2.3 and chapter 4.
 */
#include <gradmill/loss_rows.h>

/* constant: 1 - p, 2 - p, their inverses with 0 for the inverse of 0. */
GM_INLINE struct gm_point point(double pred, double target, const double *constant)
{
    const double a = constant[0], c = constant[1];
    const double left = target * gm_exp(a * pred), right = gm_exp(c * pred);
    const double first = a == 0.0 ? target * pred : left * constant[2];
    const double second = c == 0.0 ? pred : right * constant[3];
    return (struct gm_point){second - first, right - left, c * right - a * left};
}

GM_INLINE double inverse(double x)
{
    return x == 0.0 ? 0.0 : 1.0 / x;
}

GM_POINTWISE(point, 1.0 - b->param[0].real, 2.0 - b->param[0].real, inverse(1.0 - b->param[0].real),
             inverse(2.0 - b->param[0].real))

/* Which targets the distribution can give: >= 0 below power 2, > 0 from there on. */
static int create(const struct gm_loss_batch *b, struct gm_loss_spec *spec, void **instance)
{
    const double power = b->param[0].real;
    *instance = NULL;
    spec->target_rule = power < 2.0 ? GM_TARGET_LOW : GM_TARGET_LOW_OPEN;
    spec->nature = power > 2.0 ? GM_NATURE_NON_CONVEX : 0;
    return GM_LOSS_OK;
}

static const struct gm_loss_param params[] = {
    {.name = "power",
     .help = "variance grows as mean^power; 1: poisson, 2: gamma",
     .type = GM_PARAM_REAL,
     .fallback = 1.5,
     .low = 1.0,
     .high = 10.0},
};

static const struct gm_loss_spec spec = {.struct_size = sizeof spec,
                                         .gives = GM_GIVES_ALL,
                                         .nature = GM_NATURE_NON_CONVEX,
                                         .link = GM_LINK_LOG,
                                         .target_rule = GM_TARGET_LOW,
                                         .target_low = 0.0,
                                         .task = GM_TASK_REGRESSION};

GM_LOSS_PLUGIN(
        .id = "tweedie", .version = "1.0",
        .formula = "mean over outputs of exp((2-p) pred)/(2-p) - target exp((1-p) pred)/(1-p)",
        .help = "Use it for amounts that are often exactly 0 and otherwise positive, power between 1 and 2: rainfall,\n"
                "insurance claims.\nNot for counts (poisson) nor for amounts that are never 0 (gamma).",
        .license = "MIT", .params = params, .n_params = 1, .spec = &spec, .evaluate = evaluate, .create = create,
        .baseline = gm_log_mean_baseline)
