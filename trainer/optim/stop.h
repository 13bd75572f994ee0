/*
 * When to stop: a pure function of the sequence of epochs. No clock, no I/O.
 *
 * loss_change: stop when no epoch of the last `patience` improved the best monitored loss by more than
 * loss_change * |best| (relative) or loss_change (absolute). 0: any improvement counts; negative: rule off.
 * `best` is the reference loss: the best at the last improvement that was large enough, so that slow progress adds up.
 * Finiteness is tested before any comparison: a NaN or Inf is "diverged", never an improvement.
 *
 * When several rules hold at one epoch, the first of these is the reason: diverged, target_loss, gradient_norm,
 * loss_change, max_epochs, max_time. ("interrupted" is for the caller: it comes from outside of the sequence.)
 */
#ifndef OPTIM_STOP_H
#define OPTIM_STOP_H

#include <stdbool.h>
#include <stddef.h>

enum stop_reason {
    STOP_NONE,
    STOP_LOSS_CHANGE,
    STOP_MAX_EPOCHS,
    STOP_MAX_TIME,
    STOP_TARGET_LOSS,
    STOP_GRADIENT_NORM,
    STOP_DIVERGED,
    STOP_INTERRUPTED
};
const char *stop_reason_name(enum stop_reason reason); /* "loss_change" ... as in logs and models */

struct stop_rule {
    size_t max_epochs;
    double loss_change; /* < 0: off */
    bool relative;
    size_t patience;      /* >= 1 */
    double target_loss;   /* NaN: off; stop when the monitored loss is <= this */
    double gradient_norm; /* NaN: off; stop when the norm is <= this */
    double max_seconds;   /* NaN: off */
};

struct stop_state { /* plain numbers: a checkpoint stores them as they are */
    size_t best_epoch;
    double best_loss;      /* lowest monitored loss seen (restore_best): +Inf before the first epoch */
    double reference_loss; /* best loss at the last improvement that was large enough */
    size_t epochs_without; /* epochs since then */
};

struct stop_epoch {
    size_t epoch;         /* 0: the start, before any update */
    double monitored;     /* loss the rule looks at */
    double objective;     /* must be finite too */
    double gradient_norm; /* NaN: unknown */
    double seconds;       /* since the start of the run */
};

void stop_init(struct stop_state *state);
/* Feed one epoch. *improved: it is the best so far (strictly). */
enum stop_reason stop_update(struct stop_state *state, const struct stop_rule *rule, const struct stop_epoch *epoch,
                             bool *improved);

#endif
