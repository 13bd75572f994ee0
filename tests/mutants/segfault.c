/* Follows a pointer to nowhere. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    *(volatile int *)(size_t)0x7ffe0000 = 1;
    return good(b, r);
}

MUTANT(.id = "segfault", .spec = &good_spec, .evaluate = evaluate)
