/* Checkpoints: the whole state of a run in a file. */
#include "train/checkpoint.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/archive.h"
#include "base/clock.h"
#include "base/cpu.h"
#include "base/error.h"
#include "base/memory.h"
#include "train/state.h"

enum gm_code checkpoint_older(char **older, const char *path, struct gm_error *err)
{
    size_t bytes = strlen(path) + 3;
    enum gm_code code = memory_alloc((void **)older, bytes, 1, "a file name", err);
    if (!code)
        snprintf(*older, bytes, "%s.1", path);
    return code;
}

/* ---- saving ---- */

static enum gm_code put_identity(struct archive *a, const struct identity *id, struct gm_error *err)
{
    enum gm_code code = GM_OK;
    for (int kind = 0; !code && kind < IDENTITY_KINDS; kind++)
        code = archive_put_texts(a, identity_name((enum identity_kind)kind), (const char *const *)id->lines[kind],
                                 id->count[kind], err);
    return code;
}

/* For people and `gradmill inspect`; nothing of this is read back. */
static enum gm_code put_facts(struct archive *a, const struct run *r, struct gm_error *err)
{
    enum gm_code code;
    if ((code = archive_put_text(a, "gradmill_version", GRADMILL_VERSION, err)) ||
        (code = archive_put_text(a, "state", r->ended ? stop_reason_name((enum stop_reason)r->ended) : "unfinished",
                                 err)) ||
        (code = archive_put_text(a, "instruction_set", cpu_isa_name(cpu_isa()), err)) ||
        (code = archive_put_integer(a, "epochs", (int64_t)r->last.epoch, err)) ||
        (code = archive_put_integer(a, "batches", (int64_t)r->batches, err)) ||
        (code = archive_put_integer(a, "best_epoch", (int64_t)r->stop.best_epoch, err)) ||
        (code = archive_put_real(a, "best_loss", r->stop.best_loss, err)))
        return code;
    return archive_put_integer(a, "seed", (int64_t)r->problem->job->run.seed, err);
}

static enum gm_code put_numbers(struct archive *a, const struct run *r, struct gm_error *err)
{
    const char *names[128];
    double values[128];
    struct archive_shape shape = {1, {state_numbers()}};
    for (size_t i = 0; i < state_numbers(); i++)
        names[i] = state_number_name(i);
    state_get_numbers(r, values);
    enum gm_code code = archive_put_texts(a, "number_names", names, state_numbers(), err);
    return code ? code : archive_put(a, "/numbers", ARCHIVE_F64, &shape, values, err);
}

static enum gm_code put_arrays(struct archive *a, struct run *r, struct gm_error *err)
{
    struct run_state state;
    enum gm_code code = GM_OK;
    run_state(r, &state);
    assert(state.count <= STATE_ARRAYS);
    for (size_t i = 0; !code && i < state.count; i++) {
        char name[STATE_NAME + 8];
        struct archive_shape shape = {1, {state.arrays[i].count}};
        snprintf(name, sizeof name, "/state/%s", state.arrays[i].name);
        code = state.arrays[i].singles ? archive_put(a, name, ARCHIVE_F32, &shape, state.arrays[i].singles, err)
                                       : archive_put(a, name, ARCHIVE_F64, &shape, state.arrays[i].values, err);
    }
    return code;
}

static enum gm_code write_archive(struct run *r, struct gm_error *err)
{
    struct archive *a = NULL;
    enum gm_code code;
    if (!(code = archive_create(&a, err)) && !(code = archive_put_text(a, "format", CHECKPOINT_FORMAT, err)) &&
        !(code = archive_put_integer(a, "format_version", CHECKPOINT_FORMAT_VERSION, err)) &&
        !(code = put_facts(a, r, err)) && !(code = put_identity(a, &r->identity, err)) &&
        !(code = put_numbers(a, r, err)) && !(code = put_arrays(a, r, err)))
        code = archive_save_keeping(a, r->problem->job->output.checkpoint, r->saved.good ? r->saved.older : NULL, err);
    archive_close(a);
    return code;
}

