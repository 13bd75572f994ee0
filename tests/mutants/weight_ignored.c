/* Does not look at the weights. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    struct gm_loss_batch unweighted = *b;
    unweighted.weight = NULL;
    return good(&unweighted, r);
}

MUTANT(.id = "weight_ignored", .spec = &good_spec, .evaluate = evaluate)
