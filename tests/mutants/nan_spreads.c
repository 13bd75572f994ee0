/* One bad row spoils the gradient of all. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    for (size_t i = 0; r->grad && isnan(r->loss) && i < b->rows * b->outputs; i++)
        r->grad[i] = NAN;
    return status;
}

MUTANT(.id = "nan_spreads", .spec = &good_spec, .evaluate = evaluate)
