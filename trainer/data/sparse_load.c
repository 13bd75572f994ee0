/* Sparse rows: what stays in memory, and the way from columns or triples to rows. */
#include "data/sparse.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/home.h"
#include "base/memory.h"

size_t sparse_entry_bytes(const struct sparse *s)
{
    return sizeof(uint32_t) + data_type_size(s->values.stored.value_type);
}

uint64_t sparse_bytes(const struct sparse *s)
{
    return s->entries * sparse_entry_bytes(s);
}

uint64_t sparse_start_bytes(const struct sparse *s)
{
    return (s->rows + 1) * sizeof(uint64_t) * (s->n_parts ? 2 : 1);
}

static unsigned bits_of(uint64_t value)
{
    return value ? 64 - (unsigned)__builtin_clzll(value) : 0;
}

void sparse_measure(struct sparse *s, const struct lane_plan *plan)
{
    memset(s->lengths, 0, sizeof s->lengths);
    memset(s->contents, 0, sizeof s->contents);
    for (size_t row = 0; row < s->rows; row++) {
        uint64_t length = s->start[row + 1] - s->start[row];
        s->lengths[bits_of(length)]++;
        s->contents[bits_of(length)] += length;
    }
    s->slab_most = 0;
    for (size_t first = 0; first < s->rows; first += plan->slab_rows) {
        size_t end = s->rows - first < plan->slab_rows ? s->rows : first + plan->slab_rows;
        uint64_t entries = s->start[end] - s->start[first];
        s->slab_most = entries > s->slab_most ? entries : s->slab_most;
    }
}

uint64_t sparse_most(const struct sparse *s, size_t rows)
{
    uint64_t most = 0;
    if (!s->start) { /* columns and triples that were not read yet: twice the mean */
        uint64_t about = 2 * (s->entries / (s->rows ? s->rows : 1) + 1) * rows;
        return rows < s->rows && about < s->entries ? about : s->entries;
    }
    for (size_t bits = 65; bits-- > 0 && rows > 0;) {
        if (s->lengths[bits] <= rows) {
            most += s->contents[bits];
            rows -= (size_t)s->lengths[bits];
            continue;
        }
        uint64_t longest = bits ? (UINT64_MAX >> (64 - bits)) : 0, bound = longest * rows;
        return most + (bound < s->contents[bits] ? bound : s->contents[bits]);
    }
    return most;
}

/* `pointers` [count + 1] must start at 0, never fall, and end at the number of entries. */
static enum gm_code check_pointers(const struct sparse *s, const uint64_t *pointers, size_t count, struct gm_error *err)
{
    const char *at = s->pointers.at;
    if (pointers[0] != 0)
        return error_set(err, GM_BAD_DATA, "%s: begins with %" PRIu64 ", expected 0.", at, pointers[0]);
    for (size_t i = 0; i < count; i++)
        if (pointers[i + 1] < pointers[i])
            return error_set(err, GM_BAD_DATA, "%s: falls from %" PRIu64 " to %" PRIu64 " at number %zu.", at,
                             pointers[i], pointers[i + 1], i + 1);
    if (pointers[count] != s->entries)
        return error_set(err, GM_BAD_DATA, "%s: ends with %" PRIu64 ", but %s has %" PRIu64 " entries.", at,
                         pointers[count], s->values.stored.at, s->entries);
    return GM_OK;
}

enum gm_code sparse_read_starts(struct sparse *s, struct gm_error *err)
{
    if (s->start)
        return GM_OK;
    enum gm_code code = memory_alloc((void **)&s->start, s->rows + 1, sizeof *s->start, "where rows start", err);
    if (code == GM_OK && s->n_parts)
        return sparse_joined_starts(s, err);
    if (code == GM_OK)
        code = sparse_read_whole(&s->pointers, s->start, err);
    return code == GM_OK ? check_pointers(s, s->start, s->rows, err) : code;
}

static void plan_layouts(struct sparse *s)
{
    struct dataset *arrays[] = {&s->values, &s->columns, &s->row_of};
    for (size_t i = 0; i < 3; i++)
        dataset_plan(arrays[i]);
    for (size_t i = 0; i < s->n_parts; i++)
        plan_layouts(s->parts[i]);
}

