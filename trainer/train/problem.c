/* A job made concrete. */
#include "train/problem.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/pulse.h"
#include "base/text.h"
#include "optim/optim.h"
#include "train/coupled.h"
#include "train/hessian.h"
#include "train/outputs.h"
#include "train/problem_loss.h"
#include "train/budget.h"
#include "train/targets.h"

#define SMALL_WORK 2e6 /* multiplications of a pass below which waking a second thread costs more than it saves */

static void say(void (*hear)(void *, const char *), void *context, const char *format, va_list args)
{
    char text[GM_ERROR_TEXT];
    if (!hear)
        return;
    vsnprintf(text, sizeof text, format, args);
    hear(context, text);
}

void problem_note(const struct gm_watch *watch, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(watch ? watch->note : NULL, watch ? watch->context : NULL, format, args);
    va_end(args);
}

void problem_detail(const struct gm_watch *watch, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(watch ? watch->detail : NULL, watch ? watch->context : NULL, format, args);
    va_end(args);
}

/* ---- what this version trains ---- */

/* Keys of one family of methods given to the other. */
static enum gm_code check_batches(const struct gm_job *job, struct gm_error *err)
{
    bool full = optim_is_full_batch((enum optim_method)job->optimizer.type);
    if (full && job->optimizer.batch_size)
        return error_set(err, GM_BAD_JOB,
                         "optimizer.batch_size: gd, lbfgs and newton take the full batch; for batches of %zu rows "
                         "choose sgd, momentum, nesterov or adam.",
                         job->optimizer.batch_size);
    const char *key = !isnan(job->optimizer.clip_norm) ? "clip_norm" : NULL;
    if (job->optimizer.average != GM_AVERAGE_NONE)
        key = "average";
    if (key && (full || job->model.type == GM_MODEL_FACTORIZATION))
        return error_set(err, GM_BAD_JOB,
                         "optimizer.%s: is for the methods of small batches (sgd, adam ...); gd, lbfgs, newton and "
                         "factorization choose their steps without it.",
                         key);
    return GM_OK;
}

static enum gm_code check_supported(const struct gm_job *job, struct gm_error *err)
{
    if (!model_ops_of((enum model_type)job->model.type))
        return error_set(err, GM_BAD_JOB, "model.type: this version does not train models of this type yet.");
    if (job->model.type == GM_MODEL_MLP && (!job->model.hidden.count || job->model.hidden.count > MODEL_HIDDEN_MOST))
        return error_set(err, GM_BAD_JOB, "model.hidden: expected 1 to %d layers, as in [256, 128], found %zu.",
                         MODEL_HIDDEN_MOST, job->model.hidden.count);
    if (job->model.hidden.count > MODEL_HIDDEN_MOST || job->model.hidden_second.count > MODEL_HIDDEN_MOST)
        return error_set(err, GM_BAD_JOB, "model.hidden: expected at most %d layers.", MODEL_HIDDEN_MOST);
    if ((job->data.train.second || job->data.validation.second) && job->model.type != GM_MODEL_TWO_TOWER)
        return error_set(err, GM_BAD_JOB,
                         "data.train.second: the model has one input; two are for model.type two_tower.");
    if (job->optimizer.type == GM_OPTIMIZER_NEWTON && job->model.type != GM_MODEL_LINEAR)
        return error_set(err, GM_BAD_JOB,
                         "optimizer.type: newton trains linear models; for this one choose lbfgs or adam.");
    if (job->optimizer.type == GM_OPTIMIZER_SVRG && job->model.type != GM_MODEL_LINEAR)
        return error_set(err, GM_BAD_JOB, "optimizer.type: svrg trains linear models; for this one choose adam.");
    if (job->model.dropout > 0 && optim_is_full_batch((enum optim_method)job->optimizer.type))
        return error_set(
            err, GM_BAD_JOB,
            "model.dropout: gd and lbfgs need the same loss twice at one point; with dropout choose adam or "
            "another method of batches.");
    return check_batches(job, err);
}

