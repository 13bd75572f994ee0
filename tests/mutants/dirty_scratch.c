/* Adds to scratch without clearing it first. */
#include "mutant.h"

static const struct gm_loss_spec spec = {.struct_size = sizeof spec, .gives = GIVES_ALL, .scratch_fixed = 8};

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    double *own = b->scratch;
    int status = good(b, r);
    if (b->rows == 0)
        return status;
    own[0] += r->loss;
    r->loss = own[0];
    return status;
}

MUTANT(.id = "dirty_scratch", .spec = &spec, .evaluate = evaluate)