enum gm_code sparse_starts(struct sparse *s, const struct lane_plan *plan, struct gm_error *err)
{
    plan_layouts(s);
    if (s->start || s->form != SPARSE_CSR)
        return GM_OK;
    enum gm_code code = sparse_read_starts(s, err);
    if (code == GM_OK)
        sparse_measure(s, plan);
    return code;
}

/* Do indices go by way of s->scratch? */
static bool is_wide(const struct sparse *s)
{
    return data_type_size(s->columns.stored.value_type) != sizeof(uint32_t) || s->form != SPARSE_CSR;
}

/* Entries that are turned into others at a time. */
static size_t band_most(const struct sparse *s)
{
    return s->entries < SPARSE_BAND ? (size_t)s->entries : SPARSE_BAND;
}

uint64_t sparse_reading_bytes(const struct sparse *s, int threads)
{
    const struct dataset *arrays[] = {&s->values, &s->columns, &s->row_of};
    uint64_t bytes = 0;
    for (size_t i = 0; i < s->n_parts; i++) { /* one at a time is read */
        uint64_t part = sparse_reading_bytes(s->parts[i], threads);
        bytes = part > bytes ? part : bytes;
    }
    for (size_t i = 0; i < 3 && s->n_parts == 0; i++)
        bytes += dataset_bytes(arrays[i], threads);
    if (s->n_parts == 0 && is_wide(s))
        bytes += band_most(s) * sizeof(uint64_t);
    if (s->form != SPARSE_CSR)
        bytes += band_most(s) * (2 * sizeof(uint32_t) + sizeof(double));
    if (s->form == SPARSE_CSC)
        bytes += (s->features + 1) * sizeof(uint64_t);
    return bytes;
}

void sparse_rest(struct sparse *s)
{
    struct dataset *arrays[] = {&s->values, &s->columns, &s->row_of};
    for (size_t i = 0; i < 3; i++)
        dataset_rest(arrays[i]);
    memory_free(s->scratch);
    s->scratch = NULL;
    for (size_t i = 0; i < s->n_parts; i++)
        sparse_rest(s->parts[i]);
}

enum gm_code sparse_ready(struct sparse *s, int threads, struct gm_error *err)
{
    s->threads = threads;
    if (s->n_parts) /* one after the other, when they are read */
        return GM_OK;
    enum gm_code code = dataset_open(&s->values, threads, err);
    if (code == GM_OK)
        code = dataset_open(&s->columns, threads, err);
    if (code == GM_OK)
        code = dataset_open(&s->row_of, threads, err);
    if (code == GM_OK && is_wide(s) && !s->scratch)
        code = memory_alloc(&s->scratch, band_most(s), sizeof(uint64_t), "a band of indices", err);
    return code;
}

/* ---- columns or triples to rows: a counting sort, in bands ---- */

struct band {
    uint32_t *row, *column; /* [band_most] */
    char *value;
};

/* Of entries [first, first + count), the rows, and the columns too when asked for. */
static enum gm_code read_band(const struct sparse *s, uint64_t first, size_t count, const struct band *band,
                              const uint64_t *pointers, struct gm_error *err)
{
    const struct sparse_limit rows = {"row", s->rows}, columns = {"column", s->features};
    if (s->form == SPARSE_COO) {
        enum gm_code code = sparse_read_index(&s->row_of, &rows, first, count, band->row, s->scratch, err);
        if (code == GM_OK && band->column)
            code = sparse_read_index(&s->columns, &columns, first, count, band->column, s->scratch, err);
        return code;
    }
    enum gm_code code = sparse_read_index(&s->columns, &rows, first, count, band->row, s->scratch, err);
    if (code || !band->column)
        return code;
    size_t low = 0, high = s->features; /* the column of entry `first`: the last that starts at or before it */
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (pointers[middle] <= first)
            low = middle;
        else
            high = middle;
    }
    for (size_t i = 0; i < count; i++) {
        while (pointers[low + 1] <= first + i)
            low++;
        band->column[i] = (uint32_t)low;
    }
    return GM_OK;
}

static size_t band_at(const struct sparse *s, uint64_t first)
{
    return s->entries - first < SPARSE_BAND ? (size_t)(s->entries - first) : SPARSE_BAND;
}

