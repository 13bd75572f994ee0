/* The columns of a batch of sparse rows. */
#include "train/columns.h"

#include <string.h>

#include "base/fetch.h"
#include "base/memory.h"
#include "data/convert.h"
#include "train/column_table.h"

#define PART_ENTRIES ((size_t)128) /* that are worth a part */
#define STRIPE_ROWS  ((size_t)16)  /* the least */
#define AT_ONCE      ((size_t)256) /* values converted at a time */
#define SOON         ((size_t)8)   /* rows: shuffled ones are no stream that the processor could see */

static size_t real_bytes(const struct columns *c)
{
    return c->single ? sizeof(float) : sizeof(double);
}

static enum gm_code take(void *out, size_t count, size_t size, struct gm_error *err)
{
    return memory_alloc(out, count, size, "the columns of a batch", err);
}

enum gm_code columns_init(struct columns *c, uint64_t entries, enum model_precision precision, struct gm_error *err)
{
    memset(c, 0, sizeof *c);
    c->single = precision == MODEL_F32;
    size_t n = (size_t)entries, number = sizeof(uint32_t);
    enum gm_code code;
    if ((code = take(&c->column, n, number, err)) || (code = take(&c->row, n, number, err)) ||
        (code = take(&c->value, n, real_bytes(c), err)) || (code = take(&c->slot, n, number, err)) ||
        (code = take(&c->list, n, number, err)) || (code = take(&c->end, n, number, err)) ||
        (code = take(&c->places, n, number, err)) || (code = take(&c->slots, 4 * n, number, err)) ||
        (code = take(&c->rows_of, n, number, err)))
        return code;
    return take(&c->values_of, n, real_bytes(c), err);
}

void columns_release(struct columns *c)
{
    void *const arrays[] = {c->column, c->row,    c->value, c->slot,    c->list,
                            c->end,    c->places, c->slots, c->rows_of, c->values_of};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        memory_free(arrays[i]);
    memset(c, 0, sizeof *c);
}

uint64_t columns_bytes(uint64_t entries, enum model_precision precision)
{
    return entries * (11 * sizeof(uint32_t) + 2 * (precision == MODEL_F32 ? sizeof(float) : sizeof(double)));
}

/* ---- dealt to parts ---- */

/* Other bits than those of the tables. */
static inline size_t part_of(const struct columns *c, uint32_t column)
{
    return (column * 2246822519u >> 26) & (c->parts - 1);
}

/* Entries of a row begin where in the window? */
static inline uint64_t start_of(const struct columns_batch *b, size_t i)
{
    return b->window->start[b->index[i]] - b->window->base;
}

static inline size_t count_of(const struct columns_batch *b, size_t i)
{
    const uint64_t *start = b->window->start + b->index[i];
    return (size_t)(start[1] - start[0]);
}

static void plan(struct columns *c, const struct columns_batch *b)
{
    uint64_t entries = 0;
    for (size_t i = 0; i < b->rows; i++)
        entries += count_of(b, i);
    c->stripe_rows = ((b->rows - 1) / COLUMN_STRIPES / STRIPE_ROWS + 1) * STRIPE_ROWS;
    c->stripes = (b->rows - 1) / c->stripe_rows + 1;
    c->parts = 1;
    while (c->parts < COLUMN_PARTS && c->parts * PART_ENTRIES < entries)
        c->parts *= 2;
}

static size_t stripe_end(const struct columns *c, const struct columns_batch *b, size_t stripe)
{
    size_t end = (stripe + 1) * c->stripe_rows;
    return end < b->rows ? end : b->rows;
}

static void count_stripe(struct columns *c, const struct columns_batch *b, size_t stripe)
{
    uint32_t counts[COLUMN_PARTS] = {0};
    for (size_t i = stripe * c->stripe_rows, end = stripe_end(c, b, stripe); i < end; i++) {
        const uint32_t *index = b->window->index + start_of(b, i);
        if (i + SOON < b->rows)
            fetch_to_read(b->window->index + start_of(b, i + SOON), count_of(b, i + SOON) * sizeof *index);
        for (size_t e = 0; e < count_of(b, i); e++)
            counts[part_of(c, index[e])]++;
    }
    memcpy(c->dealt[stripe], counts, sizeof counts);
}

