/*
 * Training over strata: epochs until a rule says stop, and a learning rate that nobody has to tune.
 *
 * The rate is found as for minibatch methods (rate.c): trials from the start values on a corner of the grid, uphill or
 * downhill from the usual rate as long as the loss of the trial falls; later it is halved after an epoch that did not
 * lower the monitored loss.
 */
#include "train/run.h"

#include <math.h>

#include "base/clock.h"
#include "base/memory.h"
#include "train/strata.h"
#include "train/strata_measure.h"

#define TRIAL_RATINGS  200000 /* of the corner, about */
#define TRIAL_EPOCHS   3
#define TRIAL_EPOCH    0xFFFF0000u /* of the random numbers */
#define FACTOR         2.0
#define STEPS_EACH_WAY 12

/* LIBMF's rate for adagrad, and what is usual for plain steps on ratings of one to five. */
static double usual_rate(const struct strata *s)
{
    return s->adagrad ? 0.1 : 0.01;
}

/* Mean loss of the last of a few epochs over the corner; of the held-out ratings after them, where there are some and
 * the corner is everything: with few ratings a row, what fits those best fits no others. A corner has fewer ratings a
 * row than all have, so that there it would be too careful a judge. */
static enum gm_code trial(struct run *r, double rate, size_t side, double *loss, struct gm_error *err)
{
    struct strata *s = r->strata;
    struct optim_config config = r->config;
    config.schedule = SCHEDULE_CONSTANT;
    config.warmup_epochs = 0;
    enum gm_code code = strata_start(s, err);
    for (uint32_t e = 0; !code && e < TRIAL_EPOCHS; e++) {
        const struct strata_sweep sweep = {&config, TRIAL_EPOCH + e, e, rate, side};
        code = strata_sweep(s, &sweep, loss, err);
    }
    const struct grid_set *held = rated_held_out(r->problem->rated);
    if (!code && held->rows && side == s->grid->side && isfinite(*loss))
        code = strata_loss(s, &s->now, held, loss, err);
    if (!code && !isfinite(*loss))
        *loss = INFINITY;
    return code;
}

static enum gm_code search(struct run *r, size_t side, struct gm_error *err)
{
    double best, next;
    r->rate = usual_rate(r->strata);
    enum gm_code code = trial(r, r->rate, side, &best, err);
    for (int way = 0; !code && way < 2; way++) {
        double factor = way == 0 ? FACTOR : 1 / FACTOR;
        bool moved = false;
        for (int i = 0; i < STEPS_EACH_WAY; i++) {
            if ((code = trial(r, r->rate * factor, side, &next, err)) || !(next < best))
                break;
            best = next;
            r->rate *= factor;
            moved = true;
        }
        if (moved)
            break;
    }
    return code;
}

/* r->rate, once; the start values again after the trials. */
static enum gm_code resolve_rate(struct run *r, struct gm_error *err)
{
    const struct grid *g = r->strata->grid;
    if (r->search.found)
        return GM_OK;
    r->search.found = 1;
    r->rate = r->config.learning_rate;
    if (!isnan(r->rate))
        return GM_OK;
    double share = sqrt(TRIAL_RATINGS / (double)g->train.rows);
    size_t side = share < 1 ? (size_t)ceil(share * (double)g->side) : g->side;
    enum gm_code code = search(r, side, err);
    if (!code)
        problem_note(r->watch, "learning rate: %.3g, found by trial", r->rate);
    return code ? code : strata_start(r->strata, err);
}

/* Losses at the end of the epoch. */
static enum gm_code measure(struct run *r, struct gm_epoch *epoch, struct gm_error *err)
{
    const struct grid_set *held = rated_held_out(r->problem->rated);
    epoch->objective = epoch->train_loss + strata_penalty(r->strata);
    epoch->gradient_norm = NAN;
    epoch->validation_loss = NAN;
    if (!isfinite(epoch->objective) || !held->rows)
        return GM_OK;
    return strata_loss(r->strata, &r->strata->now, held, &epoch->validation_loss, err);
}

static enum gm_code one_epoch(struct run *r, struct gm_epoch *epoch, struct gm_error *err)
{
    double begun = clock_seconds();
    const struct strata_sweep sweep = {&r->config, (uint32_t)(epoch->epoch - 1), (double)(epoch->epoch - 1), r->rate,
                                       r->strata->grid->side};
    enum gm_code code = strata_sweep(r->strata, &sweep, &epoch->train_loss, err);
    if (!code)
        code = strata_check(r->strata, err);
    epoch->learning_rate = schedule_rate(&r->config, r->rate, (double)epoch->epoch - 1);
    epoch->rows_per_second = (double)r->strata->grid->train.rows / fmax(clock_seconds() - begun, 1e-9);
    return code ? code : measure(r, epoch, err);
}

enum gm_code run_strata(struct run *r, struct gm_error *err)
{
    struct strata *s = r->strata;
    enum gm_code code = GM_OK;
    if (r->rule.max_epochs == 0)
        r->reason = STOP_MAX_EPOCHS;
    if (r->reason == STOP_NONE)
        code = resolve_rate(r, err);
    while (!code && r->reason == STOP_NONE) {
        struct gm_epoch epoch = {.epoch = r->epochs + 1};
        if ((code = one_epoch(r, &epoch, err)) || (code = run_epoch(r, &epoch, r->params, err)))
            break;
        r->engine.passes++;
        r->epochs++;
        if (r->stop.best_epoch == r->epochs)
            factorization_copy(&s->best, &s->now);
        else if (isnan(r->config.learning_rate))
            r->rate /= 2;
        code = run_pause(r, err);
    }
    bool restore = r->problem->job->stop.restore_best || r->reason == STOP_DIVERGED;
    s->kept = isfinite(r->stop.best_loss) && restore ? &s->best : &s->now;
    return code;
}

enum gm_code run_init_strata(struct run *r, struct gm_error *err)
{
    enum gm_code code = memory_alloc((void **)&r->strata, 1, sizeof *r->strata, "the factorization", err);
    if (!code && !(code = strata_init(r->strata, r->problem, err)))
        code = strata_start(r->strata, err);
    return code;
}

void run_release_strata(struct run *r)
{
    if (r->strata)
        strata_release(r->strata);
    memory_free(r->strata);
    r->strata = NULL;
}
