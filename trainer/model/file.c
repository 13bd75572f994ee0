/* Model files. */
#include "model/file.h"

#include <math.h>
#include <string.h>

#include "base/archive.h"
#include "base/error.h"
#include "base/memory.h"

/* ---- writing ---- */

static enum gm_code put_arrays(struct archive *a, const struct model_file *m, struct gm_error *err)
{
    struct archive_shape matrix = {2, {m->outputs, m->features}}, column = {1, {m->outputs}}, row = {1, {m->features}};
    enum gm_code code;
    if ((code = archive_put(a, "/coefficients", ARCHIVE_F64, &matrix, m->coefficients, err)) ||
        (code = archive_put(a, "/intercept", ARCHIVE_F64, &column, m->intercept, err)))
        return code;
    return m->fill ? archive_put(a, "/missing_fill", ARCHIVE_F64, &row, m->fill, err) : GM_OK;
}

static enum gm_code put_texts(struct archive *a, const struct model_file *m, struct gm_error *err)
{
    const char *const texts[][2] = {{"format", MODEL_FORMAT},
                                    {"gradmill_version", m->gradmill_version},
                                    {"model_type", "linear"},
                                    {"loss_id", m->loss_id},
                                    {"loss_version", m->loss_version},
                                    {"loss_params", m->loss_params},
                                    {"loss_sha256", m->loss_sha256},
                                    {"stop_reason", m->stop_reason},
                                    {"data_fingerprint", m->fingerprint}};
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
                    {"has_intercept", m->has_intercept},
                    {"link", m->link},
                    {"targets", m->targets},
                    {"epochs", m->epochs},
                    {"best_epoch", m->best_epoch},
                    {"seed", m->seed}};
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

enum gm_code model_file_write(const struct model_file *m, const char *path, struct gm_error *err)
{
    struct archive *a = NULL;
    enum gm_code code;
    if (!(code = archive_create(&a, err)) && !(code = put_arrays(a, m, err)) && !(code = put_texts(a, m, err)) &&
        !(code = put_numbers(a, m, err)))
        code = archive_save(a, path, err);
    archive_close(a);
    return code;
}

/* ---- reading ---- */

static enum gm_code check_format(const struct archive *a, const char *path, struct gm_error *err)
{
    char *format = NULL, *type = NULL;
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
    enum gm_code code = archive_get_text(a, "model_type", &type, err);
    if (!code && strcmp(type, "linear") != 0)
        code =
            error_set(err, GM_BAD_DATA, "%s: the model is of type '%s'; this gradmill uses linear models.", path, type);
    memory_free(type);
    return code;
}

static enum gm_code get_arrays(const struct archive *a, struct model_file *m, const char *path, struct gm_error *err)
{
    struct archive_shape matrix = {.rank = 2}, column = {.rank = 1}, row = {.rank = 1};
    enum gm_code code;
    if ((code = archive_get(a, "/coefficients", ARCHIVE_F64, &matrix, (void **)&m->coefficients, err)) ||
        (code = archive_get(a, "/intercept", ARCHIVE_F64, &column, (void **)&m->intercept, err)))
        return code;
    m->outputs = matrix.dims[0];
    m->features = matrix.dims[1];
    if (archive_has(a, "/missing_fill") &&
        (code = archive_get(a, "/missing_fill", ARCHIVE_F64, &row, (void **)&m->fill, err)))
        return code;
    if (column.dims[0] != m->outputs || !m->outputs || !m->features || (m->fill && row.dims[0] != m->features))
        return error_set(err, GM_BAD_DATA, "%s: /coefficients is %zu x %zu, but /intercept holds %zu values.", path,
                         m->outputs, m->features, column.dims[0]);
    return GM_OK;
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
    int64_t has_intercept = 0;
    struct {
        const char *name;
        int64_t *value;
    } integers[] = {{"has_intercept", &has_intercept}, {"link", &m->link},
                    {"targets", &m->targets},          {"epochs", &m->epochs},
                    {"best_epoch", &m->best_epoch},    {"seed", &m->seed}};
    enum gm_code code = GM_OK;
    for (size_t i = 0; !code && i < sizeof integers / sizeof *integers; i++)
        code = archive_get_integer(a, integers[i].name, integers[i].value, err);
    m->has_intercept = has_intercept != 0;
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
    struct archive *a = NULL;
    enum gm_code code = archive_open(&a, path, err);
    if (code || (code = check_format(a, path, err)) || (code = get_arrays(a, m, path, err)) ||
        (code = get_texts(a, m, err)) || (code = get_numbers(a, m, err)))
        model_file_release(m);
    archive_close(a);
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
    memory_free(m->coefficients);
    memory_free(m->intercept);
    memory_free(m->fill);
    *m = (struct model_file){0};
}
