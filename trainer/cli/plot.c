/* gradmill plot: logs to a picture. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/plot_svg.h"

#define MOST_LOGS 12 /* more than a legend can hold */

struct arguments {
    char *const *logs; /* [count] */
    size_t count;
    const char *to, *title;
    enum plot_scale scale;
    bool time;
};

static int parse(int argc, char **argv, struct arguments *a)
{
    enum { LINEAR = 256, LOG, TITLE, TIME };
    static const struct option longs[] = {{"output", required_argument, NULL, 'o'},
                                          {"linear", no_argument, NULL, LINEAR},
                                          {"log", no_argument, NULL, LOG},
                                          {"title", required_argument, NULL, TITLE},
                                          {"time", no_argument, NULL, TIME},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    static const struct options options = {"plot", "o:h", longs};
    for (int option; (option = options_next(&options, argc, argv)) != -1;) {
        if (option == 'o')
            a->to = optarg;
        else if (option == TITLE)
            a->title = optarg;
        else if (option == TIME)
            a->time = true;
        else if (option == LINEAR || option == LOG)
            a->scale = option == LOG ? PLOT_LOG : PLOT_LINEAR;
        else
            return GM_USAGE;
    }
    a->logs = argv + optind;
    a->count = (size_t)(argc - optind);
    if (a->count == 0)
        return message_usage("plot", "Which log? As in: gradmill plot log.jsonl -o curves.svg");
    if (a->count > MOST_LOGS)
        return message_usage("plot", "At most %d logs in one picture.", MOST_LOGS);
    if (!a->to)
        return message_usage("plot", "Where to? Add -o FILE.svg.");
    for (size_t i = 0; i < a->count; i++)
        if (file_same(a->logs[i], a->to))
            return message_usage("plot", "The output %s is one of the logs.", a->to);
    return GM_OK;
}

static enum gm_code write_picture(const struct arguments *a, const struct plot *plot, struct gm_error *err)
{
    char *text = NULL;
    size_t size = 0;
    if (strcmp(a->to, "-") == 0) {
        plot_svg(plot, stdout);
        return GM_OK;
    }
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        return error_memory(err, "the picture", 0);
    plot_svg(plot, memory);
    enum gm_code code = fclose(memory) == 0 ? GM_OK : error_memory(err, "the picture", size);
    if (code == GM_OK)
        code = file_replace(a->to, text, size, err);
    free(text);
    return code;
}

int command_plot(int argc, char **argv)
{
    struct arguments a = {0};
    struct plot_curve curves[MOST_LOGS] = {0};
    struct gm_error err = {0};
    int usage = parse(argc, argv, &a);
    if (usage != GM_OK)
        return usage;
    enum gm_code code = GM_OK;
    for (size_t i = 0; i < a.count && code == GM_OK; i++)
        code = plot_log_read(&curves[i], a.logs[i], &err);
    const struct plot plot = {curves, a.count, a.scale, a.time, a.title};
    if (code == GM_OK)
        code = write_picture(&a, &plot, &err);
    for (size_t i = 0; i < a.count; i++)
        plot_curve_release(&curves[i]);
    return code == GM_OK ? GM_OK : message_fail("plot", &err);
}
