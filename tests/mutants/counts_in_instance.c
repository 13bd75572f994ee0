/* Counts its calls in the instance. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    ++*(size_t *)(size_t)b->instance;
    return status;
}

static int create(const struct gm_loss_batch *b, struct gm_loss_spec *spec, void **instance)
{
    (void)b;
    (void)spec;
    *instance = calloc(1, 64);
    return *instance ? GM_LOSS_OK : GM_LOSS_NO_MEMORY;
}

MUTANT(.id = "counts_in_instance", .spec = &good_spec, .evaluate = evaluate, .create = create, .destroy = free)
