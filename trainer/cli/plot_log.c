/* Reading logs. */
#include "cli/plot_log.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/memory.h"

static double number(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static enum gm_code add_point(struct plot_curve *curve, const struct plot_point *point, struct gm_error *err)
{
    if (curve->count == curve->room) {
        size_t room = curve->room ? 2 * curve->room : 256;
        void *more = NULL;
        enum gm_code code = memory_alloc(&more, room, sizeof *point, "a loss curve", err);
        if (code != GM_OK)
            return code;
        if (curve->count)
            memcpy(more, curve->points, curve->count * sizeof *point);
        memory_free(curve->points);
        curve->points = more;
        curve->room = room;
    }
    curve->points[curve->count++] = *point;
    return GM_OK;
}

static enum gm_code take_event(struct plot_curve *curve, const json_t *object, struct gm_error *err)
{
    const char *event = json_string_value(json_object_get(object, "event"));
    if (!event)
        return GM_OK;
    if (strcmp(event, "end") == 0)
        curve->best_epoch = number(object, "best_epoch");
    if (strcmp(event, "epoch") != 0)
        return GM_OK;
    const struct plot_point point = {number(object, "epoch"), number(object, "seconds"), number(object, "train_loss"),
                                     number(object, "validation_loss")};
    if (isnan(point.epoch))
        return GM_OK;
    if (curve->count && point.epoch <= curve->points[curve->count - 1].epoch) { /* another run starts */
        curve->count = 0;
        curve->best_epoch = NAN;
    }
    return add_point(curve, &point, err);
}

static enum gm_code read_lines(struct plot_curve *curve, FILE *file, struct gm_error *err)
{
    char *line = NULL;
    size_t room = 0, row = 0;
    enum gm_code code = GM_OK;
    for (ssize_t length; code == GM_OK && (length = getline(&line, &room, file)) >= 0;) {
        json_error_t why;
        row++;
        if (strspn(line, " \t\r\n") == (size_t)length)
            continue;
        json_t *object = json_loadb(line, (size_t)length, 0, &why);
        if (!json_is_object(object))
            code =
                error_set(err, GM_BAD_DATA, "%s:%zu: expected a JSON object, as `gradmill train` writes its log: %s.",
                          curve->name, row, object ? "this is another JSON value" : why.text);
        else
            code = take_event(curve, object, err);
        json_decref(object);
    }
    free(line);
    if (code == GM_OK && ferror(file))
        code = error_set(err, GM_IO, "%s: cannot be read: %s.", curve->name, strerror(errno));
    if (code == GM_OK && curve->count == 0)
        code = error_set(err, GM_BAD_DATA, "%s: no epoch in this log: nothing to plot.", curve->name);
    return code;
}

enum gm_code plot_log_read(struct plot_curve *curve, const char *path, struct gm_error *err)
{
    *curve = (struct plot_curve){.name = path, .best_epoch = NAN};
    FILE *file = fopen(path, "re");
    if (!file)
        return error_set(err, errno == EACCES ? GM_DENIED : GM_NO_INPUT, "%s: cannot be opened: %s.", path,
                         strerror(errno));
    enum gm_code code = read_lines(curve, file, err);
    fclose(file);
    return code;
}

void plot_curve_release(struct plot_curve *curve)
{
    memory_free(curve->points);
    *curve = (struct plot_curve){0};
}
