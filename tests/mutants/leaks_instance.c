/* create allocates, nothing frees. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    return good(b, r);
}

static int create(const struct gm_loss_batch *b, struct gm_loss_spec *spec, void **instance)
{
    (void)b;
    (void)spec;
    *instance = calloc(1, 100);
    return *instance ? GM_LOSS_OK : GM_LOSS_NO_MEMORY;
}

MUTANT(.id = "leaks_instance", .spec = &good_spec, .evaluate = evaluate, .create = create)
