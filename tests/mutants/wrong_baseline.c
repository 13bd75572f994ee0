/* The mean, which is not the best constant of this loss. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    return good(b, r);
}

static int baseline(const struct gm_loss_batch *b, double *raw)
{
    for (size_t k = 0; k < b->outputs; k++)
        raw[k] = 0;
    for (size_t i = 0; i < b->rows * b->outputs; i++)
        raw[i % b->outputs] += b->target[i] / (double)b->rows;
    return GM_LOSS_OK;
}

MUTANT(.id = "wrong_baseline", .spec = &good_spec, .evaluate = evaluate, .baseline = baseline)
