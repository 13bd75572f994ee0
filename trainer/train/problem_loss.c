/* The loss part of a job made concrete. */
#include "train/problem_loss.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/pulse.h"
#include "loss/check.h"

#define TERMS_MOST  64
#define PARAMS_MOST 64

/* ---- loading ---- */

static const char *search_path(const struct problem *p)
{
    const char *path = p->job->loss.search_path;
    return path ? path : getenv("GRADMILL_LOSS_PATH");
}

/* One loss on all outputs with weight 1 needs no sum around it. */
static bool is_plain(const struct gm_job *job)
{
    const struct gm_job_loss *term = &job->loss.terms[0];
    return job->loss.count == 1 && term->weight == 1 && !term->column_end && !term->target_end;
}

static void note_wants(struct problem *p, const struct loss_plugin *plugin)
{
    uint32_t kind = plugin->spec.target_kind;
    p->loss_wants.target = p->loss_wants.target || kind != GM_TARGET_NONE;
    p->loss_wants.classes = p->loss_wants.classes || kind == GM_TARGET_CLASS;
    p->loss_wants.labels = p->loss_wants.labels || kind == GM_TARGET_MULTILABEL;
}

enum gm_code problem_load_loss(struct problem *p, struct gm_error *err)
{
    const struct gm_job *job = p->job;
    if (job->loss.count > TERMS_MOST)
        return error_set(err, GM_BAD_JOB, "loss: %zu losses; at most %d are possible.", job->loss.count, TERMS_MOST);
    if (is_plain(job)) {
        enum gm_code code =
            loss_load(&p->plugin, job->loss.terms[0].name, search_path(p), job->loss.terms[0].sha256, err);
        if (!code)
            note_wants(p, &p->plugin);
        return code;
    }
    for (size_t i = 0; i < job->loss.count; i++) { /* sum_bind will load them again, when the data are known */
        struct loss_plugin plugin = {0};
        enum gm_code code = loss_load(&plugin, job->loss.terms[i].name, search_path(p), job->loss.terms[i].sha256, err);
        if (code)
            return code;
        note_wants(p, &plugin);
        loss_plugin_release(&plugin);
    }
    return GM_OK;
}

/* ---- classes ---- */

/* A loss that separates two classes with one output takes words, and labels that the file has names for, as 0 and 1. */
static bool two_class_labels(const struct problem *p)
{
    const struct data_schema *s = p->train.schema;
    return p->loss_wants.labels && s->targets == 1 && (s->target_is_text || data_has_class_names(p->train.set));
}

enum gm_code problem_make_classes(struct problem *p, struct gm_error *err)
{
    bool words = two_class_labels(p);
    if (!p->loss_wants.classes && !words)
        return GM_OK;
    if (p->train.schema->targets > 1 && !is_plain(p->job))
        return GM_OK; /* columns of class numbers, among others */
    enum gm_code code = data_make_classes(p->train.set, NULL, 0, err);
    if (code)
        return code;
    const struct data_schema *schema = p->train.schema;
    if (words && !p->loss_wants.classes && schema->classes != 2)
        return error_set(err, GM_BAD_DATA,
                         "%s holds %zu classes, but the loss '%s' separates two. For more choose "
                         "cross_entropy.",
                         schema->target_at, schema->classes, p->job->loss.terms[0].name);
    if (p->validation.set)
        return data_make_classes(p->validation.set, schema->class_names, schema->classes, err);
    return GM_OK;
}

/* ---- binding ---- */

/* A first call of the plugin, where run.watchdog sees it. */
static enum gm_code watched(enum gm_code (*call)(const struct loss *, struct gm_error *), const struct loss *loss,
                            struct gm_error *err)
{
    atomic_store(&pulse_check.what, loss->plugin->vtable.id);
    atomic_store(&pulse_check.where, loss->plugin->path);
    pulse_enter(&pulse_check, 0);
    enum gm_code code = call(loss, err);
    pulse_leave(&pulse_check);
    return code;
}

static enum gm_code check_loss(const struct problem *p, const struct loss *loss, struct gm_error *err)
{
    if (p->job->loss.trust)
        return GM_OK;
    return watched(loss_check_quick, loss, err);
}

static enum gm_code take_settings(const struct gm_job_loss *term, struct loss_setting settings[PARAMS_MOST],
                                  struct gm_error *err)
{
    if (term->n_params > PARAMS_MOST)
        return error_set(err, GM_BAD_JOB, "loss.params: %zu parameters; at most %d are possible.", term->n_params,
                         PARAMS_MOST);
    for (size_t i = 0; i < term->n_params; i++)
        settings[i] = (struct loss_setting){term->params[i].name, term->params[i].value};
    return GM_OK;
}

static enum gm_code bind_plugin(struct problem *p, struct gm_error *err)
{
    struct loss_setting settings[PARAMS_MOST];
    const struct gm_job_loss *term = &p->job->loss.terms[0];
    const struct data_schema *schema = p->train.schema;
    enum gm_code code = take_settings(term, settings, err);
    return code ? code
                : loss_bind(&p->loss, &p->plugin, settings, term->n_params, schema->targets,
                            p->loss_wants.classes ? schema->classes : 0, err);
}

