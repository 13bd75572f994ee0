/* Squared error of logarithms, log1p(pred) against log1p(target): a loss as a stranger would write it outside the tree.
 */
#include <gradmill/loss.h>

#include <math.h>

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    double sum = 0;
    for (size_t i = 0; i < b->rows; i++) {
        double w = b->weight ? b->weight[i] : 1, shifted = 1 + b->pred[i];
        double d = shifted > 0 ? log(shifted) - log1p(b->target[i]) : NAN;
        sum += w * d * d;
        if (r->row_loss)
            r->row_loss[i] = d * d;
        if (r->grad)
            r->grad[i] = w * 2 * d / shifted;
    }
    r->loss = sum;
    return GM_LOSS_OK;
}

static const struct gm_loss_spec spec = {.struct_size = sizeof spec, .target_rule = GM_TARGET_LOW, .target_low = 0};

GM_LOSS_PLUGIN(.id = OWN_ID, .version = "1.0", .formula = "(log1p(pred) - log1p(target))^2", .spec = &spec,
               .evaluate = evaluate)
