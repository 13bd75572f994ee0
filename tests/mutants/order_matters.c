/* In a group the first row counts double, so the order of the rows matters. */
#include "mutant.h"

static const struct gm_loss_spec spec = {.struct_size = sizeof spec, .coupling = GM_ROWS_GROUPED};

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    r->loss = 0;
    for (size_t i = 0; i < b->rows * b->outputs; i++) {
        size_t row = i / b->outputs;
        double twice = row == 0 || b->group[row] != b->group[row - 1] ? 2 : 1;
        double w = twice * gm_weight(b, row), d = b->pred[i] - b->target[i], root = sqrt(1 + d * d);
        r->loss += w * root;
        if (r->grad)
            r->grad[i] = w * d / root;
    }
    return GM_LOSS_OK;
}

MUTANT(.id = "order_matters", .spec = &spec, .evaluate = evaluate)
