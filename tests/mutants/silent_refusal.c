/* Refuses a parameter that its schema allows and does not say why. */
#include "mutant.h"

static const struct gm_loss_param params[] = {
    {.name = "power", .help = "exponent", .fallback = 1.5, .low = 1, .high = 2}};

static int create(const struct gm_loss_batch *b, struct gm_loss_spec *spec, void **instance)
{
    (void)spec;
    *instance = NULL;
    return b->param[0].real < 2 ? GM_LOSS_OK : GM_LOSS_NUMERIC;
}

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    return good(b, r);
}

MUTANT(.id = "silent_refusal", .spec = &good_spec, .evaluate = evaluate, .params = params, .n_params = 1,
       .create = create)
