/* Writes in front of the row losses. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    if (r->row_loss)
        r->row_loss[-1] = 0;
    return status;
}

MUTANT(.id = "writes_before", .spec = &good_spec, .evaluate = evaluate)
