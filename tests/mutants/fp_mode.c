/* Leaves another rounding direction behind. */
#include <fenv.h>

#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    fesetround(FE_DOWNWARD);
    return status;
}

MUTANT(.id = "fp_mode", .spec = &good_spec, .evaluate = evaluate)
