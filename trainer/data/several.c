/* Several files as one dataset: are they alike, and where is a row of the whole. */
#include "data/set.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

static enum gm_code differ(const struct data_set *a, const struct data_set *b, const char *what, struct gm_error *err)
{
    return error_set(err, GM_BAD_DATA, "%s and %s are to be one dataset, but %s.", b->features.at, a->features.at,
                     what);
}

/* Equal lists of words; NULL: none. */
static bool same_words(char *const *a, size_t n, char *const *b, size_t m)
{
    if (!a || !b)
        return !a && !b;
    bool same = n == m;
    for (size_t i = 0; same && i < n; i++)
        same = strcmp(a[i], b[i]) == 0;
    return same;
}

static enum gm_code check_features(const struct data_set *a, const struct data_set *b, struct gm_error *err)
{
    const struct data_schema *s = &a->schema, *t = &b->schema;
    char text[160];
    if (s->sparse != t->sparse)
        return differ(a, b, "only one of them has sparse rows", err);
    if (s->features != t->features || s->feature_rank != t->feature_rank ||
        memcmp(s->feature_dims, t->feature_dims, sizeof s->feature_dims) != 0) {
        snprintf(text, sizeof text, "the first has %zu features%s, the second %zu", t->features,
                 s->features == t->features ? " of another shape" : "", s->features);
        return differ(a, b, text, err);
    }
    if (s->first_features != t->first_features) {
        snprintf(text, sizeof text, "the first input of the first has %zu features, of the second %zu",
                 t->first_features, s->first_features);
        return differ(a, b, text, err);
    }
    if (s->type != t->type) {
        snprintf(text, sizeof text, "the features of the first are %s, of the second %s", data_type_name(t->type),
                 data_type_name(s->type));
        return differ(a, b, text, err);
    }
    if (!same_words(a->feature_names, a->feature_name_count, b->feature_names, b->feature_name_count))
        return differ(a, b, "their feature_names are not the same", err);
    return GM_OK;
}

static enum gm_code check_sides(const struct data_set *a, const struct data_set *b, struct gm_error *err)
{
    const struct data_schema *s = &a->schema, *t = &b->schema;
    char text[160];
    if (s->targets != t->targets) {
        snprintf(text, sizeof text, "the first has %zu target columns, the second %zu", t->targets, s->targets);
        return differ(a, b, text, err);
    }
    if (s->target_is_text != t->target_is_text || s->target_type != t->target_type) {
        snprintf(text, sizeof text, "the target of the first is %s, of the second %s",
                 t->target_is_text ? "words" : data_type_name(t->target_type),
                 s->target_is_text ? "words" : data_type_name(s->target_type));
        return differ(a, b, text, err);
    }
    if (!same_words(a->file_classes, a->file_class_count, b->file_classes, b->file_class_count))
        return differ(a, b, "their class_names are not the same", err);
    if (s->has_weight != t->has_weight)
        return differ(a, b, "only one of them has weights", err);
    if (s->has_group != t->has_group)
        return differ(a, b, "only one of them has groups", err);
    return GM_OK;
}

/* What is said of the whole, in the words of the first file. */
static enum gm_code describe(struct stored *whole, const struct stored *first, size_t rows, size_t files,
                             struct gm_error *err)
{
    if (!first->at)
        return GM_OK;
    size_t size = strlen(first->at) + 40;
    enum gm_code code = memory_alloc((void **)&whole->at, size, 1, "a dataset's name", err);
    if (code != GM_OK)
        return code;
    snprintf(whole->at, size, "%s and %zu more", first->at, files - 1);
    whole->name = whole->at + (first->name - first->at);
    whole->kind = first->kind;
    whole->value_type = first->value_type;
    whole->rank = first->rank;
    memcpy(whole->dims, first->dims, sizeof whole->dims);
    whole->rows = whole->dims[0] = rows;
    whole->columns = first->columns;
    whole->row_bytes = first->row_bytes;
    whole->band_rows = 1;
    return GM_OK;
}

/* The bytes of a mean row are those in one file with all rows. */
static enum gm_code join_sparse(struct data_set *set, struct gm_error *err)
{
    struct sparse **parts;
    enum gm_code code = memory_alloc((void **)&parts, set->n_members, sizeof *parts, "a list of files", err);
    for (size_t i = 0; code == GM_OK && i < set->n_members; i++)
        parts[i] = set->members[i]->sparse;
    if (code == GM_OK)
        code = sparse_join(&set->sparse, parts, set->n_members, err);
    memory_free(parts);
    if (code == GM_OK) {
        const struct sparse *s = set->sparse;
        set->schema.entries = s->entries;
        set->features.row_bytes = (size_t)(s->entries / s->rows + 1) * sparse_entry_bytes(s);
    }
    return code;
}

