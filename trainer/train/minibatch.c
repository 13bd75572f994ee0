/*
 * Minibatch training: an epoch is one sweep over the shuffled training rows, an update a batch.
 *
 * train_loss of an epoch is the mean over its batches, each before its update; the validation loss is that of the
 * weights at the end of the epoch.
 */
#include "train/minibatch.h"

#include <math.h>

#include "base/clock.h"
#include "optim/penalty.h"
#include "train/rate.h"
#include "train/step.h"
#include "train/wide_columns.h"

static size_t batch_rows(const struct run *r)
{
    size_t asked = r->problem->job->optimizer.batch_size, rows = r->problem->train.schema->rows;
    return asked && asked < rows ? asked : rows;
}

static double batches_per_epoch(const struct run *r)
{
    size_t rows = r->problem->train.schema->rows - r->problem->split.held_out;
    return ceil((double)rows / (double)batch_rows(r));
}

/* Rows of the batch that begins at order[at]. */
static size_t rows_at(const struct run *r, const struct data_window *window, size_t at)
{
    size_t size = batch_rows(r), left = window->order_rows - at;
    if (r->groups.groups)
        return group_order_batch(window, at, size);
    return left < size ? left : size;
}

/* How much of the epoch is behind, for the schedule. */
static double epoch_share(const struct run *r, const struct data_window *window, size_t at, uint64_t done)
{
    return r->groups.groups ? (double)at / (double)window->order_rows : (double)done / batches_per_epoch(r);
}

/* More batches are wanted. */
static bool goes_on(const struct run *r, const struct minibatch_sweep *s, const struct engine_totals *totals)
{
    return totals->finite && r->reason == STOP_NONE && !(s->most_batches && *s->done >= s->most_batches);
}

/* After a batch. Where r is no whole state, only the watcher is asked. */
static enum gm_code pause_between(struct run *r, const struct minibatch_sweep *s, struct gm_error *err)
{
    if (s->whole)
        return run_pause(r, err);
    if (run_interrupted(r))
        r->reason = STOP_INTERRUPTED;
    return GM_OK;
}

/* Weights are prepared once, at the beginning of the sweep, and parts of them may wait to be caught up. */
static bool waits(const struct run *r)
{
    return r->sparse || r->engine.wide.columns;
}

static void begin(struct run *r, const struct minibatch_sweep *s)
{
    if (r->sparse)
        sparse_step_begin(r->sparse, &(struct sparse_sweep){s->optim, r->params});
    else if (waits(r))
        wide_columns_begin(&r->engine, s->optim, r->params);
}

static bool is_whole(const struct run *r)
{
    return r->sparse ? sparse_step_is_whole(r->sparse) : !waits(r) || wide_columns_are_whole(&r->engine);
}

static void end(struct run *r)
{
    if (r->sparse)
        sparse_step_end(r->sparse);
    else if (waits(r))
        wide_columns_end(&r->engine);
}

/* The window's batches from number `skip` on. */
static enum gm_code sweep_window(struct run *r, const struct minibatch_sweep *s, const struct data_window *window,
                                 uint64_t skip, struct engine_totals *totals, struct gm_error *err)
{
    enum gm_code code = GM_OK;
    size_t at = 0;
    if (!waits(r))
        engine_prepare(&r->engine, r->params);
    for (; skip > 0 && at < window->order_rows; skip--)
        at += rows_at(r, window, at);
    while (!code && at < window->order_rows && goes_on(r, s, totals)) {
        size_t rows = rows_at(r, window, at);
        struct engine_batch batch = {window, window->order + at, rows, s->first_step + *s->done,
                                     window->order_rows - at - rows};
        double epoch = (double)s->epoch + epoch_share(r, window, at, *s->done);
        optim_step_begin(s->optim, schedule_rate(&r->config, s->rate, epoch));
        code = r->sparse ? sparse_step_batch(r->sparse, &batch, totals, err)
                         : step_batch(r, s->optim, &batch, s->whole, totals, err);
        if (code)
            break;
        at += rows;
        ++*s->done;
        if (is_whole(r))
            code = pause_between(r, s, err);
    }
    return code;
}

