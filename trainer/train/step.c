/* One step of a minibatch method. */
#include "train/step.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "optim/average.h"
#include "optim/penalty.h"

static bool reduces_variance(const struct run *r)
{
    return r->config.method == OPTIM_SVRG;
}

static bool averages(const struct run *r)
{
    return r->problem->job->optimizer.average != GM_AVERAGE_NONE;
}

enum gm_code step_init(struct run *r, struct gm_error *err)
{
    struct run_step *s = &r->step;
    const size_t n = r->n, real = sizeof(double);
    enum gm_code code = GM_OK;
    if (averages(r))
        code = memory_alloc((void **)&s->average, n, real, "averaged weights", err);
    if (code || !reduces_variance(r))
        return code;
    if ((code = memory_alloc((void **)&s->snapshot, n, real, "svrg's snapshot", err)) ||
        (code = memory_alloc((void **)&s->full, n, real, "svrg's full gradient", err)))
        return code;
    return memory_alloc((void **)&s->anchor, n, real, "svrg's gradient", err);
}

void step_release(struct run *r)
{
    double *const arrays[] = {r->step.average, r->step.snapshot, r->step.full, r->step.anchor};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        memory_free(arrays[i]);
    r->step = (struct run_step){0};
}

enum gm_code step_epoch(struct run *r, struct gm_error *err)
{
    if (!reduces_variance(r))
        return GM_OK;
    struct engine_totals totals;
    uint64_t passes = r->engine.passes;
    bool resumed = r->batches > 0; /* the snapshot came with the checkpoint, and its pass was counted */
    if (!resumed)
        memcpy(r->step.snapshot, r->params, r->n * sizeof *r->params);
    enum gm_code code = engine_gradient(&r->engine, r->step.snapshot, &totals, r->step.full, err);
    if (resumed)
        r->engine.passes = passes;
    return code;
}

/* ---- a step ---- */

struct step {
    struct run *run;
    struct optim *optim;
    bool corrected, averaged;
    double weight; /* of these weights in the average */
};

/* The gradient that the method sees. l2 belongs to it. */
static void amend(void *context, double *gradient, size_t first, size_t end)
{
    const struct step *s = context;
    const struct run *r = s->run;
    for (size_t i = first; s->corrected && i < end; i++)
        gradient[i - first] += r->step.full[i] - r->step.anchor[i];
    penalty_l2(r->config.l2, r->penalised + first, r->params + first, gradient, end - first);
}

static void clip(void *context, double norm)
{
    optim_step_clip(((const struct step *)context)->optim, norm);
}

static void update(void *context, const double *gradient, size_t first, size_t end)
{
    const struct step *s = context;
    struct run *r = s->run;
    optim_step_part(s->optim, r->params, gradient, first, end);
    if (s->averaged)
        average_range(r->step.average, r->params, s->weight, first, end);
}

static void soon(void *context, size_t first, size_t end)
{
    const struct step *s = context;
    optim_fetch_range(s->optim, s->run->params, first, end);
}

static double weight_of(const struct run *r)
{
    const struct gm_job *job = r->problem->job;
    double decay = isnan(job->optimizer.average_decay) ? 0.999 : job->optimizer.average_decay;
    return job->optimizer.average == GM_AVERAGE_UNIFORM ? average_weight_uniform(r->averaged)
                                                        : average_weight_decay(r->averaged, decay);
}

/* The batch's gradient at the snapshot. */
static enum gm_code anchor(struct run *r, const struct engine_batch *batch, struct gm_error *err)
{
    struct engine_totals unused = {.finite = true};
    engine_prepare(&r->engine, r->step.snapshot);
    const struct engine_update only = {.gradient = r->step.anchor};
    return engine_step(&r->engine, batch, &only, &unused, err);
}

enum gm_code step_batch(struct run *r, struct optim *optim, const struct engine_batch *batch, bool whole,
                        struct engine_totals *totals, struct gm_error *err)
{
    struct step step = {.run = r,
                        .optim = optim,
                        .corrected = whole && reduces_variance(r),
                        .averaged =
                            whole && averages(r) && (double)r->epochs >= r->problem->job->optimizer.average_start};
    if (step.averaged)
        step.weight = weight_of(r);
    enum gm_code code = step.corrected ? anchor(r, batch, err) : GM_OK;
    if (code)
        return code;
    if (step.corrected)
        engine_prepare(&r->engine, r->params);
    const struct engine_update use = {.context = &step,
                                      .gradient = r->gradient,
                                      .amend = amend,
                                      .norm = r->config.clip_norm > 0 ? clip : NULL,
                                      .soon = soon,
                                      .step = update};
    if ((code = engine_step(&r->engine, batch, &use, totals, err)))
        return code;
    r->averaged += step.averaged;
    return GM_OK;
}

const double *step_point(const struct run *r)
{
    return r->averaged > 0 ? r->step.average : r->params;
}