enum gm_code checkpoint_save(struct run *r, struct gm_error *err)
{
    if (!r->problem->job->output.checkpoint)
        return GM_OK;
    enum gm_code code = log_sync(&r->log, &r->log_bytes, err); /* what the log holds belongs to the checkpoint */
    r->ended = r->reason == STOP_INTERRUPTED ? STOP_NONE : (uint64_t)r->reason;
    r->passes = r->engine.passes;
    r->seconds = clock_seconds() - r->start_time;
    if (code || (code = write_archive(r, err)))
        return code;
    r->saved.good = r->saved.durable = true;
    r->saved.at = clock_seconds();
    r->saved.epoch = r->last.epoch;
    return GM_OK;
}

enum gm_code checkpoint_due(struct run *r, struct gm_error *err)
{
    const struct gm_job *job = r->problem->job;
    if (!job->output.checkpoint)
        return GM_OK;
    size_t epochs = job->output.checkpoint_epochs;
    bool due = clock_seconds() - r->saved.at >= job->output.checkpoint_every ||
               (epochs && r->last.epoch >= r->saved.epoch + epochs) ||
               (r->watch && r->watch->save && r->watch->save(r->watch->context));
    return due ? checkpoint_save(r, err) : GM_OK;
}

/* ---- loading ---- */

static enum gm_code check_format(const struct archive *a, const char *path, struct gm_error *err)
{
    char *format = NULL;
    int64_t version = 0;
    struct gm_error unused;
    bool ours = archive_has_attribute(a, "format") && !archive_get_text(a, "format", &format, &unused) &&
                !strcmp(format, CHECKPOINT_FORMAT) && !archive_get_integer(a, "format_version", &version, &unused);
    memory_free(format);
    if (!ours)
        return error_set(err, GM_BAD_DATA, "%s: this is not a checkpoint of gradmill.", path);
    if (version != CHECKPOINT_FORMAT_VERSION)
        return error_set(err, GM_BAD_DATA,
                         "%s: the checkpoint has format version %" PRId64 "; this gradmill goes on from version %d.",
                         path, version, CHECKPOINT_FORMAT_VERSION);
    return GM_OK;
}

static enum gm_code get_identity(const struct archive *a, struct identity *id, struct gm_error *err)
{
    enum gm_code code = GM_OK;
    for (int kind = 0; !code && kind < IDENTITY_KINDS; kind++)
        code = archive_get_texts(a, identity_name((enum identity_kind)kind), &id->lines[kind], &id->count[kind], err);
    return code;
}

static enum gm_code other_layout(const char *path, const char *what, struct gm_error *err)
{
    return error_set(err, GM_BAD_DATA,
                     "%s: its %s is not what this version of gradmill keeps: another version wrote it. Train without "
                     "--resume to start again.",
                     path, what);
}

static bool same_names(char *const *names, size_t count)
{
    bool same = count == state_numbers();
    for (size_t i = 0; same && i < count; i++)
        same = strcmp(names[i], state_number_name(i)) == 0;
    return same;
}

static enum gm_code get_numbers(const struct archive *a, struct run *r, const char *path, struct gm_error *err)
{
    char **names = NULL;
    double *values = NULL;
    size_t count = 0;
    struct archive_shape shape = {.rank = 1};
    enum gm_code code = archive_get_texts(a, "number_names", &names, &count, err);
    if (!code && !(code = archive_get(a, "/numbers", ARCHIVE_F64, &shape, (void **)&values, err)) &&
        (!same_names(names, count) || shape.dims[0] != count || !state_set_numbers(r, values) ||
         r->ended > STOP_INTERRUPTED))
        code = other_layout(path, "list of numbers", err);
    for (size_t i = 0; i < count; i++)
        memory_free(names[i]);
    memory_free(names);
    memory_free(values);
    return code;
}

