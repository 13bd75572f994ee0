/* From labels to class indices: words, whole numbers, and numbers that the file itself names. */
#include "data/set.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

#define WHOLE_MOST 9007199254740992.0 /* 2^53: beyond, neighbours are one double */

static double number_of(const struct label *label)
{
    double value;
    memcpy(&value, label->bytes, sizeof value);
    return value;
}

/* The text of a code: the word, the name the file gives to the number, or the number's digits. */
static enum gm_code text_of(char **out, const struct data_set *set, const struct labels *labels, size_t code,
                            struct gm_error *err)
{
    if (set->schema.target_is_text)
        return memory_string(out, labels->list[code].bytes, err);
    double value = number_of(&labels->list[code]);
    if (set->file_classes)
        return memory_string(out, set->file_classes[(size_t)value], err);
    char digits[32];
    snprintf(digits, sizeof digits, "%" PRId64, (int64_t)value);
    return memory_string(out, digits, err);
}

static enum gm_code bad_number(const struct data_set *set, size_t row, double value, struct gm_error *err)
{
    char text[32];
    text_from_real(value, text);
    if (set->file_classes)
        return error_set(err, GM_BAD_DATA, "%s: row %zu: the label %s is no index into the file's %zu class_names.",
                         set->target.at, row, text, set->file_class_count);
    return error_set(err, GM_BAD_DATA, "%s: row %zu: the label %s is not a whole number, so it is no class.",
                     set->target.at, row, text);
}

/* Give each different number of the target a code. */
static enum gm_code code_numbers(struct labels *labels, const struct data_set *set, struct gm_error *err)
{
    enum gm_code code = labels_init(labels, set->schema.rows, err);
    const char *values = set->target_values;
    size_t size = data_type_size(set->schema.target_type);
    for (size_t row = 0; code == GM_OK && row < set->schema.rows; row++) {
        double value;
        convert_to_f64(set->schema.target_type, values + row * size, 1, &value);
        bool whole = fabs(value) <= WHOLE_MOST && value == floor(value);
        value += 0.0; /* -0 is 0 */
        if (!whole || (set->file_classes && !(value >= 0 && value < (double)set->file_class_count)))
            return bad_number(set, row, value, err);
        if (!labels_add(labels, row, &value, sizeof value))
            return error_set(err, GM_BAD_DATA, "%s: more than %d different labels; is this the target of a regression?",
                             set->target.at, LABELS_MOST);
    }
    return code;
}

struct entry {
    const char *word;
    double value;
    uint32_t code;
};

static int by_word(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->word, ((const struct entry *)b)->word);
}

static int by_value(const void *a, const void *b)
{
    double x = ((const struct entry *)a)->value, y = ((const struct entry *)b)->value;
    return (x > y) - (x < y);
}

/* class_of[code] by sorting the labels; class_names from the sorted list. */
static enum gm_code sort_classes(struct data_set *set, const struct labels *labels, uint32_t *class_of,
                                 struct gm_error *err)
{
    struct entry *entries;
    size_t count = labels->count;
    enum gm_code code = memory_alloc((void **)&entries, count, sizeof *entries, "class labels", err);
    if (code != GM_OK)
        return code;
    for (size_t i = 0; i < count; i++) {
        entries[i].code = (uint32_t)i;
        if (set->schema.target_is_text)
            entries[i].word = labels->list[i].bytes;
        else
            entries[i].value = number_of(&labels->list[i]);
    }
    qsort(entries, count, sizeof *entries, set->schema.target_is_text ? by_word : by_value);
    code = memory_alloc((void **)&set->class_names, count, sizeof *set->class_names, "class names", err);
    for (size_t i = 0; code == GM_OK && i < count; i++) {
        class_of[entries[i].code] = (uint32_t)i;
        code = text_of(&set->class_names[i], set, labels, entries[i].code, err);
    }
    set->schema.classes = count;
    memory_free(entries);
    return code;
}

/* The file names its classes: the index is the class, whether or not it occurs. */
static enum gm_code take_file_classes(struct data_set *set, const struct labels *labels, uint32_t *class_of,
                                      struct gm_error *err)
{
    size_t count = set->file_class_count;
    enum gm_code code = memory_alloc((void **)&set->class_names, count, sizeof *set->class_names, "class names", err);
    set->schema.classes = count;
    for (size_t i = 0; code == GM_OK && i < count; i++)
        code = memory_string(&set->class_names[i], set->file_classes[i], err);
    for (size_t i = 0; i < labels->count; i++)
        class_of[i] = (uint32_t)number_of(&labels->list[i]);
    return code;
}

static size_t index_of(const char *word, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, names[i]) == 0)
            return i;
    return count;
}

