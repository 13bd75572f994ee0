/* What is declared an upper bound lies below. */
#include "mutant.h"

static const struct gm_loss_spec spec = {
    .struct_size = sizeof spec, .gives = GM_GIVES_HESS_DIAG | GM_GIVES_ROW_LOSS, .nature = GM_NATURE_HESS_BOUND};

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    for (size_t i = 0; r->hess_diag && i < b->rows * b->outputs; i++)
        r->hess_diag[i] *= 0.9;
    return status;
}

MUTANT(.id = "bound_below", .spec = &spec, .evaluate = evaluate)
