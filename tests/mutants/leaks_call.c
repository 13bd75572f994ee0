/* Every call leaves a little behind. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    volatile char *lost = malloc(24);
    if (lost)
        *lost = 1;
    return status;
}

MUTANT(.id = "leaks_call", .spec = &good_spec, .evaluate = evaluate)
