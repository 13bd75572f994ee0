/* Sparse rows: finding the arrays of a group and learning their shape. Callers hold hdf5_lock. */
#include "data/sparse.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "data/sizes.h"

#define COLUMNS_MOST ((uint64_t)INT32_MAX)

static const char *const group_names[] = {"", "X", "x", "data", "features", "matrix", NULL};
static const char *const row_names[] = {"row", "rows", NULL};
static const char *const column_names[] = {"col", "cols", "column", "columns", NULL};
static const char *const value_names[] = {"data", "values", "value", NULL};

/* The first of the names that is a dataset or group of it, or NULL. */
static const char *first_there(hid_t group, const char *const *names)
{
    for (size_t i = 0; names[i]; i++)
        if (H5Lexists(group, names[i], H5P_DEFAULT) > 0)
            return names[i];
    return NULL;
}

static bool is_sparse(hid_t group)
{
    static const char *const pointers[] = {"indptr", NULL}, *const indices[] = {"indices", NULL};
    return (first_there(group, pointers) && first_there(group, indices)) ||
           (first_there(group, row_names) && first_there(group, column_names) && first_there(group, value_names));
}

bool sparse_find(const struct place *place, char *name, size_t size)
{
    for (size_t i = 0; group_names[i]; i++) {
        const char *leaf = group_names[i];
        if (strlen(place->group) + strlen(leaf) + 2 > size)
            return false;
        snprintf(name, size, "%s%s%s", place->group, leaf[0] && place->group[1] ? "/" : "", leaf);
        if (leaf[0] && H5Lexists(place->file->id, name, place->file->access) <= 0)
            continue;
        hid_t object = H5Oopen(place->file->id, name, place->file->access);
        bool sparse = object >= 0 && H5Iget_type(object) == H5I_GROUP && is_sparse(object);
        if (object >= 0)
            H5Oclose(object);
        if (sparse)
            return true;
    }
    return false;
}

/* ---- arrays ---- */

/* Dataset `leaf` of the group: one number an entry. */
static enum gm_code open_array(struct stored *stored, const struct h5_file *file, const char *group, const char *leaf,
                               struct gm_error *err)
{
    char name[512];
    snprintf(name, sizeof name, "%s/%s", strcmp(group, "/") == 0 ? "" : group, leaf);
    enum gm_code code = stored_open(stored, file, name, err);
    if (code == GM_OK && (stored->kind != H5_NUMBERS || stored->rank != 1))
        code = error_set(err, GM_BAD_DATA, "%s: sparse rows need numbers in one dimension here.", stored->at);
    return code;
}

static enum gm_code open_index(struct stored *stored, const struct h5_file *file, const char *group, const char *leaf,
                               struct gm_error *err)
{
    enum gm_code code = open_array(stored, file, group, leaf, err);
    if (code == GM_OK && stored->value_type > DATA_I64)
        code = error_set(err, GM_BAD_DATA, "%s: must be of an integer type, not %s.", stored->at,
                         data_type_name(stored->value_type));
    return code;
}

static enum gm_code open_arrays(struct sparse *s, const struct h5_file *file, const char *name, hid_t group,
                                struct gm_error *err)
{
    const char *values = first_there(group, value_names);
    enum gm_code code = open_array(&s->values.stored, file, name, values ? values : "data", err);
    if (code)
        return code;
    s->form = H5Lexists(group, "indptr", H5P_DEFAULT) > 0 ? SPARSE_CSR : SPARSE_COO;
    if (s->form == SPARSE_CSR) {
        if ((code = open_index(&s->columns.stored, file, name, "indices", err)) ||
            (code = open_index(&s->pointers, file, name, "indptr", err)))
            return code;
    } else if ((code = open_index(&s->columns.stored, file, name, first_there(group, column_names), err)) ||
               (code = open_index(&s->row_of.stored, file, name, first_there(group, row_names), err)))
        return code;
    s->entries = s->values.stored.rows;
    const struct stored *others[] = {&s->columns.stored, &s->row_of.stored};
    for (size_t i = 0; i < 2; i++)
        if (others[i]->at && others[i]->rows != s->entries)
            return error_set(err, GM_BAD_DATA, "%s: has %zu entries, but %s has %" PRIu64 ".", others[i]->at,
                             others[i]->rows, s->values.stored.at, s->entries);
    return GM_OK;
}

/* ---- shape ---- */

