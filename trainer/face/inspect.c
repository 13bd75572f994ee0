/* gm_inspect: what a model or data file holds. */
#include <gradmill/gradmill.h>

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/archive.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/data.h"
#include "data/ratings.h"
#include "model/file.h"

#define NAMES_SHOWN 12

struct facts {
    gm_fact_fn *tell;
    void *context;
};

static void fact(const struct facts *f, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void fact(const struct facts *f, const char *name, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    f->tell(f->context, name, text);
}

static void number(const struct facts *f, const char *name, double value)
{
    char text[32];
    if (!isnan(value))
        fact(f, name, "%s", text_from_real(value, text));
}

/* The first names, and how many there are. */
static void names(const struct facts *f, const char *name, const char *const *list, size_t count)
{
    char text[512];
    size_t used = 0;
    for (size_t i = 0; i < count && i < NAMES_SHOWN && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? ", " : "", list[i]);
    if (count > NAMES_SHOWN)
        fact(f, name, "%s ... (%zu)", text, count);
    else if (count)
        fact(f, name, "%s", text);
}

/* The first values, and how many there are. */
static void reals(const struct facts *f, const char *name, const double *list, size_t count)
{
    char text[512], value[32];
    size_t used = 0;
    for (size_t i = 0; i < count && i < NAMES_SHOWN && used < sizeof text; i++)
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? ", " : "", text_from_real(list[i], value));
    if (count > NAMES_SHOWN)
        fact(f, name, "%s ... (%zu)", text, count);
    else if (count)
        fact(f, name, "%s", text);
}

/* ---- models ---- */

static const char *range(const json_t *term, const char *name, char buffer[48])
{
    const json_t *list = json_object_get(term, name);
    snprintf(buffer, 48, "%lld:%lld", (long long)json_integer_value(json_array_get(list, 0)),
             (long long)json_integer_value(json_array_get(list, 1)));
    return buffer;
}

