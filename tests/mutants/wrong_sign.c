/* The gradient points uphill. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    for (size_t i = 0; r->grad && i < b->rows * b->outputs; i++)
        r->grad[i] = -r->grad[i];
    return status;
}

MUTANT(.id = "wrong_sign", .spec = &good_spec, .evaluate = evaluate)
