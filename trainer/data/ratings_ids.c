/* Users or items of a dataset of ratings: from ids to indices. */
#include "data/ratings_ids.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "data/labels.h"

#define BAND_ROWS    ((size_t)1 << 16)
#define TABLE_FACTOR 4 /* a direct table is used when ids are below this times the rows */
#define TABLE_LEAST  ((uint64_t)1 << 20)

void ratings_ids_release(struct ratings_ids *ids)
{
    for (size_t i = 0; ids->words && i < ids->count; i++)
        memory_free(ids->words[i]);
    memory_free(ids->words);
    memory_free(ids->ids);
    *ids = (struct ratings_ids){0};
}

/* ---- numbers, a band at a time ---- */

#define WIDEN(name, type)                                           \
    case name:                                                      \
        for (size_t i = n; i-- > 0;) {                              \
            type value;                                             \
            memcpy(&value, bytes + i * sizeof value, sizeof value); \
            to[i] = (int64_t)value;                                 \
        }                                                           \
        return true

/* n whole numbers at the start of `to` become int64, in place; uint64 beyond INT64_MAX come out negative. */
static bool widen(enum data_type type, int64_t *to, size_t n)
{
    const char *bytes = (const char *)to;
    switch (type) {
        WIDEN(DATA_U8, uint8_t);
        WIDEN(DATA_I8, int8_t);
        WIDEN(DATA_U16, uint16_t);
        WIDEN(DATA_I16, int16_t);
        WIDEN(DATA_U32, uint32_t);
        WIDEN(DATA_I32, int32_t);
    case DATA_U64:
    case DATA_I64:
        return true;
    case DATA_F16:
    case DATA_BF16:
    case DATA_F32:
    case DATA_F64:
        break;
    }
    return false;
}

typedef enum gm_code band_fn(void *context, size_t first, const int64_t *ids, size_t n, struct gm_error *err);

static enum gm_code each_band(const struct stored *stored, band_fn *visit, void *context, struct gm_error *err)
{
    int64_t *band = NULL;
    struct dataset dataset = {0};
    enum gm_code code = memory_alloc((void **)&band, BAND_ROWS, sizeof *band, "a band of ids", err);
    if (!code)
        code = dataset_beside(&dataset, stored, err);
    for (size_t first = 0; !code && first < stored->rows; first += BAND_ROWS) {
        size_t n = stored->rows - first < BAND_ROWS ? stored->rows - first : BAND_ROWS;
        if ((code = dataset_read(&dataset, first, n, band, err)))
            break;
        if (!widen(stored->value_type, band, n))
            code = error_set(err, GM_BAD_DATA, "%s: ids must be whole numbers or words; these are %s.", stored->at,
                             data_type_name(stored->value_type));
        for (size_t i = 0; !code && i < n; i++)
            if (band[i] < 0)
                code =
                    error_set(err, GM_BAD_DATA, "%s: row %zu: the id is %" PRId64 "; ids are numbers from 0, or words.",
                              stored->at, first + i, band[i]);
        if (!code)
            code = visit(context, first, band, n, err);
    }
    dataset_rest(&dataset);
    memory_free(band);
    return code;
}

/* ---- finding a vocabulary ---- */

struct search {
    const struct stored *stored;
    uint32_t *index;      /* [rows] */
    uint32_t *table;      /* [most + 1] by id: 1 when seen, later the index */
    struct labels labels; /* where the ids are words, or too wide for a table */
    uint64_t most;
    const struct ratings_ids *known;
};

static enum gm_code find_most(void *context, size_t first, const int64_t *ids, size_t n, struct gm_error *err)
{
    struct search *s = context;
    (void)first, (void)err;
    for (size_t i = 0; i < n; i++)
        s->most = (uint64_t)ids[i] > s->most ? (uint64_t)ids[i] : s->most;
    return GM_OK;
}

static enum gm_code mark(void *context, size_t first, const int64_t *ids, size_t n, struct gm_error *err)
{
    struct search *s = context;
    (void)err;
    for (size_t i = 0; i < n; i++) {
        s->index[first + i] = (uint32_t)ids[i];
        s->table[ids[i]] = 1;
    }
    return GM_OK;
}

