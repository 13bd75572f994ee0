#include <gradmill/loss.h>

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    double sum = 0;
    for (size_t i = 0; i < b->rows * b->outputs; i++) {
        double w = gm_weight(b, i / b->outputs) / (double)b->outputs, d = b->pred[i] - b->target[i];
        sum += w * d * d;
        if (r->grad)
            r->grad[i] = 2 * w * d;
    }
    r->loss = sum;
    return GM_LOSS_OK;
}

GM_LOSS_PLUGIN(.id = "my_mse", .version = "1.0", .formula = "mean over outputs of (pred - target)^2",
               .help = "For regression without outliers.", .evaluate = evaluate)
