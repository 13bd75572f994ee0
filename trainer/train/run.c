/* The spine: epochs of a problem until a rule says stop. */
#include "train/run.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/home.h"
#include "base/memory.h"
#include "optim/penalty.h"
#include "train/checkpoint.h"
#include "train/step.h"
#include "train/targets.h"
#include "train/wide_columns.h"

static double or_default(double value, double fallback)
{
    return isnan(value) ? fallback : value;
}

static struct optim_config config_of(const struct problem *p)
{
    const struct gm_job *job = p->job;
    struct optim_config c;
    optim_config_init(&c, (enum optim_method)job->optimizer.type);
    c.learning_rate = job->optimizer.learning_rate;
    c.schedule = (enum optim_schedule)job->optimizer.schedule;
    c.step_factor = or_default(job->optimizer.step_factor, c.step_factor);
    c.step_epochs = or_default(job->optimizer.step_epochs, c.step_epochs);
    c.decay = or_default(job->optimizer.decay, c.decay);
    c.warmup_epochs = or_default(job->optimizer.warmup_epochs, c.warmup_epochs);
    c.max_epochs = (double)job->stop.max_epochs;
    c.momentum = or_default(job->optimizer.momentum, c.momentum);
    c.beta1 = or_default(job->optimizer.beta1, c.beta1);
    c.beta2 = or_default(job->optimizer.beta2, c.beta2);
    c.epsilon = or_default(job->optimizer.epsilon, c.epsilon);
    c.weight_decay = or_default(job->optimizer.weight_decay, c.weight_decay);
    c.clip_norm = or_default(job->optimizer.clip_norm, c.clip_norm);
    c.single = job->run.precision == GM_FLOAT32;
    c.rounding = job->run.precision == GM_FLOAT32 ? 1e-6 : 1e-10;
    c.l1 = job->optimizer.l1;
    c.l2 = job->optimizer.l2;
    c.hessian_stride = (double)hessian_first_stride(p);
    return c;
}

static struct stop_rule rule_of(const struct gm_job *job)
{
    return (struct stop_rule){.max_epochs = job->stop.max_epochs,
                              .loss_change = isnan(job->stop.loss_change) ? -1 : job->stop.loss_change,
                              .relative = job->stop.relative,
                              .patience = job->stop.patience,
                              .target_loss = job->stop.target_loss,
                              .gradient_norm = job->stop.gradient_norm,
                              .max_seconds = job->stop.max_time};
}

static enum gm_code start_params(struct run *r, struct gm_error *err)
{
    double *raw = NULL;
    const struct model *m = &r->problem->model;
    if (r->problem->job->model.type == GM_MODEL_CENTROIDS)
        return clusters_init(&r->clusters, &r->engine, r->params, err);
    enum gm_code code = memory_alloc((void **)&raw, r->problem->loss.outputs, sizeof *raw, "start values", err);
    if (!code && !(code = targets_start(r->problem, raw, r->params + m->n_params, err)))
        m->ops->start(m, raw, r->params);
    memory_free(raw);
    return code;
}

static enum gm_code init_rows(struct run *r, struct gm_error *err)
{
    const struct problem *p = r->problem;
    enum gm_code code;
    if ((code = engine_init(&r->engine, p, err)) || (code = hessian_init(&r->hessian, &r->engine, err)) ||
        (code = group_order_init(&r->groups, p, err)) ||
        (code = sparse_step_open(&r->sparse, &r->engine, &r->config, err)) ||
        (code = wide_columns_open(&r->engine, &r->config, err)))
        return code;
    return start_params(r, err);
}

