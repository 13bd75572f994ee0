/* Prints when something is odd. */
#include <stdio.h>

#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    if (isnan(r->loss))
        puts("oops");
    return status;
}

MUTANT(.id = "prints", .spec = &good_spec, .evaluate = evaluate)
