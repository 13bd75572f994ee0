/* Keeps something in a static variable. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    static volatile double last;
    last = r->loss;
    r->loss = last;
    return status;
}

MUTANT(.id = "static_buffer", .spec = &good_spec, .evaluate = evaluate)
