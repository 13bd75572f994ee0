/* gradmill make: synthetic datasets. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "datasets/datasets.h"

struct arguments {
    const struct make_kind *kind;
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

enum {
    ROWS = 256,
    FEATURES,
    CLASSES,
    INFORMATIVE,
    NOISE,
    SEED,
    FLOAT64,
    THREADS,
    COMPRESS,
    USERS,
    ITEMS,
    RANK,
    NONZEROS
};

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
    case USERS:
        return options_count("make", "--users", optarg, 1, &o->users);
    case ITEMS:
        return options_count("make", "--items", optarg, 1, &o->items);
    case RANK:
        return options_count("make", "--rank", optarg, 1, &o->rank);
    case NONZEROS:
        return options_count("make", "--nonzeros", optarg, 1, &o->nonzeros);
    case COMPRESS:
        o->compress = true;
        return true;
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

#define MOST_KINDS 32

static int find_kind(struct arguments *a, const char *word)
{
    const char *names[MOST_KINDS];
    char known[200] = "";
    for (size_t i = 0, used = 0; i < make_kind_count && i < MOST_KINDS; i++) {
        names[i] = make_kinds[i].name;
        if (strcmp(names[i], word) == 0)
            a->kind = &make_kinds[i];
        if (used < sizeof known)
            used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", names[i]);
    }
    if (a->kind)
        return GM_OK;
    const char *near = text_nearest(word, names, make_kind_count < MOST_KINDS ? make_kind_count : MOST_KINDS);
    if (near)
        return message_usage("make", "There is no \"%s\" to make. Did you mean %s?", word, near);
    return message_usage("make", "There is no \"%s\" to make, but %s.", word, known);
}

/* What every kind needs; the generators check the rest. */
static int check(const struct arguments *a)
{
    bool ratings = strcmp(a->kind->name, "ratings") == 0;
    if (!a->to)
        return message_usage("make", "Where to? Add -o OUT.h5.");
    if (a->options.rows == 0 || (a->options.features == 0 && !ratings))
        return message_usage("make", "How large? Add --rows N%s.", ratings ? "" : " and --features D");
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
                                          {"compress", no_argument, NULL, COMPRESS},
                                          {"users", required_argument, NULL, USERS},
                                          {"items", required_argument, NULL, ITEMS},
                                          {"rank", required_argument, NULL, RANK},
                                          {"nonzeros", required_argument, NULL, NONZEROS},
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
    snprintf(text, sizeof text, "wrote %.400s: %s, %zu rows", a.to, a.kind->name, a.options.rows);
    if (!a.quiet)
        message_note("make", text);
    return GM_OK;
}
