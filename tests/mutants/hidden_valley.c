/* Is not convex and does not say so. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    r->loss = 0;
    for (size_t i = 0; i < b->rows * b->outputs; i++) {
        double w = gm_weight(b, i / b->outputs), d = b->pred[i] - b->target[i];
        r->loss += w * log(1 + d * d);
        if (r->grad)
            r->grad[i] = w * 2 * d / (1 + d * d);
    }
    return GM_LOSS_OK;
}

MUTANT(.id = "hidden_valley", .spec = NULL, .evaluate = evaluate)
