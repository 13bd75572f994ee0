/* The table of checks, and the parent that runs each in a child and waits for its word. */
#include "loss/check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "loss/check_kit.h"

enum { CHECK_SECONDS = 3, CLOCK_FACTOR = 5 };
static const double default_limit = 10;

enum { ONCE = 1, VITAL = 2 }; /* once: not for each shape; vital: when it fails, nothing else can be checked */

static const struct {
    const char *name, *what;
    check_fn *run;
    int flags;
} table[] = {
    {"abi", "vtable, sizes, enums, one exported symbol, no OpenMP, entry function says the same twice", check_abi,
     ONCE | VITAL},
    {"calls", "shapes that the spec allows can be bound and evaluated, with 0, 1 and many rows", check_calls,
     ONCE | VITAL},
    {"fp mode", "the floating-point control register is unchanged by every function", check_mode, 0},
    {"behaviour", "prints nothing; starts no thread or process; leaves locale, signals and files alone",
     check_behaviour, 0},
    {"parameters", "defaults, bounds, one step inside open bounds, every choice: works, or is refused with a reason",
     check_parameters, ONCE},
    {"bounds", "touches nothing outside its buffers: guard pages, read-only inputs, exact scratch, 0 to 33 rows",
     check_bounds, 0},
    {"unwritten output", "every output that is asked for is written for every row, theta_grad is added into",
     check_unwritten, 0},
    {"purity", "its own static data, its instance and its parameters are not written by evaluate", check_purity, 0},
    {"determinism", "same inputs, same bits: again, elsewhere in memory, in another process, any subset of outputs",
     check_determinism, 0},
    {"threads", "many threads at once, each with inputs of its own, give what one thread gives", check_threads, 0},
    {"forged versions", "structs that end where 1.0 ends, and longer ones from a later time, give the same bits",
     check_forged, 0},
    {"gradient", "grad is the derivative of loss: differences, Richardson extrapolation, 1e-6", check_gradient, 0},
    {"hessian", "derivative of grad, 1e-5; symmetry; diagonal; sign, bound and constancy as declared", check_hessian,
     0},
    {"theta", "theta_grad is the derivative of loss in theta, 1e-6", check_theta, 0},
    {"blocks", "rows cut into blocks anywhere: same bits a row, the sum to 1e-12", check_blocks, 0},
    {"permutation", "the order of coupled rows does not matter, 1e-10", check_permutation, 0},
    {"weights", "weight 3 is three rows, weight 0 is none, no weights are ones", check_weights, 0},
    {"nan", "one bad row makes the loss NaN and leaves the other rows alone", check_nan, 0},
    {"extremes", "0, denormals and large predictions give finite numbers", check_extremes, 0},
    {"targets", "the ends of the target's interval are taken, what is just outside is refused with its row",
     check_targets, 0},
    {"link", "inverse link is monotone and adds up; baseline is the best constant", check_link, 0},
    {"leaks", "1000 instances made and destroyed, 1000 calls: no byte of memory, no file stays", check_leaks, 0},
};

enum { CHECKS = sizeof table / sizeof *table };

size_t check_count(void)
{
    return CHECKS;
}

const char *check_name(size_t index)
{
    return table[index].name;
}

const char *check_what(size_t index)
{
    return table[index].what;
}

/* ---- the child ---- */

static noreturn void run_child(struct check *c, size_t index, double cpu_seconds)
{
    struct gm_error err = {0};
    check_child_begin(c, cpu_seconds);
    if (loss_load(&c->plugin, c->options->name, c->options->search_path, NULL, &err))
        check_stop(c, &err);
    c->key = (struct random_key){.seed = c->options->seed, .purpose = RANDOM_CHECK, .epoch = (uint32_t)index};
    c->shared->doing = "the check itself";
    if (table[index].flags & ONCE)
        table[index].run(c);
    else
        for (size_t i = 0; i < c->shared->n_shapes; i++) {
            subject_bind(c, &c->shared->shapes[i]);
            table[index].run(c);
            subject_unbind(c);
        }
    c->shared->verdict = c->shared->text[0] ? CHECK_WARNED : CHECK_PASSED;
    _exit(0);
}

/* ---- the parent ---- */

struct runner {
    const struct check_options *options;
    struct check_shared *shared;
    double cpu_left; /* seconds */
    bool is_over;    /* a vital check failed */
};

#define WAITS_MOST   40
#define STIR_SECONDS 0.02 /* of processor time in a wait, at least */

