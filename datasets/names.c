/* Names of features and classes from files. */
#include "datasets/names.h"

#include <string.h>

#include "base/error.h"
#include "datasets/input.h"
#include "datasets/lines.h"

static enum gm_code read_list(struct list_texts *list, const char *path, struct gm_error *err)
{
    struct input in;
    char *line;
    if (!path)
        return GM_OK;
    enum gm_code code = input_open(&in, path, err);
    if (code)
        return code;
    struct lines lines = {.in = &in};
    while ((code = lines_next(&lines, &line, err)) == GM_OK && line) {
        line[strcspn(line, "\t")] = '\0';
        code = line[0] ? list_add(list, line, err)
                       : error_set(err, GM_BAD_DATA, "%s: line %zu: expected a name, found none.", path, lines.number);
        if (code)
            break;
    }
    lines_release(&lines);
    input_close(&in);
    if (code == GM_OK && list->count == 0)
        code = error_set(err, GM_BAD_DATA, "%s: expected names, a line each, found none.", path);
    return code;
}

enum gm_code names_read(struct names *names, const struct import_options *options, struct gm_error *err)
{
    enum gm_code code = read_list(&names->features, options->feature_names, err);
    return code ? code : read_list(&names->classes, options->class_names, err);
}

enum gm_code names_check(const struct names *names, const struct import_options *options, size_t features,
                         struct gm_error *err)
{
    if (names->features.count && names->features.count != features)
        return error_set(err, GM_BAD_DATA, "%s: expected a name for each of %zu features, found %zu names.",
                         options->feature_names, features, names->features.count);
    return GM_OK;
}

enum gm_code names_write(const struct names *names, struct output *out, struct gm_error *err)
{
    const struct list_texts *lists[] = {&names->features, &names->classes};
    static const char *const attributes[] = {"feature_names", "class_names"};
    for (size_t i = 0; i < 2; i++) {
        if (lists[i]->count == 0)
            continue;
        enum gm_code code =
            output_texts(out, attributes[i], (const char *const *)lists[i]->items, lists[i]->count, err);
        if (code)
            return code;
    }
    return GM_OK;
}

void names_release(struct names *names)
{
    list_release(&names->features);
    list_release(&names->classes);
}
