/* gm_train: a job becomes a problem, the problem is run, the result is written and measured. */
#include <gradmill/gradmill.h>

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "model/file.h"
#include "train/checkpoint.h"
#include "train/metrics.h"
#include "train/monitor.h"
#include "train/run.h"
#include "train/strata_measure.h"
#include "train/summary.h"

/* ---- the model file ---- */

static struct model_file describe(const struct run *r)
{
    const struct problem *p = r->problem;
    const struct data_schema *s = p->train.schema;
    return (struct model_file){.loss_id = (char *)(uintptr_t)p->loss.plugin->vtable.id,
                               .loss_version = (char *)(uintptr_t)p->loss.plugin->vtable.version,
                               .loss_sha256 = (char *)(uintptr_t)p->loss.plugin->sha256,
                               .link = p->loss.spec.link,
                               .targets = (int64_t)p->loss.targets,
                               .theta = r->kept + p->model.n_params,
                               .n_theta = r->n - p->model.n_params,
                               .class_names = (char **)(uintptr_t)s->class_names,
                               .n_classes = s->classes,
                               .feature_names = (char **)(uintptr_t)s->feature_names,
                               .n_feature_names = s->feature_names ? s->features : 0,
                               .fingerprint = (char *)(uintptr_t)p->stats.fingerprint,
                               .fill = p->job->data.missing == GM_MISSING_ERROR ? NULL : p->stats.mean,
                               .gradmill_version = (char *)(uintptr_t)gm_version(),
                               .stop_reason = (char *)(uintptr_t)stop_reason_name(r->reason),
                               .objective = r->last.objective,
                               .train_loss = r->last.train_loss,
                               .validation_loss = r->last.validation_loss,
                               .epochs = (int64_t)r->last.epoch,
                               .best_epoch = (int64_t)r->stop.best_epoch,
                               .seed = (int64_t)p->job->run.seed,
                               .batch_size = (int64_t)p->job->optimizer.batch_size};
}

static enum gm_code save_model(const struct run *r, struct gm_error *err)
{
    const char *path = r->problem->job->output.model;
    struct model_file file = describe(r);
    if (!path)
        return GM_OK;
    struct model model = r->problem->model;
    model.factors = r->strata ? r->strata->kept : NULL;
    const struct problem *p = r->problem;
    enum gm_code code =
        p->sum.count ? sum_text(&p->sum, &file.loss_params, err) : loss_params_text(&p->loss, &file.loss_params, err);
    if (!code)
        code = model_file_write(&file, &model, r->kept, path, err);
    memory_free(file.loss_params);
    return code;
}

/* ---- the summary ---- */

static uint64_t bytes_per_pass(const struct data_schema *s)
{
    size_t row = s->features * data_type_size(s->type) + s->targets * data_type_size(s->target_type) +
                 (s->has_weight ? sizeof(double) : 0);
    if (s->sparse)
        return s->entries * (data_type_size(s->type) + sizeof(uint32_t)) +
               (uint64_t)(row - s->features * data_type_size(s->type)) * s->rows;
    return (uint64_t)row * s->rows;
}

static enum gm_code measure_ratings(const struct run *r, struct gm_summary *summary, struct gm_error *err)
{
    const struct strata *s = r->strata;
    enum gm_code code = strata_metrics(s, s->kept, &s->grid->train, &summary->train, err);
    return code ? code : strata_metrics(s, s->kept, rated_held_out(r->problem->rated), &summary->validation, err);
}

static enum gm_code measure(struct run *r, struct gm_summary *summary, struct gm_error *err)
{
    const struct problem *p = r->problem;
    struct gm_metrics sides[2];
    if (r->strata)
        return measure_ratings(r, summary, err);
    engine_prepare(&r->engine, r->kept);
    enum gm_code code = metrics_run(&r->engine, &(struct metrics_request){&p->train, &p->split}, sides, err);
    summary->train = sides[0];
    summary->validation = sides[1];
    if (code || !p->validation.set)
        return code;
    code = metrics_run(&r->engine, &(struct metrics_request){&p->validation, NULL}, sides, err);
    summary->validation = sides[0];
    return code;
}

static void summarise(const struct run *r, struct gm_summary *s)
{
    const struct problem *p = r->problem;
    s->stop_reason = stop_reason_name(r->reason);
    s->epochs = r->last.epoch;
    s->best_epoch = r->stop.best_epoch;
    s->passes = (size_t)r->engine.passes;
    s->undetermined = optim_undetermined(r->optim);
    s->train_loss = r->last.train_loss;
    s->objective = r->last.objective;
    s->validation_loss = r->last.validation_loss;
    s->gradient_norm = r->last.gradient_norm;
    s->seconds = clock_seconds() - r->start_time;
    s->rows = p->train.schema->rows;
    s->features = p->train.schema->features;
    s->outputs = p->loss.outputs;
    s->parameters = r->strata ? factorization_parameters(&r->strata->now) : r->n;
    s->data_bytes_per_pass = bytes_per_pass(p->train.schema);
    s->resident = !p->train.set || data_is_resident(p->train.set);
    s->threads = p->threads;
    s->peak_memory_bytes = memory_peak();
    s->resumable = r->saved.durable;
    s->resumed = r->saved.resumed;
    s->untouched = r->saved.finished;
}

