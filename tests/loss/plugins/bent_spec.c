/* A create() that leaves a spec behind which no loss may have. */
#include "common.h"

static int create(const struct gm_loss_batch *b, struct gm_loss_spec *spec, void **instance)
{
    (void)b, (void)instance;
    spec->coupling = 17;
    return GM_LOSS_OK;
}

GM_LOSS_PLUGIN(.id = "bent_spec", .version = "1.0", .evaluate = squared, .create = create)
