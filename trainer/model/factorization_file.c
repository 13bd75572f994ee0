/* Factorizations in model files: /users/{factors,bias}, /items/{factors,bias}, /mean, and ids where they are not 0, 1,
 * 2 ...: /users/ids or /users/names. */
#include "model/factorization.h"

#include <stdio.h>
#include <string.h>

#include "base/archive.h"
#include "base/error.h"
#include "base/memory.h"
#include "model/model.h"

static const char *const names[2] = {"users", "items"};

static const char *path_of(char buffer[32], int side, const char *what)
{
    snprintf(buffer, 32, "/%s/%s", names[side], what);
    return buffer;
}

/* ---- writing ---- */

static enum gm_code save_vocabulary(const struct factor_side *s, int side, struct archive *a, struct gm_error *err)
{
    char name[32];
    const struct archive_shape shape = {1, {s->count}};
    if (s->words)
        return archive_put(a, path_of(name, side, "names"), ARCHIVE_TEXT, &shape, s->words, err);
    return s->ids ? archive_put(a, path_of(name, side, "ids"), ARCHIVE_U64, &shape, s->ids, err) : GM_OK;
}

static enum gm_code save_side(const struct factorization *f, int side, struct archive *a, struct gm_error *err)
{
    const struct factor_side *s = &f->side[side];
    const struct archive_shape matrix = {2, {s->count, f->rank}}, column = {1, {s->count}};
    double *factors = NULL, *bias = NULL;
    char name[32];
    enum gm_code code = memory_alloc((void **)&factors, s->count, f->rank * sizeof *factors, "the model", err);
    if (!code)
        code = memory_alloc((void **)&bias, s->count, sizeof *bias, "the model", err);
    for (size_t i = 0; !code && i < s->count; i++) {
        size_t row = s->row_of ? s->row_of[i] : i;
        bias[i] = factorization_bias(f, side, row);
        for (size_t k = 0; k < f->rank; k++)
            factors[i * f->rank + k] = factorization_factor(f, side, row, k);
    }
    if (!code)
        code = archive_put(a, path_of(name, side, "factors"), ARCHIVE_F64, &matrix, factors, err);
    if (!code)
        code = archive_put(a, path_of(name, side, "bias"), ARCHIVE_F64, &column, bias, err);
    if (!code)
        code = save_vocabulary(s, side, a, err);
    memory_free(factors);
    memory_free(bias);
    return code;
}

static enum gm_code save(const struct model *m, const double *params, struct archive *a, struct gm_error *err)
{
    (void)params;
    const struct archive_shape scalar = {.rank = 0};
    enum gm_code code = save_side(m->factors, FACTOR_USERS, a, err);
    if (!code)
        code = save_side(m->factors, FACTOR_ITEMS, a, err);
    if (!code)
        code = archive_put(a, "/mean", ARCHIVE_F64, &scalar, &m->factors->mean, err);
    return code ? code : archive_put_integer(a, "negatives", (int64_t)m->factors->negatives, err);
}

/* ---- reading ---- */

static enum gm_code read_vocabulary(struct factor_side *s, int side, const struct archive *a, const char *path,
                                    struct gm_error *err)
{
    char name[32];
    struct archive_shape shape = {.rank = 1};
    uint64_t *ids = NULL;
    char **words = NULL;
    size_t count = s->count;
    enum gm_code code = GM_OK;
    if (archive_has(a, path_of(name, side, "names"))) {
        code = archive_get_texts(a, name, &words, &count, err);
        s->words = words;
    } else if (archive_has(a, path_of(name, side, "ids"))) {
        code = archive_get(a, name, ARCHIVE_U64, &shape, (void **)&ids, err);
        s->ids = ids;
        count = code ? 0 : shape.dims[0];
    }
    if (code || count == s->count)
        return code;
    for (size_t i = s->count; words && i < count; i++) /* what the release would not reach */
        memory_free(words[i]);
    s->count = count < s->count ? count : s->count;
    return error_set(err, GM_BAD_DATA, "%s: /%s/factors and the ids of its rows do not fit.", path, names[side]);
}

static void fill_side(struct factorization *f, int side, const double *factors, const double *bias)
{
    for (size_t i = 0; i < f->side[side].count; i++) {
        ((double *)f->side[side].rows.side)[i * FACTOR_SIDE + FACTOR_BIAS] = bias[i];
        memcpy((double *)f->side[side].rows.factors + i * f->stride, factors + i * f->rank, f->rank * sizeof *factors);
    }
}

