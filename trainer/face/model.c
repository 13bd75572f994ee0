/* gm_model: a model file opened with its loss; predict and evaluate. */
#include <gradmill/gradmill.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/memory.h"
#include "loss/plugin.h"
#include "loss/sum.h"
#include "model/file.h"
#include "train/apply.h"
#include "train/metrics.h"
#include "train/rated_apply.h"

#define PARAMS_MOST 64
#define TERMS_MOST  64

struct gm_model {
    char *path;
    struct model_file file;
    struct loss_plugin plugin;
    struct loss_sum sum; /* count 0: the loss is the plugin's */
    struct loss loss;
    struct gm_job job;       /* defaults, in float64 */
    const char *search_path; /* while it is opened */
};

/* A parameter of the model file as the loss room wants it typed. */
static char *setting_text(const json_t *value)
{
    if (json_is_string(value))
        return strdup(json_string_value(value));
    if (!json_is_array(value))
        return json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
    char *text = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(17)); /* [1,2] -> 1,2 */
    size_t length = text ? strlen(text) : 0;
    if (length >= 2) {
        memmove(text, text + 1, length - 2);
        text[length - 2] = 0;
    }
    return text;
}

/* The members of a JSON object as settings: *settings has room for PARAMS_MOST. */
static size_t take_settings(const json_t *params, struct loss_setting *settings)
{
    size_t count = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)params, key, value)
    {
        if (count < PARAMS_MOST)
            settings[count++] = (struct loss_setting){key, setting_text(value)};
    }
    return count;
}

static void free_settings(struct loss_setting *settings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free((char *)(uintptr_t)settings[i].value);
}

static enum gm_code bind_plugin(struct gm_model *m, const json_t *params, struct gm_error *err)
{
    struct loss_setting settings[PARAMS_MOST];
    enum gm_code code = loss_load(&m->plugin, m->file.loss_id, m->search_path, NULL, err);
    if (code)
        return code;
    size_t count = take_settings(params, settings);
    bool class_loss = m->plugin.spec.target_kind == GM_TARGET_CLASS;
    code = loss_bind(&m->loss, &m->plugin, settings, count, (size_t)m->file.targets, class_loss ? m->file.n_classes : 0,
                     err);
    free_settings(settings, count);
    return code;
}

/* A number of a term, or number `index` of one of its lists; 0 when it is not there. */
static size_t number_of(const json_t *term, const char *name, size_t index)
{
    const json_t *value = json_object_get(term, name);
    json_int_t number = json_integer_value(json_is_array(value) ? json_array_get(value, index) : value);
    return number > 0 ? (size_t)number : 0;
}

static struct sum_request request_of(const json_t *term, struct loss_setting *settings)
{
    const json_t *weight = json_object_get(term, "weight");
    const char *id = json_string_value(json_object_get(term, "loss"));
    return (struct sum_request){.name = id ? id : "",
                                .weight = json_is_string(weight) ? NAN : json_number_value(weight),
                                .first = number_of(term, "columns", 0),
                                .end = number_of(term, "columns", 1),
                                .target_first = number_of(term, "target", 0),
                                .target_end = number_of(term, "target", 1),
                                .classes = number_of(term, "classes", 0),
                                .settings = settings,
                                .n_settings = take_settings(json_object_get(term, "params"), settings)};
}

static enum gm_code bind_sum(struct gm_model *m, const json_t *terms, struct gm_error *err)
{
    struct sum_request requests[TERMS_MOST] = {0};
    struct loss_setting(*settings)[PARAMS_MOST];
    size_t count = json_array_size(terms);
    if (count > TERMS_MOST)
        return error_set(err, GM_BAD_DATA, "%s: the attribute loss_params names %zu losses.", m->path, count);
    enum gm_code code = memory_alloc((void **)&settings, count, sizeof *settings, "the losses' parameters", err);
    if (code)
        return code;
    for (size_t i = 0; i < count; i++)
        requests[i] = request_of(json_array_get(terms, i), settings[i]);
    struct sum_data data = {
        .search_path = m->search_path, .targets = (size_t)m->file.targets, .outputs = m->file.spec.outputs};
    code = sum_bind(&m->loss, &m->sum, requests, count, &data, err);
    for (size_t i = 0; i < count; i++)
        free_settings(settings[i], requests[i].n_settings);
    memory_free(settings);
    return code;
}

