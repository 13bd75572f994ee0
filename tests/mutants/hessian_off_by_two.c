/* The second derivative is twice too large. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    for (size_t i = 0; r->hess_diag && i < b->rows * b->outputs; i++)
        r->hess_diag[i] *= 2;
    for (size_t i = 0; r->hess && i < b->rows * b->outputs * b->outputs; i++)
        r->hess[i] *= 2;
    return status;
}

MUTANT(.id = "hessian_off_by_two", .spec = &good_spec, .evaluate = evaluate)