/* ---- data ---- */

struct data_source problem_source(const struct gm_data *data)
{
    return (struct data_source){.path = data->path,
                                .features = data->features,
                                .second = data->second,
                                .target = data->target,
                                .weight = data->weight,
                                .group = data->group,
                                .paths = data->paths,
                                .n_paths = data->n_paths};
}

enum split_kind { SPLIT_ROWS, SPLIT_GROUP, SPLIT_STORED, SPLIT_DATASET };

static enum split_kind split_kind(const struct gm_job *job)
{
    const char *split = job->data.split;
    if (!split || strcmp(split, "rows") == 0)
        return SPLIT_ROWS;
    return strcmp(split, "group") == 0 ? SPLIT_GROUP : strcmp(split, "stored") == 0 ? SPLIT_STORED : SPLIT_DATASET;
}

/* Does data.split go with data.validation? */
static enum gm_code check_split(const struct gm_job *job, struct gm_error *err)
{
    enum split_kind kind = split_kind(job);
    bool share = job->data.validation_fraction > 0, file = job->data.validation.path || job->data.validation.features;
    if (kind >= SPLIT_STORED && (share || file))
        return error_set(err, GM_BAD_JOB,
                         "data.split: '%s' says which rows are held out, and so does data.validation; leave one out.",
                         job->data.split);
    if (kind == SPLIT_GROUP && !share)
        return error_set(err, GM_BAD_JOB,
                         "data.split: 'group' needs the share to hold out, as in data.validation: 0.2.");
    return GM_OK;
}

/* What sparse rows are not good for yet. */
static enum gm_code check_sparse(const struct problem *p, struct gm_error *err)
{
    const struct data_schema *t = p->train.schema, *v = p->validation.schema;
    if (v && v->sparse != t->sparse)
        return error_set(err, GM_BAD_DATA, "%s has %s rows, but the training data %s has %s ones.", v->features_at,
                         v->sparse ? "sparse" : "dense", t->features_at, t->sparse ? "sparse" : "dense");
    if (!t->sparse)
        return GM_OK;
    if (!model_takes_sparse((enum model_type)p->job->model.type))
        return error_set(err, GM_BAD_JOB, "model.type: this model does not take sparse rows (%s); linear and mlp do.",
                         t->features_at);
    if (p->job->optimizer.type == GM_OPTIMIZER_NEWTON)
        return error_set(err, GM_BAD_JOB, "optimizer.type: newton does not take sparse rows (%s); lbfgs does.",
                         t->features_at);
    return GM_OK;
}

static enum gm_code open_data(struct problem *p, struct gm_error *err)
{
    const struct gm_job *job = p->job;
    struct data_options options = {.need_target = p->loss_wants.target,
                                   .need_second = job->model.type == GM_MODEL_TWO_TOWER,
                                   .allow_external = job->data.allow_external,
                                   .missing = (enum data_missing)job->data.missing,
                                   .io = (enum data_io)job->data.io};
    struct data_source source = problem_source(&job->data.train);
    source.find_split = split_kind(job) == SPLIT_STORED;
    source.split = split_kind(job) == SPLIT_DATASET ? job->data.split : NULL;
    enum gm_code code = data_open(&p->train.set, &source, &options, err);
    if (code)
        return code;
    p->train.schema = data_schema(p->train.set);
    if (!job->data.validation.path && !job->data.validation.features)
        return check_sparse(p, err);
    source = problem_source(&job->data.validation);
    if ((code = data_open(&p->validation.set, &source, &options, err)))
        return code;
    p->validation.schema = data_schema(p->validation.set);
    const struct data_schema *t = p->train.schema, *v = p->validation.schema;
    if (v->features != t->features || v->targets != t->targets)
        return error_set(err, GM_BAD_DATA,
                         "%s has %zu features and %zu target columns, but the training data %s has %zu and %zu.",
                         v->features_at, v->features, v->targets, t->features_at, t->features, t->targets);
    if (v->first_features != t->first_features)
        return error_set(err, GM_BAD_DATA, "%s: the first input has %zu features, but that of the training data %zu.",
                         v->features_at, v->first_features, t->first_features);
    return check_sparse(p, err);
}