static enum gm_code bind_loss(struct gm_model *m, struct gm_error *err)
{
    json_t *params = json_loads(m->file.loss_params, 0, NULL);
    enum gm_code code;
    if (json_is_array(params))
        code = bind_sum(m, params, err);
    else if (json_is_object(params))
        code = bind_plugin(m, params, err);
    else
        code = error_set(err, GM_BAD_DATA, "%s: the attribute loss_params is not JSON.", m->path);
    json_decref(params);
    if (!code && !m->loss.outputs)
        m->loss.outputs = m->file.spec.outputs;
    if (!code && m->loss.outputs != m->file.spec.outputs)
        code = error_set(err, GM_BAD_DATA, "%s: the model has %zu outputs, but its loss '%s' gives %zu.", m->path,
                         m->file.spec.outputs, m->file.loss_id, m->loss.outputs);
    if (!code && m->loss.spec.coupling == GM_ROWS_BATCH) /* what it is compared with is part of its value */
        m->job.optimizer.batch_size = (size_t)m->file.batch_size;
    if (!code && m->loss.spec.n_theta != m->file.n_theta)
        code = error_set(err, GM_BAD_DATA,
                         "%s: /loss_theta holds %zu values, but the loss '%s' learns %zu. Is it another version?",
                         m->path, m->file.n_theta, m->file.loss_id, (size_t)m->loss.spec.n_theta);
    return code;
}

enum gm_code gm_model_open(struct gm_model **out, const char *path, const char *loss_search_path, struct gm_error *err)
{
    struct gm_model *m;
    enum gm_code code = memory_alloc((void **)&m, 1, sizeof *m, "a model", err);
    if (code)
        return code;
    gm_job_init(&m->job);
    m->job.run.precision = GM_FLOAT64;
    m->search_path = loss_search_path ? loss_search_path : getenv("GRADMILL_LOSS_PATH");
    if ((code = memory_string(&m->path, path, err)) || (code = model_file_read(&m->file, path, err)) ||
        (code = bind_loss(m, err))) {
        gm_model_close(m);
        return code;
    }
    *out = m;
    return GM_OK;
}

void gm_model_close(struct gm_model *m)
{
    if (!m)
        return;
    if (m->sum.count)
        sum_release(&m->loss, &m->sum);
    else
        loss_release(&m->loss);
    loss_plugin_release(&m->plugin);
    model_file_release(&m->file);
    memory_free(m->path);
    memory_free(m);
}

size_t gm_model_outputs(const struct gm_model *m)
{
    return m->file.spec.outputs;
}

size_t gm_model_features(const struct gm_model *m)
{
    return m->file.spec.features;
}

size_t gm_model_classes(const struct gm_model *m)
{
    return m->sum.count ? 0 : m->file.n_classes; /* the outputs of several losses are not one class */
}

const char *gm_model_class_name(const struct gm_model *m, size_t index)
{
    return index < m->file.n_classes ? m->file.class_names[index] : NULL;
}

bool gm_model_gives_class(const struct gm_model *m)
{
    return loss_is_ordinal(&m->loss);
}

const char *gm_model_loss_id(const struct gm_model *m)
{
    return m->file.loss_id;
}

static struct apply_setup setup_of(const struct gm_model *m, const struct gm_data *data, const struct gm_use *use)
{
    return (struct apply_setup){
        .job = &m->job, .file = &m->file, .path = m->path, .loss = &m->loss, .data = data, .use = use};
}

static bool is_factorization(const struct gm_model *m)
{
    return m->file.spec.type == MODEL_FACTORIZATION;
}

enum gm_code gm_model_rows(const struct gm_model *model, const struct gm_data *data, bool allow_external, size_t *rows,
                           struct gm_error *err)
{
    size_t features;
    return is_factorization(model) && data->path ? ratings_count(data->path, allow_external, rows, err)
                                                 : gm_data_shape(data, allow_external, rows, &features, err);
}

enum gm_code gm_predict(const struct gm_model *model, const struct gm_data *data, const struct gm_use *use,
                        gm_predictions_fn *predictions, void *context, struct gm_error *err)
{
    struct problem p;
    double *params;
    struct apply_setup setup = setup_of(model, data, use);
    if (is_factorization(model))
        return rated_predict(&setup, predictions, context, err);
    enum gm_code code = apply_init(&p, &params, &setup, err);
    if (code)
        return code;
    code = apply_predict(&p, params, use && use->raw, predictions, context, err);
    memory_free(params);
    apply_release(&p);
    return code;
}

enum gm_code gm_evaluate(const struct gm_model *model, const struct gm_data *data, const struct gm_use *use,
                         struct gm_metrics *metrics, struct gm_error *err)
{
    struct problem p;
    struct engine engine = {0};
    struct gm_metrics sides[2];
    double *params;
    struct apply_setup setup = setup_of(model, data, use);
    setup.evaluates = true;
    if (is_factorization(model))
        return rated_evaluate(&setup, metrics, err);
    enum gm_code code = apply_init(&p, &params, &setup, err);
    if (code)
        return code;
    if (!(code = engine_init(&engine, &p, err))) {
        engine_prepare(&engine, params);
        code = metrics_run(&engine, &(struct metrics_request){&p.train, NULL}, sides, err);
        *metrics = sides[0];
    }
    engine_release(&engine);
    memory_free(params);
    apply_release(&p);
    return code;
}
