/* Model files. */
#include "model/file.h"

#include <math.h>
#include <string.h>

#include "base/archive.h"
#include "base/error.h"
#include "base/memory.h"

/* ---- writing ---- */

static enum gm_code put_model(struct archive *a, const struct model_file *file, const struct model *m,
                              const double *params, struct gm_error *err)
{
    const struct archive_shape row = {1, {m->spec.features}}, learned = {1, {file->n_theta}};
    enum gm_code code = archive_put_text(a, "model_type", m->ops->name, err);
    if (!code)
        code = m->ops->save(m, params, a, err);
    if (!code && file->n_theta)
        code = archive_put(a, "/loss_theta", ARCHIVE_F64, &learned, file->theta, err);
    if (!code && file->fill)
        code = archive_put(a, "/missing_fill", ARCHIVE_F64, &row, file->fill, err);
    return code;
}

static enum gm_code put_texts(struct archive *a, const struct model_file *m, struct gm_error *err)
{
    const char *const texts[][2] = {{"format", MODEL_FORMAT},        {"gradmill_version", m->gradmill_version},
                                    {"loss_id", m->loss_id},         {"loss_version", m->loss_version},
                                    {"loss_params", m->loss_params}, {"loss_sha256", m->loss_sha256},
                                    {"stop_reason", m->stop_reason}, {"data_fingerprint", m->fingerprint}};
    enum gm_code code = GM_OK;
    for (size_t i = 0; !code && i < sizeof texts / sizeof *texts; i++)
        code = archive_put_text(a, texts[i][0], texts[i][1], err);
    if (!code && m->n_classes)
        code = archive_put_texts(a, "class_names", (const char *const *)m->class_names, m->n_classes, err);
    if (!code && m->n_feature_names)
        code = archive_put_texts(a, "feature_names", (const char *const *)m->feature_names, m->n_feature_names, err);
    return code;
}

static enum gm_code put_numbers(struct archive *a, const struct model_file *m, struct gm_error *err)
{
    const struct {
        const char *name;
        int64_t value;
    } integers[] = {{"format_version", MODEL_FORMAT_VERSION},
                    {"link", m->link},
                    {"targets", m->targets},
                    {"epochs", m->epochs},
                    {"best_epoch", m->best_epoch},
                    {"seed", m->seed},
                    {"batch_size", m->batch_size}};
    enum gm_code code = GM_OK;
    for (size_t i = 0; !code && i < sizeof integers / sizeof *integers; i++)
        code = archive_put_integer(a, integers[i].name, integers[i].value, err);
    if (!code)
        code = archive_put_real(a, "objective", m->objective, err);
    if (!code)
        code = archive_put_real(a, "train_loss", m->train_loss, err);
    if (!code && !isnan(m->validation_loss))
        code = archive_put_real(a, "validation_loss", m->validation_loss, err);
    return code;
}

enum gm_code model_file_write(const struct model_file *file, const struct model *m, const double *params,
                              const char *path, struct gm_error *err)
{
    struct archive *a = NULL;
    enum gm_code code;
    if (!(code = archive_create(&a, err)) && !(code = put_model(a, file, m, params, err)) &&
        !(code = put_texts(a, file, err)) && !(code = put_numbers(a, file, err)))
        code = archive_save(a, path, err);
    archive_close(a);
    return code;
}

/* ---- reading ---- */

static enum gm_code check_format(const struct archive *a, const char *path, struct gm_error *err)
{
    char *format = NULL;
    int64_t version = 0;
    struct gm_error unused;
    bool is_model = archive_has_attribute(a, "format") && !archive_get_text(a, "format", &format, &unused) &&
                    !strcmp(format, MODEL_FORMAT) && !archive_get_integer(a, "format_version", &version, &unused);
    memory_free(format);
    if (!is_model)
        return error_set(err, GM_BAD_DATA,
                         "%s: this is not a gradmill model. 'gradmill inspect %s' shows what it holds.", path, path);
    if (version < 1 || version > MODEL_FORMAT_VERSION)
        return error_set(err, GM_BAD_DATA, "%s: the model has format version %lld; this gradmill reads version %d.",
                         path, (long long)version, MODEL_FORMAT_VERSION);
    return GM_OK;
}

static enum gm_code get_model(const struct archive *a, struct model_file *m, const char *path, struct gm_error *err)
{
    char *type = NULL;
    struct archive_shape row = {.rank = 1};
    enum gm_code code = archive_get_text(a, "model_type", &type, err);
    if (code)
        return code;
    const struct model_ops *ops = model_ops_named(type, &m->spec.type);
    if (!ops)
        code = error_set(err, GM_BAD_DATA, "%s: the model is of type '%s', which this gradmill does not know.", path,
                         type);
    memory_free(type);
    m->spec.precision = MODEL_F64;
    if (code || (code = ops->open(a, path, &m->spec, err)) || !archive_has(a, "/missing_fill"))
        return code;
    if ((code = archive_get(a, "/missing_fill", ARCHIVE_F64, &row, (void **)&m->fill, err)))
        return code;
    if (row.dims[0] != m->spec.features)
        return error_set(err, GM_BAD_DATA, "%s: /missing_fill holds %zu values for %zu features.", path, row.dims[0],
                         m->spec.features);
    return GM_OK;
}

