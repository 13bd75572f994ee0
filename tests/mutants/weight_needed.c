/* Takes it for granted that there are weights. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    struct gm_loss_batch same = *b;
    double first = b->rows ? ((const volatile double *)b->weight)[0] : 0;
    (void)first;
    return good(&same, r);
}

MUTANT(.id = "weight_needed", .spec = &good_spec, .evaluate = evaluate)
