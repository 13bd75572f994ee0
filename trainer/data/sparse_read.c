/* Sparse rows: reading ranges of entries, checked and in order. */
#include "data/sparse.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

static enum gm_code bad_index(const struct dataset *array, const struct sparse_limit *limit, uint64_t entry,
                              int64_t value, struct gm_error *err)
{
    return error_set(err, GM_BAD_DATA, "%s: entry %" PRIu64 " is %s %" PRId64 ", expected 0 to %" PRIu64 ".",
                     array->stored.at, entry, limit->what, value, limit->limit - 1);
}

/* Integer i of an array of integers, as int64; what does not fit becomes -1. */
static int64_t whole_at(enum data_type type, const void *from, size_t i)
{
    switch (type) {
    case DATA_U8:
        return ((const uint8_t *)from)[i];
    case DATA_I8:
        return ((const int8_t *)from)[i];
    case DATA_U16:
        return ((const uint16_t *)from)[i];
    case DATA_I16:
        return ((const int16_t *)from)[i];
    case DATA_U32:
        return ((const uint32_t *)from)[i];
    case DATA_I32:
        return ((const int32_t *)from)[i];
    case DATA_I64:
        return ((const int64_t *)from)[i];
    default: {
        uint64_t value = ((const uint64_t *)from)[i];
        return value > INT64_MAX ? -1 : (int64_t)value;
    }
    }
}

enum gm_code sparse_read_index(const struct dataset *array, const struct sparse_limit *limit, uint64_t first,
                               size_t count, uint32_t *to, void *scratch, struct gm_error *err)
{
    enum data_type type = array->stored.value_type;
    bool direct = type == DATA_I32 || type == DATA_U32;
    for (size_t done = 0, n; done < count; done += n) {
        n = direct || count - done < SPARSE_BAND ? count - done : SPARSE_BAND;
        void *raw = direct ? (void *)(to + done) : scratch;
        enum gm_code code = dataset_read(array, first + done, n, raw, err);
        if (code)
            return code;
        uint32_t over = 0;
        if (direct) /* a negative int32 is beyond any limit as uint32 */
            for (size_t i = 0; i < n; i++)
                over |= to[done + i] >= limit->limit;
        for (size_t i = 0; (over || !direct) && i < n; i++) {
            int64_t value = whole_at(type, raw, i);
            if (value < 0 || (uint64_t)value >= limit->limit)
                return bad_index(array, limit, first + done + i, value, err);
            to[done + i] = (uint32_t)value;
        }
    }
    return GM_OK;
}

enum gm_code sparse_read_whole(const struct stored *stored, uint64_t *to, struct gm_error *err)
{
    enum { AT_ONCE = 4096 };
    struct dataset array;
    enum gm_code code = dataset_beside(&array, stored, err);
    for (size_t first = 0, n; code == GM_OK && first < stored->rows; first += n) {
        uint64_t raw[AT_ONCE];
        n = stored->rows - first < AT_ONCE ? stored->rows - first : AT_ONCE;
        code = dataset_read(&array, first, n, raw, err);
        for (size_t i = 0; code == GM_OK && i < n; i++) {
            int64_t value = whole_at(stored->value_type, raw, i);
            if (value < 0)
                code = error_set(err, GM_BAD_DATA, "%s: number %zu is %" PRId64 ", expected 0 or more.", stored->at,
                                 first + i, value);
            to[first + i] = (uint64_t)value;
        }
    }
    dataset_rest(&array);
    return code;
}

/* ---- order within a row ---- */

struct row {
    uint32_t *index;
    char *value;
    size_t bytes; /* of a value */
};

static void swap_entries(const struct row *row, size_t a, size_t b)
{
    char kept[sizeof(double)];
    uint32_t index = row->index[a];
    row->index[a] = row->index[b];
    row->index[b] = index;
    memcpy(kept, row->value + a * row->bytes, row->bytes);
    memcpy(row->value + a * row->bytes, row->value + b * row->bytes, row->bytes);
    memcpy(row->value + b * row->bytes, kept, row->bytes);
}

static void sift_down(const struct row *row, size_t at, size_t count)
{
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && row->index[child + 1] > row->index[child])
            child++;
        if (row->index[at] >= row->index[child])
            return;
        swap_entries(row, at, child);
    }
}

/* Heapsort (Williams 1964): in place, no worst case, and rows are most often in order already. */
static void sort_row(const struct row *row, size_t count)
{
    for (size_t i = count / 2; i > 0; i--)
        sift_down(row, i - 1, count);
    for (size_t i = count; i > 1; i--) {
        swap_entries(row, 0, i - 1);
        sift_down(row, 0, i - 1);
    }
}

static bool ascends(const uint32_t *index, size_t count)
{
    bool good = true;
    for (size_t i = 1; i < count; i++)
        good &= index[i - 1] < index[i];
    return good;
}

enum gm_code sparse_put_in_order(const struct sparse *s, size_t first, size_t rows, void *value, uint32_t *index,
                                 struct gm_error *err)
{
    size_t bytes = data_type_size(s->values.stored.value_type), bad = SIZE_MAX;
    uint64_t base = s->start[first];
    bool many = s->start[first + rows] - base > 65536;
#pragma omp parallel for schedule(static) if (many)
    for (size_t r = first; r < first + rows; r++) {
        uint64_t at = s->start[r] - base;
        size_t count = (size_t)(s->start[r + 1] - s->start[r]);
        if (ascends(index + at, count))
            continue;
        const struct row row = {index + at, (char *)value + at * bytes, bytes};
        sort_row(&row, count);
        if (ascends(index + at, count))
            continue;
#pragma omp critical(sparse_bad_row)
        bad = r < bad ? r : bad;
    }
    if (bad == SIZE_MAX)
        return GM_OK;
    const uint32_t *i = index + (s->start[bad] - base);
    while (i[0] != i[1])
        i++;
    return error_set(err, GM_BAD_DATA,
                     "%s: row %zu holds column %" PRIu32
                     " (both counted from 0) more than once; add such entries up first (SciPy: sum_duplicates).",
                     s->at, bad, *i);
}

enum gm_code sparse_read(const struct sparse *s, size_t first, size_t rows, void *value, uint32_t *index,
                         struct gm_error *err)
{
    if (s->n_parts)
        return sparse_joined_read(s, (struct row_range){first, first + rows}, value, index, err);
    const struct sparse_limit limit = {"column", s->features};
    uint64_t from = s->start[first];
    size_t count = (size_t)(s->start[first + rows] - from);
    enum gm_code code = sparse_read_index(&s->columns, &limit, from, count, index, s->scratch, err);
    if (code == GM_OK)
        code = dataset_read(&s->values, from, count, value, err);
    return code == GM_OK ? sparse_put_in_order(s, first, rows, value, index, err) : code;
}
