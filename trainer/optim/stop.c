/* When to stop. Pure arithmetic on the sequence of epochs. */
#include "optim/stop.h"

#include <math.h>

const char *stop_reason_name(enum stop_reason reason)
{
    switch (reason) {
    case STOP_NONE:
        return "none";
    case STOP_LOSS_CHANGE:
        return "loss_change";
    case STOP_MAX_EPOCHS:
        return "max_epochs";
    case STOP_MAX_TIME:
        return "max_time";
    case STOP_TARGET_LOSS:
        return "target_loss";
    case STOP_GRADIENT_NORM:
        return "gradient_norm";
    case STOP_DIVERGED:
        return "diverged";
    case STOP_INTERRUPTED:
        return "interrupted";
    }
    return "none";
}

void stop_init(struct stop_state *state)
{
    *state = (struct stop_state){.best_loss = INFINITY, .reference_loss = INFINITY};
}

/* Is `loss` below the reference by more than the rule asks? The first finite loss always is. */
static bool large_enough(const struct stop_state *state, const struct stop_rule *rule, double loss)
{
    if (isinf(state->reference_loss))
        return true;
    double least = 0; /* with the rule off the count of epochs means: without any improvement */
    if (rule->loss_change > 0)
        least = rule->relative ? rule->loss_change * fabs(state->reference_loss) : rule->loss_change;
    return state->reference_loss - loss > least;
}

enum stop_reason stop_update(struct stop_state *state, const struct stop_rule *rule, const struct stop_epoch *epoch,
                             bool *improved)
{
    *improved = false;
    if (!isfinite(epoch->monitored) || !isfinite(epoch->objective))
        return STOP_DIVERGED;

    if (epoch->monitored < state->best_loss) {
        *improved = true;
        state->best_loss = epoch->monitored;
        state->best_epoch = epoch->epoch;
    }
    if (large_enough(state, rule, epoch->monitored)) {
        state->reference_loss = epoch->monitored;
        state->epochs_without = 0;
    } else {
        state->epochs_without++;
    }

    /* A rule that is off holds NaN, and no comparison with NaN is true. */
    if (epoch->monitored <= rule->target_loss)
        return STOP_TARGET_LOSS;
    if (epoch->gradient_norm <= rule->gradient_norm)
        return STOP_GRADIENT_NORM;
    if (rule->loss_change >= 0 && state->epochs_without > 0 && state->epochs_without >= rule->patience)
        return STOP_LOSS_CHANGE;
    if (epoch->epoch >= rule->max_epochs)
        return STOP_MAX_EPOCHS;
    if (epoch->seconds >= rule->max_seconds)
        return STOP_MAX_TIME;
    return STOP_NONE;
}
