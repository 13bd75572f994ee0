/* Taking a line of the libsvm format apart. */
#include "datasets/libsvm_row.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "datasets/list.h"

#define BLANKS " \t\r\n\v\f"

static enum gm_code take_label(struct libsvm_row *row, const char *word, struct libsvm_place place,
                               struct gm_error *err)
{
    row->label = cell_parse(word);
    if (row->label.kind == CELL_WHOLE || row->label.kind == CELL_REAL)
        return GM_OK;
    const char *help = "";
    if (strchr(word, ','))
        help = " Several labels a row are not read.";
    else if (strchr(word, ':'))
        help = " Every line begins with a label; write 0 where there is none.";
    return error_set(err, GM_BAD_DATA, "%s: line %zu: expected a number as label, found '%.60s'.%s", place.path,
                     place.line, word, help);
}

static enum gm_code take_value(struct libsvm_row *row, const char *index_text, const char *value_text,
                               struct libsvm_place place, struct gm_error *err)
{
    int64_t index;
    if (!text_integer(index_text, &index) || index < 0 || index >= INT32_MAX)
        return error_set(err, GM_BAD_DATA, "%s: line %zu: expected an index from 0 to 2147483646, found '%.60s'.",
                         place.path, place.line, index_text);
    struct cell value = cell_parse(value_text);
    if (value.kind != CELL_WHOLE && value.kind != CELL_REAL)
        return error_set(err, GM_BAD_DATA, "%s: line %zu: index %s: expected a number, found '%.60s'.", place.path,
                         place.line, index_text, value_text);
    if (row->count && index <= row->indices[row->count - 1])
        return error_set(err, GM_BAD_DATA, "%s: line %zu: indices must ascend: found %s after %d.", place.path,
                         place.line, index_text, row->indices[row->count - 1]);
    enum gm_code code =
        list_reserve((void **)&row->indices, &row->indices_room, row->count, row->count + 1, sizeof *row->indices, err);
    if (code == GM_OK)
        code = list_reserve((void **)&row->values, &row->values_room, row->count, row->count + 1, sizeof *row->values,
                            err);
    if (code)
        return code;
    row->indices[row->count] = (int32_t)index;
    row->values[row->count++] = value;
    return GM_OK;
}

enum gm_code libsvm_parse(struct libsvm_row *row, char *text, struct libsvm_place place, struct gm_error *err)
{
    row->count = 0;
    row->has_group = false;
    text[strcspn(text, "#")] = 0;
    char *rest = NULL, *word = strtok_r(text, BLANKS, &rest);
    row->empty = !word;
    if (!word)
        return GM_OK;
    enum gm_code code = take_label(row, word, place, err);
    while (code == GM_OK && (word = strtok_r(NULL, BLANKS, &rest))) {
        char *colon = strchr(word, ':');
        if (!colon)
            return error_set(err, GM_BAD_DATA, "%s: line %zu: expected index:value, found '%.60s'.", place.path,
                             place.line, word);
        *colon = 0;
        if (strcmp(word, "qid") != 0) {
            code = take_value(row, word, colon + 1, place, err);
            continue;
        }
        if (row->count || row->has_group || !text_integer(colon + 1, &row->group))
            return error_set(err, GM_BAD_DATA,
                             "%s: line %zu: expected qid:N with a whole number, once, before the values; found "
                             "'qid:%.60s'.",
                             place.path, place.line, colon + 1);
        row->has_group = true;
    }
    return code;
}

void libsvm_row_release(struct libsvm_row *row)
{
    memory_free(row->indices);
    memory_free(row->values);
    *row = (struct libsvm_row){0};
}
