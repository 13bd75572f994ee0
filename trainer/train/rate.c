/* A learning rate for minibatch methods that nobody has to tune. */
#include "train/rate.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "train/checkpoint.h"
#include "train/minibatch.h"

#define TRIAL_BATCHES  50
#define TRIAL_EPOCH    0xFFFFFFFFu /* its own order of rows */
#define FACTOR         4.0
#define STEPS_EACH_WAY 8

/* Mean loss of a second sweep over the trial's batches after one sweep of training on them, from the start values. */
static enum gm_code trial(struct run *r, double rate, const double *start, double *loss, struct gm_error *err)
{
    struct optim *optim = NULL;
    struct optim_config config = r->config;
    config.learning_rate = rate;
    struct engine_totals totals;
    uint64_t done = 0;
    memcpy(r->params, start, r->n * sizeof *start);
    enum gm_code code = optim_create(&optim, &config, r->n, r->penalised, err);
    const struct minibatch_sweep sweep = {optim, TRIAL_EPOCH, rate, TRIAL_BATCHES, 0, &done, false};
    double saved = r->config.warmup_epochs;
    enum optim_schedule schedule = r->config.schedule;
    r->config.warmup_epochs = 0; /* the trial is at the full rate */
    r->config.schedule = SCHEDULE_CONSTANT;
    for (int round = 0; !code && round < 2; round++) {
        totals = (struct engine_totals){.finite = true};
        done = 0;
        code = minibatch_sweep(r, &sweep, &totals, err);
    }
    r->config.warmup_epochs = saved;
    r->config.schedule = schedule;
    *loss = !code && totals.finite ? totals.loss[0] / totals.weight[0] : INFINITY;
    optim_free(optim);
    memcpy(r->params, start, r->n * sizeof *start);
    return code;
}

/* What the trial at `rate` means for the search. */
static void consider(struct run *r, double rate, double loss)
{
    struct rate_search *s = &r->search;
    if (s->tried++ > 0 && !(loss < s->loss)) {
        s->found = s->moves || s->downhill;
        s->downhill = 1;
        return;
    }
    s->moves += s->tried > 1;
    s->found = s->moves == STEPS_EACH_WAY;
    s->loss = loss;
    r->rate = rate;
}

/* From the method's usual rate uphill or downhill, as long as the loss of the trial falls. Between two trials the run
 * is a whole state: one that is interrupted in a trial has that trial before it again. */
static enum gm_code search(struct run *r, const double *start, struct gm_error *err)
{
    enum gm_code code = GM_OK;
    while (!code && !r->search.found && r->reason == STOP_NONE) {
        double rate = r->search.downhill ? r->rate / FACTOR : r->rate * FACTOR, loss;
        if (r->search.tried == 0)
            rate = optim_default_rate(r->config.method);
        if ((code = trial(r, rate, start, &loss, err)))
            break;
        if (r->reason == STOP_NONE)
            consider(r, rate, loss);
        code = r->reason == STOP_NONE ? run_pause(r, err) : checkpoint_save(r, err);
    }
    return code;
}

enum gm_code rate_resolve(struct run *r, struct gm_error *err)
{
    if (!isnan(r->config.learning_rate))
        r->rate = r->config.learning_rate;
    if (!isnan(r->config.learning_rate) || r->search.found)
        return GM_OK;
    double *start = NULL;
    enum gm_code code = memory_alloc((void **)&start, r->n, sizeof *start, "start values", err);
    if (code)
        return code;
    memcpy(start, r->params, r->n * sizeof *start);
    code = search(r, start, err);
    memory_free(start);
    if (!code && r->search.found)
        problem_note(r->watch, "learning rate: %.3g, found by trial", r->rate);
    return code;
}
