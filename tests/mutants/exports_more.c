/* Leaves a function of its own visible to everybody. */
#include "mutant.h"

__attribute__((visibility("default"))) double square(double x);
double square(double x)
{
    return x * x;
}

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    return good(b, r);
}

MUTANT(.id = "exports_more", .spec = &good_spec, .evaluate = evaluate)
