/* Adds noise from a generator with a state. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    double noise = 1e-9 * (double)rand() / RAND_MAX;
    r->loss += b->rows ? noise : 0;
    return status;
}

MUTANT(.id = "random", .spec = &good_spec, .evaluate = evaluate)
