/* What a run is, as lines. */
#include "train/identity.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

const char *identity_name(enum identity_kind kind)
{
    static const char *const names[] = {"job", "losses", "data"};
    return names[kind];
}

/* ---- lines ---- */

static enum gm_code grow(struct identity *id, enum identity_kind kind, struct gm_error *err)
{
    void *larger = NULL;
    size_t room = id->room[kind] ? 2 * id->room[kind] : 32;
    if (id->count[kind] < id->room[kind])
        return GM_OK;
    enum gm_code code = memory_alloc(&larger, room, sizeof(char *), "the job's keys", err);
    if (code)
        return code;
    if (id->count[kind])
        memcpy(larger, id->lines[kind], id->count[kind] * sizeof(char *));
    memory_free(id->lines[kind]);
    id->lines[kind] = larger;
    id->room[kind] = room;
    return GM_OK;
}

enum gm_code identity_add(struct identity *id, enum identity_kind kind, const char *key, const char *value,
                          struct gm_error *err)
{
    void *line = NULL;
    size_t bytes = strlen(key) + strlen(value) + 2;
    enum gm_code code = grow(id, kind, err);
    if (!code)
        code = memory_alloc(&line, bytes, 1, "the job's keys", err);
    if (code)
        return code;
    snprintf(line, bytes, "%s=%s", key, value);
    id->lines[kind][id->count[kind]++] = line;
    return GM_OK;
}

void identity_release(struct identity *id)
{
    for (int kind = 0; kind < IDENTITY_KINDS; kind++) {
        for (size_t i = 0; i < id->count[kind]; i++)
            memory_free(id->lines[kind][i]);
        memory_free(id->lines[kind]);
    }
    *id = (struct identity){0};
}

/* ---- the job ---- */

struct key {
    const char *path;
    enum { WHOLE, REAL, TEXT } kind;
    uint64_t whole;
    double real;
    const char *text; /* NULL: null */
};

static enum gm_code add_keys(struct identity *id, const struct key *keys, size_t count, struct gm_error *err)
{
    enum gm_code code = GM_OK;
    for (size_t i = 0; !code && i < count; i++) {
        char number[32];
        const char *value = keys[i].text ? keys[i].text : "null";
        if (keys[i].kind == WHOLE)
            snprintf(number, sizeof number, "%" PRIu64, keys[i].whole);
        if (keys[i].kind == REAL)
            text_from_real(keys[i].real, number);
        code = identity_add(id, IDENTITY_JOB, keys[i].path, keys[i].kind == TEXT ? value : number, err);
    }
    return code;
}
#define ADD(id, keys, err) add_keys(id, keys, sizeof(keys) / sizeof *(keys), err)

static enum gm_code add_model(struct identity *id, const struct gm_job *job, struct gm_error *err)
{
    const struct key keys[] = {
        {"data.validation", REAL, .real = job->data.validation_fraction},
        {"data.split", TEXT, .text = job->data.split},
        {"data.standardize", WHOLE, .whole = job->data.standardize},
        {"data.missing", WHOLE, .whole = job->data.missing},
        {"model.type", WHOLE, .whole = job->model.type},
        {"model.intercept", WHOLE, .whole = job->model.intercept},
        {"model.outputs", WHOLE, .whole = job->model.outputs},
        {"model.activation", WHOLE, .whole = job->model.activation},
        {"model.dropout", REAL, .real = job->model.dropout},
        {"model.init", WHOLE, .whole = job->model.start},
        {"model.rank", WHOLE, .whole = job->model.rank},
        {"model.count", WHOLE, .whole = job->model.count},
        {"model.embedding", WHOLE, .whole = job->model.embedding},
        {"model.fuse", WHOLE, .whole = job->model.fuse},
        {"model.restarts", WHOLE, .whole = job->model.restarts},
        {"model.negatives", WHOLE, .whole = job->model.negatives},
        {"run.seed", WHOLE, .whole = job->run.seed},
        {"run.precision", WHOLE, .whole = job->run.precision},
    };
    enum gm_code code = ADD(id, keys, err);
    for (size_t l = 0; !code && l < job->model.hidden.count; l++) {
        const struct key layer = {"model.hidden", WHOLE, .whole = job->model.hidden.values[l]};
        code = add_keys(id, &layer, 1, err);
    }
    for (size_t l = 0; !code && l < job->model.hidden_second.count; l++) {
        const struct key layer = {"model.hidden_second", WHOLE, .whole = job->model.hidden_second.values[l]};
        code = add_keys(id, &layer, 1, err);
    }
    return code;
}

static enum gm_code add_optimizer(struct identity *id, const struct gm_job *job, struct gm_error *err)
{
    const struct key keys[] = {
        {"optimizer.type", WHOLE, .whole = job->optimizer.type},
        {"optimizer.learning_rate", REAL, .real = job->optimizer.learning_rate},
        {"optimizer.schedule", WHOLE, .whole = job->optimizer.schedule},
        {"optimizer.step_factor", REAL, .real = job->optimizer.step_factor},
        {"optimizer.step_epochs", REAL, .real = job->optimizer.step_epochs},
        {"optimizer.decay", REAL, .real = job->optimizer.decay},
        {"optimizer.warmup_epochs", REAL, .real = job->optimizer.warmup_epochs},
        {"optimizer.momentum", REAL, .real = job->optimizer.momentum},
        {"optimizer.beta1", REAL, .real = job->optimizer.beta1},
        {"optimizer.beta2", REAL, .real = job->optimizer.beta2},
        {"optimizer.epsilon", REAL, .real = job->optimizer.epsilon},
        {"optimizer.weight_decay", REAL, .real = job->optimizer.weight_decay},
        {"optimizer.clip_norm", REAL, .real = job->optimizer.clip_norm},
        {"optimizer.average", WHOLE, .whole = job->optimizer.average},
        {"optimizer.average_decay", REAL, .real = job->optimizer.average_decay},
        {"optimizer.average_start", REAL, .real = job->optimizer.average_start},
        {"optimizer.batch_size", WHOLE, .whole = job->optimizer.batch_size},
        {"optimizer.l1", REAL, .real = job->optimizer.l1},
        {"optimizer.l2", REAL, .real = job->optimizer.l2},
    };
    return ADD(id, keys, err);
}

