/* Lets delta be 0 and divides by it. */
#include "mutant.h"

static const struct gm_loss_param params[] = {
    {.name = "delta", .help = "width, in units of the target", .fallback = 1, .low = 0, .high = INFINITY}};

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    double share = b->param[0].real / b->param[0].real;
    r->loss *= share;
    return status;
}

MUTANT(.id = "closed_bound", .spec = &good_spec, .evaluate = evaluate, .params = params, .n_params = 1)
