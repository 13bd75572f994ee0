/* gradmill train: job file in, gm_train, report out. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gradmill/gradmill.h>

#include "base/error.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/crash.h"
#include "cli/interrupt.h"
#include "cli/job.h"
#include "cli/progress.h"
#include "cli/train_report.h"

struct arguments {
    const char *job;
    const char **sets; /* [n_sets] */
    size_t n_sets;
    const char *loss_path;
    enum gm_reading io;
    bool has_io, resume, json, quiet, verbose, keys;
};

/* What the watch functions need. */
struct listener {
    struct progress bar;
    const struct arguments *arguments;
};

static void hear_note(void *context, const char *text)
{
    struct listener *listener = context;
    progress_clear(&listener->bar);
    if (!listener->arguments->quiet)
        message_note("train", text);
}

static void hear_detail(void *context, const char *text)
{
    const struct listener *listener = context;
    if (listener->arguments->verbose)
        hear_note(context, text);
}

static void hear_epoch(void *context, const struct gm_epoch *epoch)
{
    struct listener *listener = context;
    char line[PROGRESS_LINE];
    if (listener->arguments->verbose && !listener->arguments->quiet)
        fprintf(stderr, "%s\n", progress_epoch(epoch, line));
    else if (progress_due(&listener->bar))
        progress_draw(&listener->bar, progress_line(epoch, progress_width(), line));
}

static int parse(int argc, char **argv, struct arguments *a)
{
    enum { SET = 256, RESUME, JSON, LOSS_PATH, KEYS, IO };
    static const struct option longs[] = {
        {"set", required_argument, NULL, SET}, {"resume", no_argument, NULL, RESUME},
        {"json", no_argument, NULL, JSON},     {"loss-path", required_argument, NULL, LOSS_PATH},
        {"io", required_argument, NULL, IO},   {"keys", no_argument, NULL, KEYS},
        {"quiet", no_argument, NULL, 'q'},     {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},      {0}};
    static const struct options options = {"train", "qvh", longs};
    for (int option; (option = options_next(&options, argc, argv)) != -1;) {
        switch (option) {
        case SET:
            a->sets[a->n_sets++] = optarg;
            break;
        case RESUME:
            a->resume = true;
            break;
        case JSON:
            a->json = true;
            break;
        case LOSS_PATH:
            a->loss_path = optarg;
            break;
        case IO:
            if (!options_io("train", optarg, &a->io))
                return GM_USAGE;
            a->has_io = true;
            break;
        case KEYS:
            a->keys = true;
            break;
        case 'q':
            a->quiet = true;
            break;
        case 'v':
            a->verbose = true;
            break;
        default:
            return GM_USAGE;
        }
    }
    if (a->keys)
        return GM_OK;
    if (optind + 1 != argc)
        return optind == argc ? message_usage("train", "Which job file? As in: gradmill train job.yaml")
                              : message_usage("train", "One job file at a time; \"%s\" is too many.", argv[optind + 1]);
    a->job = argv[optind];
    return GM_OK;
}

/* Plain lines for a log file; a terminal has the bar. */
static void say_start(const struct arguments *a, const struct gm_job *job)
{
    char text[GM_ERROR_TEXT];
    const char *data = job->data.train.path ? job->data.train.path : job->data.train.features;
    char losses[256] = "";
    for (size_t i = 0, used = 0; i < job->loss.count && used < sizeof losses; i++)
        used += (size_t)snprintf(losses + used, sizeof losses - used, "%s%s", i ? " + " : "", job->loss.terms[i].name);
    snprintf(text, sizeof text, "%s: %s on %s, at most %zu epochs", a->job, losses, data, job->stop.max_epochs);
    if (!a->quiet)
        message_note("train", text);
}

/* The library knows keys and values, but not the file they came from. */
static void name_job_file(const char *path, struct gm_error *err)
{
    char text[GM_ERROR_TEXT];
    if (err->code != GM_BAD_JOB || strncmp(err->text, path, strlen(path)) == 0)
        return;
    snprintf(text, sizeof text, "%s", err->text);
    error_set(err, GM_BAD_JOB, "%.300s: %s", path, text);
}

/* Also of a run that diverged or was interrupted: its last good model is kept. */
static void report(const struct arguments *a, const struct gm_job *job, const struct gm_summary *summary)
{
    if (a->json) {
        char *text = gm_summary_json(summary);
        puts(text ? text : "{}");
        free(text);
    } else if (!a->quiet) {
        train_report_table(job, summary, stdout);
    }
}

/* From a thread of its own, while the others hang: one write, and no bar is cleared. A thread in a plugin cannot be
 * stopped; the process can, and its last checkpoint is whole. */
static void hear_stall(void *context, enum gm_code code, const char *text)
{
    char line[GM_ERROR_TEXT + 32];
    int size = snprintf(line, sizeof line, "\ngradmill train: %s\n", text);
    (void)context;
    ssize_t wrote = write(STDERR_FILENO, line + (code == GM_OK), (size_t)size - (code == GM_OK));
    (void)wrote;
    if (code != GM_OK)
        _exit(code);
}

/* There is something that --resume could go on from. */
static bool has_checkpoint(const struct arguments *a, const struct gm_job *job)
{
    char older[4096];
    const char *path = a->resume ? job->output.checkpoint : NULL;
    return path && (access(path, F_OK) == 0 ||
                    (snprintf(older, sizeof older, "%s.1", path) < (int)sizeof older && access(older, F_OK) == 0));
}

/* After an interruption: 75 promises that the run can be resumed. Without that we die by the signal, as a program that
 * catches none would. */
static int leave(enum gm_code code, bool resumable)
{
    fflush(NULL);
    if (code == GM_INTERRUPTED && !resumable)
        interrupt_again();
    return (int)code;
}

static int run(const struct arguments *a, struct job_file *file)
{
    struct listener listener = {.arguments = a};
    struct gm_summary summary = {0};
    struct gm_error err = {0};
    const struct gm_watch watch = {&listener,      hear_note,  hear_epoch, interrupt_asked,
                                   interrupt_save, hear_stall, hear_detail};
    if (a->loss_path)
        file->job.loss.search_path = a->loss_path;
    if (a->has_io)
        file->job.data.io = a->io;
    file->job.output.resume = a->resume;
    interrupt_catch(has_checkpoint(a, &file->job));
    say_start(a, &file->job);
    crash_catch();
    progress_init(&listener.bar, !a->quiet && !a->verbose);
    enum gm_code code = gm_train(&file->job, &watch, &summary, &err);
    progress_clear(&listener.bar);
    if (code == GM_OK || summary.epochs > 0)
        report(a, &file->job, &summary);
    bool resumable = summary.resumable;
    gm_summary_release(&summary);
    if (code == GM_OK)
        return GM_OK;
    fflush(stdout);
    name_job_file(a->job, &err);
    message_fail("train", &err);
    return leave(code, resumable);
}

int command_train(int argc, char **argv)
{
    struct arguments a = {0};
    struct job_file file = {0};
    struct gm_error err = {0};
    void *sets = NULL;
    int code = (int)memory_alloc(&sets, (size_t)argc, sizeof *a.sets, "the command line", &err);
    if (code != GM_OK)
        return message_fail("train", &err);
    a.sets = sets;
    code = parse(argc, argv, &a);
    if (code == GM_OK && a.keys) {
        job_print_keys(stdout);
    } else if (code == GM_OK) {
        code = (int)job_load(&file, a.job, a.sets, a.n_sets, &err);
        code = code == GM_OK ? run(&a, &file) : message_fail("train", &err);
    }
    job_release(&file);
    memory_free(sets);
    return code;
}
