#include <gradmill/loss_rows.h>

GM_INLINE struct gm_point point(double pred, double target, const double *constant)
{
    const double delta = constant[0], d = pred - target, size = gm_abs(d);
    struct gm_point p;
    p.loss = size <= delta ? 0.5 * d * d : delta * (size - 0.5 * delta);
    p.slope = size <= delta ? d : gm_copysign(delta, d);
    p.curve = size <= delta ? 1.0 : 0.0;
    return p;
}

GM_LOSS_KERNEL static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    const double delta = b->param[0].real;
    return gm_pointwise(b, r, point, &delta);
}

static const struct gm_loss_param params[] = {
    {.name = "delta",
     .help = "distance where squares turn into lines, in units of the target",
     .type = GM_PARAM_REAL,
     .flags = GM_PARAM_LOW_OPEN,
     .fallback = 1.0,
     .low = 0.0,
     .high = INFINITY},
};
static const struct gm_loss_spec spec = {.struct_size = sizeof spec, .gives = GM_GIVES_ALL, .task = GM_TASK_REGRESSION};

GM_LOSS_PLUGIN(.id = "my_huber", .version = "1.0", .formula = "d^2/2 where |d| <= delta, else delta (|d| - delta/2)",
               .help = "For regression with some outliers.", .params = params, .n_params = 1, .spec = &spec,
               .evaluate = evaluate)