static enum gm_code get_array(const struct archive *a, const struct state_array *to, const char *path,
                              struct gm_error *err)
{
    char name[STATE_NAME + 8];
    void *values = NULL;
    struct archive_shape shape = {.rank = 1};
    snprintf(name, sizeof name, "/state/%s", to->name);
    if (!archive_has(a, name))
        return other_layout(path, name, err);
    enum gm_code code = archive_get(a, name, to->singles ? ARCHIVE_F32 : ARCHIVE_F64, &shape, &values, err);
    if (!code && shape.dims[0] != to->count)
        code = other_layout(path, name, err);
    if (!code)
        memcpy(to->singles ? (void *)to->singles : to->values, values,
               to->count * (to->singles ? sizeof *to->singles : sizeof *to->values));
    memory_free(values);
    return code;
}

/* What the run is comes first: arrays of another job would not even fit. */
static enum gm_code read_archive(const struct archive *a, struct run *r, const char *path, struct gm_error *err)
{
    struct identity then = {0};
    struct run_state state;
    enum gm_code code = get_identity(a, &then, err);
    if (!code)
        code = identity_compare(&r->identity, &then, path, err);
    identity_release(&then);
    run_state(r, &state);
    for (size_t i = 0; !code && i < state.count; i++)
        code = get_array(a, &state.arrays[i], path, err);
    return code ? code : get_numbers(a, r, path, err);
}

static enum gm_code open_one(struct archive **a, const char *path, struct gm_error *err)
{
    enum gm_code code = archive_open_sealed(a, path, err);
    if (!code && (code = check_format(*a, path, err))) {
        archive_close(*a);
        *a = NULL;
    }
    return code;
}

/* The newer, or else the older; *from is the name of the one that was opened. */
static enum gm_code open_either(const struct run *r, struct archive **a, const char **from, struct gm_error *err)
{
    struct gm_error why = {0}, second = {0};
    const char *path = r->problem->job->output.checkpoint;
    *from = path;
    enum gm_code code = open_one(a, path, &why);
    if (!code)
        return GM_OK;
    *from = r->saved.older;
    if (!open_one(a, *from, &second)) {
        problem_note(r->watch, "%s Going on from the checkpoint before it, %s.", why.text, *from);
        return GM_OK;
    }
    if (code == GM_NO_INPUT)
        return second.code == GM_NO_INPUT ? GM_OK : error_set(err, second.code, "%s", second.text);
    return error_set(err, code, "%.400s And no older checkpoint can be used: %.400s", why.text, second.text);
}

/* Where the job now ends later than it did, a run that had come to its end goes on. */
static void look_further(struct run *r)
{
    r->reason = (enum stop_reason)r->ended;
    bool more_epochs = r->reason == STOP_MAX_EPOCHS && r->last.epoch < r->rule.max_epochs;
    bool more_time = r->reason == STOP_MAX_TIME && !(r->seconds >= r->rule.max_seconds);
    if (more_epochs || more_time)
        r->reason = STOP_NONE;
    r->saved.finished = r->reason != STOP_NONE;
    if (r->reason == STOP_NONE && r->last.epoch >= r->rule.max_epochs)
        r->reason = STOP_MAX_EPOCHS;
}

enum gm_code checkpoint_load(struct run *r, bool *found, struct gm_error *err)
{
    struct archive *a = NULL;
    const char *from = NULL;
    *found = false;
    enum gm_code code = open_either(r, &a, &from, err);
    if (code || !a)
        return code;
    code = read_archive(a, r, from, err);
    archive_close(a);
    if (code)
        return code;
    *found = true;
    r->engine.passes = r->passes;
    r->saved.good = from != r->saved.older;
    r->saved.durable = true;
    r->saved.epoch = r->last.epoch;
    look_further(r);
    return GM_OK;
}
