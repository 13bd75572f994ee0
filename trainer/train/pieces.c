/* In which calls the rows of a dataset come to a loss that couples them. */
#include "train/pieces.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

#define CALL_ROWS 512 /* small groups share a call of at least so many rows */

size_t pieces_group_end(const int64_t *group, const size_t *order, size_t row, size_t rows)
{
    int64_t number = group[order ? order[row] : row];
    while (row < rows && group[order ? order[row] : row] == number)
        row++;
    return row;
}

/* Whole groups of index[begin .. end), in order. */
static void cut_groups(struct pieces *p, const int64_t *group, size_t begin, size_t end)
{
    for (size_t row = begin; row < end;) {
        size_t next = row;
        while (next < end && next - row < CALL_ROWS)
            next = pieces_group_end(group, p->index, next, end);
        p->first[p->count++] = row;
        p->most = next - row > p->most ? next - row : p->most;
        row = next;
    }
}

size_t pieces_cut_groups(const int64_t *group, size_t rows, size_t *first)
{
    size_t count = 0;
    for (size_t row = 0; row < rows;) {
        first[count++] = row;
        size_t begin = row;
        while (row < rows && row - begin < CALL_ROWS)
            row = pieces_group_end(group, NULL, row, rows);
    }
    first[count] = rows;
    return count;
}

/* As few batches as `batch` allows, of sizes as equal as can be. */
static void cut_batches(struct pieces *p, size_t batch, size_t begin, size_t end)
{
    size_t rows = end - begin, count = rows ? (rows - 1) / batch + 1 : 0;
    for (size_t i = 0; i < count; i++) {
        size_t size = rows / count + (i < rows % count);
        p->first[p->count++] = begin;
        p->most = size > p->most ? size : p->most;
        begin += size;
    }
}

/* ---- do the rows of a group stand together? ---- */

struct group_start {
    int64_t number;
    size_t row, end;
};

static int by_number_and_row(const void *a, const void *b)
{
    const struct group_start *x = a, *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static enum gm_code refuse_scattered(const struct pieces_request *r, const struct group_start *starts, size_t count,
                                     struct gm_error *err)
{
    const struct group_start *bad = NULL;
    for (size_t i = 1; i < count; i++)
        if (starts[i].number == starts[i - 1].number && (!bad || starts[i].row < bad->row))
            bad = &starts[i];
    if (!bad)
        return GM_OK;
    return error_set(err, GM_BAD_DATA,
                     "%s row %zu (counted from 0): group %lld goes on here, but it ended before row %zu. The loss '%s' "
                     "takes groups whole: sort the rows by group.",
                     data_schema(r->set)->features_at, bad->row, (long long)bad->number, bad[-1].end, r->loss);
}

static bool held_out(const struct pieces_request *r, size_t row)
{
    return r->split && split_held_out(r->split, row);
}

/* A split that the data give may cut through a group. */
static enum gm_code check_side(const struct pieces_request *r, const struct group_start *g, struct gm_error *err)
{
    for (size_t row = g->row + 1; row < g->end; row++)
        if (held_out(r, row) != held_out(r, g->row))
            return error_set(err, GM_BAD_DATA,
                             "%s row %zu (counted from 0): group %lld is partly held out for validation. The loss '%s' "
                             "takes groups whole.",
                             data_schema(r->set)->features_at, row, (long long)g->number, r->loss);
    return GM_OK;
}

static enum gm_code check_groups(struct pieces *p, const struct pieces_request *r, struct gm_error *err)
{
    const struct data_schema *schema = data_schema(r->set);
    const int64_t *group = data_groups(r->set);
    if (!group)
        return error_set(err, GM_BAD_DATA,
                         "%s: the loss '%s' ranks within groups, and there are none: a dataset of group numbers named "
                         "group, groups or qid, or data.train.group.",
                         schema->features_at, r->loss);
    size_t count = 0;
    for (size_t row = 0; row < schema->rows; row = pieces_group_end(group, NULL, row, schema->rows))
        count++;
    struct group_start *starts;
    enum gm_code code = memory_alloc((void **)&starts, count, sizeof *starts, "groups", err);
    if (code)
        return code;
    for (size_t row = 0, i = 0; !code && row < schema->rows; i++) {
        size_t end = pieces_group_end(group, NULL, row, schema->rows);
        starts[i] = (struct group_start){group[row], row, end};
        p->largest_group = end - row > p->largest_group ? end - row : p->largest_group;
        code = check_side(r, &starts[i], err);
        row = end;
    }
    qsort(starts, count, sizeof *starts, by_number_and_row);
    if (!code)
        code = refuse_scattered(r, starts, count, err);
    memory_free(starts);
    return code;
}

/* ---- all ---- */

static enum gm_code cut(struct pieces *p, const struct pieces_request *r, struct gm_error *err)
{
    size_t train = 0;
    for (int side = 0; side < 2; side++) {
        size_t begin = side ? train : 0, end = begin;
        for (size_t row = 0; row < p->rows; row++)
            if (held_out(r, row) == side)
                p->index[end++] = row;
        train = side ? train : end;
        size_t batch = r->batch_rows ? r->batch_rows : PIECES_BATCH_MOST;
        if (!r->grouped && r->trains && !side && !r->batch_rows && end > PIECES_BATCH_MOST)
            return error_set(err, GM_BAD_DATA,
                             "The loss '%s' compares all rows of a batch with each other: a full batch of %zu rows is "
                             "too much (at most %zu). Choose optimizer.batch_size, with adam for example.",
                             r->loss, end, PIECES_BATCH_MOST);
        if (r->grouped)
            cut_groups(p, data_groups(r->set), begin, end);
        else
            cut_batches(p, batch, begin, end);
        p->n_train = side ? p->n_train : p->count;
    }
    p->first[p->count] = p->rows;
    return GM_OK;
}

enum gm_code pieces_init(struct pieces *p, const struct pieces_request *r, struct gm_error *err)
{
    *p = (struct pieces){.rows = data_schema(r->set)->rows};
    enum gm_code code = r->grouped ? check_groups(p, r, err) : GM_OK;
    if (!code)
        code = memory_alloc((void **)&p->index, p->rows, sizeof *p->index, "the rows of each call", err);
    if (!code)
        code = memory_alloc((void **)&p->first, p->rows + 1, sizeof *p->first, "the calls of the loss", err);
    if (!code)
        code = cut(p, r, err);
    if (code)
        pieces_release(p);
    return code;
}

void pieces_release(struct pieces *p)
{
    memory_free(p->index);
    memory_free(p->first);
    *p = (struct pieces){0};
}