/* The parameters of a loss; of a list of losses, each. */
static void tell_terms(const struct facts *f, const char *params)
{
    char columns[48], target[48];
    json_t *terms = json_loads(params, 0, NULL), *term;
    size_t i;
    if (!json_is_array(terms))
        fact(f, "parameters", "%s", params);
    json_array_foreach(terms, i, term)
    {
        const char *id = json_string_value(json_object_get(term, "loss"));
        char *own = json_dumps(json_object_get(term, "params"), JSON_COMPACT | JSON_REAL_PRECISION(15));
        char *weight = json_dumps(json_object_get(term, "weight"), JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        fact(f, id ? id : "?", "columns %s, target %s, weight %s, %s", range(term, "columns", columns),
             range(term, "target", target), json_is_string(json_object_get(term, "weight")) ? "learned" : weight,
             own ? own : "");
        free(weight);
        free(own);
    }
    json_decref(terms);
}

static void tell_model(const struct facts *f, const struct model_file *m)
{
    f->tell(f->context, "model", NULL);
    const struct model_ops *ops = model_ops_of(m->spec.type);
    char inside[256];
    ops->describe(&m->spec, inside, sizeof inside);
    fact(f, "type", "%s, %s", ops->name, inside);
    fact(f, "features", "%zu", m->spec.features);
    if (m->spec.first_features)
        fact(f, "first input", "%zu of them", m->spec.first_features);
    fact(f, "outputs", "%zu", m->spec.outputs);
    names(f, "classes", (const char *const *)m->class_names, m->n_classes);
    names(f, "feature names", (const char *const *)m->feature_names, m->n_feature_names);
    fact(f, "missing features", "%s", m->fill ? "become the training mean" : "are errors");
    f->tell(f->context, "loss", NULL);
    fact(f, "id", "%s", m->loss_id);
    fact(f, "version", "%s", m->loss_version);
    tell_terms(f, m->loss_params);
    reals(f, "learned", m->theta, m->n_theta);
    fact(f, "sha256", "%s", m->loss_sha256);
    f->tell(f->context, "training", NULL);
    fact(f, "stop reason", "%s", m->stop_reason);
    fact(f, "epochs", "%" PRId64, m->epochs);
    fact(f, "best epoch", "%" PRId64, m->best_epoch);
    number(f, "objective", m->objective);
    number(f, "train loss", m->train_loss);
    number(f, "validation loss", m->validation_loss);
    fact(f, "seed", "%" PRId64, m->seed);
    fact(f, "data fingerprint", "%s", m->fingerprint);
    fact(f, "gradmill", "%s", m->gradmill_version);
}

static bool is_model(const char *path)
{
    struct archive *a = NULL;
    struct gm_error unused;
    bool model = archive_open(&a, path, &unused) == GM_OK && archive_has_attribute(a, "model_type") &&
                 archive_has_attribute(a, "loss_id");
    archive_close(a);
    return model;
}

static enum gm_code inspect_model(const char *path, const struct facts *f, struct gm_error *err)
{
    struct model_file m;
    enum gm_code code = model_file_read(&m, path, err);
    if (code)
        return code;
    tell_model(f, &m);
    model_file_release(&m);
    return GM_OK;
}

/* ---- data ---- */

static void tell_target(const struct facts *f, const struct data_schema *s)
{
    if (!s->target_at) {
        fact(f, "target", "none");
        return;
    }
    const char *kind = s->target_is_text ? "words" : data_type_name(s->target_type);
    fact(f, "target", "%s, %zu column%s, %s", s->target_at, s->targets, s->targets == 1 ? "" : "s", kind);
    if (s->classes)
        names(f, "classes", s->class_names, s->classes);
}

static enum gm_code inspect_ratings(const char *name, const struct facts *f, struct gm_error *err)
{
    struct ratings r;
    const struct ratings_request request = {.path = name, .memory = UINT64_MAX};
    enum gm_code code = ratings_read(&r, &request, err);
    if (code)
        return code;
    f->tell(f->context, "ratings", NULL);
    fact(f, "users", "%s, %zu", r.user_at, r.users.count);
    fact(f, "items", "%s, %zu", r.item_at, r.items.count);
    fact(f, "ratings", "%s, %zu", r.rating_at ? r.rating_at : "none: events", r.rows);
    ratings_release(&r);
    return GM_OK;
}

static enum gm_code inspect_data(const char *name, const struct facts *f, struct gm_error *err)
{
    struct data_set *set = NULL;
    struct gm_error no_ratings;
    size_t rows;
    enum gm_code code = data_open(&set, &(struct data_source){.path = name}, &(struct data_options){0}, err);
    if (code)
        return ratings_count(name, false, &rows, &no_ratings) ? code : inspect_ratings(name, f, err);
    if (data_schema(set)->target_is_text)
        code = data_make_classes(set, NULL, 0, err);
    const struct data_schema *s = data_schema(set);
    char bytes[32];
    f->tell(f->context, "data", NULL);
    if (s->sparse)
        fact(f, "features", "%s, %zu rows x %zu, sparse: %" PRIu64 " entries of %s (%s)", s->features_at, s->rows,
             s->features, s->entries, data_type_name(s->type),
             text_from_bytes(s->entries * (data_type_size(s->type) + sizeof(uint32_t)), bytes));
    else
        fact(f, "features", "%s, %zu rows x %zu, %s (%s)", s->features_at, s->rows, s->features,
             data_type_name(s->type),
             text_from_bytes((uint64_t)s->rows * s->features * data_type_size(s->type), bytes));
    tell_target(f, s);
    names(f, "feature names", s->feature_names, s->feature_names ? s->features : 0);
    fact(f, "weights", "%s", s->has_weight ? "yes" : "no");
    fact(f, "groups", "%s", s->has_group ? "yes" : "no");
    data_close(set);
    return code;
}

enum gm_code gm_inspect(const char *path, gm_fact_fn *tell, void *context, struct gm_error *err)
{
    struct facts f = {tell, context};
    return is_model(path) ? inspect_model(path, &f, err) : inspect_data(path, &f, err);
}