static enum gm_code join(struct data_set *set, struct gm_error *err)
{
    const struct data_set *first = set->members[0];
    enum gm_code code = memory_alloc((void **)&set->firsts, set->n_members + 1, sizeof *set->firsts, "rows", err);
    for (size_t i = 0; code == GM_OK && i < set->n_members; i++) {
        const struct data_set *member = set->members[i];
        set->firsts[i + 1] = set->firsts[i] + member->schema.rows;
        code = i ? check_features(first, member, err) : GM_OK;
        if (code == GM_OK && i)
            code = check_sides(first, member, err);
    }
    if (code != GM_OK)
        return code;
    size_t rows = set->firsts[set->n_members], all;
    if (!memory_product(rows, first->features.row_bytes, &all))
        return error_set(err, GM_BAD_DATA, "%s and the others hold more than can be addressed.", first->features.at);
    set->options = first->options;
    set->feature_names = first->feature_names; /* borrowed: several_release takes them back */
    set->feature_name_count = first->feature_name_count;
    set->file_classes = first->file_classes;
    set->file_class_count = first->file_class_count;
    if ((code = describe(&set->features, &first->features, rows, set->n_members, err)) ||
        (code = describe(&set->target, &first->target, rows, set->n_members, err)) ||
        (code = describe(&set->weight, &first->weight, rows, set->n_members, err)) ||
        (code = describe(&set->group, &first->group, rows, set->n_members, err)) ||
        (code = describe(&set->split, &first->split, rows, set->n_members, err)))
        return code;
    set->schema = first->schema;
    set->schema.rows = rows;
    if (first->sparse && (code = join_sparse(set, err)))
        return code;
    set->schema.features_at = set->features.at;
    set->schema.target_at = set->target.at;
    return GM_OK;
}

enum gm_code several_open(struct data_set **out, struct data_set **members, size_t count, struct gm_error *err)
{
    struct data_set *set = NULL;
    *out = NULL;
    enum gm_code code = memory_alloc((void **)&set, 1, sizeof *set, "a dataset", err);
    if (code == GM_OK)
        code = memory_alloc((void **)&set->members, count, sizeof *members, "a list of files", err);
    if (code != GM_OK) {
        for (size_t i = 0; i < count; i++)
            data_close(members[i]);
        memory_free(set);
        return code;
    }
    memcpy(set->members, members, count * sizeof *members);
    set->n_members = count;
    code = join(set, err);
    if (code == GM_OK)
        *out = set;
    else
        data_close(set);
    return code;
}

void several_release(struct data_set *set)
{
    if (!set->members)
        return;
    set->feature_names = set->file_classes = NULL;
    for (size_t i = 0; i < set->n_members; i++)
        data_close(set->members[i]);
    memory_free(set->members);
    memory_free(set->firsts);
    set->members = NULL;
}

/* The member that holds a row. */
static size_t member_of(const struct data_set *set, size_t row)
{
    size_t low = 0, high = set->n_members;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (set->firsts[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

const struct data_set *set_of_row(const struct data_set *set, size_t row, size_t *within)
{
    size_t i = set->members ? member_of(set, row) : 0;
    *within = set->members ? row - set->firsts[i] : row;
    return set->members ? set->members[i] : set;
}

size_t several_member(const struct data_set *set, size_t row, size_t *within)
{
    size_t i = member_of(set, row);
    *within = row - set->firsts[i];
    return i;
}

/* One file at a time is open for reading: each holds buffers for its chunks. */
static enum gm_code switch_to(struct data_set *set, struct data_set *member, struct gm_error *err)
{
    if (set->reading == member)
        return GM_OK;
    if (set->reading)
        set_stop_reading(set->reading);
    set->reading = member;
    return set_start_reading(member, err);
}

enum gm_code several_read(struct data_set *set, size_t first, size_t rows, void *to, struct gm_error *err)
{
    enum gm_code code = GM_OK;
    char *at = to;
    for (size_t i = member_of(set, first), end = first + rows; code == GM_OK && first < end; i++) {
        size_t last = set->firsts[i + 1] < end ? set->firsts[i + 1] : end;
        code = switch_to(set, set->members[i], err);
        if (code == GM_OK)
            code = set_read_features(set->members[i], first - set->firsts[i], last - first, at, err);
        at += (last - first) * set->features.row_bytes;
        first = last;
    }
    return code;
}
