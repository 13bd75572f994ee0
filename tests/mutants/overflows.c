/* Takes the exponential of something that is not small. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    r->loss = 0;
    for (size_t i = 0; i < b->rows * b->outputs; i++) {
        double w = gm_weight(b, i / b->outputs), d = b->pred[i] - b->target[i], e = exp(d * d);
        r->loss += w * log(e);
        if (r->grad)
            r->grad[i] = w * 2 * d * e / e;
    }
    return GM_LOSS_OK;
}

MUTANT(.id = "overflows", .spec = NULL, .evaluate = evaluate)