/* Two whole numbers of an attribute. */
static bool shape_attribute(hid_t group, const char *name, int64_t shape[2])
{
    if (H5Aexists(group, name) <= 0)
        return false;
    hid_t attribute = H5Aopen(group, name, H5P_DEFAULT), space = attribute >= 0 ? H5Aget_space(attribute) : -1;
    bool good =
        space >= 0 && H5Sget_simple_extent_npoints(space) == 2 && H5Aread(attribute, H5T_NATIVE_INT64, shape) >= 0;
    if (space >= 0)
        H5Sclose(space);
    if (attribute >= 0)
        H5Aclose(attribute);
    return good;
}

static bool shape_dataset(hid_t group, int64_t shape[2])
{
    if (H5Lexists(group, "shape", H5P_DEFAULT) <= 0)
        return false;
    hid_t dataset = H5Dopen2(group, "shape", H5P_DEFAULT), space = dataset >= 0 ? H5Dget_space(dataset) : -1;
    bool good = space >= 0 && H5Sget_simple_extent_npoints(space) == 2 && sizes_are_right(dataset) &&
                H5Dread(dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, shape) >= 0;
    if (space >= 0)
        H5Sclose(space);
    if (dataset >= 0)
        H5Dclose(dataset);
    return good;
}

/* Does a word attribute say compressed columns? */
static bool says_columns(hid_t group)
{
    static const char *const names[] = {"encoding-type", "h5sparse_format", "format", NULL};
    bool columns = false;
    for (size_t i = 0; names[i]; i++) {
        char **words = NULL;
        size_t count = 0;
        struct gm_error unused;
        if (H5Aexists(group, names[i]) > 0 && h5_words(&words, &count, group, names[i], &unused) == GM_OK && count == 1)
            columns = columns || strncmp(words[0], "csc", 3) == 0;
        h5_free_words(words, count);
    }
    return columns;
}

bool sparse_given_shape(hid_t group, int64_t shape[2])
{
    return shape_attribute(group, "shape", shape) || shape_attribute(group, "h5sparse_shape", shape) ||
           shape_dataset(group, shape);
}

/* One more than the largest number of an array, which has no shape to say so. */
static enum gm_code count_from(const struct stored *stored, const char *what, size_t *count, struct gm_error *err)
{
    uint32_t *band = NULL;
    void *scratch = NULL;
    struct dataset array = {0};
    const struct sparse_limit limit = {what, COLUMNS_MOST};
    uint32_t most = 0;
    enum gm_code code = memory_alloc((void **)&band, SPARSE_BAND, sizeof *band, "a band of indices", err);
    if (code == GM_OK)
        code = memory_alloc(&scratch, SPARSE_BAND, sizeof(uint64_t), "a band of indices", err);
    if (code == GM_OK)
        code = dataset_beside(&array, stored, err);
    for (size_t first = 0; code == GM_OK && first < stored->rows; first += SPARSE_BAND) {
        size_t n = stored->rows - first < SPARSE_BAND ? stored->rows - first : SPARSE_BAND;
        code = sparse_read_index(&array, &limit, first, n, band, scratch, err);
        for (size_t i = 0; code == GM_OK && i < n; i++)
            most = band[i] > most ? band[i] : most;
    }
    *count = (size_t)most + 1;
    dataset_rest(&array);
    memory_free(band);
    memory_free(scratch);
    return code;
}

static enum gm_code bad_pointers(const struct sparse *s, const int64_t shape[2], struct gm_error *err)
{
    return error_set(err, GM_BAD_DATA,
                     "%s: has %zu numbers, but rows of the shape %" PRId64 " x %" PRId64
                     " need one more than there are rows (or columns, when column-major).",
                     s->pointers.at, s->pointers.rows, shape[0], shape[1]);
}