/* Ids below a few times the rows: a table of all of them. */
static enum gm_code number_by_table(struct ratings_ids *found, struct search *s, struct gm_error *err)
{
    enum gm_code code = memory_alloc((void **)&s->table, s->most + 1, sizeof *s->table, "a table of ids", err);
    if (code || (code = each_band(s->stored, mark, s, err)))
        return code;
    for (size_t id = 0; id <= s->most; id++)
        found->count += s->table[id];
    if (found->count == s->most + 1) /* the numbers are their own indices */
        return GM_OK;
    if ((code = memory_alloc((void **)&found->ids, found->count, sizeof *found->ids, "ids", err)))
        return code;
    uint32_t next = 0;
    for (size_t id = 0; id <= s->most; id++)
        if (s->table[id]) {
            found->ids[next] = id;
            s->table[id] = next++;
        }
    for (size_t row = 0; row < s->stored->rows; row++)
        s->index[row] = s->table[s->index[row]];
    return GM_OK;
}

static enum gm_code too_many(const struct stored *stored, struct gm_error *err)
{
    return error_memory(err, stored->at, stored->rows * sizeof(struct label));
}

static enum gm_code add_numbers(void *context, size_t first, const int64_t *ids, size_t n, struct gm_error *err)
{
    struct search *s = context;
    for (size_t i = 0; i < n; i++)
        if (!labels_add(&s->labels, first + i, &ids[i], sizeof ids[i]))
            return too_many(s->stored, err);
    return GM_OK;
}

static enum gm_code add_word(void *context, size_t row, const char *text, struct gm_error *err)
{
    struct search *s = context;
    return labels_add(&s->labels, row, text, strlen(text)) ? GM_OK : too_many(s->stored, err);
}

struct entry {
    const struct label *label;
    uint64_t number;
    uint32_t code;
};

static int by_number(const void *a, const void *b)
{
    uint64_t x = ((const struct entry *)a)->number, y = ((const struct entry *)b)->number;
    return (x > y) - (x < y);
}

static int by_word(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->label->bytes, ((const struct entry *)b)->label->bytes);
}

/* Sorted, so that the vocabulary does not depend on the order of the rows. */
static enum gm_code sort_labels(struct ratings_ids *found, struct search *s, bool words, struct gm_error *err)
{
    struct entry *entries = NULL;
    uint32_t *place = NULL;
    size_t count = s->labels.count;
    enum gm_code code = memory_alloc((void **)&entries, count, sizeof *entries, "ids", err);
    if (!code)
        code = memory_alloc((void **)&place, count, sizeof *place, "ids", err);
    if (!code)
        code = words ? memory_alloc((void **)&found->words, count, sizeof *found->words, "ids", err)
                     : memory_alloc((void **)&found->ids, count, sizeof *found->ids, "ids", err);
    if (!code) {
        found->count = count;
        for (size_t i = 0; i < count; i++) {
            entries[i] = (struct entry){.label = &s->labels.list[i], .code = (uint32_t)i};
            if (!words)
                memcpy(&entries[i].number, s->labels.list[i].bytes, sizeof entries[i].number);
        }
        qsort(entries, count, sizeof *entries, words ? by_word : by_number);
    }
    for (size_t i = 0; !code && i < count; i++) {
        place[entries[i].code] = (uint32_t)i;
        if (words)
            code = memory_string(&found->words[i], entries[i].label->bytes, err);
        else
            found->ids[i] = entries[i].number;
    }
    for (size_t row = 0; !code && row < s->stored->rows; row++)
        s->index[row] = place[s->labels.codes[row]];
    memory_free(entries);
    memory_free(place);
    return code;
}

static enum gm_code find_vocabulary(struct ratings_ids *found, struct search *s, struct gm_error *err)
{
    bool words = s->stored->kind == H5_WORDS;
    enum gm_code code = words ? GM_OK : each_band(s->stored, find_most, s, err);
    uint64_t rows = s->stored->rows;
    if (!code && !words && s->most < (rows > TABLE_LEAST ? rows : TABLE_LEAST) * TABLE_FACTOR && s->most < UINT32_MAX)
        return number_by_table(found, s, err);
    if (code || (code = labels_init(&s->labels, s->stored->rows, err)))
        return code;
    s->labels.most = RATINGS_UNKNOWN;
    code = words ? stored_each_word(s->stored, add_word, s, err) : each_band(s->stored, add_numbers, s, err);
    return code ? code : sort_labels(found, s, words, err);
}

