/* Takes what lies behind the struct for a field of its own. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    const int *behind = (const int *)(const void *)(b + 1);
    int status = good(b, r);
    r->loss += b->struct_size > sizeof *b && *behind ? 1 : 0;
    return status;
}

MUTANT(.id = "reads_tail", .spec = &good_spec, .evaluate = evaluate)
