/* Never comes back. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    for (volatile int i = 0; i < 1; i = 0)
        ;
    return good(b, r);
}

MUTANT(.id = "infinite_loop", .spec = &good_spec, .evaluate = evaluate)
