/* Centres the predictions in place. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    for (size_t i = 0; i < b->rows * b->outputs; i++)
        ((double *)(size_t)b->pred)[i] += 0;
    return status;
}

MUTANT(.id = "writes_input", .spec = &good_spec, .evaluate = evaluate)