/* Processor time that the child has used; 0 when that cannot be told. */
static double child_seconds(pid_t child)
{
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(child, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return 0;
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool wait_once(int pipe_end, double seconds)
{
    double end = clock_seconds() + seconds;
    bool gone = false;
    for (double left = seconds; !gone && left > 0; left = end - clock_seconds()) {
        struct pollfd watch = {.fd = pipe_end, .events = POLLIN};
        int ready = poll(&watch, 1, (int)(1000 * left) + 1);
        gone = ready > 0;
    }
    return gone;
}

/* Wait until the child has gone (its end of the pipe closes); false when it had to be killed. By the clock only what
 * sleeps is late: on a busy machine a child that computes gets more time, until it has used `cpu_seconds`. It ends by
 * itself then, unless a sanitizer holds its signals back. */
static bool wait_for(pid_t child, int pipe_end, double seconds, double cpu_seconds)
{
    bool gone = wait_once(pipe_end, seconds);
    double used = 0, now;
    for (int i = 0; !gone && i < WAITS_MOST; i++) {
        now = child_seconds(child);
        if (now <= used + STIR_SECONDS || now > cpu_seconds)
            break;
        used = now;
        gone = wait_once(pipe_end, seconds);
    }
    kill(-child, SIGKILL); /* and whatever it has left behind */
    if (!gone)
        kill(child, SIGKILL);
    return gone;
}

static void explain_end(struct check_shared *shared, int status, bool gone, double seconds)
{
    if (shared->verdict != CHECK_RUNNING)
        return;
    shared->verdict = CHECK_FAILED;
    const char *doing = shared->doing ? shared->doing : "the check";
    if (!gone)
        snprintf(shared->text, sizeof shared->text, "%s did not return within %.0f seconds.", doing, seconds);
    else if (WIFEXITED(status))
        snprintf(shared->text, sizeof shared->text, "%s ended the process with exit(%d). A plugin must return.", doing,
                 WEXITSTATUS(status));
    else
        snprintf(shared->text, sizeof shared->text, "crash: %s ended with the signal \"%s\".", doing,
                 strsignal(WTERMSIG(status)));
}

static enum gm_code run_one(struct runner *r, size_t index, struct gm_error *err)
{
    int ends[2];
    double cpu = r->cpu_left < CHECK_SECONDS ? r->cpu_left : CHECK_SECONDS;
    r->shared->verdict = CHECK_RUNNING;
    r->shared->text[0] = 0;
    r->shared->doing = "starting";
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set(err, GM_SYSTEM, "A check cannot be started: no pipe: %s.", strerror(errno));
    pid_t child = fork();
    if (child == 0) {
        struct check c = {.options = r->options, .shared = r->shared};
        close(ends[0]);
        run_child(&c, index, cpu);
    }
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return error_set(err, GM_SYSTEM, "A check cannot be started: no process: %s.", strerror(errno));
    }
    setpgid(child, child);
    double seconds = CLOCK_FACTOR * cpu + 1;
    bool gone = wait_for(child, ends[0], seconds, cpu);
    int status = 0;
    struct rusage usage = {0};
    while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR)
        ;
    close(ends[0]);
    explain_end(r->shared, status, gone, seconds);
    r->cpu_left -= (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                   1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) + (gone ? 0 : cpu);
    return GM_OK;
}

static enum gm_code run_check(struct runner *r, size_t index, struct check_result *result, struct gm_error *err)
{
    *result = (struct check_result){.name = table[index].name, .what = table[index].what, .verdict = CHECK_SKIPPED};
    if (r->cpu_left <= 0.01) {
        snprintf(result->text, sizeof result->text, "not run: the time for all checks is used up");
        return GM_OK;
    }
    double start = clock_seconds();
    enum gm_code code = run_one(r, index, err);
    if (code)
        return code;
    if (r->shared->stop.code)
        return error_set(err, r->shared->stop.code, "%s", r->shared->stop.text);
    result->verdict = (enum check_verdict)r->shared->verdict;
    result->seconds = clock_seconds() - start;
    snprintf(result->text, sizeof result->text, "%s", r->shared->text);
    r->is_over = result->verdict == CHECK_FAILED && table[index].flags & VITAL;
    return GM_OK;
}

static enum gm_code check_only(const char *only, struct gm_error *err)
{
    const char *names[CHECKS], *nearest;
    for (size_t i = 0; i < CHECKS; i++) {
        names[i] = table[i].name;
        if (!only || strcmp(only, names[i]) == 0)
            return GM_OK;
    }
    nearest = text_nearest(only, names, CHECKS);
    return error_set(err, GM_USAGE, "There is no check \"%.60s\".%s%s%s", only, nearest ? " Did you mean \"" : "",
                     nearest ? nearest : "", nearest ? "\"?" : "");
}

enum gm_code check_run(const struct check_options *options, check_seen_fn *seen, void *context, struct gm_error *err)
{
    enum gm_code code = check_only(options->only, err);
    if (code)
        return code;
    struct runner r = {.options = options, .cpu_left = options->time_limit > 0 ? options->time_limit : default_limit};
    void *map = mmap(NULL, sizeof *r.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        return error_memory(err, "the checks' shared page", sizeof *r.shared);
    r.shared = map;
    size_t failures = 0;
    char first[64] = "", text[CHECK_TEXT] = "";
    for (size_t i = 0; i < CHECKS && !r.is_over; i++) {
        struct check_result result;
        if (options->only && !(table[i].flags & VITAL) && strcmp(options->only, table[i].name) != 0)
            continue;
        code = run_check(&r, i, &result, err);
        if (code)
            break;
        seen(context, &result);
        if (result.verdict == CHECK_FAILED && failures++ == 0) {
            snprintf(first, sizeof first, "%s", result.name);
            snprintf(text, sizeof text, "%s", result.text);
        }
    }
    munmap(map, sizeof *r.shared);
    if (!code && failures)
        code =
            error_set(err, GM_PLUGIN_BROKEN, "The loss %s breaks its contract in %zu of %d checks; the first, %s: %s",
                      options->name, failures, CHECKS, first, text);
    return code;
}
