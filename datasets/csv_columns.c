/* Finding the header, the target and the dropped columns. */
#include "datasets/csv_columns.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "datasets/cell.h"

static bool looks_like_header(const struct csv_record *first, enum import_header wish)
{
    if (wish != IMPORT_HEADER_AUTO)
        return wish == IMPORT_HEADER_YES;
    bool any_word = false;
    for (size_t i = 0; i < first->count; i++) {
        enum cell_kind kind = cell_parse(first->cells[i]).kind;
        if (kind == CELL_WHOLE || kind == CELL_REAL)
            return false;
        any_word |= kind == CELL_WORD;
    }
    return any_word;
}

static enum gm_code take_names(struct csv_columns *columns, const struct csv_record *first, struct gm_error *err)
{
    enum gm_code code = GM_OK;
    for (size_t i = 0; i < first->count && code == GM_OK; i++) {
        char numbered[32];
        snprintf(numbered, sizeof numbered, "column%zu", i + 1);
        bool named = columns->has_header && first->cells[i][0];
        code = list_add(&columns->names, named ? first->cells[i] : numbered, err);
    }
    return code;
}

/* The column that `word` names: by name, else by 1-based number. */
static enum gm_code find(const struct csv_columns *columns, const char *path, const char *word, size_t *column,
                         struct gm_error *err)
{
    size_t found = 0;
    for (size_t i = columns->count; i-- > 0;)
        if (strcmp(columns->names.items[i], word) == 0) {
            *column = i;
            found++;
        }
    if (found == 1)
        return GM_OK;
    if (found > 1)
        return error_set(err, GM_USAGE, "%s: %zu columns are named '%s'. Choose one by its number, 1 to %zu.", path,
                         found, word, columns->count);
    int64_t number;
    if (text_integer(word, &number) && number >= 1 && (uint64_t)number <= columns->count) {
        *column = (size_t)number - 1;
        return GM_OK;
    }
    const char *near = text_nearest(word, (const char *const *)columns->names.items, columns->count);
    return error_set(err, GM_USAGE,
                     "%s: no column '%.100s'%s%.100s%s. Columns are named in line 1 or numbered 1 to %zu.", path, word,
                     near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "", columns->count);
}

static enum gm_code drop(struct csv_columns *columns, const char *path, const char *list, struct gm_error *err)
{
    enum gm_code code = GM_OK;
    while (code == GM_OK && *list) {
        char word[256];
        size_t length = strcspn(list, ","), column;
        snprintf(word, sizeof word, "%.*s", (int)(length < 255 ? length : 255), list);
        code = find(columns, path, word, &column, err);
        if (code == GM_OK)
            columns->roles[column] = CSV_DROPPED;
        list += length + (list[length] == ',');
    }
    return code;
}

static size_t conventional_target(const struct csv_columns *columns)
{
    static const char *const names[] = {"target", "label", "y", "class"};
    if (columns->has_header)
        for (size_t n = 0; n < sizeof names / sizeof *names; n++)
            for (size_t i = 0; i < columns->count; i++)
                if (strcasecmp(columns->names.items[i], names[n]) == 0 && columns->roles[i] == CSV_FEATURE)
                    return i;
    return SIZE_MAX;
}

enum gm_code csv_columns_init(struct csv_columns *columns, const struct csv_record *first,
                              const struct import_options *options, struct gm_error *err)
{
    *columns = (struct csv_columns){.count = first->count, .target = SIZE_MAX};
    columns->has_header = looks_like_header(first, options->header);
    enum gm_code code = memory_alloc((void **)&columns->roles, first->count, 1, "columns", err);
    if (code == GM_OK)
        code = take_names(columns, first, err);
    if (code == GM_OK && options->drop)
        code = drop(columns, first->path, options->drop, err);
    if (code == GM_OK && options->target && !options->no_target)
        code = find(columns, first->path, options->target, &columns->target, err);
    if (code)
        return code;
    if (!options->target && !options->no_target)
        columns->target = conventional_target(columns);
    if (columns->target != SIZE_MAX)
        columns->roles[columns->target] = CSV_TARGET;
    for (size_t i = 0; i < columns->count; i++)
        columns->features += columns->roles[i] == CSV_FEATURE;
    if (columns->features == 0)
        return error_set(err, GM_BAD_DATA,
                         "%s: line %zu: no feature columns: %zu in all, less the target and the dropped ones.",
                         first->path, first->line, columns->count);
    return GM_OK;
}

void csv_columns_release(struct csv_columns *columns)
{
    list_release(&columns->names);
    memory_free(columns->roles);
    *columns = (struct csv_columns){0};
}

enum gm_code csv_columns_match(const struct csv_columns *columns, const struct csv_record *first,
                               const struct import_options *options, bool *is_header, struct gm_error *err)
{
    *is_header = looks_like_header(first, options->header);
    if (first->count != columns->count)
        return error_set(err, GM_BAD_DATA, "%s: line %zu: expected %zu columns as in the file before, found %zu.",
                         first->path, first->line, columns->count, first->count);
    if (*is_header != columns->has_header)
        return error_set(err, GM_BAD_DATA, "%s: line %zu: expected %s header line as in the file before.", first->path,
                         first->line, columns->has_header ? "a" : "no");
    for (size_t i = 0; *is_header && i < columns->count; i++)
        if (first->cells[i][0] && strcmp(first->cells[i], columns->names.items[i]) != 0)
            return error_set(err, GM_BAD_DATA,
                             "%s: line %zu: column %zu: expected '%.100s' as in the file before, found '%.100s'.",
                             first->path, first->line, i + 1, columns->names.items[i], first->cells[i]);
    return GM_OK;
}
