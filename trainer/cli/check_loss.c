/* gradmill check-loss: the report of the checks. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <gradmill/gradmill.h>

#include "cli/cli.h"

enum { MOST_PARAMS = 64, NAME_WIDTH = 17, TEXT_WIDTH = 96 };

struct report {
    bool is_json;
    json_t *checks_json; /* list, with is_json */
    size_t checks, failed, warned, skipped;
    double seconds;
};

static const char *const verdict_names[] = {"passed", "warned", "failed", "skipped"};

/* Words, wrapped behind the column of names. */
static void print_wrapped(const char *text)
{
    int column = 0;
    for (const char *word = text; *word;) {
        int length = (int)strcspn(word, " \n");
        if (column && column + 1 + length > TEXT_WIDTH) {
            printf("\n%*s", NAME_WIDTH + 9, "");
            column = 0;
        }
        column += printf("%s%.*s", column ? " " : "", length, word);
        word += length;
        word += strspn(word, " \n");
    }
    putchar('\n');
}

static void print_check(const struct gm_check *check)
{
    static const char *const marks[] = {"ok", "warn", "FAIL", "-"};
    static const char *const colours[] = {"\033[32m", "\033[33m", "\033[1;31m", "\033[2m"};
    bool colour = message_colour(stdout);
    printf("  %s%-4s%s  %-*s ", colour ? colours[check->verdict] : "", marks[check->verdict], colour ? "\033[0m" : "",
           NAME_WIDTH, check->name);
    print_wrapped(check->text[0] ? check->text : check->what);
    fflush(stdout);
}

static json_t *check_json(const struct gm_check *check)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:f}", "name", check->name, "verdict", verdict_names[check->verdict], "text",
                     check->text, "what", check->what, "seconds", check->seconds);
}

static void take_check(void *context, const struct gm_check *check)
{
    struct report *report = context;
    report->checks++;
    report->failed += check->verdict == GM_CHECK_FAILED;
    report->warned += check->verdict == GM_CHECK_WARNED;
    report->skipped += check->verdict == GM_CHECK_SKIPPED;
    report->seconds += check->seconds;
    if (report->is_json)
        json_array_append_new(report->checks_json, check_json(check));
    else
        print_check(check);
}

static void print_summary(const struct report *report)
{
    printf("\n%zu checks: %zu failed, %zu warned, %zu did not apply; %.1f s\n", report->checks, report->failed,
           report->warned, report->skipped, report->seconds);
    fflush(stdout); /* before a message on stderr */
}

/* One line. Takes over report->checks_json. */
static void print_json(const struct report *report, const struct gm_check_request *request, enum gm_code code,
                       const struct gm_error *err)
{
    json_t *all =
        json_pack("{s:s, s:I, s:s, s:i, s:i, s:i, s:f, s:o}", "loss", request->name, "seed", (json_int_t)request->seed,
                  "verdict", code == GM_OK ? "passed" : "failed", "exit_code", (int)code, "failed", (int)report->failed,
                  "warned", (int)report->warned, "seconds", report->seconds, "checks", report->checks_json);
    if (all && code != GM_OK)
        json_object_set_new(all, "error", json_string(err->text));
    json_dumpf(all, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
    putchar('\n');
    fflush(stdout);
    json_decref(all);
}

struct arguments {
    struct gm_check_request request;
    struct gm_setting params[MOST_PARAMS];
    bool is_json;
};

static bool take_param(struct arguments *a, char *text)
{
    char *equals = strchr(text, '=');
    if (!equals || equals == text || a->request.n_params == MOST_PARAMS) {
        message_usage("check-loss", "--param takes NAME=VALUE, as in --param delta=1.0; found \"%s\".", text);
        return false;
    }
    *equals = 0;
    a->params[a->request.n_params++] = (struct gm_setting){text, equals + 1};
    return true;
}

static bool parse(struct arguments *a, int argc, char **argv)
{
    static const struct option longs[] = {{"help", no_argument, NULL, 'h'},
                                          {"param", required_argument, NULL, 'a'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"only", required_argument, NULL, 'o'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"loss-path", required_argument, NULL, 'p'},
                                          {0}};
    static const struct options options = {"check-loss", "h", longs};
    a->request.params = a->params;
    a->request.seed = 1;
    for (int option; (option = options_next(&options, argc, argv)) != -1;) {
        if (option == 'p')
            a->request.search_path = optarg;
        else if (option == 'o')
            a->request.only = optarg;
        else if (option == 'j')
            a->is_json = true;
        else if (option == 's' && !options_seed("check-loss", "--seed", optarg, &a->request.seed))
            return false;
        else if (option == 'a' && !take_param(a, optarg))
            return false;
        else if (option == '?' || option == 'h')
            return false;
    }
    if (optind + 1 == argc) {
        a->request.name = argv[optind];
        return true;
    }
    message_usage("check-loss", "Expected one loss or file, as in: gradmill check-loss ./my_loss.so");
    return false;
}

int command_check_loss(int argc, char **argv)
{
    struct arguments a = {0};
    struct gm_error err = {0};
    if (!parse(&a, argc, argv))
        return GM_USAGE;
    struct report report = {.is_json = a.is_json, .checks_json = a.is_json ? json_array() : NULL};
    if (!a.is_json) {
        printf("check-loss %s\n\n", a.request.name);
        fflush(stdout); /* the checks run in children: nothing may wait in the buffer */
    }
    enum gm_code code = gm_check_loss(&a.request, take_check, &report, &err);
    if (code == GM_BAD_JOB)
        code = err.code = GM_USAGE; /* --param, not a job file */
    if (a.is_json)
        print_json(&report, &a.request, code, &err);
    else if (report.checks)
        print_summary(&report);
    return code == GM_OK ? GM_OK : message_fail("check-loss", &err);
}
