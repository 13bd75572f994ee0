/* gradmill new-loss: a plugin from a formula or a template, built, checked, and how to go on. */
#include <string.h>

#include <gradmill/gradmill.h>

#include "cli/cli.h"

enum { MOST_NAMES = 32 };

struct arguments {
    struct gm_new_loss loss;
    const char *params[MOST_NAMES], *thetas[MOST_NAMES];
};

enum { FORMULA = 256, PARAM, THETA, TARGET, TARGET_RANGE, LINK, TASK, ABOUT, CONVEX, FORCE };

static bool keep_name(const char **list, size_t *count, const char *option)
{
    if (*count == MOST_NAMES) {
        message_usage("new-loss", "%s: at most %d of them.", option, MOST_NAMES);
        return false;
    }
    list[(*count)++] = optarg;
    return true;
}

static bool take(struct arguments *a, int option)
{
    struct gm_new_loss *l = &a->loss;
    const char **texts[] = {&l->formula, NULL, NULL, &l->target, &l->target_range, &l->link, &l->task, &l->about};
    switch (option) {
    case 'o':
        l->directory = optarg;
        return true;
    case PARAM:
        return keep_name(a->params, &l->n_params, "--param");
    case THETA:
        return keep_name(a->thetas, &l->n_thetas, "--theta");
    case CONVEX:
        l->convex = true;
        return true;
    case FORCE:
        l->force = true;
        return true;
    case FORMULA:
    case TARGET:
    case TARGET_RANGE:
    case LINK:
    case TASK:
    case ABOUT:
        *texts[option - FORMULA] = optarg;
        return true;
    default:
        return false;
    }
}

static bool parse(struct arguments *a, int argc, char **argv)
{
    static const struct option longs[] = {{"help", no_argument, NULL, 'h'},
                                          {"formula", required_argument, NULL, FORMULA},
                                          {"param", required_argument, NULL, PARAM},
                                          {"theta", required_argument, NULL, THETA},
                                          {"target", required_argument, NULL, TARGET},
                                          {"target-range", required_argument, NULL, TARGET_RANGE},
                                          {"link", required_argument, NULL, LINK},
                                          {"task", required_argument, NULL, TASK},
                                          {"about", required_argument, NULL, ABOUT},
                                          {"convex", no_argument, NULL, CONVEX},
                                          {"force", no_argument, NULL, FORCE},
                                          {"output", required_argument, NULL, 'o'},
                                          {0}};
    static const struct options options = {"new-loss", "ho:", longs};
    a->loss.params = a->params;
    a->loss.thetas = a->thetas;
    for (int option; (option = options_next(&options, argc, argv)) != -1;)
        if (!take(a, option))
            return false;
    if (optind + 1 == argc) {
        a->loss.name = argv[optind];
        return true;
    }
    message_usage("new-loss", "Expected one name, as in: gradmill new-loss my_loss --formula '(pred - target)^2'");
    return false;
}

/* ---- the check ---- */

struct report {
    size_t checks, passed, warned;
    double seconds;
};

/* Only what is worth reading: the whole table is check-loss's. */
static void take_check(void *context, const struct gm_check *check)
{
    struct report *report = context;
    report->checks += check->verdict != GM_CHECK_SKIPPED;
    report->passed += check->verdict == GM_CHECK_PASSED;
    report->warned += check->verdict == GM_CHECK_WARNED;
    report->seconds += check->seconds;
    if (check->verdict == GM_CHECK_FAILED || check->verdict == GM_CHECK_WARNED)
        printf("  %s  %s: %s\n", check->verdict == GM_CHECK_FAILED ? "FAIL" : "warn", check->name,
               check->text[0] ? check->text : check->what);
}

/* The plugin with a '/' in its path, so that it is taken for a file. */
static const char *as_file(const char *plugin, char out[GM_NEW_LOSS_PATH + 2])
{
    snprintf(out, GM_NEW_LOSS_PATH + 2, "%s%s", strchr(plugin, '/') ? "" : "./", plugin);
    return out;
}

static enum gm_code check(const char *plugin, struct gm_error *err)
{
    struct report report = {0};
    struct gm_check_request request = {.name = plugin, .seed = 1};
    enum gm_code code = gm_check_loss(&request, take_check, &report, err);
    printf("checked  %zu of %zu checks passed", report.passed, report.checks);
    if (report.warned)
        printf(", %zu warned", report.warned);
    printf("; %.1f s\n", report.seconds);
    return code;
}

int command_new_loss(int argc, char **argv)
{
    struct arguments a = {0};
    struct gm_new_loss_files files;
    struct gm_error err = {0};
    char plugin[GM_NEW_LOSS_PATH + 2];
    if (!parse(&a, argc, argv))
        return GM_USAGE;
    enum gm_code code = gm_new_loss(&a.loss, &files, &err);
    if (files.source[0])
        printf("written  %s\n", files.source);
    if (code == GM_OK) {
        printf("built    %s\n", files.plugin);
        fflush(stdout);
        code = check(as_file(files.plugin, plugin), &err);
    }
    fflush(stdout);
    if (code != GM_OK) {
        if (files.plugin[0] && code == GM_PLUGIN_BROKEN)
            fprintf(stderr, "Edit %s, or the formula, and look at all checks: gradmill check-loss %s\n", files.source,
                    plugin);
        return message_fail("new-loss", &err);
    }
    printf("\ntrain with it:   gradmill train JOB.yaml --set 'loss={name: %s}'\n", plugin);
    printf("after editing:   %s\n", files.command);
    printf("check again:     gradmill check-loss %s\n", plugin);
    return GM_OK;
}
