#include <gradmill/loss_rows.h>

/* Normal likelihood with a spread that is learned: d^2 / 2 exp(-2 s) + s, s = theta[0]. */
static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    const double s = b->theta[0], precision = gm_exp(-2.0 * s);
    double sum = 0;
    for (size_t i = 0; i < b->rows; i++) {
        const double w = gm_weight(b, i), d = b->pred[i] - b->target[i];
        sum += w * (0.5 * precision * d * d + s);
        if (r->grad)
            r->grad[i] = w * precision * d;
        if (r->theta_grad)
            r->theta_grad[0] += w * (1.0 - precision * d * d); /* added into, never set */
    }
    r->loss = sum;
    return GM_LOSS_OK;
}

static const struct gm_loss_spec spec = {
    .struct_size = sizeof spec, .outputs = 1, .n_theta = 1, .task = GM_TASK_REGRESSION};

GM_LOSS_PLUGIN(.id = "my_gauss", .version = "1.0", .formula = "d^2/2 exp(-2 s) + s, s learned",
               .help = "For regression, when the spread of the errors is wanted too.", .spec = &spec,
               .evaluate = evaluate)
