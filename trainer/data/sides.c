/* What stands beside the features of every row: split marks, and the joining of what several files hold. */
#include "data/set.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"

enum { TRAIN, HELD_OUT, NEITHER, UNKNOWN };

static int mark_of_word(const char *word)
{
    static const struct {
        const char *word;
        int mark;
    } known[] = {{"train", TRAIN},  {"training", TRAIN}, {"validation", HELD_OUT}, {"valid", HELD_OUT},
                 {"val", HELD_OUT}, {"dev", HELD_OUT},   {"test", NEITHER}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].word, word) == 0)
            return known[i].mark;
    return UNKNOWN;
}

static enum gm_code take_word(void *context, size_t row, const char *text, struct gm_error *err)
{
    struct data_set *set = context;
    int mark = mark_of_word(text);
    if (mark == UNKNOWN)
        return error_set(err, GM_BAD_DATA, "%s: row %zu: '%.60s' is none of train, validation and test.", set->split.at,
                         row, text);
    set->marks[row] = (uint8_t)mark;
    return GM_OK;
}

static enum gm_code take_numbers(struct data_set *set, struct gm_error *err)
{
    enum { AT_ONCE = 1024 };
    const struct stored *split = &set->split;
    struct dataset dataset;
    enum gm_code code = dataset_beside(&dataset, split, err);
    for (size_t first = 0; code == GM_OK && first < split->rows; first += AT_ONCE) {
        unsigned char raw[AT_ONCE * sizeof(double)];
        double values[AT_ONCE];
        size_t rows = split->rows - first < AT_ONCE ? split->rows - first : AT_ONCE;
        code = dataset_read(&dataset, first, rows, raw, err);
        if (code == GM_OK)
            convert_to_f64(split->value_type, raw, rows, values);
        for (size_t i = 0; code == GM_OK && i < rows; i++) {
            if (values[i] != TRAIN && values[i] != HELD_OUT && values[i] != NEITHER)
                code =
                    error_set(err, GM_BAD_DATA, "%s: row %zu: %g is none of 0 (train), 1 (validation) and 2 (neither).",
                              split->at, first + i, values[i]);
            else
                set->marks[first + i] = (uint8_t)values[i];
        }
    }
    dataset_rest(&dataset);
    return code;
}

enum gm_code sides_read_marks(struct data_set *set, struct gm_error *err)
{
    if (!set->split.at || set->marks)
        return GM_OK;
    enum gm_code code = memory_alloc((void **)&set->marks, set->split.rows, sizeof *set->marks, "the split", err);
    if (code != GM_OK)
        return code;
    return set->split.kind == H5_WORDS ? stored_each_word(&set->split, take_word, set, err) : take_numbers(set, err);
}

enum gm_code sides_drop_marked(struct data_set *set, struct gm_error *err)
{
    size_t rows = set->schema.rows;
    if (!set->marks || !memchr(set->marks, NEITHER, rows))
        return GM_OK;
    if (!set->weights) {
        enum gm_code code = memory_alloc((void **)&set->weights, rows, sizeof *set->weights, "weights", err);
        if (code != GM_OK)
            return code;
        for (size_t row = 0; row < rows; row++)
            set->weights[row] = 1;
    }
    for (size_t row = 0; row < rows; row++)
        if (set->marks[row] == NEITHER)
            set->weights[row] = 0;
    return GM_OK;
}

/* ---- several files ---- */

static enum gm_code join_words(struct data_set *set, struct gm_error *err)
{
    enum gm_code code = labels_init(&set->labels, set->schema.rows, err);
    for (size_t i = 0; code == GM_OK && i < set->n_members; i++) {
        struct data_set *member = set->members[i];
        code = set_read_target(member, err);
        for (size_t row = 0; code == GM_OK && row < member->schema.rows; row++) {
            const struct label *label = &member->labels.list[member->labels.codes[row]];
            if (!labels_add(&set->labels, set->firsts[i] + row, label->bytes, label->size))
                code =
                    error_set(err, GM_BAD_DATA, "%s: more than %d different words by row %zu, or no memory for them.",
                              member->target.at, LABELS_MOST, row);
        }
        labels_release(&member->labels);
    }
    return code;
}

enum gm_code sides_join_target(struct data_set *set, struct gm_error *err)
{
    if (set->target.kind == H5_WORDS)
        return join_words(set, err);
    enum gm_code code = memory_alloc(&set->target_values, set->target.rows, set->target.row_bytes, "the target", err);
    for (size_t i = 0; code == GM_OK && i < set->n_members; i++) {
        struct data_set *member = set->members[i];
        code = set_read_target(member, err);
        if (code == GM_OK)
            memcpy((char *)set->target_values + set->firsts[i] * set->target.row_bytes, member->target_values,
                   member->target.rows * set->target.row_bytes);
        memory_free(member->target_values);
        member->target_values = NULL;
    }
    return code;
}

/* Appends one array of a member to that of the whole, and gives it up. */
static void append(void *whole, void **part, size_t first, size_t rows, size_t size)
{
    if (whole && *part)
        memcpy((char *)whole + first * size, *part, rows * size);
    memory_free(*part);
    *part = NULL;
}

enum gm_code sides_join(struct data_set *set, struct gm_error *err)
{
    size_t rows = set->schema.rows;
    enum gm_code code = GM_OK;
    if (set->weight.at)
        code = memory_alloc((void **)&set->weights, rows, sizeof *set->weights, "weights", err);
    if (code == GM_OK && set->group.at)
        code = memory_alloc((void **)&set->groups, rows, sizeof *set->groups, "groups", err);
    if (code == GM_OK && set->split.at)
        code = memory_alloc((void **)&set->marks, rows, sizeof *set->marks, "the split", err);
    for (size_t i = 0; code == GM_OK && i < set->n_members; i++) {
        struct data_set *m = set->members[i];
        if ((code = sides_read(m, err)) != GM_OK)
            return code;
        append(set->weights, (void **)&m->weights, set->firsts[i], m->schema.rows, sizeof *m->weights);
        append(set->groups, (void **)&m->groups, set->firsts[i], m->schema.rows, sizeof *m->groups);
        append(set->marks, (void **)&m->marks, set->firsts[i], m->schema.rows, sizeof *m->marks);
    }
    return code;
}
