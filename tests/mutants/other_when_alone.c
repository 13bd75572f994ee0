/* Computes the loss in another order when the gradient is not asked for. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    if (!r->grad) {
        r->loss = 0;
        for (size_t i = b->rows * b->outputs; i-- > 0;) {
            double d = b->pred[i] - b->target[i];
            r->loss += gm_weight(b, i / b->outputs) * sqrt(1 + d * d);
        }
    }
    return status;
}

MUTANT(.id = "other_when_alone", .spec = &good_spec, .evaluate = evaluate)
