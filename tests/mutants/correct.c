/* No mistake: what every check must pass. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    return good(b, r);
}

MUTANT(.id = "correct", .spec = &good_spec, .evaluate = evaluate)
