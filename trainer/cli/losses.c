/* gradmill losses: what there is, grouped by task; or all about one. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gradmill/gradmill.h>

#include "base/text.h"
#include "cli/cli.h"

/* ---- the list ---- */

static const char *const task_names[] = {
    [GM_TASK_REGRESSION] = "Regression",
    [GM_TASK_CLASSIFICATION] = "Classification",
    [GM_TASK_COUNTS] = "Counts and amounts",
    [GM_TASK_ORDINAL] = "Ordered classes",
    [GM_TASK_RANKING] = "Ranking",
    [GM_TASK_CLUSTERING] = "Clustering",
    [GM_TASK_METRIC] = "Metric learning",
    [GM_TASK_MULTI_TASK] = "Several tasks",
    [GM_TASK_OTHER] = "Other",
};
static const uint32_t task_order[] = {GM_TASK_REGRESSION, GM_TASK_CLASSIFICATION, GM_TASK_COUNTS,
                                      GM_TASK_ORDINAL,    GM_TASK_RANKING,        GM_TASK_CLUSTERING,
                                      GM_TASK_METRIC,     GM_TASK_MULTI_TASK,     GM_TASK_OTHER};
enum { TASKS = sizeof task_order / sizeof *task_order };

struct list {
    uint32_t task;
    size_t printed; /* of this task */
    size_t width;   /* of the longest id */
    size_t broken;
};

static void measure(void *context, const struct gm_loss_info *info)
{
    struct list *list = context;
    size_t width = strlen(info->vtable->id);
    list->width = width > list->width ? width : list->width;
}

/* The end of the sentence that begins here: behind its full stop, before the blank or line end that follows. */
static const char *sentence_end(const char *text)
{
    const char *at = text;
    while (*at && !(*at == '.' && (at[1] == ' ' || at[1] == '\n' || !at[1])))
        at++;
    return *at ? at + 1 : at;
}

/* The sentence that begins with this word, at the start of a line; NULL when there is none. */
static const char *sentence_of(const char *text, const char *word)
{
    for (; text; text = strchr(text, '\n')) {
        text += *text == '\n';
        if (strncmp(text, word, strlen(word)) == 0)
            return text;
    }
    return NULL;
}

/* One sentence; its further lines stand under its first one. */
static void print_sentence(const char *text, size_t indent)
{
    const char *end = sentence_end(text);
    for (; text < end && *text; text++)
        if (*text == '\n')
            printf("\n%*s", (int)indent, "");
        else
            putchar(*text);
    putchar('\n');
}

/* When to use it and when not: the first sentence of the help, and the one that begins with "Not". */
static void print_advice(const struct gm_loss *loss, size_t indent)
{
    const char *text = loss->help ? loss->help : loss->formula ? loss->formula : "";
    const char *against = sentence_of(text, "Not ");
    print_sentence(text, indent);
    if (against && against != text) {
        printf("%*s", (int)indent, "");
        print_sentence(against, indent);
    }
}

static void print_line(void *context, const struct gm_loss_info *info)
{
    struct list *list = context;
    if (info->spec->task != list->task)
        return;
    if (list->printed++ == 0)
        printf("%s\n", task_names[list->task]);
    printf("  %-*s  ", (int)list->width, info->vtable->id);
    print_advice(info->vtable, list->width + 4);
}

static void print_broken(void *context, const char *path, const char *why)
{
    struct list *list = context;
    (void)path;
    list->broken++;
    message_note("losses", why);
}

static int print_list(const char *search_path)
{
    struct gm_error err = {0};
    struct list list = {0};
    enum gm_code code = gm_losses(NULL, search_path, measure, print_broken, &list, &err);
    for (size_t i = 0; i < TASKS && code == GM_OK; i++) {
        if (list.printed)
            putchar('\n');
        list.printed = 0;
        list.task = task_order[i];
        code = gm_losses(NULL, search_path, print_line, NULL, &list, &err);
    }
    return code == GM_OK ? GM_OK : message_fail("losses", &err);
}

