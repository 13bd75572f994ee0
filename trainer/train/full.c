/*
 * Full-batch training: an epoch is one accepted step of the method, most often one pass over the data.
 *
 * Epoch 0 is the start, before any update. Trials that the method rejects are passes, not epochs.
 */
#include "train/run.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "optim/penalty.h"
#include "train/warm.h"

/* gd without a given rate: each centre has a step that is exact (clusters.h). */
static bool takes_lloyds_step(const struct run *r)
{
    return r->clusters.rows && r->config.method == OPTIM_GD && isnan(r->config.learning_rate);
}

static enum gm_code gradient(struct run *r, struct gm_error *err)
{
    if (takes_lloyds_step(r))
        return clusters_gradient(&r->clusters, &r->engine, r->params, &r->totals, r->gradient, err);
    if (optim_needs_hessian(r->config.method)) {
        r->hessian.stride = optim_hessian_stride(r->optim);
        r->hessian.epoch = r->epochs;
        return hessian_gradient(&r->hessian, &r->engine, r->params, &r->totals, r->gradient, err);
    }
    return engine_gradient(&r->engine, r->params, &r->totals, r->gradient, err);
}

/* Evaluate the objective and its gradient at r->params; epoch gets the losses. The smooth part (with l2) is returned.
 */
static enum gm_code evaluate(struct run *r, struct gm_epoch *epoch, double *smooth, struct gm_error *err)
{
    double begun = clock_seconds();
    enum gm_code code = gradient(r, err);
    if (!code && r->problem->validation.set)
        code = engine_validate(&r->engine, r->params, &r->totals, err);
    if (code)
        return code;
    const struct engine_totals *t = &r->totals;
    epoch->train_loss = t->loss[0] / t->weight[0];
    epoch->validation_loss = r->problem->has_validation ? t->loss[1] / t->weight[1] : NAN;
    struct run_value value = run_value(r, t);
    *smooth = value.smooth;
    epoch->objective = value.objective;
    epoch->gradient_norm = value.norm;
    epoch->rows_per_second = (double)r->problem->train.schema->rows / fmax(clock_seconds() - begun, 1e-9);
    return GM_OK;
}

static enum optim_verdict tell(struct run *r, double smooth)
{
    if (!optim_needs_hessian(r->config.method))
        return optim_tell(r->optim, r->params, smooth, r->gradient);
    penalty_l2_hessian(r->config.l2, r->penalised, r->hessian.matrix, r->n);
    return optim_tell_hessian(r->optim, r->params, smooth, r->gradient, r->hessian.matrix);
}

/* No step makes progress: nothing about the loss will change, unless it was never finite. */
static enum stop_reason stuck(const struct run *r)
{
    return isfinite(r->stop.best_loss) ? STOP_LOSS_CHANGE : STOP_DIVERGED;
}

/* Every evaluation is an epoch. */
static enum gm_code lloyds_step(struct run *r, struct gm_epoch *epoch, struct gm_error *err)
{
    epoch->epoch = r->epochs++;
    enum gm_code code = run_epoch(r, epoch, r->params, err);
    if (!code && r->reason == STOP_NONE && !clusters_step(&r->clusters, &r->engine, &r->totals, r->gradient, r->params))
        r->reason = STOP_LOSS_CHANGE;
    return code;
}

/* One trial: an epoch when the method accepts it. */
static enum gm_code step(struct run *r, struct gm_error *err)
{
    struct gm_epoch epoch = {0};
    double smooth;
    enum gm_code code = evaluate(r, &epoch, &smooth, err);
    if (code)
        return code;
    if (takes_lloyds_step(r))
        return lloyds_step(r, &epoch, err);
    if (warm_misled(r, isfinite(epoch.gradient_norm) ? epoch.objective : NAN))
        return GM_OK;
    switch (tell(r, smooth)) {
    case OPTIM_REJECTED:
        break;
    case OPTIM_STUCK:
        r->reason = stuck(r);
        break;
    case OPTIM_ACCEPTED:
        epoch.epoch = r->epochs++;
        epoch.learning_rate = optim_last_rate(r->optim);
        return run_epoch(r, &epoch, optim_iterate(r->optim), err);
    }
    return GM_OK;
}

/* Collinear features, or classes without l2: the solution is one of many that are equally good to rounding. */
static void note_undetermined(const struct run *r)
{
    if (optim_undetermined(r->optim))
        problem_note(r->watch,
                     "not converged in the parameters: the data do not determine all of them to working "
                     "precision (collinear features, or softmax without l2), and the model is one of many that fit "
                     "alike. An optimizer.l2 above 0 determines them.");
}

enum gm_code run_full(struct run *r, struct gm_error *err)
{
    enum gm_code code = GM_OK;
    while (!code && r->reason == STOP_NONE) {
        /* Without a checkpoint to save, the start is evaluated in any case: then there is a model to keep. */
        bool may_stop = r->epochs > 0 || r->problem->job->output.checkpoint;
        r->engine.stop.asked = r->watch ? r->watch->interrupted : NULL;
        code = warm_start(r, err);
        if (code == GM_INTERRUPTED && !may_stop) /* a sample is given up at any time */
            code = GM_OK;
        r->engine.stop.asked = may_stop && r->watch ? r->watch->interrupted : NULL;
        if (!code)
            code = step(r, err);
        if (code == GM_INTERRUPTED) /* in the middle of a pass, which changes nothing: as if before it */
            code = GM_OK;
        if (!code && may_stop)
            code = run_pause(r, err);
    }
    if (!code)
        note_undetermined(r);
    return code;
}
