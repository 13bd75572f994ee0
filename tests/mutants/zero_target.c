/* Says that 0 is a good target and takes its logarithm. */
#include "mutant.h"

static const struct gm_loss_spec spec = {
    .struct_size = sizeof spec, .link = GM_LINK_LOG, .target_rule = GM_TARGET_LOW, .target_low = 0};

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    r->loss = 0;
    for (size_t i = 0; i < b->rows * b->outputs; i++) {
        double w = gm_weight(b, i / b->outputs), mu = exp(b->pred[i]), y = b->target[i];
        r->loss += w * (mu - y * b->pred[i] + y * log(y) - y);
        if (r->grad)
            r->grad[i] = w * (mu - y);
    }
    return GM_LOSS_OK;
}

MUTANT(.id = "zero_target", .spec = &spec, .evaluate = evaluate)
