/* Refuses a target and names the row behind it. */
#include "mutant.h"

static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    return good(b, r);
}

static int check_targets(const struct gm_loss_batch *b, size_t *bad_row)
{
    for (size_t i = 0; i < b->rows * b->targets; i++)
        if (fabs(b->target[i]) > 1e6) {
            *bad_row = i / b->targets + b->rows;
            return gm_fail(b, GM_LOSS_BAD_TARGET, "the target is too large");
        }
    return GM_LOSS_OK;
}

MUTANT(.id = "wrong_bad_row", .spec = &good_spec, .evaluate = evaluate, .check_targets = check_targets)