/* start[row + 1] = entries of rows up to row. */
static enum gm_code count_rows(struct sparse *s, const struct band *band, struct gm_error *err)
{
    const struct band rows_only = {.row = band->row};
    for (uint64_t first = 0; first < s->entries; first += SPARSE_BAND) {
        size_t n = band_at(s, first);
        enum gm_code code = read_band(s, first, n, &rows_only, NULL, err);
        if (code)
            return code;
        for (size_t i = 0; i < n; i++)
            s->start[band->row[i] + 1]++;
    }
    for (size_t row = 0; row < s->rows; row++)
        s->start[row + 1] += s->start[row];
    return GM_OK;
}

/* Put each entry where its row has room; start[row] moves on, and is moved back. */
static enum gm_code place_entries(struct sparse *s, const struct band *band, const uint64_t *pointers,
                                  struct gm_error *err)
{
    size_t bytes = data_type_size(s->values.stored.value_type);
    for (uint64_t first = 0; first < s->entries; first += SPARSE_BAND) {
        size_t n = band_at(s, first);
        enum gm_code code = read_band(s, first, n, band, pointers, err);
        if (code == GM_OK)
            code = dataset_read(&s->values, first, n, band->value, err);
        if (code)
            return code;
        for (size_t i = 0; i < n; i++) {
            uint64_t to = s->start[band->row[i]]++;
            if (to >= s->entries) /* the file changed between the two looks */
                return error_set(err, GM_BAD_DATA, "%s: changed while it was read.", s->at);
            s->index[to] = band->column[i];
            memcpy((char *)s->value + to * bytes, band->value + i * bytes, bytes);
        }
    }
    for (size_t row = s->rows; row > 0; row--)
        s->start[row] = s->start[row - 1];
    s->start[0] = 0;
    return GM_OK;
}

static enum gm_code to_rows(struct sparse *s, struct gm_error *err)
{
    struct band band = {0};
    uint64_t *pointers = NULL;
    enum gm_code code = memory_alloc((void **)&band.row, band_most(s), sizeof *band.row, "a band of rows", err);
    if (code == GM_OK)
        code = memory_alloc((void **)&band.column, band_most(s), sizeof *band.column, "a band of columns", err);
    if (code == GM_OK)
        code = memory_alloc((void **)&band.value, band_most(s), sizeof(double), "a band of values", err);
    if (code == GM_OK)
        code = memory_alloc((void **)&s->start, s->rows + 1, sizeof *s->start, "where rows start", err);
    if (code == GM_OK && s->form == SPARSE_CSC) {
        code = memory_alloc((void **)&pointers, s->features + 1, sizeof *pointers, "where columns start", err);
        if (code == GM_OK)
            code = sparse_read_whole(&s->pointers, pointers, err);
        if (code == GM_OK)
            code = check_pointers(s, pointers, s->features, err);
    }
    if (code == GM_OK)
        code = count_rows(s, &band, err);
    if (code == GM_OK)
        code = place_entries(s, &band, pointers, err);
    memory_free(band.row);
    memory_free(band.column);
    memory_free(band.value);
    memory_free(pointers);
    return code;
}

enum gm_code sparse_make_resident(struct sparse *s, const struct lane_plan *plan, int threads, struct gm_error *err)
{
    enum gm_code code = sparse_ready(s, threads, err);
    if (code == GM_OK)
        code = memory_alloc((void **)&s->index, s->entries, sizeof *s->index, "the columns of the entries", err);
    if (code == GM_OK)
        code = memory_alloc(&s->value, s->entries, data_type_size(s->values.stored.value_type), "the entries", err);
    if (code == GM_OK && s->form == SPARSE_CSR) {
        home_of_rows(s->index, sizeof *s->index, s->start, plan, threads);
        home_of_rows(s->value, data_type_size(s->values.stored.value_type), s->start, plan, threads);
        return sparse_read(s, 0, s->rows, s->value, s->index, err);
    }
    if (code == GM_OK)
        code = to_rows(s, err);
    if (code == GM_OK)
        code = sparse_put_in_order(s, 0, s->rows, s->value, s->index, err);
    if (code == GM_OK)
        sparse_measure(s, plan);
    return code;
}
