/* Ends the process instead of returning an error. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    if (b->rows)
        exit(3);
    return good(b, r);
}

MUTANT(.id = "exits", .spec = &good_spec, .evaluate = evaluate)
