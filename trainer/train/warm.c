/* A start from a sample of the rows. */
#include "train/warm.h"

#include <math.h>
#include <string.h>

#define ENOUGH      1e-4 /* of the first gradient: beyond the error of a sample, and pairs for the steps that follow */
#define MOST_TRIALS 40

static bool is_for(const struct run *r)
{
    const struct problem *p = r->problem;
    return optim_takes_sample(r->optim) && p->model.spec.type == MODEL_LINEAR && !r->engine.coupled.rows &&
           r->rule.max_epochs > 0 && hessian_sample_stride(p) > 1;
}

/* *lower: the sample's objective fell, and all was finite. */
static enum gm_code descend(struct run *r, bool *lower, double *limit, struct gm_error *err)
{
    struct engine_totals totals;
    double first = NAN, last = NAN, steep = 0;
    *lower = false;
    for (int trial = 0; trial < MOST_TRIALS; trial++) {
        enum gm_code code = engine_gradient(&r->engine, r->params, &totals, r->gradient, err);
        if (code)
            return code;
        if (!totals.finite || !(totals.weight[0] > 0))
            return GM_OK;
        struct run_value value = run_value(r, &totals);
        enum optim_verdict verdict = optim_tell(r->optim, r->params, value.smooth, r->gradient);
        if (verdict == OPTIM_STUCK)
            break;
        if (verdict == OPTIM_REJECTED)
            continue;
        last = value.objective;
        first = isnan(first) ? last : first;
        steep = fmax(steep, value.norm);
        if (value.norm <= ENOUGH * steep)
            break;
    }
    *lower = last < first;
    *limit = first + (first - last) + 0.1 * fabs(first); /* beyond what a sample may err: the start is better */
    memcpy(r->params, optim_iterate(r->optim), r->n * sizeof *r->params);
    return GM_OK;
}

enum gm_code warm_start(struct run *r, struct gm_error *err)
{
    bool lower;
    double limit = 0;
    if (!is_for(r))
        return GM_OK;
    memcpy(r->kept, r->params, r->n * sizeof *r->params); /* there is no result yet */
    r->engine.sample = hessian_sample_stride(r->problem);
    enum gm_code code = descend(r, &lower, &limit, err);
    r->engine.sample = 0;
    if (code || !lower)
        memcpy(r->params, r->kept, r->n * sizeof *r->params);
    optim_restart(r->optim, !code && lower, limit);
    return code;
}

bool warm_misled(struct run *r, double objective)
{
    if (!optim_misled(r->optim, objective))
        return false;
    memcpy(r->params, r->kept, r->n * sizeof *r->params); /* the start; there is no result yet */
    optim_forget(r->optim);
    return true;
}
