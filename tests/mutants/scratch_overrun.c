/* Uses one number of scratch more than the spec asks for. */
#include "mutant.h"

static const struct gm_loss_spec spec = {
    .struct_size = sizeof spec, .gives = GIVES_ALL, .scratch_fixed = 8, .scratch_per_row = 8};

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    double *own = b->scratch;
    for (size_t i = 0; i <= b->rows + 1; i++)
        own[i] = 1;
    return good(b, r);
}

MUTANT(.id = "scratch_overrun", .spec = &spec, .evaluate = evaluate)
