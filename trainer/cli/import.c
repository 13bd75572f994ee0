/* gradmill import: other formats to HDF5. */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "datasets/datasets.h"

struct arguments {
    const char *const *from; /* [files] */
    size_t files;
    const char *to;
    struct import_options options;
    bool quiet;
};

static void show(void *context, uint64_t done, uint64_t all)
{
    struct progress *bar = context;
    char line[PROGRESS_LINE];
    if (progress_due(bar))
        progress_draw(bar, progress_share("importing", (double)done, (double)all, progress_width(), line));
}

enum {
    TARGET = 256,
    NO_TARGET,
    COMPRESS,
    SHUFFLE,
    DROP,
    HEADER,
    NO_HEADER,
    FLOAT32,
    FLOAT64,
    MEMORY,
    FEATURES,
    FEATURE_NAMES,
    CLASS_NAMES
};

static bool take(struct arguments *a, int option)
{
    switch (option) {
    case TARGET:
        a->options.target = optarg;
        return true;
    case NO_TARGET:
        a->options.no_target = true;
        return true;
    case COMPRESS:
        a->options.compress = true;
        return true;
    case SHUFFLE:
        a->options.shuffle = true;
        return options_seed("import", "--shuffle", optarg, &a->options.seed);
    case FEATURES:
        return options_count("import", "--features", optarg, 1, &a->options.features);
    case FEATURE_NAMES:
        a->options.feature_names = optarg;
        return true;
    case CLASS_NAMES:
        a->options.class_names = optarg;
        return true;
    case DROP:
        a->options.drop = optarg;
        return true;
    case HEADER:
    case NO_HEADER:
        a->options.header = option == HEADER ? IMPORT_HEADER_YES : IMPORT_HEADER_NO;
        return true;
    case FLOAT32:
    case FLOAT64:
        a->options.floats = option == FLOAT32 ? IMPORT_FLOAT32 : IMPORT_FLOAT64;
        return true;
    case MEMORY:
        if (text_bytes(optarg, &a->options.memory) && a->options.memory > 0)
            return true;
        message_usage("import", "--memory: expected a size such as 4GiB, found \"%s\".", optarg);
        return false;
    case 'o':
        a->to = optarg;
        return true;
    case 'q':
        a->quiet = true;
        return true;
    default:
        return false;
    }
}

static int parse(int argc, char **argv, struct arguments *a)
{
    static const struct option longs[] = {{"output", required_argument, NULL, 'o'},
                                          {"target", required_argument, NULL, TARGET},
                                          {"no-target", no_argument, NULL, NO_TARGET},
                                          {"compress", no_argument, NULL, COMPRESS},
                                          {"shuffle", required_argument, NULL, SHUFFLE},
                                          {"drop", required_argument, NULL, DROP},
                                          {"header", no_argument, NULL, HEADER},
                                          {"no-header", no_argument, NULL, NO_HEADER},
                                          {"float32", no_argument, NULL, FLOAT32},
                                          {"float64", no_argument, NULL, FLOAT64},
                                          {"features", required_argument, NULL, FEATURES},
                                          {"feature-names", required_argument, NULL, FEATURE_NAMES},
                                          {"class-names", required_argument, NULL, CLASS_NAMES},
                                          {"memory", required_argument, NULL, MEMORY},
                                          {"quiet", no_argument, NULL, 'q'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    static const struct options options = {"import", "o:qh", longs};
    for (int option; (option = options_next(&options, argc, argv)) != -1;)
        if (!take(a, option))
            return GM_USAGE;
    a->from = (const char *const *)(argv + optind);
    a->files = (size_t)(argc - optind);
    if (a->files == 0)
        return message_usage("import", "Which file? As in: gradmill import data.csv -o data.h5 --target price");
    if (!a->to)
        return message_usage("import", "Where to? Add -o OUT.h5.");
    if (a->options.target && a->options.no_target)
        return message_usage("import", "--target and --no-target exclude each other.");
    for (size_t i = 0; i < a->files; i++)
        if (file_same(a->from[i], a->to))
            return message_usage("import", "The output %s is one of the inputs.", a->to);
    return GM_OK;
}

static void say(const struct arguments *a, const struct import_report *report)
{
    char text[GM_ERROR_TEXT], target[200] = ", no target", missing[80] = "";
    if (report->target[0])
        snprintf(target, sizeof target, ", target \"%s\"", report->target);
    if (report->classes) {
        size_t used = strlen(target);
        snprintf(target + used, sizeof target - used, " with %zu classes", report->classes);
    }
    if (report->missing)
        snprintf(missing, sizeof missing, "; %zu missing cell%s NaN", report->missing,
                 report->missing == 1 ? " is" : "s are");
    snprintf(text, sizeof text, "wrote %.400s: %zu rows x %zu features%s%s", a->to, report->rows, report->features,
             target, missing);
    message_note("import", text);
}

int command_import(int argc, char **argv)
{
    struct arguments a = {0};
    struct import_report report = {0};
    struct gm_error err = {0};
    struct progress bar;
    int usage = parse(argc, argv, &a);
    if (usage != GM_OK)
        return usage;
    progress_init(&bar, !a.quiet);
    a.options.progress = show;
    a.options.context = &bar;
    enum gm_code code = import_file(a.from, a.files, a.to, &a.options, &report, &err);
    progress_clear(&bar);
    if (code != GM_OK)
        return message_fail("import", &err);
    if (!a.quiet)
        say(&a, &report);
    return GM_OK;
}