enum gm_code minibatch_sweep(struct run *r, const struct minibatch_sweep *s, struct engine_totals *totals,
                             struct gm_error *err)
{
    const struct problem *p = r->problem;
    struct data_order order = {.shuffled = true, .seed = p->job->run.seed, .epoch = s->epoch, .mask = p->split.mask};
    struct data_pass *pass = NULL;
    const struct data_window *window = NULL;
    size_t size = batch_rows(r);
    uint64_t skip = *s->done;
    if (r->groups.groups) {
        struct data_window all = group_order_window(&r->groups, p, s->epoch);
        begin(r, s);
        enum gm_code code = sweep_window(r, s, &all, skip, totals, err);
        end(r);
        return code;
    }
    enum gm_code code = data_pass_open(&pass, p->train.set, &order, err);
    if (!code)
        begin(r, s);
    while (!code && goes_on(r, s, totals) && !(code = data_pass_next(pass, &window, err)) && window) {
        size_t batches = (window->order_rows + size - 1) / size;
        if (skip < batches)
            code = sweep_window(r, s, window, skip, totals, err);
        skip -= skip < batches ? skip : batches;
    }
    data_pass_close(pass);
    end(r);
    return code;
}

/* Losses of the epoch that was just swept, at its end. */
static enum gm_code measure(struct run *r, struct gm_epoch *epoch, struct gm_error *err)
{
    const uint8_t *penalised = r->penalised;
    const double *point = step_point(r);
    const struct engine_totals *t = &r->totals;
    epoch->train_loss = t->finite ? t->loss[0] / t->weight[0] : NAN;
    epoch->objective = epoch->train_loss + penalty_l2(r->config.l2, penalised, point, NULL, r->n) +
                       penalty_l1(r->config.l1, penalised, point, r->n);
    epoch->validation_loss = NAN;
    epoch->gradient_norm = NAN;
    if (!t->finite || !r->problem->has_validation)
        return GM_OK;
    struct engine_totals validation;
    engine_prepare(&r->engine, point);
    enum gm_code code = engine_validation_loss(&r->engine, &validation, err);
    if (!code)
        epoch->validation_loss = validation.loss[1] / validation.weight[1];
    return code;
}

/* The epoch that was swept is complete: told, and the next one prepared. */
static enum gm_code finish_epoch(struct run *r, double seconds, struct gm_error *err)
{
    struct gm_epoch epoch = {.epoch = r->epochs + 1, .learning_rate = optim_last_rate(r->optim)};
    epoch.rows_per_second = r->totals.weight[0] / fmax(seconds, 1e-9);
    enum gm_code code;
    if ((code = measure(r, &epoch, err)) || (code = run_epoch(r, &epoch, step_point(r), err)))
        return code;
    /* svrg needs no falling rate: only one that is far too large, which shows */
    double least = r->config.method == OPTIM_SVRG ? r->lowest + 0.01 * fabs(r->lowest) : r->lowest;
    if (isnan(r->config.learning_rate) && epoch.objective >= least)
        r->rate /= 2;
    r->lowest = fmin(r->lowest, epoch.objective);
    r->engine.passes++;
    r->epochs++;
    r->steps += r->batches;
    r->batches = 0;
    return GM_OK;
}

enum gm_code run_minibatch(struct run *r, struct gm_error *err)
{
    enum gm_code code = GM_OK;
    if (r->rule.max_epochs == 0)
        r->reason = STOP_MAX_EPOCHS;
    if (r->reason == STOP_NONE)
        code = rate_resolve(r, err);
    while (!code && r->reason == STOP_NONE) {
        double begun = clock_seconds();
        if (r->batches == 0)
            r->totals = (struct engine_totals){.finite = true};
        struct minibatch_sweep sweep = {r->optim, (uint32_t)r->epochs, r->rate, 0, r->steps, &r->batches, true};
        if (!(code = step_epoch(r, err)))
            code = minibatch_sweep(r, &sweep, &r->totals, err);
        if (!code && r->reason == STOP_NONE)
            code = finish_epoch(r, clock_seconds() - begun, err);
        if (code == GM_INTERRUPTED) /* while a whole pass was made: that is done again */
            code = GM_OK;
        if (!code && r->reason == STOP_NONE)
            code = run_pause(r, err);
    }
    return code;
}