/* ---- reading ---- */

static size_t real_bytes(const struct problem *p)
{
    return p->job->run.precision == GM_FLOAT32 ? sizeof(float) : sizeof(double);
}

static void take_towers(struct model_spec *spec, const struct problem *p)
{
    const struct gm_job *job = p->job;
    const struct gm_wholes *second = job->model.hidden_second.count ? &job->model.hidden_second : &job->model.hidden;
    spec->first_features = p->train.schema->first_features;
    spec->fuse = (enum model_fuse)job->model.fuse;
    spec->embedding = job->model.embedding;
    spec->n_hidden_second = second->count;
    for (size_t l = 0; l < second->count; l++)
        spec->hidden_second[l] = second->values[l];
}

struct model_spec problem_spec(const struct problem *p)
{
    const struct gm_job *job = p->job;
    struct model_spec spec = {.type = (enum model_type)job->model.type,
                              .features = p->train.schema->features,
                              .outputs = p->loss.outputs,
                              .intercept = job->model.intercept,
                              .precision = job->run.precision == GM_FLOAT32 ? MODEL_F32 : MODEL_F64,
                              .n_hidden = job->model.hidden.count,
                              .activation = (enum activation)job->model.activation,
                              .dropout = job->model.dropout,
                              .start = (enum model_start)job->model.start,
                              .seed = job->run.seed,
                              .sparse = p->train.schema->sparse};
    for (size_t l = 0; l < spec.n_hidden; l++)
        spec.hidden[l] = job->model.hidden.values[l];
    if (spec.type == MODEL_TWO_TOWER)
        take_towers(&spec, p);
    return spec;
}

/* Of the model, which may not be there yet. */
size_t problem_parameter_count(const struct problem *p)
{
    struct model_spec spec = problem_spec(p);
    return p->model.ops ? p->model.n_params : model_ops_of(spec.type)->n_params(&spec);
}

struct lane_plan problem_batch_plan(const struct problem *p, size_t rows)
{
    const struct data_schema *s = p->train.schema;
    size_t row_bytes = s->features * real_bytes(p);
    if (s->sparse) /* of a mean row */
        row_bytes = (size_t)(s->entries / s->rows + 1) * (real_bytes(p) + sizeof(uint32_t));
    return lane_plan_make(rows, row_bytes, problem_parameter_count(p) * sizeof(double) + hessian_lane_bytes(p));
}

static void choose_resources(struct problem *p, const struct gm_watch *watch)
{
    const struct gm_job *job = p->job;
    int available = cpu_threads();
    p->threads = job->run.threads > 0 ? job->run.threads : available;
    if (p->threads > available)
        problem_note(watch, "%d threads on %d processors: slower than %d, same result.", p->threads, available,
                     available);
    const struct data_schema *s = p->train.schema;
    size_t units = job->model.type == GM_MODEL_MLP ? job->model.hidden.values[0] : p->loss.outputs; /* of a feature */
    double work = s->sparse ? (double)s->entries * (double)units : (double)s->rows * (double)problem_parameter_count(p);
    if (p->rated)
        work = 2 * (double)s->rows * (double)p->rated->rank;
    if (work < SMALL_WORK && job->run.threads <= 0)
        p->threads = 1;
    p->memory = job->run.memory ? job->run.memory : memory_limit() / 10 * 6;
}

