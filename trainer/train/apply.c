/* A trained model put to use. */
#include "train/apply.h"

#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/memory.h"
#include "train/engine.h"
#include "train/targets.h"

static bool wants_target(const struct apply_setup *s)
{
    return s->evaluates && s->loss->spec.target_kind != GM_TARGET_NONE;
}

static enum gm_code open_data(struct problem *p, const struct apply_setup *s, struct gm_error *err)
{
    bool need_target = wants_target(s);
    struct data_options options = {.need_target = need_target,
                                   .need_second = s->file->spec.type == MODEL_TWO_TOWER,
                                   .allow_external = s->use && s->use->allow_external,
                                   .missing = s->file->fill ? DATA_MISSING_MEAN : DATA_MISSING_ERROR,
                                   .io = s->use ? (enum data_io)s->use->io : DATA_IO_AUTO};
    struct data_source source = problem_source(s->data);
    enum gm_code code = data_open(&p->train.set, &source, &options, err);
    if (code)
        return code;
    const struct data_schema *schema = p->train.schema = data_schema(p->train.set);
    if (s->data->second && !options.need_second)
        return error_set(err, GM_BAD_DATA, "%s: the model %s has one input, not two.", s->data->second, s->path);
    if (schema->first_features != s->file->spec.first_features)
        return error_set(err, GM_BAD_DATA,
                         "%s: the first input has %zu features, but that of the model %s was trained on %zu.",
                         schema->features_at, schema->first_features, s->path, s->file->spec.first_features);
    if (schema->features != s->file->spec.features)
        return error_set(err, GM_BAD_DATA, "%s has %zu features, but the model %s was trained on %zu.",
                         schema->features_at, schema->features, s->path, s->file->spec.features);
    if (need_target && s->loss->targets && schema->targets != s->loss->targets)
        return error_set(err, GM_BAD_DATA, "%s has %zu columns, but the model %s was trained on targets of %zu.",
                         schema->target_at, schema->targets, s->path, s->loss->targets);
    if (need_target && s->file->n_classes)
        return data_make_classes(p->train.set, (const char *const *)s->file->class_names, s->file->n_classes, err);
    return schema->target_is_text ? data_make_classes(p->train.set, NULL, 0, err) : GM_OK;
}

static enum gm_code load(struct problem *p, const struct apply_setup *s, struct gm_error *err)
{
    p->threads = s->use && s->use->threads > 0 ? s->use->threads : cpu_threads();
    p->memory = s->use && s->use->memory ? s->use->memory : memory_limit() / 10 * 6;
    p->train.plan = problem_batch_plan(p, p->train.schema->rows);
    enum gm_code code = data_load(p->train.set, &p->train.plan, p->memory, p->threads, err);
    if (code)
        return code;
    if (data_io(p->train.set, NULL) == DATA_IO_BANDS)
        problem_note_data(s->use ? s->use->watch : NULL, p->train.set);
    if (!s->evaluates)
        return GM_OK;
    if ((code = problem_cut(p, err)) || !wants_target(s))
        return code;
    if ((code = scan_run(&p->stats, p->train.set, &p->train.plan, &p->split, p->threads, err)))
        return code;
    return targets_check(p, err);
}

/* What the loss learned goes behind the model's parameters. */
static enum gm_code append_theta(const struct problem *p, double **params, const struct model_file *file,
                                 struct gm_error *err)
{
    double *all;
    enum gm_code code = memory_alloc((void **)&all, engine_params(p), sizeof *all, "the model", err);
    if (code)
        return code;
    memcpy(all, *params, p->model.n_params * sizeof *all);
    for (size_t i = 0; i < file->n_theta; i++)
        all[p->model.n_params + i] = file->theta[i];
    memory_free(*params);
    *params = all;
    return GM_OK;
}

static enum gm_code check_sparse(const struct problem *p, const struct apply_setup *s, struct gm_error *err)
{
    if (!p->train.schema->sparse || model_takes_sparse(s->file->spec.type))
        return GM_OK;
    return error_set(err, GM_BAD_DATA, "%s has sparse rows, which the model %s does not take.",
                     p->train.schema->features_at, s->path);
}

enum gm_code apply_init(struct problem *p, double **params, const struct apply_setup *s, struct gm_error *err)
{
    *p = (struct problem){.applied = true, .job = s->job, .loss = *s->loss, .fill = s->file->fill};
    *params = NULL;
    enum gm_code code;
    struct model_file file = *s->file;
    if (!(code = open_data(p, s, err)) && !(code = check_sparse(p, s, err)) && !(code = load(p, s, err))) {
        file.spec.sparse = p->train.schema->sparse;
        if (!(code = model_file_load(&file, &p->model, params, err)))
            code = append_theta(p, params, s->file, err);
    }
    if (code) {
        memory_free(*params);
        *params = NULL;
        apply_release(p);
    }
    return code;
}

void apply_release(struct problem *p)
{
    p->loss = (struct loss){0}; /* the caller's */
    problem_release(p);
}

/* ---- predict ---- */

struct prediction {
    const struct problem *problem;
    struct worker *workers;
    void *weights;
    double *pred; /* [slab_rows x outputs] */
    bool raw;
    gm_predictions_fn *give;
    void *context;
};

static void predict_block(void *context, int thread, size_t lane, const struct walk_block *block)
{
    struct prediction *p = context;
    struct worker *w = &p->workers[thread];
    size_t outputs = p->problem->loss.outputs, at = block->row % p->problem->train.plan.slab_rows;
    (void)lane;
    worker_fill(w, p->problem->train.schema, block);
    worker_forward(w, p->weights);
    if (!p->raw)
        loss_inverse_link(w->setup.loss, w->all.pred, block->rows, NULL);
    memcpy(p->pred + at * outputs, w->all.pred, block->rows * outputs * sizeof(double));
}

static bool predict_slab(void *context, size_t first, size_t end)
{
    struct prediction *p = context;
    return p->give(p->context, first, end - first, p->pred);
}

enum gm_code apply_predict(const struct problem *p, const double *params, bool raw, gm_predictions_fn *predictions,
                           void *context, struct gm_error *err)
{
    struct engine engine = {0};
    struct prediction job = {.problem = p, .raw = raw, .give = predictions, .context = context};
    enum gm_code code = engine_init(&engine, p, err);
    if (!code)
        code = memory_alloc((void **)&job.pred, p->train.plan.slab_rows, p->loss.outputs * sizeof(double),
                            "predictions", err);
    if (!code) {
        engine_prepare(&engine, params);
        job.workers = engine.workers;
        job.weights = engine.weights;
        struct walk walk = {.set = p->train.set,
                            .plan = &p->train.plan,
                            .threads = p->threads,
                            .visit = predict_block,
                            .context = &job,
                            .visited = predict_slab};
        code = walk_rows(&walk, err);
    }
    memory_free(job.pred);
    engine_release(&engine);
    return code;
}
