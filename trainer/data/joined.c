/* Two datasets as one: a row is the first one's values, and behind them the second one's. */
#include "data/set.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

/* The type that holds the values of both: of the smaller types, float32 holds every one exactly. */
static enum data_type common_type(enum data_type a, enum data_type b)
{
    bool exact_a = a <= DATA_I16 || (a >= DATA_F16 && a <= DATA_F32);
    bool exact_b = b <= DATA_I16 || (b >= DATA_F16 && b <= DATA_F32);
    return a == b ? a : exact_a && exact_b ? DATA_F32 : DATA_F64;
}

/* ---- opening ---- */

/* What is said of the whole. */
static enum gm_code describe(struct data_set *set, const struct stored *first, const struct stored *second,
                             struct gm_error *err)
{
    struct stored *x = &set->features;
    size_t size = strlen(first->at) + strlen(second->at) + sizeof " and ", all;
    *x = (struct stored){.kind = H5_NUMBERS,
                         .value_type = common_type(first->value_type, second->value_type),
                         .rank = 2,
                         .rows = first->rows,
                         .columns = first->columns + second->columns,
                         .band_rows = 1};
    x->dims[0] = x->rows;
    x->dims[1] = x->columns;
    x->row_bytes = x->columns * data_type_size(x->value_type);
    if (!memory_product(x->rows, x->row_bytes, &all))
        return error_set(err, GM_BAD_DATA, "%s and %s hold more than can be addressed.", first->at, second->at);
    enum gm_code code = memory_alloc((void **)&x->at, size, 1, "a dataset's name", err);
    if (code != GM_OK)
        return code;
    snprintf(x->at, size, "%s and %s", first->at, second->at);
    x->name = x->at + (first->name - first->at);
    return GM_OK;
}

enum gm_code joined_open(struct data_set *set, struct stored *second, struct gm_error *err)
{
    struct stored *first = &set->features;
    if (set->sparse)
        return error_set(err, GM_BAD_DATA, "%s: sparse rows cannot be one of two inputs; dense rows can.", first->at);
    if (second->kind != H5_NUMBERS)
        return error_set(err, GM_BAD_DATA, "%s: features must be numbers; these are words.", second->at);
    if (second->rows != first->rows)
        return error_set(err, GM_BAD_DATA,
                         "%s has %zu rows, but the first input %s has %zu: row i of one belongs to row i of the other.",
                         second->at, second->rows, first->at, first->rows);
    struct stored *inputs[] = {first, second};
    for (size_t p = 0; p < 2; p++) {
        enum gm_code code = memory_alloc((void **)&set->parts[p], 1, sizeof *set->parts[p], "an input", err);
        if (code != GM_OK)
            return code;
        struct data_set *part = set->parts[p];
        part->options = set->options;
        part->features = *inputs[p];
        *inputs[p] = (struct stored){0};
        part->schema = (struct data_schema){.rows = part->features.rows,
                                            .features = part->features.columns,
                                            .type = part->features.value_type,
                                            .features_at = part->features.at};
    }
    return describe(set, &set->parts[0]->features, &set->parts[1]->features, err);
}

void joined_release(struct data_set *set)
{
    for (size_t p = 0; p < 2; p++)
        data_close(set->parts[p]);
    memory_free(set->join);
}

const struct data_set *set_of_column(const struct data_set *set, size_t column, size_t *within)
{
    size_t first = set->parts[0] ? set->parts[0]->features.columns : SIZE_MAX;
    *within = column < first ? column : column - first;
    return !set->parts[0] ? set : set->parts[column >= first];
}

/* ---- reading ---- */

enum gm_code joined_choose_io(struct data_set *set, struct gm_error *err)
{
    enum gm_code code = GM_OK;
    set->io = DATA_IO_MAPPED;
    for (size_t p = 0; code == GM_OK && p < 2; p++) {
        struct data_set *part = set->parts[p];
        part->plan = set->plan;
        part->threads = set->threads;
        code = set_choose_io(part, err);
        if (code == GM_OK && (p == 0 || part->io > set->io)) {
            set->io = part->io;
            set->layout = part->layout;
        }
    }
    return code;
}

/* Rows of one input that are fetched at a time. */
static size_t rows_at_once(const struct data_set *set)
{
    return set->plan.slab_rows < set->plan.rows ? set->plan.slab_rows : set->plan.rows;
}

uint64_t joined_bytes(const struct data_set *set)
{
    size_t a = set->parts[0]->features.row_bytes, b = set->parts[1]->features.row_bytes;
    return (uint64_t)rows_at_once(set) * (a > b ? a : b);
}

enum gm_code joined_start(struct data_set *set, struct gm_error *err)
{
    enum gm_code code = GM_OK;
    if (!set->join)
        code = memory_alloc(&set->join, (size_t)joined_bytes(set), 1, "rows of one input", err);
    for (size_t p = 0; code == GM_OK && p < 2; p++)
        code = set_start_reading(set->parts[p], err);
    return code;
}

void joined_stop(struct data_set *set)
{
    for (size_t p = 0; p < 2; p++)
        set_stop_reading(set->parts[p]);
    memory_free(set->join);
    set->join = NULL;
}

/* Rows of one input to their place in the joined rows. */
static void place(const struct data_set *set, size_t p, size_t rows, char *to)
{
    const struct stored *x = &set->parts[p]->features;
    size_t stride = set->features.row_bytes;
    const char *from = set->join;
    to += p ? set->parts[0]->features.columns * data_type_size(set->features.value_type) : 0;
    for (size_t i = 0; i < rows; i++, from += x->row_bytes, to += stride)
        if (x->value_type == set->features.value_type)
            memcpy(to, from, x->row_bytes);
        else if (set->features.value_type == DATA_F32)
            convert_to_f32(x->value_type, from, x->columns, (float *)(void *)to);
        else
            convert_to_f64(x->value_type, from, x->columns, (double *)(void *)to);
}

enum gm_code joined_read(struct data_set *set, size_t first, size_t rows, void *to, struct gm_error *err)
{
    enum gm_code code = GM_OK;
    char *at = to;
    for (size_t done = 0; code == GM_OK && done < rows;) {
        size_t n = rows - done < rows_at_once(set) ? rows - done : rows_at_once(set);
        for (size_t p = 0; code == GM_OK && p < 2; p++) {
            code = set_read_features(set->parts[p], first + done, n, set->join, err);
            if (code == GM_OK)
                place(set, p, n, at);
        }
        at += n * set->features.row_bytes;
        done += n;
    }
    return code;
}
