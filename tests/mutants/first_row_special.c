/* The first row of a call counts double. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    int status = good(b, r);
    double sum = 0;
    for (size_t k = 0; b->rows && k < b->outputs; k++) {
        double d = b->pred[k] - b->target[k], w = gm_weight(b, 0), root = sqrt(1 + d * d);
        sum += w * root;
        if (r->grad)
            r->grad[k] += w * d / root;
    }
    r->loss += sum;
    return status;
}

MUTANT(.id = "first_row_special", .spec = NULL, .evaluate = evaluate)