static enum gm_code unknown_label(const struct data_set *set, const struct labels *labels, size_t label,
                                  const char *text, struct gm_error *err)
{
    size_t row = 0;
    while (labels->codes[row] != label)
        row++;
    const struct data_set *file = set_of_row(set, row, &row);
    return error_set(err, GM_BAD_DATA, "%s: row %zu: the label '%s' is none of the %zu known classes.", file->target.at,
                     row, text, set->schema.classes);
}

/* Look each label up among names[count]. A plain number that is no name is taken for an index where no name is a
 * number: the names then came from the class_names of another file. */
static enum gm_code look_up(struct data_set *set, const struct labels *labels, uint32_t *class_of,
                            const char *const *names, struct gm_error *err)
{
    size_t count = set->schema.classes;
    bool index_is_fine = !set->schema.target_is_text && !set->file_classes;
    int64_t unused;
    for (size_t i = 0; i < count; i++)
        index_is_fine = index_is_fine && !text_integer(names[i], &unused);
    for (size_t i = 0; i < labels->count; i++) {
        char *text = NULL;
        enum gm_code code = text_of(&text, set, labels, i, err);
        if (code != GM_OK)
            return code;
        size_t found = index_of(text, names, count);
        if (found == count && index_is_fine && number_of(&labels->list[i]) >= 0 &&
            number_of(&labels->list[i]) < (double)count)
            found = (size_t)number_of(&labels->list[i]);
        if (found == count)
            code = unknown_label(set, labels, i, text, err);
        memory_free(text);
        if (code != GM_OK)
            return code;
        class_of[i] = (uint32_t)found;
    }
    return GM_OK;
}

static enum gm_code copy_names(struct data_set *set, const char *const *names, size_t count, struct gm_error *err)
{
    enum gm_code code = memory_alloc((void **)&set->class_names, count, sizeof *set->class_names, "class names", err);
    set->schema.classes = code == GM_OK ? count : 0;
    for (size_t i = 0; code == GM_OK && i < count; i++)
        code = memory_string(&set->class_names[i], names[i], err);
    return code;
}

/* Replace the target by class indices as doubles. */
static enum gm_code store_classes(struct data_set *set, const struct labels *labels, const uint32_t *class_of,
                                  struct gm_error *err)
{
    double *values;
    enum gm_code code = memory_alloc((void **)&values, set->schema.rows, sizeof *values, "the target", err);
    if (code != GM_OK)
        return code;
    for (size_t row = 0; row < set->schema.rows; row++)
        values[row] = class_of[labels->codes[row]];
    memory_free(set->target_values);
    set->target_values = values;
    set->schema.target_type = DATA_F64;
    set->schema.class_names = (const char *const *)set->class_names;
    return GM_OK;
}

enum gm_code data_make_classes(struct data_set *set, const char *const *names, size_t count, struct gm_error *err)
{
    if (!set->target.at)
        return error_set(err, GM_BAD_DATA, "%s: there is no target to take classes from.", set->features.at);
    if (set->schema.targets != 1)
        return error_set(err, GM_BAD_DATA, "%s: a class label is one column, but there are %zu.", set->target.at,
                         set->schema.targets);
    enum gm_code code = set_read_target(set, err);
    if (code != GM_OK || set->schema.classes)
        return code;
    struct labels labels = {0};
    if (set->schema.target_is_text) {
        labels = set->labels;
        set->labels = (struct labels){0};
    } else {
        code = code_numbers(&labels, set, err);
    }
    uint32_t *class_of = NULL;
    if (code == GM_OK)
        code = memory_alloc((void **)&class_of, labels.count, sizeof *class_of, "class labels", err);
    if (code == GM_OK && names)
        code = copy_names(set, names, count, err);
    if (code == GM_OK)
        code = names               ? look_up(set, &labels, class_of, names, err)
               : set->file_classes ? take_file_classes(set, &labels, class_of, err)
                                   : sort_classes(set, &labels, class_of, err);
    if (code == GM_OK)
        code = store_classes(set, &labels, class_of, err);
    memory_free(class_of);
    labels_release(&labels);
    return code;
}

enum gm_code data_count_classes(struct data_set *set, size_t column, size_t *classes, struct gm_error *err)
{
    enum gm_code code = set_read_target(set, err);
    const struct data_schema *s = &set->schema;
    size_t size = data_type_size(s->target_type);
    const char *values = set->target_values;
    *classes = 0;
    for (size_t row = 0; !code && row < s->rows; row++) {
        double value;
        convert_to_f64(s->target_type, values + (row * s->targets + column) * size, 1, &value);
        char text[32];
        if (!(value >= 0 && value <= (double)INT32_MAX && value == floor(value)))
            return error_set(err, GM_BAD_DATA, "%s: row %zu, column %zu: %s is no class; they are 0, 1, 2 ...",
                             set->target.at, row, column, text_from_real(value, text));
        *classes = (size_t)value + 1 > *classes ? (size_t)value + 1 : *classes;
    }
    return code;
}

bool data_has_class_names(const struct data_set *set)
{
    return set->file_class_count > 0;
}
