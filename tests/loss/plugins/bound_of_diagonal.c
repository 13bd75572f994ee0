/* The loss of tests/mutants/mutant.h, telling only an upper bound of its second derivatives, each output alone: 1 is
 * the greatest value of (1 + d^2)^-1.5. */
#include "../../mutants/mutant.h"

static const struct gm_loss_spec spec = {
    .struct_size = sizeof spec, .gives = GM_GIVES_HESS_DIAG | GM_GIVES_ROW_LOSS, .nature = GM_NATURE_HESS_BOUND};

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    for (size_t i = 0; r->hess_diag && i < b->rows * b->outputs; i++)
        r->hess_diag[i] = gm_weight(b, i / b->outputs);
    return status;
}

MUTANT(.id = "bound_of_diagonal", .spec = &spec, .evaluate = evaluate)
