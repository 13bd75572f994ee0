/* Its response goes up and down again. */
#include "mutant.h"

static const struct gm_loss_spec spec = {.struct_size = sizeof spec, .gives = GIVES_ALL, .link = GM_LINK_CUSTOM};

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    return good(b, r);
}

static int inverse_link(const struct gm_loss_batch *b, double *response)
{
    for (size_t i = 0; i < b->rows * b->outputs; i++)
        response[i] = sin(b->pred[i]);
    return GM_LOSS_OK;
}

MUTANT(.id = "bent_link", .spec = &spec, .evaluate = evaluate, .inverse_link = inverse_link)
