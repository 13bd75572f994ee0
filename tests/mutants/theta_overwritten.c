/* Overwrites the gradient of theta instead of adding to it. */
#include "mutant.h"

/* The loss times a learned positive scale e^theta. */
static const struct gm_loss_spec spec = {.struct_size = sizeof spec, .n_theta = 1, .nature = 0};

static void scale(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    double factor = exp(b->theta[0]);
    r->loss *= factor;
    for (size_t i = 0; r->grad && i < b->rows * b->outputs; i++)
        r->grad[i] *= factor;
}

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    scale(b, r);
    if (r->theta_grad)
        r->theta_grad[0] = r->loss;
    return status;
}

MUTANT(.id = "theta_overwritten", .spec = &spec, .evaluate = evaluate)
