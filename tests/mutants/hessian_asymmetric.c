/* Half of the Hessian is filled in. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    for (size_t i = 0; r->hess && i < b->rows && b->outputs > 1; i++)
        r->hess[i * b->outputs * b->outputs + 1] = 0.5;
    return status;
}

MUTANT(.id = "hessian_asymmetric", .spec = &good_spec, .evaluate = evaluate)
