/* One step of a minibatch method. */
#include "train/step.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "optim/average.h"
#include "optim/penalty.h"

#define CHUNK 4096 /* parameters that one thread works on at a time */

static bool reduces_variance(const struct run *r)
{
    return r->config.method == OPTIM_SVRG;
}

static bool averages(const struct run *r)
{
    return r->problem->job->optimizer.average != GM_AVERAGE_NONE;
}

static size_t chunks(const struct run *r)
{
    return (r->n + CHUNK - 1) / CHUNK;
}

enum gm_code step_init(struct run *r, struct gm_error *err)
{
    struct run_step *s = &r->step;
    const size_t n = r->n, real = sizeof(double);
    enum gm_code code = GM_OK;
    if (averages(r))
        code = memory_alloc((void **)&s->average, n, real, "averaged weights", err);
    if (!code && r->config.clip_norm > 0)
        code = memory_alloc((void **)&s->squares, chunks(r), real, "the gradient's norm", err);
    if (code || !reduces_variance(r))
        return code;
    if ((code = memory_alloc((void **)&s->snapshot, n, real, "svrg's snapshot", err)) ||
        (code = memory_alloc((void **)&s->full, n, real, "svrg's full gradient", err)))
        return code;
    return memory_alloc((void **)&s->anchor, n, real, "svrg's gradient", err);
}

void step_release(struct run *r)
{
    double *const arrays[] = {r->step.average, r->step.squares, r->step.snapshot, r->step.full, r->step.anchor};
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
static void complete_range(void *context, const double *mean, size_t first, size_t end)
{
    const struct step *s = context;
    struct run *r = s->run;
    (void)mean; /* it is r->gradient */
    for (size_t i = first; s->corrected && i < end; i++)
        r->gradient[i] += r->step.full[i] - r->step.anchor[i];
    penalty_l2(r->config.l2, r->penalised + first, r->params + first, r->gradient + first, end - first);
}

static void update_range(const struct step *s, size_t first, size_t end)
{
    struct run *r = s->run;
    optim_step_range(s->optim, r->params, r->gradient, first, end);
    if (s->averaged)
        average_range(r->step.average, r->params, s->weight, first, end);
}

/* Each range of parameters is updated by one thread. */
static void complete_and_update(void *context, const double *mean, size_t first, size_t end)
{
    complete_range(context, mean, first, end);
    update_range(context, first, end);
}

/* Its norm decides before the first parameter moves. Squares are added chunk by chunk, chunks in order. */
static void clip_and_update(const struct step *s)
{
    struct run *r = s->run;
    size_t count = chunks(r), n = r->n;
    double sum = 0;
#pragma omp parallel for num_threads(r->engine.threads) schedule(static) if (count > 1)
    for (size_t c = 0; c < count; c++) {
        size_t end = (c + 1) * CHUNK < n ? (c + 1) * CHUNK : n;
        double squares = 0;
        for (size_t i = c * CHUNK; i < end; i++)
            squares += r->gradient[i] * r->gradient[i];
        r->step.squares[c] = squares;
    }
    for (size_t c = 0; c < count; c++)
        sum += r->step.squares[c];
    optim_step_clip(s->optim, sqrt(sum));
#pragma omp parallel for num_threads(r->engine.threads) schedule(static) if (count > 1)
    for (size_t c = 0; c < count; c++)
        update_range(s, c * CHUNK, (c + 1) * CHUNK < n ? (c + 1) * CHUNK : n);
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
    return engine_step(&r->engine, batch, r->step.anchor, NULL, NULL, &unused, err);
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
    bool clip = r->config.clip_norm > 0;
    engine_prepare(&r->engine, r->params);
    code = engine_step(&r->engine, batch, r->gradient, clip ? complete_range : complete_and_update, &step, totals, err);
    if (code)
        return code;
    if (clip)
        clip_and_update(&step);
    r->averaged += step.averaged;
    return GM_OK;
}

const double *step_point(const struct run *r)
{
    return r->averaged > 0 ? r->step.average : r->params;
}
