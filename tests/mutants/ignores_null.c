/* Writes the Hessian whether it is wanted or not. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    if (b->rows)
        *(volatile double *)r->hess_diag += 0;
    return status;
}

MUTANT(.id = "ignores_null", .spec = &good_spec, .evaluate = evaluate)
