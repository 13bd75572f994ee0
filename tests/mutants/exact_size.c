/* Accepts only structs of exactly the size it was built with. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    if (b->struct_size != sizeof *b || r->struct_size != sizeof *r)
        return gm_fail(b, GM_LOSS_UNSUPPORTED, "unknown struct size");
    return good(b, r);
}

MUTANT(.id = "exact_size", .spec = &good_spec, .evaluate = evaluate)