/* ---- one ---- */

static const char *bounds_text(const struct gm_loss_param *p, char *text, size_t size)
{
    char low[32], high[32];
    bool has_low = p->low != p->high && isfinite(p->low), has_high = p->low != p->high && isfinite(p->high);
    text_from_real(p->low, low);
    text_from_real(p->high, high);
    if (p->type == GM_PARAM_CHOICE)
        snprintf(text, size, "%s", p->choices);
    else if (p->type == GM_PARAM_BOOLEAN)
        snprintf(text, size, "true|false");
    else
        snprintf(text, size, "%s%s%s%s%s",
                 has_low    ? (p->flags & GM_PARAM_LOW_OPEN ? "> " : ">= ")
                 : has_high ? ""
                            : "any",
                 has_low ? low : "", has_low && has_high ? ", " : "",
                 has_high ? (p->flags & GM_PARAM_HIGH_OPEN ? "< " : "<= ") : "", has_high ? high : "");
    return text;
}

static const char *default_text(const struct gm_loss_param *p, char *text, size_t size)
{
    char number[32];
    const char *at = p->choices;
    if (p->flags & GM_PARAM_REQUIRED)
        snprintf(text, size, "(required)");
    else if (p->type == GM_PARAM_BOOLEAN)
        snprintf(text, size, "%s", p->fallback != 0 ? "true" : "false");
    else if (p->type == GM_PARAM_CHOICE) {
        for (size_t i = 0; at && i < (size_t)p->fallback; i++)
            at = strchr(at, '|') ? strchr(at, '|') + 1 : at;
        snprintf(text, size, "%.*s", at ? (int)strcspn(at, "|") : 0, at ? at : "");
    } else if (p->type == GM_PARAM_LIST && isnan(p->fallback))
        snprintf(text, size, "(empty)");
    else
        snprintf(text, size, "%s", text_from_real(p->fallback, number));
    return text;
}

static void print_params(const struct gm_loss *loss)
{
    static const char *const types[] = {"real", "whole", "switch", "choice", "list"};
    char value[64], bounds[200];
    size_t name_width = 4, default_width = 7, range_width = 5, width;
    for (size_t i = 0; i < loss->n_params; i++) {
        const struct gm_loss_param *p = &loss->params[i];
        name_width = (width = strlen(p->name)) > name_width ? width : name_width;
        default_width = (width = strlen(default_text(p, value, sizeof value))) > default_width ? width : default_width;
        range_width = (width = strlen(bounds_text(p, bounds, sizeof bounds))) > range_width ? width : range_width;
    }
    printf("\nparameters\n  %-*s  %-6s  %-*s  %-*s  meaning\n", (int)name_width, "name", "type", (int)default_width,
           "default", (int)range_width, "range");
    for (size_t i = 0; i < loss->n_params; i++) {
        const struct gm_loss_param *p = &loss->params[i];
        printf("  %-*s  %-6s  %-*s  %-*s  %s\n", (int)name_width, p->name, types[p->type], (int)default_width,
               default_text(p, value, sizeof value), (int)range_width, bounds_text(p, bounds, sizeof bounds),
               p->help ? p->help : "");
    }
}

static void print_targets(const struct gm_loss_spec *spec)
{
    static const char *const kinds[] = {"real numbers", "a class index a row",
                                        "a 0/1 label or a share for every output", "none"};
    char low[32], high[32];
    uint32_t rule = spec->target_rule;
    printf("  targets   %s", kinds[spec->target_kind]);
    if (rule & (GM_TARGET_LOW | GM_TARGET_LOW_OPEN))
        printf(" %s %s", rule & GM_TARGET_LOW_OPEN ? ">" : ">=", text_from_real(spec->target_low, low));
    if (rule & (GM_TARGET_HIGH | GM_TARGET_HIGH_OPEN))
        printf("%s %s %s", rule & (GM_TARGET_LOW | GM_TARGET_LOW_OPEN) ? " and" : "",
               rule & GM_TARGET_HIGH_OPEN ? "<" : "<=", text_from_real(spec->target_high, high));
    puts(rule & GM_TARGET_INTEGER ? ", whole" : "");
}

