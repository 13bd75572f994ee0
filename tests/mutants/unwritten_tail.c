/* Works in steps of four rows and forgets the rest. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    double sum = 0;
    for (size_t i = 0; i < b->rows * b->outputs; i++) {
        double d = b->pred[i] - b->target[i], root = sqrt(1 + d * d), w = gm_weight(b, i / b->outputs);
        sum += w * root;
        if (r->grad && i / b->outputs < b->rows / 4 * 4)
            r->grad[i] = w * d / root;
    }
    r->loss = sum;
    return GM_LOSS_OK;
}

MUTANT(.id = "unwritten_tail", .spec = NULL, .evaluate = evaluate)