/* A shape is given: rows x columns, in 10x's files columns x rows. */
static enum gm_code take_shape(struct sparse *s, hid_t group, const int64_t given[2], struct gm_error *err)
{
    int64_t shape[2] = {given[0], given[1]};
    if (shape[0] <= 0 || shape[1] <= 0 || (uint64_t)shape[0] > SIZE_MAX / 64)
        return error_set(err, GM_BAD_DATA, "%s: the shape %" PRId64 " x %" PRId64 " cannot be.", s->at, shape[0],
                         shape[1]);
    if (s->form == SPARSE_CSR) {
        uint64_t major = (uint64_t)s->pointers.rows - 1;
        bool barcodes = H5Lexists(group, "barcodes", H5P_DEFAULT) > 0 && major == (uint64_t)shape[1];
        if (barcodes) { /* 10x: compressed columns of features x barcodes are rows of barcodes */
            shape[0] = given[1];
            shape[1] = given[0];
        } else if (says_columns(group) || (major != (uint64_t)shape[0] && major == (uint64_t)shape[1]))
            s->form = SPARSE_CSC;
        if (major != (uint64_t)shape[s->form == SPARSE_CSC])
            return bad_pointers(s, shape, err);
    }
    if ((uint64_t)shape[1] > COLUMNS_MOST || (uint64_t)shape[0] > (s->form == SPARSE_CSR ? SIZE_MAX : COLUMNS_MOST))
        return error_set(err, GM_BAD_DATA,
                         "%s: %" PRId64 " x %" PRId64 " is too large; at most 2^31 - 1 columns are possible.", s->at,
                         shape[0], shape[1]);
    s->rows = (size_t)shape[0];
    s->features = (size_t)shape[1];
    return GM_OK;
}

static enum gm_code guess_shape(struct sparse *s, hid_t group, struct gm_error *err)
{
    if (s->form == SPARSE_COO) {
        enum gm_code code = count_from(&s->row_of.stored, "row", &s->rows, err);
        return code ? code : count_from(&s->columns.stored, "column", &s->features, err);
    }
    if (says_columns(group)) {
        s->form = SPARSE_CSC;
        s->features = s->pointers.rows - 1;
        return count_from(&s->columns.stored, "row", &s->rows, err);
    }
    s->rows = s->pointers.rows - 1;
    return count_from(&s->columns.stored, "column", &s->features, err);
}

static enum gm_code learn_shape(struct sparse *s, hid_t group, struct gm_error *err)
{
    int64_t shape[2] = {0, 0};
    if (s->form == SPARSE_CSR && s->pointers.rows < 2)
        return error_set(err, GM_BAD_DATA, "%s: one number alone describes no row.", s->pointers.at);
    return sparse_given_shape(group, shape) ? take_shape(s, group, shape, err) : guess_shape(s, group, err);
}

enum gm_code sparse_open(struct sparse **out, const struct h5_file *file, const char *name, struct gm_error *err)
{
    *out = NULL;
    struct sparse *s = NULL;
    size_t length = strlen(file->path) + strlen(name) + 2;
    enum gm_code code = memory_alloc((void **)&s, 1, sizeof *s, "sparse rows", err);
    if (code == GM_OK)
        code = memory_alloc((void **)&s->at, length, 1, "a name", err);
    hid_t group = -1;
    if (code == GM_OK) {
        snprintf(s->at, length, "%s:%s", file->path, name);
        group = H5Oopen(file->id, name, file->access);
        if (group < 0 || H5Iget_type(group) != H5I_GROUP)
            code = error_set(err, GM_BAD_DATA, "%s: is not a group of sparse rows.", s->at);
    }
    if (code == GM_OK)
        code = open_arrays(s, file, name, group, err);
    if (code == GM_OK)
        code = learn_shape(s, group, err);
    if (group >= 0)
        H5Oclose(group);
    if (code == GM_OK)
        *out = s;
    else
        sparse_close(s);
    return code;
}

static void close_array(struct dataset *array)
{
    dataset_rest(array);
    stored_close(&array->stored);
}

void sparse_close(struct sparse *s)
{
    if (!s)
        return;
    close_array(&s->values);
    close_array(&s->columns);
    close_array(&s->row_of);
    stored_close(&s->pointers);
    memory_free(s->at);
    memory_free(s->start);
    memory_free(s->index);
    memory_free(s->value);
    memory_free(s->scratch);
    memory_free(s->parts);
    memory_free(s);
}

enum gm_code sparse_touch(const struct sparse *s, struct gm_error *err)
{
    const struct stored *parts[] = {&s->values.stored, &s->columns.stored, &s->row_of.stored, &s->pointers};
    enum gm_code code = GM_OK;
    for (size_t i = 0; code == GM_OK && i < sizeof parts / sizeof *parts; i++) {
        uint64_t value;
        if (!parts[i]->at)
            continue;
        H5Dget_storage_size(parts[i]->dataset);
        sizes_trust(parts[i]);
        if (parts[i]->band_bytes > (size_t)256 << 10)
            continue;
        code = stored_read(parts[i], 0, 1, &value, err);
        if (code == GM_OK)
            code = stored_read(parts[i], parts[i]->rows - 1, 1, &value, err);
    }
    return code;
}
