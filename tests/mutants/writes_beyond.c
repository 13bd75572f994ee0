/* Writes one gradient too many. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    if (r->grad)
        r->grad[b->rows * b->outputs] = 0;
    return status;
}

MUTANT(.id = "writes_beyond", .spec = &good_spec, .evaluate = evaluate)
