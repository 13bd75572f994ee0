/* Compressed rows of several files as one: the same start, entries and reading as of one file with all rows. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "data/sparse.h"

enum gm_code sparse_join(struct sparse **out, struct sparse *const *parts, size_t count, struct gm_error *err)
{
    struct sparse *s = NULL;
    enum gm_code code = memory_alloc((void **)&s, 1, sizeof *s, "sparse rows", err);
    *out = s;
    if (code == GM_OK)
        code = memory_string(&s->at, parts[0]->at, err);
    if (code == GM_OK)
        code = memory_alloc((void **)&s->parts, count, sizeof(struct sparse *), "a list of files", err);
    for (size_t i = 0; code == GM_OK && i < count; i++) {
        if (parts[i]->form != SPARSE_CSR)
            code =
                error_set(err, GM_BAD_DATA,
                          "%s: columns or triples are not one dataset with other files; store them as compressed rows "
                          "(SciPy: tocsr()).",
                          parts[i]->at);
        s->parts[i] = parts[i];
        s->rows += parts[i]->rows;
        s->entries += parts[i]->entries;
    }
    if (code != GM_OK)
        return code;
    s->form = SPARSE_CSR;
    s->n_parts = count;
    s->features = parts[0]->features;
    s->values.stored.value_type = parts[0]->values.stored.value_type;
    return GM_OK;
}

enum gm_code sparse_joined_starts(struct sparse *s, struct gm_error *err)
{
    enum gm_code code = GM_OK;
    size_t row = 0;
    uint64_t entry = 0;
    for (size_t i = 0; code == GM_OK && i < s->n_parts; i++) {
        struct sparse *part = s->parts[i];
        code = sparse_read_starts(part, err);
        for (size_t r = 0; code == GM_OK && r <= part->rows; r++)
            s->start[row + r] = entry + part->start[r];
        row += part->rows;
        entry += part->entries;
        dataset_plan(&part->values);
        if (i == 0 || part->values.layout.io > s->values.layout.io) /* what is said of the whole is the slowest */
            s->values.layout = part->values.layout;
    }
    return code;
}

/* One file at a time is open for reading: each holds buffers for its chunks. */
static enum gm_code switch_to(const struct sparse *s, struct sparse *part, struct gm_error *err)
{
    for (size_t i = 0; i < s->n_parts; i++)
        if (s->parts[i] != part)
            sparse_rest(s->parts[i]);
    return sparse_ready(part, s->threads, err);
}

enum gm_code sparse_joined_read(const struct sparse *s, struct row_range rows, void *value, uint32_t *index,
                                struct gm_error *err)
{
    size_t bytes = data_type_size(s->values.stored.value_type), at = 0;
    enum gm_code code = GM_OK;
    for (size_t i = 0; code == GM_OK && i < s->n_parts && at < rows.end; at += s->parts[i++]->rows) {
        struct sparse *part = s->parts[i];
        size_t first = rows.first > at ? rows.first : at, end = at + part->rows < rows.end ? at + part->rows : rows.end;
        uint64_t to = s->start[first < end ? first : rows.first] - s->start[rows.first];
        if (first >= end)
            continue;
        code = switch_to(s, part, err);
        if (code == GM_OK)
            code = sparse_read(part, first - at, end - first, (char *)value + to * bytes, index + to, err);
    }
    return code;
}