static enum gm_code add_stop(struct identity *id, const struct gm_job *job, struct gm_error *err)
{
    bool end_matters = job->optimizer.schedule == GM_SCHEDULE_COSINE;
    const struct key keys[] = {
        {"stop.loss_change", REAL, .real = job->stop.loss_change},
        {"stop.relative", WHOLE, .whole = job->stop.relative},
        {"stop.patience", WHOLE, .whole = job->stop.patience},
        {"stop.monitor", WHOLE, .whole = job->stop.monitor},
        {"stop.restore_best", WHOLE, .whole = job->stop.restore_best},
        {"stop.target_loss", REAL, .real = job->stop.target_loss},
        {"stop.gradient_norm", REAL, .real = job->stop.gradient_norm},
        {"stop.max_epochs", WHOLE, .whole = end_matters ? job->stop.max_epochs : 0},
    };
    return ADD(id, keys, err);
}

static enum gm_code add_term(struct identity *id, size_t number, const struct gm_job_loss *term, struct gm_error *err)
{
    char name[300];
    const struct key keys[] = {
        {"loss.weight", REAL, .real = term->weight},        {"loss.columns", WHOLE, .whole = term->column_first},
        {"loss.columns", WHOLE, .whole = term->column_end}, {"loss.target", WHOLE, .whole = term->target_first},
        {"loss.target", WHOLE, .whole = term->target_end},
    };
    enum gm_code code = ADD(id, keys, err);
    for (size_t i = 0; !code && i < term->n_params; i++) {
        snprintf(name, sizeof name, "loss[%zu].params.%.200s", number, term->params[i].name);
        code = identity_add(id, IDENTITY_JOB, name, term->params[i].value, err);
    }
    return code;
}

enum gm_code identity_of_job(struct identity *id, const struct gm_job *job, struct gm_error *err)
{
    enum gm_code code;
    if ((code = add_model(id, job, err)) || (code = add_optimizer(id, job, err)) || (code = add_stop(id, job, err)))
        return code;
    for (size_t i = 0; !code && i < job->loss.count; i++)
        code = add_term(id, i, &job->loss.terms[i], err);
    return code;
}

/* ---- losses and data ---- */

enum gm_code identity_of_problem(struct identity *id, const struct problem *p, struct gm_error *err)
{
    enum gm_code code = identity_of_job(id, p->job, err);
    if (!code)
        code = identity_add(id, IDENTITY_LOSS, p->loss.plugin->vtable.id, p->loss.plugin->sha256, err);
    if (!code)
        code = identity_add(id, IDENTITY_DATA, "data.train", p->stats.fingerprint, err);
    if (!code && p->validation_fingerprint[0])
        code = identity_add(id, IDENTITY_DATA, "data.validation", p->validation_fingerprint, err);
    return code;
}

/* ---- comparing ---- */

static enum gm_code refuse(enum identity_kind kind, const char *path, const char *now, const char *then,
                           struct gm_error *err)
{
    static const char *const hint = "Train without --resume to start again.";
    int key = (int)strcspn(now ? now : then, "=");
    const char *is = now ? now + key + 1 : "not there", *was = then ? then + key + 1 : "not there";
    if (now && then && strncmp(now, then, (size_t)key + 1) != 0)
        was = then;
    if (kind == IDENTITY_LOSS)
        return error_set(err, GM_PLUGIN_LOAD,
                         "%s: the loss '%.*s' is not the plugin that the checkpoint was made with (SHA-256 %.16s... "
                         "now, %.16s... then). %s",
                         path, key, now ? now : then, is, was, hint);
    if (kind == IDENTITY_DATA)
        return error_set(err, GM_BAD_DATA,
                         "%s: %.*s has other rows or values than when the checkpoint was made (fingerprint %.16s... "
                         "now, %.16s... then). %s",
                         path, key, now ? now : then, is, was, hint);
    return error_set(err, GM_BAD_JOB, "%.*s: is %.80s, but the checkpoint %s was made with %.80s. %s", key,
                     now ? now : then, is, path, was, hint);
}

enum gm_code identity_compare(const struct identity *now, const struct identity *then, const char *path,
                              struct gm_error *err)
{
    for (int kind = 0; kind < IDENTITY_KINDS; kind++)
        for (size_t i = 0; i < now->count[kind] || i < then->count[kind]; i++) {
            const char *a = i < now->count[kind] ? now->lines[kind][i] : NULL;
            const char *b = i < then->count[kind] ? then->lines[kind][i] : NULL;
            if (!a || !b || strcmp(a, b) != 0)
                return refuse((enum identity_kind)kind, path, a, b, err);
        }
    return GM_OK;
}