/* How many classes the target of a term holds: it may be one column of many. */
static enum gm_code count_classes(const struct problem *p, const struct gm_job_loss *term, size_t *classes,
                                  struct gm_error *err)
{
    const struct data_schema *schema = p->train.schema;
    size_t column = term->target_end ? term->target_first : term->column_first;
    struct loss_plugin plugin = {0};
    *classes = schema->classes;
    if (schema->targets <= 1 || column >= schema->targets)
        return GM_OK;
    enum gm_code code = loss_load(&plugin, term->name, search_path(p), term->sha256, err);
    if (!code && plugin.spec.target_kind == GM_TARGET_CLASS)
        code = data_count_classes(p->train.set, column, classes, err);
    loss_plugin_release(&plugin);
    return code;
}

static enum gm_code bind_sum(struct problem *p, struct gm_error *err)
{
    const struct gm_job *job = p->job;
    struct sum_request requests[TERMS_MOST];
    struct loss_setting(*settings)[PARAMS_MOST];
    enum gm_code code =
        memory_alloc((void **)&settings, job->loss.count, sizeof *settings, "the parameters of the losses", err);
    if (code)
        return code;
    for (size_t i = 0; !code && i < job->loss.count; i++) {
        const struct gm_job_loss *term = &job->loss.terms[i];
        requests[i] = (struct sum_request){.name = term->name,
                                           .sha256 = term->sha256,
                                           .weight = term->weight,
                                           .first = term->column_first,
                                           .end = term->column_end,
                                           .target_first = term->target_first,
                                           .target_end = term->target_end,
                                           .settings = settings[i],
                                           .n_settings = term->n_params};
        if (!(code = take_settings(term, settings[i], err)))
            code = count_classes(p, term, &requests[i].classes, err);
    }
    struct sum_data data = {.search_path = search_path(p),
                            .targets = p->loss_wants.target ? p->train.schema->targets : 0,
                            .outputs = job->model.outputs};
    if (!code)
        code = sum_bind(&p->loss, &p->sum, requests, job->loss.count, &data, err);
    for (size_t i = 0; !code && i < p->sum.count; i++)
        code = check_loss(p, &p->sum.terms[i].loss, err);
    memory_free(settings);
    return code;
}

/* What the model gives when the loss does not mind; 0: the job must say. */
static size_t outputs_of_model(const struct gm_job *job)
{
    if (job->model.type == GM_MODEL_CENTROIDS)
        return job->model.count;
    if (job->model.type != GM_MODEL_TWO_TOWER || job->model.fuse == GM_FUSE_CONCAT)
        return job->model.outputs;
    return job->model.fuse == GM_FUSE_DOT ? 1 : 2 * job->model.embedding;
}

static enum gm_code check_outputs(struct problem *p, struct gm_error *err)
{
    const struct gm_job *job = p->job;
    const char *id = p->loss.plugin->vtable.id;
    if (p->loss.spec.task == GM_TASK_CLUSTERING && job->model.type != GM_MODEL_CENTROIDS)
        return error_set(err, GM_BAD_JOB,
                         "loss.name: '%s' clusters by the squared distances that the model 'centroids' gives: model: "
                         "{type: centroids, count: 8}.",
                         id);
    if (!p->loss.outputs)
        p->loss.outputs = outputs_of_model(job);
    if (job->model.type == GM_MODEL_CENTROIDS && p->loss.outputs != job->model.count)
        return error_set(err, GM_BAD_JOB, "model.count: %zu, but the loss '%s' needs %zu outputs on this data.",
                         job->model.count, id, p->loss.outputs);
    if (job->model.type == GM_MODEL_TWO_TOWER && job->model.fuse != GM_FUSE_CONCAT &&
        p->loss.outputs != outputs_of_model(job))
        return error_set(
            err, GM_BAD_JOB,
            "model.fuse: the towers' %s %zu outputs, but the loss '%s' needs %zu on this data; concat gives "
            "any number.",
            job->model.fuse == GM_FUSE_DOT ? "dot product gives" : "pair of embeddings gives", outputs_of_model(job),
            id, p->loss.outputs);
    if (!p->loss.outputs)
        return error_set(err, GM_BAD_JOB,
                         "model.outputs: the loss '%s' works with any number of outputs; say how many.", id);
    if (job->model.outputs && job->model.outputs != p->loss.outputs)
        return error_set(err, GM_BAD_JOB, "model.outputs: %zu, but the loss '%s' needs %zu on this data.",
                         job->model.outputs, id, p->loss.outputs);
    return watched(loss_try, &p->loss, err);
}

enum gm_code problem_bind_loss(struct problem *p, struct gm_error *err)
{
    bool plain = is_plain(p->job);
    enum gm_code code = plain ? bind_plugin(p, err) : bind_sum(p, err);
    if (!code)
        code = check_outputs(p, err);
    return code || !plain ? code : check_loss(p, &p->loss, err);
}

void problem_release_loss(struct problem *p)
{
    if (p->sum.count)
        sum_release(&p->loss, &p->sum);
    else
        loss_release(&p->loss);
    loss_plugin_release(&p->plugin);
}