/* Where the job says to go on, if it does; else at the beginning. */
static enum gm_code find_start(struct run *r, struct gm_error *err)
{
    const struct gm_job *job = r->problem->job;
    r->saved.at = r->start_time = clock_seconds();
    if (r->watch)
        r->engine.stop = (struct walk_stop){r->watch->interrupted, r->watch->context};
    if (!job->output.checkpoint)
        return job->output.resume ? error_set(err, GM_BAD_JOB,
                                              "output.checkpoint: is not set; --resume needs to know "
                                              "where the checkpoint is.")
                                  : GM_OK;
    enum gm_code code = checkpoint_older(&r->saved.older, job->output.checkpoint, err);
    if (!code)
        code = identity_of_problem(&r->identity, r->problem, err);
    if (code || !job->output.resume || (code = checkpoint_load(r, &r->saved.resumed, err)))
        return code;
    r->start_time -= r->seconds;
    if (!r->saved.resumed)
        problem_note(r->watch, "%s: there is no checkpoint yet; starting at the beginning.", job->output.checkpoint);
    else if (r->saved.finished)
        problem_note(r->watch, "%s: this job has ended already (%s); nothing is left to do.", job->output.checkpoint,
                     stop_reason_name(r->reason));
    else
        problem_note(r->watch, "%s: going on after epoch %zu.", job->output.checkpoint, r->last.epoch);
    return GM_OK;
}

/* A finished run leaves its log alone. */
static enum gm_code start_log(struct run *r, struct gm_error *err)
{
    enum gm_code code;
    if (r->saved.finished)
        return GM_OK;
    if ((code = log_open(&r->log, r->problem->job->output.log, r->saved.resumed ? r->log_bytes : 0, err)))
        return code;
    return r->log.kept ? log_resume(&r->log, &r->last, r->batches, err) : log_start(&r->log, r->problem, err);
}

static bool keeps_gradient(const struct problem *p)
{
    return p->rated || !wide_rows(p) || wide_wants_gradient(p);
}

enum gm_code run_init(struct run *r, const struct problem *p, const struct gm_watch *watch, struct gm_error *err)
{
    const struct gm_job *job = p->job;
    *r = (struct run){.problem = p,
                      .watch = watch,
                      .n = engine_params(p),
                      .config = config_of(p),
                      .rule = rule_of(job),
                      .totals = {.finite = true},
                      .lowest = INFINITY};
    stop_init(&r->stop);
    size_t kept = keeps_gradient(p) ? r->n : 0;
    enum gm_code code;
    if ((code = memory_alloc_walked((void **)&r->params, r->n, sizeof(double), "parameters", err)) ||
        (code = memory_alloc((void **)&r->gradient, kept, sizeof(double), "the gradient", err)) ||
        (code = memory_alloc((void **)&r->best, r->n, sizeof(double), "the best parameters", err)) ||
        (code = memory_alloc((void **)&r->kept, r->n, sizeof(double), "the result", err)) ||
        (code = memory_alloc((void **)&r->penalised, r->n, sizeof *r->penalised, "marks of parameters", err)) ||
        (home_of_items(r->params, r->n * sizeof(double), p->threads), /* as engine.c shares them */
         home_of_items(r->gradient, kept * sizeof(double), p->threads),
         memcpy(r->penalised, p->model.penalised, p->model.n_params), /* what the loss learns is never penalised */
         code = optim_create(&r->optim, &r->config, r->n, r->penalised, err)) ||
        (code = p->rated ? run_init_strata(r, err) : init_rows(r, err)) || (code = step_init(r, err)) ||
        (code = find_start(r, err)) || (code = start_log(r, err)))
        run_release(r);
    return code;
}

void run_release(struct run *r)
{
    log_close(&r->log, NULL);
    run_release_strata(r);
    sparse_step_close(r->sparse);
    engine_release(&r->engine);
    hessian_release(&r->hessian);
    step_release(r);
    clusters_release(&r->clusters);
    group_order_release(&r->groups);
    optim_free(r->optim);
    memory_free(r->penalised);
    identity_release(&r->identity);
    memory_free(r->saved.older);
    memory_free(r->params);
    memory_free(r->gradient);
    memory_free(r->best);
    memory_free(r->kept);
    *r = (struct run){0};
}