void problem_note_data(const struct gm_watch *watch, const struct data_set *set)
{
    const struct data_schema *s = data_schema(set);
    const char *why;
    enum data_io io = data_io(set, &why);
    char entries[48] = "";
    if (s->sparse)
        snprintf(entries, sizeof entries, "%" PRIu64 " entries of ", s->entries);
    problem_note(watch, "%s: %zu rows x %zu features, %s%s%s%s, %s", s->features_at, s->rows, s->features, entries,
                 data_type_name(s->type), s->target_at ? "; target " : "", s->target_at ? s->target_at : "",
                 data_is_resident(set) ? "in memory" : "streaming");
    if (io == DATA_IO_BANDS)
        problem_note(watch, "%s: slow path, HDF5 itself reads the features, because %s.", s->features_at, why);
}

static enum gm_code load_data(struct problem *p, const struct gm_watch *watch, struct gm_error *err)
{
    struct problem_data *sets[] = {&p->train, &p->validation};
    struct budget budget;
    for (int i = 0; i < 2; i++)
        if (sets[i]->set)
            sets[i]->plan = problem_batch_plan(p, sets[i]->schema->rows);
    enum gm_code code = budget_make(&budget, p, err);
    if (code)
        return code;
    budget_note(&budget, p, watch);
    uint64_t memory[] = {budget.train_memory, budget.validation_memory};
    for (int i = 0; !code && i < 2; i++) {
        struct problem_data *d = sets[i];
        if (d->set && !(code = data_load(d->set, &d->plan, memory[i], p->threads, err)))
            problem_note_data(watch, d->set);
    }
    double share;
    bool minibatch = !optim_is_full_batch((enum optim_method)p->job->optimizer.type);
    if (!code && minibatch && data_is_sorted(p->train.set, &share))
        problem_note(
            watch,
            "%s: the rows look sorted: %.0f %% of the target's variance lies between parts of the file, and an "
            "epoch mixes rows of about 64 MiB at a time. Training will be slow to converge; shuffle the rows "
            "once, as `gradmill import --shuffle SEED` does.",
            p->train.schema->features_at, 100 * share);
    return code;
}

static enum gm_code split(struct problem *p, struct gm_error *err)
{
    const struct gm_job *job = p->job;
    const struct data_schema *s = p->train.schema;
    const uint8_t *marks = data_split_marks(p->train.set);
    if (marks)
        return split_from_marks(&p->split, s->rows, marks, s->features_at, err);
    bool whole = p->loss.spec.coupling == GM_ROWS_GROUPED; /* groups are never cut */
    const int64_t *group = whole || split_kind(job) == SPLIT_GROUP ? data_groups(p->train.set) : NULL;
    if (split_kind(job) == SPLIT_GROUP && !group)
        return error_set(err, GM_BAD_DATA,
                         "%s: data.split is group, but there are no groups: none of group, groups, qid beside the "
                         "features, and data.train.group names none.",
                         s->features_at);
    return split_init(&p->split, s->rows, job->data.validation_fraction, job->run.seed, group, err);
}

static enum gm_code scan(struct problem *p, struct gm_error *err)
{
    enum gm_code code = p->validation.set ? GM_OK : split(p, err);
    if (code || (code = scan_run(&p->stats, p->train.set, &p->train.plan, &p->split, p->threads, err)))
        return code;
    p->has_validation = p->validation.set || p->split.mask;
    p->fill = p->stats.fill;
    if (!p->validation.set)
        return GM_OK;
    struct data_stats stats = {0};
    code = scan_run(&stats, p->validation.set, &p->validation.plan, &(struct data_split){0}, p->threads, err);
    if (stats.fill) /* missing only there: the training mean takes its place too */
        p->fill = p->stats.mean;
    snprintf(p->validation_fingerprint, sizeof p->validation_fingerprint, "%s", stats.fingerprint);
    scan_release(&stats);
    return code;
}