/* Counts become places. */
static void place(struct columns *c)
{
    uint32_t next = 0;
    for (size_t part = 0; part < c->parts; part++) {
        c->first[part] = next;
        for (size_t stripe = 0; stripe < c->stripes; stripe++) {
            uint32_t count = c->dealt[stripe][part];
            c->dealt[stripe][part] = next;
            next += count;
        }
    }
    c->first[c->parts] = next;
}

static void convert(const struct columns *c, enum data_type type, const void *from, size_t n, void *to)
{
    if (c->single)
        convert_to_f32(type, from, n, to);
    else
        convert_to_f64(type, from, n, to);
}

static inline void copy_value(const struct columns *c, void *to, size_t i, const void *from, size_t k)
{
    if (c->single)
        ((float *)to)[i] = ((const float *)from)[k];
    else
        ((double *)to)[i] = ((const double *)from)[k];
}

static void deal_stripe(struct columns *c, const struct columns_batch *b, size_t stripe)
{
    union {
        float single[AT_ONCE];
        double wide[AT_ONCE];
    } values;
    uint32_t *next = c->dealt[stripe];
    size_t size = data_type_size(b->type);
    for (size_t i = stripe * c->stripe_rows, end = stripe_end(c, b, stripe); i < end; i++) {
        uint64_t from = start_of(b, i);
        size_t count = count_of(b, i);
        if (i + SOON < b->rows)
            fetch_to_read((const char *)b->window->x + start_of(b, i + SOON) * size, count_of(b, i + SOON) * size);
        for (size_t done = 0, n; done < count; done += n, from += n) {
            n = count - done < AT_ONCE ? count - done : AT_ONCE;
            convert(c, b->type, (const char *)b->window->x + from * size, n, &values);
            for (size_t e = 0; e < n; e++) {
                uint32_t column = b->window->index[from + e], at = next[part_of(c, column)]++;
                c->column[at] = column;
                c->row[at] = (uint32_t)i;
                copy_value(c, c->value, at, &values, e);
            }
        }
    }
}

/* ---- sorted ---- */

static void sort_part(struct columns *c, size_t part)
{
    size_t first = c->first[part], count = c->first[part + 1] - first;
    uint32_t *slot = c->slot + first, *end = c->end + first, sum = 0;
    struct column_table table = {
        .columns = c->list + first, .places = c->places + first, .slots = c->slots + 4 * first};
    column_table_begin(&table, count);
    for (size_t e = 0; e < count; e++) {
        size_t known = table.count;
        slot[e] = (uint32_t)column_table_slot(&table, c->column[first + e]);
        if (table.count > known)
            end[known] = 0;
        end[slot[e]]++;
    }
    for (size_t k = 0; k < table.count; k++) {
        uint32_t n = end[k];
        end[k] = sum; /* first its begin */
        sum += n;
    }
    for (size_t e = 0; e < count; e++) {
        size_t at = first + end[slot[e]]++;
        c->rows_of[at] = c->row[first + e];
        copy_value(c, c->values_of, at, c->value, first + e);
    }
    c->count[part] = (uint32_t)table.count;
}

void columns_find(struct columns *c, const struct columns_batch *b)
{
#pragma omp single
    plan(c, b);
#pragma omp for schedule(dynamic, 1)
    for (size_t stripe = 0; stripe < c->stripes; stripe++)
        count_stripe(c, b, stripe);
#pragma omp single
    place(c);
#pragma omp for schedule(dynamic, 1)
    for (size_t stripe = 0; stripe < c->stripes; stripe++)
        deal_stripe(c, b, stripe);
#pragma omp for schedule(dynamic, 1)
    for (size_t part = 0; part < c->parts; part++)
        sort_part(c, part);
}

struct model_column columns_at(const struct columns *c, size_t part, size_t k)
{
    size_t first = c->first[part], begin = k ? c->end[first + k - 1] : 0;
    return (struct model_column){.column = c->list[first + k],
                                 .count = c->end[first + k] - begin,
                                 .row = c->rows_of + first + begin,
                                 .value = (const char *)c->values_of + (first + begin) * real_bytes(c)};
}
