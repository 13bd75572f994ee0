/* A NaN is taken for no loss at all. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    if (!(r->loss > 0)) {
        r->loss = 0;
        for (size_t i = 0; i < b->rows * b->outputs; i++)
            if (isnan(b->pred[i]) && r->grad)
                r->grad[i] = 0;
    }
    return status;
}

MUTANT(.id = "hidden_nan", .spec = &good_spec, .evaluate = evaluate)