static enum gm_code interrupted(const struct run *r, struct gm_error *err)
{
    const char *checkpoint = r->problem->job->output.checkpoint;
    const char *model = isfinite(r->stop.best_loss) ? "; the best model so far is kept" : "; there is no model yet";
    if (!r->problem->job->output.model)
        model = "";
    if (r->saved.durable)
        return error_set(err, GM_INTERRUPTED, "Interrupted after epoch %zu%s. --resume goes on from %s.", r->last.epoch,
                         model, checkpoint);
    return error_set(err, GM_INTERRUPTED,
                     "Interrupted after epoch %zu%s. The run cannot be resumed: output.checkpoint is not set.",
                     r->last.epoch, model);
}

/* Diverged is told with where it was first seen. */
static enum gm_code verdict(const struct run *r, struct gm_error *err)
{
    const char *kept = isfinite(r->stop.best_loss) ? "The best model before that is kept." : "There is no good model.";
    if (r->reason == STOP_INTERRUPTED)
        return interrupted(r, err);
    if (r->reason != STOP_DIVERGED)
        return GM_OK;
    if (!r->totals.finite)
        return error_set(err, GM_DIVERGED,
                         "Diverged in epoch %zu: the loss '%s' was not finite in the block at row %zu. %s "
                         "A smaller optimizer.learning_rate, or auto, may help.",
                         r->last.epoch, r->problem->loss.plugin->vtable.id, r->totals.bad_row, kept);
    return error_set(err, GM_DIVERGED,
                     "Diverged in epoch %zu: the objective was not finite. %s A smaller optimizer.learning_rate, or "
                     "auto, may help.",
                     r->last.epoch, kept);
}

/* A job that had ended before keeps its files as they are; only one that is missing is written again. */
static bool wants_model(const struct run *r)
{
    const char *path = r->problem->job->output.model;
    return isfinite(r->stop.best_loss) && path && !(r->saved.finished && access(path, F_OK) == 0);
}

/* The model, its metrics, the end of the log; and last the checkpoint that says that nothing is left to do. Whoever is
 * interrupted is in a hurry: no metrics, and the checkpoint was saved first. */
static enum gm_code finish(struct run *r, struct gm_summary *summary, struct gm_error *err)
{
    enum gm_code code;
    bool hurry = r->reason == STOP_INTERRUPTED;
    if (wants_model(r) && (code = save_model(r, err)))
        return code;
    if (isfinite(r->stop.best_loss) && !hurry && (code = measure(r, summary, err)) && code != GM_INTERRUPTED)
        return code; /* interrupted here: the job is done, its metrics are left out */
    if (r->saved.finished)
        return GM_OK;
    if ((code = log_end(&r->log, summary, err)) || (!hurry && (code = checkpoint_save(r, err))))
        return code;
    return log_close(&r->log, err);
}

static enum gm_code train(struct run *r, struct gm_summary *summary, struct gm_error *err)
{
    enum gm_code code = run_train(r, err);
    if (code)
        return code;
    summarise(r, summary);
    code = finish(r, summary, err);
    summary->resumable = r->saved.durable;
    return code ? code : verdict(r, err);
}

enum gm_code gm_train(const struct gm_job *job, const struct gm_watch *watch, struct gm_summary *summary,
                      struct gm_error *err)
{
    struct problem problem;
    struct run run = {0};
    struct monitor monitor;
    *summary = (struct gm_summary){.stop_reason = "none", .validation_loss = NAN};
    monitor_start(&monitor, job, watch);
    enum gm_code code = problem_init(&problem, job, watch, err);
    if (!code) {
        if (!(code = run_init(&run, &problem, watch, err))) {
            monitor_engine(&monitor, &run.engine, &problem);
            code = train(&run, summary, err);
            monitor_engine(&monitor, NULL, NULL);
        }
        run_release(&run);
        problem_release(&problem);
    }
    monitor_stop(&monitor);
    return code;
}

void gm_metrics_release(struct gm_metrics *metrics)
{
    for (size_t i = 0; i < metrics->n_terms; i++)
        gm_metrics_release(&metrics->terms[i]);
    memory_free(metrics->terms);
    memory_free(metrics->confusion);
    *metrics = (struct gm_metrics){0};
}

void gm_summary_release(struct gm_summary *summary)
{
    gm_metrics_release(&summary->train);
    gm_metrics_release(&summary->validation);
    *summary = (struct gm_summary){0};
}

static char *dump(json_t *object)
{
    char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(object);
    return text;
}

char *gm_summary_json(const struct gm_summary *summary)
{
    return dump(summary_object(summary));
}

char *gm_metrics_json(const struct gm_metrics *metrics)
{
    return dump(summary_metrics(metrics));
}
