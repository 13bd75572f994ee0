/* Reads one prediction too many. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    double next = ((const volatile double *)b->pred)[b->rows * b->outputs];
    (void)next;
    return status;
}

MUTANT(.id = "reads_beyond", .spec = &good_spec, .evaluate = evaluate)