/* ---- looking ids up ---- */

static int compare_numbers(const void *key, const void *item)
{
    uint64_t x = *(const uint64_t *)key, y = *(const uint64_t *)item;
    return (x > y) - (x < y);
}

static int compare_words(const void *key, const void *item)
{
    return strcmp(key, *(char *const *)item);
}

static enum gm_code look_numbers_up(void *context, size_t first, const int64_t *ids, size_t n, struct gm_error *err)
{
    struct search *s = context;
    const struct ratings_ids *k = s->known;
    (void)err;
    for (size_t i = 0; i < n; i++) {
        uint64_t id = (uint64_t)ids[i];
        const uint64_t *at = k->ids ? bsearch(&id, k->ids, k->count, sizeof id, compare_numbers) : NULL;
        if (k->ids)
            s->index[first + i] = at ? (uint32_t)(at - k->ids) : RATINGS_UNKNOWN;
        else
            s->index[first + i] = id < k->count ? (uint32_t)id : RATINGS_UNKNOWN;
    }
    return GM_OK;
}

static enum gm_code look_word_up(void *context, size_t row, const char *text, struct gm_error *err)
{
    struct search *s = context;
    (void)err;
    char **at = bsearch(text, s->known->words, s->known->count, sizeof *at, compare_words);
    s->index[row] = at ? (uint32_t)(at - s->known->words) : RATINGS_UNKNOWN;
    return GM_OK;
}

enum gm_code ratings_ids_read(uint32_t *index, struct ratings_ids *found, const struct stored *stored,
                              const struct ratings_ids *known, struct gm_error *err)
{
    struct search s = {.stored = stored, .index = index, .known = known};
    bool words = stored->kind == H5_WORDS;
    enum gm_code code;
    if (!known)
        code = find_vocabulary(found, &s, err);
    else if (words != (known->words != NULL))
        code = error_set(err, GM_BAD_DATA, "%s: its ids are %s, but those that were trained on are %s.", stored->at,
                         words ? "words" : "numbers", words ? "numbers" : "words");
    else
        code = words ? stored_each_word(stored, look_word_up, &s, err) : each_band(stored, look_numbers_up, &s, err);
    memory_free(s.table);
    labels_release(&s.labels);
    return code;
}

/* ---- rows of a sparse matrix ---- */

struct expansion {
    const struct stored *stored;
    uint32_t *index;
    size_t entries, users; /* users: of the vocabulary */
    int64_t last;
};

static enum gm_code expand_band(void *context, size_t first, const int64_t *ends, size_t n, struct gm_error *err)
{
    struct expansion *e = context;
    for (size_t i = 0; i < n; i++) {
        size_t row = first + i;
        if ((row == 0 && ends[i] != 0) || ends[i] < e->last || (uint64_t)ends[i] > e->entries)
            return error_set(err, GM_BAD_DATA,
                             "%s: entry %zu is %" PRId64 "; row pointers start at 0, never fall, and end at %zu.",
                             e->stored->at, row, ends[i], e->entries);
        for (int64_t k = e->last; k < ends[i]; k++)
            e->index[k] = row - 1 < e->users ? (uint32_t)(row - 1) : RATINGS_UNKNOWN;
        e->last = ends[i];
    }
    return GM_OK;
}

enum gm_code ratings_ids_expand(uint32_t *index, struct ratings_ids *found, const struct stored *stored, size_t entries,
                                const struct ratings_ids *known, struct gm_error *err)
{
    if (known && (known->words || known->ids))
        return error_set(err, GM_BAD_DATA,
                         "%s: a sparse matrix has users 0, 1, 2 ..., but those that were trained on have "
                         "ids of their own.",
                         stored->at);
    if (!known)
        found->count = stored->rows - 1;
    struct expansion e = {stored, index, entries, known ? known->count : found->count, 0};
    enum gm_code code = each_band(stored, expand_band, &e, err);
    if (!code && (size_t)e.last != entries)
        code = error_set(err, GM_BAD_DATA, "%s: ends at %" PRId64 ", but there are %zu entries.", stored->at, e.last,
                         entries);
    return code;
}
