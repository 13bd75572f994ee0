/* A squared loss for plugins that are broken, or special, in something else. */
#ifndef TESTS_LOSS_PLUGINS_COMMON_H
#define TESTS_LOSS_PLUGINS_COMMON_H

#include <gradmill/loss.h>

static int squared(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    r->loss = 0;
    for (size_t i = 0; i < b->rows * b->outputs; i++) {
        double d = b->pred[i] - b->target[i];
        r->loss += gm_weight(b, i / b->outputs) * d * d;
        if (r->grad)
            r->grad[i] = 2 * gm_weight(b, i / b->outputs) * d;
    }
    return GM_LOSS_OK;
}

#endif
