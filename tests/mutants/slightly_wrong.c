/* The gradient is wrong in the fifth digit only. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    for (size_t i = 0; r->grad && i < b->rows * b->outputs; i++)
        r->grad[i] *= 1.00001;
    return status;
}

MUTANT(.id = "slightly_wrong", .spec = &good_spec, .evaluate = evaluate)
