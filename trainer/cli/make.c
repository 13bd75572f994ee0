/* gradmill make: synthetic datasets. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "datasets/datasets.h"

typedef enum gm_code make_fn(const char *to, const struct make_options *options, struct gm_error *err);
static const struct kind {
    const char *name;
    make_fn *make;
    bool classes;
} kinds[] = {
    {"regression", make_regression, false},
    {"classification", make_classification, true},
};
#define KINDS (sizeof kinds / sizeof *kinds)

struct arguments {
    const struct kind *kind;
    const char *to;
    struct make_options options;
    bool quiet;
};

static void show(void *context, uint64_t done, uint64_t all)
{
    struct progress *bar = context;
    char line[PROGRESS_LINE];
    if (progress_due(bar))
        progress_draw(bar, progress_share("making", (double)done, (double)all, progress_width(), line));
}

enum { ROWS = 256, FEATURES, CLASSES, INFORMATIVE, NOISE, SEED, FLOAT64, THREADS };

static bool take(struct arguments *a, int option)
{
    struct make_options *o = &a->options;
    size_t threads;
    switch (option) {
    case ROWS:
        return options_count("make", "--rows", optarg, 1, &o->rows);
    case FEATURES:
        return options_count("make", "--features", optarg, 1, &o->features);
    case CLASSES:
        return options_count("make", "--classes", optarg, 2, &o->classes);
    case INFORMATIVE:
        return options_count("make", "--informative", optarg, 1, &o->informative);
    case NOISE:
        if (text_real(optarg, &o->noise) && o->noise >= 0 && o->noise <= 1e300)
            return true;
        message_usage("make", "--noise: expected a number from 0, found \"%s\".", optarg);
        return false;
    case SEED:
        return options_seed("make", "--seed", optarg, &o->seed);
    case FLOAT64:
        o->float64 = true;
        return true;
    case THREADS:
        if (!options_count("make", "--threads", optarg, 1, &threads))
            return false;
        o->threads = (int)(threads < 4096 ? threads : 4096);
        return true;
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

static int find_kind(struct arguments *a, const char *word)
{
    const char *names[KINDS];
    for (size_t i = 0; i < KINDS; i++) {
        names[i] = kinds[i].name;
        if (strcmp(kinds[i].name, word) == 0)
            a->kind = &kinds[i];
    }
    if (a->kind)
        return GM_OK;
    const char *near = text_nearest(word, names, KINDS);
    if (near)
        return message_usage("make", "There is no \"%s\" to make. Did you mean %s?", word, near);
    return message_usage("make", "There is no \"%s\" to make: regression or classification.", word);
}

/* What belongs together. */
static int check(struct arguments *a)
{
    struct make_options *o = &a->options;
    if (!a->to)
        return message_usage("make", "Where to? Add -o OUT.h5.");
    if (o->rows == 0 || o->features == 0)
        return message_usage("make", "How large? Add --rows N and --features D.");
    if (o->classes && !a->kind->classes)
        return message_usage("make", "--classes belongs to classification.");
    if (a->kind->classes && o->noise > 1)
        return message_usage("make", "--noise: a share of random labels, at most 1 for classification.");
    if (o->informative > o->features)
        return message_usage("make", "--informative %zu: there are only %zu features.", o->informative, o->features);
    if (a->kind->classes && o->classes == 0)
        o->classes = 2;
    return GM_OK;
}

static int parse(int argc, char **argv, struct arguments *a)
{
    static const struct option longs[] = {{"output", required_argument, NULL, 'o'},
                                          {"rows", required_argument, NULL, ROWS},
                                          {"features", required_argument, NULL, FEATURES},
                                          {"classes", required_argument, NULL, CLASSES},
                                          {"informative", required_argument, NULL, INFORMATIVE},
                                          {"noise", required_argument, NULL, NOISE},
                                          {"seed", required_argument, NULL, SEED},
                                          {"float64", no_argument, NULL, FLOAT64},
                                          {"threads", required_argument, NULL, THREADS},
                                          {"quiet", no_argument, NULL, 'q'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    static const struct options options = {"make", "o:qh", longs};
    for (int option; (option = options_next(&options, argc, argv)) != -1;)
        if (!take(a, option))
            return GM_USAGE;
    if (optind == argc)
        return message_usage("make", "What? As in: gradmill make regression -o r.h5 --rows 1000 --features 10");
    if (argc - optind > 1)
        return message_usage("make", "One dataset at a time; \"%s\" is too many.", argv[optind + 1]);
    int code = find_kind(a, argv[optind]);
    return code == GM_OK ? check(a) : code;
}

int command_make(int argc, char **argv)
{
    struct arguments a = {.options = {.seed = 1}};
    struct gm_error err = {0};
    struct progress bar;
    char text[GM_ERROR_TEXT];
    int usage = parse(argc, argv, &a);
    if (usage != GM_OK)
        return usage;
    progress_init(&bar, !a.quiet);
    a.options.progress = show;
    a.options.context = &bar;
    enum gm_code code = a.kind->make(a.to, &a.options, &err);
    progress_clear(&bar);
    if (code != GM_OK)
        return message_fail("make", &err);
    snprintf(text, sizeof text, "wrote %.400s: %zu rows x %zu features, %s", a.to, a.options.rows, a.options.features,
             a.kind->name);
    if (!a.quiet)
        message_note("make", text);
    return GM_OK;
}