static enum gm_code size_model(struct problem *p, struct gm_error *err)
{
    const struct gm_job *job = p->job;
    size_t features = p->train.schema->features;
    struct model_spec spec = problem_spec(p);
    if (!job->data.standardize)
        return model_init(&p->model, &spec, NULL, NULL, err);
    if (spec.sparse) { /* scaled to magnitudes up to 1 and not centred: what is not stored stays 0 */
        for (size_t j = 0; j < features; j++)
            if (!(p->stats.most[j] > 0))
                p->stats.most[j] = 1;
        return model_init(&p->model, &spec, NULL, p->stats.most, err);
    }
    for (size_t j = 0; j < features; j++) /* a constant column keeps its scale: its weight stays 0 */
        if (!(p->stats.deviation[j] > 0))
            p->stats.deviation[j] = 1;
    /* Without an intercept there is nothing a linear model could fold a center into. */
    bool center = job->model.intercept || spec.type != MODEL_LINEAR;
    return model_init(&p->model, &spec, center ? p->stats.mean : NULL, p->stats.deviation, err);
}

enum gm_code problem_cut(struct problem *p, struct gm_error *err)
{
    struct problem_data *sets[] = {&p->train, &p->validation};
    enum gm_code code = GM_OK;
    for (int i = 0; !code && i < 2 && p->loss.spec.coupling != GM_ROWS_INDEPENDENT; i++) {
        struct pieces_request request = {.set = sets[i]->set,
                                         .split = i ? NULL : &p->split,
                                         .loss = p->loss.plugin->vtable.id,
                                         .grouped = p->loss.spec.coupling == GM_ROWS_GROUPED,
                                         .batch_rows = p->job->optimizer.batch_size,
                                         .trains = i == 0 && !p->applied};
        if (sets[i]->set)
            code = pieces_init(&sets[i]->pieces, &request, err);
    }
    return code;
}

/* From here on the two kinds of problems part: rows of features, and ratings. */
static enum gm_code init_rated(struct problem *p, const struct gm_watch *watch, struct gm_error *err)
{
    enum gm_code code;
    p->memory = p->job->run.memory ? p->job->run.memory : memory_limit() / 10 * 6;
    if ((code = rated_open(p, watch, err)) || (code = problem_bind_loss(p, err)))
        return code;
    choose_resources(p, watch);
    return rated_load(p, watch, err);
}

enum gm_code problem_init(struct problem *p, const struct gm_job *job, const struct gm_watch *watch,
                          struct gm_error *err)
{
    *p = (struct problem){.job = job};
    enum gm_code code;
    if ((code = check_supported(job, err)) || (code = check_split(job, err)) || (code = outputs_take(p, err)) ||
        (code = problem_load_loss(p, err)))
        goto failed;
    if (job->model.type == GM_MODEL_FACTORIZATION) {
        if ((code = init_rated(p, watch, err)))
            goto failed;
        return GM_OK;
    }
    if ((code = open_data(p, err)) || (code = problem_make_classes(p, err)) || (code = problem_bind_loss(p, err)))
        goto failed;
    choose_resources(p, watch);
    if ((code = hessian_check(p, p->memory, watch, err)) || (code = load_data(p, watch, err)) ||
        (code = scan(p, err)) || (code = targets_check(p, err)) || (code = problem_cut(p, err)) ||
        (code = size_model(p, err)))
        goto failed;
    return GM_OK;
failed:
    problem_release(p);
    return code;
}

void problem_release(struct problem *p)
{
    model_release(&p->model);
    scan_release(&p->stats);
    split_release(&p->split);
    pieces_release(&p->train.pieces);
    pieces_release(&p->validation.pieces);
    rated_release(p->rated);
    data_close(p->train.set);
    data_close(p->validation.set);
    problem_release_loss(p);
    for (size_t i = 0; i < sizeof p->locks / sizeof *p->locks; i++)
        file_lock_release(&p->locks[i]);
    *p = (struct problem){0};
}