/* Sizes of a side; the arrays are the caller's to free, also after an error. */
static enum gm_code read_side(struct factorization *f, int side, const struct archive *a, const char *path,
                              double *arrays[2], struct gm_error *err)
{
    char name[32];
    struct archive_shape matrix = {.rank = 2}, column = {.rank = 1};
    enum gm_code code = archive_get(a, path_of(name, side, "factors"), ARCHIVE_F64, &matrix, (void **)&arrays[0], err);
    if (!code)
        code = archive_get(a, path_of(name, side, "bias"), ARCHIVE_F64, &column, (void **)&arrays[1], err);
    if (code)
        return code;
    bool fits = column.dims[0] == matrix.dims[0] && matrix.dims[0] && matrix.dims[1] && matrix.dims[0] < UINT32_MAX &&
                (side == FACTOR_USERS || matrix.dims[1] == f->rank);
    if (!fits)
        return error_set(err, GM_BAD_DATA, "%s: /%s/factors is %zu x %zu, which does not fit the other arrays.", path,
                         names[side], matrix.dims[0], matrix.dims[1]);
    f->side[side].count = matrix.dims[0];
    f->rank = matrix.dims[1];
    return GM_OK;
}

enum gm_code factorization_read(struct factorization *f, const struct archive *a, const char *path,
                                struct gm_error *err)
{
    *f = (struct factorization){0};
    double *arrays[2][2] = {{0}}, *mean = NULL;
    struct archive_shape scalar = {.rank = 0};
    int64_t negatives = 0;
    enum gm_code code =
        archive_has_attribute(a, "negatives") ? archive_get_integer(a, "negatives", &negatives, err) : GM_OK;
    for (int s = 0; !code && s < 2; s++)
        if (!(code = read_side(f, s, a, path, arrays[s], err)))
            code = read_vocabulary(&f->side[s], s, a, path, err);
    if (!code && !(code = archive_get(a, "/mean", ARCHIVE_F64, &scalar, (void **)&mean, err)) &&
        !(code = factorization_alloc(f, err))) {
        f->mean = mean[0];
        f->negatives = negatives > 0 && negatives <= FACTOR_NEGATIVES_MOST ? (size_t)negatives : 0;
        for (int s = 0; s < 2; s++)
            fill_side(f, s, arrays[s][0], arrays[s][1]);
    }
    for (int s = 0; s < 2; s++) {
        memory_free(arrays[s][0]);
        memory_free(arrays[s][1]);
    }
    memory_free(mean);
    if (code)
        factorization_close(f);
    return code;
}

void factorization_close(struct factorization *f)
{
    factorization_free(f);
    for (int s = 0; s < 2; s++) {
        char *const *words = f->side[s].words;
        for (size_t i = 0; words && i < f->side[s].count; i++)
            memory_free(words[i]);
        memory_free((void *)(uintptr_t)words);
        memory_free((void *)(uintptr_t)f->side[s].ids);
    }
    *f = (struct factorization){0};
}

/* ---- as one model among others ---- */

static size_t n_params(const struct model_spec *spec) /* none in the vector that other models share */
{
    (void)spec;
    return 0;
}

static void mark_penalised(const struct model *m, uint8_t *penalised)
{
    (void)m, (void)penalised;
}

static enum gm_code open(const struct archive *a, const char *path, struct model_spec *spec, struct gm_error *err)
{
    struct factorization f;
    enum gm_code code = factorization_read(&f, a, path, err);
    if (code)
        return code;
    spec->features = 2; /* user and item */
    spec->outputs = 1;
    spec->users = f.side[FACTOR_USERS].count;
    spec->items = f.side[FACTOR_ITEMS].count;
    spec->rank = f.rank;
    factorization_close(&f);
    return GM_OK;
}

static void describe(const struct model_spec *spec, char *text, size_t room)
{
    snprintf(text, room, "%zu users x %zu items, rank %zu", spec->users, spec->items, spec->rank);
}

const struct model_ops model_factorization = {
    .name = "factorization",
    .n_params = n_params,
    .mark_penalised = mark_penalised,
    .save = save,
    .open = open,
    .describe = describe,
};