bool run_interrupted(const struct run *r)
{
    return r->watch && r->watch->interrupted && r->watch->interrupted(r->watch->context);
}

enum gm_code run_pause(struct run *r, struct gm_error *err)
{
    if (r->reason == STOP_NONE && run_interrupted(r)) {
        r->reason = STOP_INTERRUPTED;
        return checkpoint_save(r, err);
    }
    return checkpoint_due(r, err);
}

static double monitored(const struct run *r, const struct gm_epoch *e)
{
    enum gm_monitor monitor = r->problem->job->stop.monitor;
    bool validation = monitor == GM_MONITOR_VALIDATION || (monitor == GM_MONITOR_AUTO && r->problem->has_validation);
    return validation ? e->validation_loss : e->objective;
}

/* A full-batch method still gains digits of the weights when the objective is equal to rounding: of those, the last is
 * the best. A validation loss is no such judge: there the first one stays. */
static bool ties_with_best(const struct run *r, const struct stop_epoch *seen)
{
    bool objective = r->problem->job->stop.monitor == GM_MONITOR_TRAIN || !r->problem->has_validation;
    return objective && optim_is_full_batch(r->config.method) && r->reason != STOP_DIVERGED &&
           seen->monitored - r->stop.best_loss <= 1e-10 * fabs(r->stop.best_loss);
}

struct run_value run_value(struct run *r, const struct engine_totals *totals)
{
    const uint8_t *penalised = r->penalised;
    double loss = totals->loss[0] / totals->weight[0], l1 = r->config.l1;
    struct run_value value;
    value.smooth = loss + penalty_l2(r->config.l2, penalised, r->params, r->gradient, r->n);
    value.objective = value.smooth + penalty_l1(l1, penalised, r->params, r->n);
    value.norm = penalty_gradient_norm(l1, penalised, r->params, r->gradient, r->n);
    return value;
}

enum gm_code run_epoch(struct run *r, const struct gm_epoch *epoch, const double *point, struct gm_error *err)
{
    struct stop_epoch seen = {.epoch = epoch->epoch,
                              .monitored = monitored(r, epoch),
                              .objective = epoch->objective,
                              .gradient_norm = epoch->gradient_norm,
                              .seconds = clock_seconds() - r->start_time};
    double before = r->stop.best_loss;
    bool improved = false;
    r->reason = stop_update(&r->stop, &r->rule, &seen, &improved);
    r->last = *epoch;
    r->last.max_epochs = r->rule.max_epochs;
    r->last.seconds = seen.seconds;
    r->last.best_epoch = r->stop.best_epoch;
    r->last.change = isfinite(before) ? (before - seen.monitored) / fmax(fabs(before), 1e-300) : NAN;
    if (improved || ties_with_best(r, &seen)) {
        memcpy(r->best, point, r->n * sizeof *point);
        r->stop.best_epoch = r->last.best_epoch = epoch->epoch;
        r->best_epoch = r->last;
    }
    if (r->reason != STOP_DIVERGED)
        memcpy(r->kept, point, r->n * sizeof *point);
    enum gm_code code = log_epoch(&r->log, &r->last, err);
    if (r->watch && r->watch->epoch)
        r->watch->epoch(r->watch->context, &r->last);
    return code;
}

enum gm_code run_train(struct run *r, struct gm_error *err)
{
    enum gm_code code = r->strata                               ? run_strata(r, err)
                        : optim_is_full_batch(r->config.method) ? run_full(r, err)
                                                                : run_minibatch(r, err);
    bool any_best = isfinite(r->stop.best_loss);
    if (any_best && (r->problem->job->stop.restore_best || r->reason == STOP_DIVERGED)) {
        memcpy(r->kept, r->best, r->n * sizeof *r->best);
        r->last.train_loss = r->best_epoch.train_loss;
        r->last.objective = r->best_epoch.objective;
        r->last.validation_loss = r->best_epoch.validation_loss;
        r->last.gradient_norm = r->best_epoch.gradient_norm;
    }
    return code;
}
