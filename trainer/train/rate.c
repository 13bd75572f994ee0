/* A learning rate for minibatch methods that nobody has to tune. */
#include "train/rate.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
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
    memcpy(r->params, start, r->n * sizeof *start);
    enum gm_code code = optim_create(&optim, &config, r->n, r->penalised, err);
    struct minibatch_sweep sweep = {optim, TRIAL_EPOCH, rate, TRIAL_BATCHES, 0};
    double saved = r->config.warmup_epochs;
    enum optim_schedule schedule = r->config.schedule;
    r->config.warmup_epochs = 0; /* the trial is at the full rate */
    r->config.schedule = SCHEDULE_CONSTANT;
    for (int round = 0; !code && round < 2; round++)
        code = minibatch_sweep(r, &sweep, &totals, NULL, err);
    r->config.warmup_epochs = saved;
    r->config.schedule = schedule;
    *loss = !code && totals.finite ? totals.loss[0] / totals.weight[0] : INFINITY;
    optim_free(optim);
    return code;
}

/* From the method's usual rate uphill or downhill, as long as the loss of the trial falls. */
static enum gm_code search(struct run *r, const double *start, struct gm_error *err)
{
    double rate = optim_default_rate(r->config.method), best, next;
    enum gm_code code = trial(r, rate, start, &best, err);
    r->rate = rate;
    for (int way = 0; !code && way < 2; way++) {
        double factor = way == 0 ? FACTOR : 1 / FACTOR;
        bool moved = false;
        for (int i = 0; i < STEPS_EACH_WAY; i++) {
            if ((code = trial(r, r->rate * factor, start, &next, err)) || !(next < best))
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

enum gm_code rate_resolve(struct run *r, struct gm_error *err)
{
    r->rate = r->config.learning_rate;
    if (!isnan(r->rate))
        return GM_OK;
    double *start = NULL;
    enum gm_code code = memory_alloc((void **)&start, r->n, sizeof *start, "start values", err);
    if (code)
        return code;
    memcpy(start, r->params, r->n * sizeof *start);
    code = search(r, start, err);
    memcpy(r->params, start, r->n * sizeof *start);
    memory_free(start);
    if (!code)
        problem_note(r->watch, "learning rate: %.3g, found by trial", r->rate);
    return code;
}
