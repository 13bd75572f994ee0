/* Declares a constant second derivative that is none. */
#include "mutant.h"

static const struct gm_loss_spec spec = {
    .struct_size = sizeof spec, .gives = GIVES_ALL, .nature = GM_NATURE_HESS_CONSTANT};

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    return status;
}

MUTANT(.id = "not_constant", .spec = &spec, .evaluate = evaluate)
