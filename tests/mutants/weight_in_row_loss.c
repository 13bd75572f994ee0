/* Multiplies the loss of a row by its weight. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    for (size_t i = 0; r->row_loss && i < b->rows; i++)
        r->row_loss[i] *= gm_weight(b, i);
    return status;
}

MUTANT(.id = "weight_in_row_loss", .spec = &good_spec, .evaluate = evaluate)