static enum gm_code get_theta(const struct archive *a, struct model_file *m, struct gm_error *err)
{
    struct archive_shape learned = {.rank = 1};
    if (!archive_has(a, "/loss_theta"))
        return GM_OK;
    enum gm_code code = archive_get(a, "/loss_theta", ARCHIVE_F64, &learned, (void **)&m->theta, err);
    m->n_theta = code ? 0 : learned.dims[0];
    return code;
}

static enum gm_code get_texts(const struct archive *a, struct model_file *m, struct gm_error *err)
{
    struct {
        const char *name;
        char **text;
    } texts[] = {{"loss_id", &m->loss_id},
                 {"loss_version", &m->loss_version},
                 {"loss_params", &m->loss_params},
                 {"loss_sha256", &m->loss_sha256},
                 {"stop_reason", &m->stop_reason},
                 {"data_fingerprint", &m->fingerprint},
                 {"gradmill_version", &m->gradmill_version}};
    enum gm_code code = GM_OK;
    for (size_t i = 0; !code && i < sizeof texts / sizeof *texts; i++)
        code = archive_get_text(a, texts[i].name, texts[i].text, err);
    if (!code && (archive_has_attribute(a, "class_names") || archive_has(a, "/class_names")))
        code = archive_get_texts(a, "class_names", &m->class_names, &m->n_classes, err);
    if (!code && (archive_has_attribute(a, "feature_names") || archive_has(a, "/feature_names")))
        code = archive_get_texts(a, "feature_names", &m->feature_names, &m->n_feature_names, err);
    return code;
}

static enum gm_code get_numbers(const struct archive *a, struct model_file *m, struct gm_error *err)
{
    struct {
        const char *name;
        int64_t *value;
    } integers[] = {{"link", &m->link},
                    {"targets", &m->targets},
                    {"epochs", &m->epochs},
                    {"best_epoch", &m->best_epoch},
                    {"seed", &m->seed}};
    enum gm_code code = GM_OK;
    for (size_t i = 0; !code && i < sizeof integers / sizeof *integers; i++)
        code = archive_get_integer(a, integers[i].name, integers[i].value, err);
    if (!code && archive_has_attribute(a, "batch_size"))
        code = archive_get_integer(a, "batch_size", &m->batch_size, err);
    m->batch_size = m->batch_size > 0 ? m->batch_size : 0;
    m->validation_loss = NAN;
    if (!code)
        code = archive_get_real(a, "objective", &m->objective, err);
    if (!code)
        code = archive_get_real(a, "train_loss", &m->train_loss, err);
    if (!code && archive_has_attribute(a, "validation_loss"))
        code = archive_get_real(a, "validation_loss", &m->validation_loss, err);
    return code;
}

enum gm_code model_file_read(struct model_file *m, const char *path, struct gm_error *err)
{
    *m = (struct model_file){0};
    enum gm_code code = archive_open(&m->archive, path, err);
    if (code || (code = check_format(m->archive, path, err)) || (code = get_model(m->archive, m, path, err)) ||
        (code = get_theta(m->archive, m, err)) || (code = get_texts(m->archive, m, err)) ||
        (code = get_numbers(m->archive, m, err)))
        model_file_release(m);
    return code;
}

enum gm_code model_file_load(const struct model_file *file, struct model *m, double **params, struct gm_error *err)
{
    *params = NULL;
    enum gm_code code = model_init(m, &file->spec, NULL, NULL, err);
    if (code)
        return code;
    if ((code = memory_alloc((void **)params, m->n_params, sizeof **params, "the model", err)) ||
        (code = m->ops->load(m, file->archive, *params, err))) {
        memory_free(*params);
        *params = NULL;
        model_release(m);
    }
    return code;
}

static void free_texts(char **texts, size_t count)
{
    for (size_t i = 0; texts && i < count; i++)
        memory_free(texts[i]);
    memory_free(texts);
}

void model_file_release(struct model_file *m)
{
    char *const texts[] = {m->loss_id,     m->loss_version, m->loss_params,     m->loss_sha256,
                           m->fingerprint, m->stop_reason,  m->gradmill_version};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        memory_free(texts[i]);
    free_texts(m->class_names, m->n_classes);
    free_texts(m->feature_names, m->n_feature_names);
    memory_free(m->fill);
    memory_free(m->theta);
    archive_close(m->archive);
    *m = (struct model_file){0};
}