static void print_outputs(const struct gm_loss_spec *spec)
{
    if (spec->outputs > 0)
        printf("  outputs   %d\n", (int)spec->outputs);
    else
        printf("  outputs   %s\n", spec->outputs == GM_OUTPUTS_PER_TARGET  ? "one a target column"
                                   : spec->outputs == GM_OUTPUTS_PER_CLASS ? "one a class"
                                                                           : "any number");
}

static void print_spec(const struct gm_loss *loss, const struct gm_loss_spec *spec)
{
    static const char *const links[] = {"identity: the prediction is the raw output", "log: the prediction is exp(raw)",
                                        "logit: the prediction is 1 / (1 + exp(-raw))",
                                        "softmax: the predictions are shares that add up to 1", "the loss's own"};
    static const char *const couplings[] = {"independent", "come in groups, whole", "a batch comes whole"};
    print_targets(spec);
    print_outputs(spec);
    printf("  link      %s\n  rows      %s\n", links[spec->link], couplings[spec->coupling]);
    printf("  gives     loss, gradient%s%s%s%s\n", spec->gives & GM_GIVES_HESS_DIAG ? ", Hessian's diagonal" : "",
           spec->gives & GM_GIVES_HESS ? ", Hessian" : "", spec->gives & GM_GIVES_ROW_LOSS ? ", loss of each row" : "",
           loss->baseline ? ", best constant" : "");
    printf("  shape     %s, %s%s%s\n", spec->nature & GM_NATURE_NON_CONVEX ? "not convex" : "convex",
           spec->nature & GM_NATURE_NON_SMOOTH ? "with kinks" : "smooth",
           spec->nature & GM_NATURE_HESS_CONSTANT ? ", constant second derivative" : "",
           spec->nature & GM_NATURE_HESS_BOUND ? ", Hessian is an upper bound" : "");
    if (spec->n_theta)
        printf("  learns    %u parameters of its own\n", (unsigned)spec->n_theta);
}

static void print_one(void *context, const struct gm_loss_info *info)
{
    const struct gm_loss *loss = info->vtable;
    (void)context;
    printf("%s %s - %s\n", loss->id, loss->version ? loss->version : "", task_names[info->spec->task]);
    if (loss->formula)
        printf("\n  %s\n", loss->formula);
    if (loss->help) {
        putchar('\n');
        for (const char *line = loss->help; *line; line += strcspn(line, "\n"), line += *line == '\n')
            printf("  %.*s\n", (int)strcspn(line, "\n"), line);
    }
    putchar('\n');
    print_spec(loss, info->spec);
    printf("  file      %s\n  sha256    %s\n", info->path, info->sha256);
    if (loss->license)
        printf("  license   %s\n", loss->license);
    if (loss->n_params)
        print_params(loss);
}

int command_losses(int argc, char **argv)
{
    static const struct option longs[] = {
        {"help", no_argument, NULL, 'h'}, {"loss-path", required_argument, NULL, 'p'}, {0}};
    static const struct options options = {"losses", "h", longs};
    const char *search_path = NULL;
    for (int option; (option = options_next(&options, argc, argv)) != -1;) {
        if (option != 'p')
            return GM_USAGE;
        search_path = optarg;
    }
    if (optind + 1 < argc)
        return message_usage("losses", "Expected one name at most, as in: gradmill losses huber");
    if (optind == argc)
        return print_list(search_path);
    struct gm_error err = {0};
    enum gm_code code = gm_losses(argv[optind], search_path, print_one, NULL, NULL, &err);
    return code == GM_OK ? GM_OK : message_fail("losses", &err);
}
