/* Faults of plugins, outputs, jobs and rules: rows 16 to 20 and 23 to 28. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

#include "base/file.h"
#include "optim/stop.h"
#include "tests/faults/kit.h"

void row_not_a_plugin(void)
{
    static const char *const headers[] = {"magic", "major",    "needs_minor", "struct_size", "id",
                                          "no_id", "evaluate", "spec_size",   "target_kind", "inverse_link",
                                          "twice", "name",     "choices",     "no_params",   "endless"};
    faults_job();
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        int code = faults_run("GRADMILL_TEST_FAULT=%s $G train j.yaml -q --set loss=$P/faulty_headers.so", headers[i]);
        CASE(code == 81 && faults_err_holds("faulty_headers.so"), "header with a wrong %s: left with %d", headers[i],
             code);
    }
    static const char *const files[] = {"$P/no_symbol.so", "./r.h5", "./j.yaml", "$P/nothere.so", "/", "/dev/null"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        int code = faults_run("$G train j.yaml -q --set loss=%s", files[i]);
        CASE(code == 81 || code == 66, "%s as a plugin: left with %d", files[i], code);
    }
    faults_run("cp $P/late.so ours.so; chmod 666 ours.so; head -c 2000 $P/late.so >half.so; chmod 644 half.so");
    CASE(faults_run("$G train j.yaml -q --set loss=./ours.so") == 81, "a plugin that everybody may write");
    CASE(faults_run("$G train j.yaml -q --set loss=./half.so") == 81, "half a plugin");
    faults_run("chmod 644 ours.so");
    faults_run("stat -c %%s $P/late.so >&2");
    size_t size = (size_t)atol(faults_err());
    for (size_t i = 0; i < faults_count(4, 300); i++) { /* cut anywhere, and one byte of its headers another */
        faults_run("head -c %zu $P/late.so >half.so; chmod 644 half.so", i * size / faults_count(4, 300));
        int code = faults_run("$G train j.yaml -q --set loss=./half.so --set stop.max_epochs=1");
        CASE(code == 81 || code == 80, "cut %zu of %zu bytes of a plugin: left with %d", i, size, code);
    }
    int code = faults_run("$G train j.yaml -q --set 'loss={name: ./ours.so, sha256: %064d}'", 0);
    CASE(code == 81, "a plugin with another SHA-256: left with %d", code);
    code = faults_run("$G train j.yaml -q --set stop.max_epochs=2; $G train j.yaml -q --resume --set loss=huber");
    CASE(code == 81, "a checkpoint of another plugin: left with %d", code);
}

/* `late` goes wrong after so many good calls: a block of training data each, in j.yaml a batch. */
static int late(const char *kind, size_t after, const char *more)
{
    return faults_run(
        "$G train j.yaml -q --set 'loss={name: %s/late.so, trust: true, params: {kind: %s, after: %zu}}' %s",
        getenv("P"), kind, after, more);
}

void row_nan_loss(void)
{
    for (size_t i = 0; i < faults_count(3, 20); i++) {
        faults_job();
        size_t after = 250 + faults_random(3000); /* some epochs of 80 batches */
        int code = late("nan", after, "");
        CASE(code == 80 && faults_err_holds("epoch") && faults_err_holds("row") && faults_err_holds("'late'"),
             "NaN after %zu calls: left with %d", after, code);
        code = faults_run("$G inspect m.h5 && $G inspect c.h5 >/dev/null");
        CASE(code == 0, "the best model is not kept");
    }
    faults_job();
    CASE(late("nan", 0, "") == 80, "NaN at once");
}

void row_plugin_crash(void)
{
    static const char *const kinds[] = {"crash", "abort"};
    static const int numbers[] = {SIGSEGV, SIGABRT};
    for (size_t i = 0; i < faults_count(4, 20); i++)
        for (int threads = 1; threads < 4; threads += 2) {
            char more[64];
            snprintf(more, sizeof more, "--set run.threads=%d", threads);
            faults_job();
            int code = late(kinds[i % 2], 250 + faults_random(3000), more);
            CASE(code == 128 + numbers[i % 2] && faults_err_holds("The loss 'late'") && faults_err_holds("at row"),
                 "%s: left with %d", kinds[i % 2], code);
            CASE(access("c.h5", F_OK) == 0 && faults_run("$G inspect c.h5") == 0, "no checkpoint after a crash");
        }
}

void row_plugin_hang(void)
{
    for (size_t i = 0; i < faults_count(2, 10); i++) {
        faults_job();
        int code = late("hang", 250 + faults_random(3000), "--set run.watchdog=300ms");
        CASE(code == 82 && faults_err_holds("'late'") && faults_err_holds("run.watchdog"), "hangs: left with %d", code);
        CASE(access("c.h5", F_OK) == 0, "no checkpoint after a hang");
    }
    faults_job();
    int code = faults_run("$G train j.yaml -q --set loss=$M/infinite_loop.so --set run.watchdog=300ms");
    CASE(code == 82 && faults_err_holds("short check"), "hangs in the short check: left with %d", code);
}

void row_plugin_overrun(void)
{
    static const char *const kinds[] = {"overrun", "underrun"};
    for (size_t i = 0; i < faults_count(2, 10); i++)
        for (size_t k = 0; k < 2; k++) {
            faults_job();
            int code = late(kinds[k], 250 + faults_random(3000), "");
            CASE(code == 82 && faults_err_holds("wrote outside its buffers"), "%s: left with %d", kinds[k], code);
        }
    faults_job();
    CASE(late("refuse", 300, "") == 82, "a plugin that gives up in the middle");
}

void row_not_writable(void)
{
    static const char *const keys[] = {"output.model", "output.log", "output.checkpoint.path"};
    static const char *const places[] = {"nowhere/x.h5", "/proc/x.h5", "r.h5/x.h5", "/"};
    bool mounted =
        faults_run("mkdir -p ro && mount -t tmpfs -o ro none ro") == 0; /* as root, permissions do not count */
    for (size_t k = 0; k < 3; k++) {
        for (size_t p = 0; p < 4; p++) {
            faults_job();
            int code = faults_run("$G train j.yaml -q --set %s=%s", keys[k], places[p]);
            CASE((code == 73 || code == 77) && access("m.h5", F_OK) != 0 && access("c.h5", F_OK) != 0,
                 "%s: %s: left with %d", keys[k], places[p], code);
        }
        int code = mounted ? faults_run("$G train j.yaml -q --set %s=ro/x.h5", keys[k]) : 73;
        CASE(code == 73, "%s on a read-only file system: left with %d", keys[k], code);
    }
    if (mounted)
        faults_run("umount ro");
}

void row_two_runs(void)
{
    static const char *const same[] = {"", "--set output.checkpoint=other_c.h5 --set output.log=other.jsonl",
                                       "--set output.model=other_m.h5 --set output.log=other.jsonl",
                                       "--set output.model=other_m.h5 --set output.checkpoint=other_c.h5"};
    for (size_t i = 0; i < 4; i++) {
        faults_job();
        int code = faults_run("$G train j.yaml -q --set stop.max_epochs=100000 & first=$!\n"
                              "while ! [ -s l.jsonl ]; do sleep 0.01; done\n"
                              "$G train j.yaml -q %s; code=$?; kill -KILL $first; wait $first; exit $code",
                              same[i]); /* "another run", or just then "another process is writing it" */
        CASE(code == 77 && faults_err_holds("another "), "the second of two runs (%s): left with %d", same[i], code);
    }
}

void row_many_threads(void)
{
    static const int threads[] = {3, 16, 64};
    for (size_t i = 0; i < 3; i++) {
        faults_job();
        int code = faults_run("taskset -c 0 $G train j.yaml --set run.threads=%d --set stop.max_epochs=120 && cmp m.h5 "
                              "ref.h5",
                              threads[i]);
        CASE(code == 0 && faults_err_holds("threads on 1 processor"), "%d threads on one processor: %d, or other bytes",
             threads[i], code);
    }
}

void row_bad_job(void)
{
    static const struct {
        const char *text, *says;
    } jobs[] = {
        {"data: {train: r.h5}\nlss: mse\n", ":2:1: unknown key \"lss\". Did you mean \"loss\"?"},
        {"data: {train: r.h5}\nloss: mse\nloss: huber\n", ":3:1"},
        {"data: {train: r.h5}\nloss: mse\nstop: {patience: 0}\n", ":3:18"},
        {"data: {train: r.h5}\nloss: mse\nstop:\n  patence: 3\n", "Did you mean \"stop.patience\"?"},
        {"data: {train: r.h5}\nloss: mse\noptimizer: {type: sdg}\n", "sgd"},
        {"data: {train: r.h5}\nloss: mse\noptimizer: {l2: -1}\n", ":3:"},
        {"data: {train: r.h5}\nloss: mse\nrun: {threads: many}\n", ":3:"},
        {"data: [\n", ":2:"},
        {"data: {train: r.h5}\nloss: *mse\n", ":2:"},
        {"- a\n- b\n", "a job file is a map"},
    };
    faults_job();
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        test_write(test_path("bad.yaml"), jobs[i].text);
        int code = faults_run("$G train bad.yaml -q");
        CASE(code == 78 && faults_err_holds(jobs[i].says), "%s: left with %d", jobs[i].text, code);
    }
    CASE(faults_run("head -c 10485760 /dev/zero | tr '\\0' 'a' >bad.yaml; $G train bad.yaml") == 78, "10 MB of a");
    CASE(faults_run("$G train r.h5") == 78, "a dataset as a job file");
    CASE(faults_run("$G train $G") == 78, "a program as a job file");
    for (size_t i = 0; i < faults_count(10, 200); i++) {
        unsigned at = faults_random(240);
        faults_flip("j.yaml", "bad.yaml", at);
        int code = faults_run("$G train bad.yaml -q --set stop.max_epochs=1");
        CASE(code == 78 || code == 0 || code == 66 || code == 81, "byte %u of a job file: left with %d", at, code);
    }
}

void row_finished(void)
{
    for (size_t i = 0; i < faults_count(2, 10); i++) {
        faults_job();
        int code =
            faults_run("$G train j.yaml -q --set stop.max_epochs=5 && stat -c '%%n %%i %%Y %%y %%s' m.h5 c.h5 c.h5.1 "
                       "l.jsonl >before && sha256sum m.h5 c.h5 c.h5.1 l.jsonl >>before");
        code = code ? code : faults_run("$G train j.yaml --resume --set stop.max_epochs=5 --json >again.json");
        CASE(code == 0, "a finished job with --resume: left with %d", code);
        code = faults_run("stat -c '%%n %%i %%Y %%y %%s' m.h5 c.h5 c.h5.1 l.jsonl >after && sha256sum m.h5 c.h5 c.h5.1 "
                          "l.jsonl >>after && cmp before after && grep -q '\"stop_reason\":\"max_epochs\"' again.json");
        CASE(code == 0, "a finished job with --resume changed its files");
    }
}

static enum stop_reason stopped_by(const double *losses, size_t count, size_t *epochs, double *best)
{
    const struct stop_rule rule = {.max_epochs = 100,
                                   .loss_change = 1e-3,
                                   .relative = true,
                                   .patience = 3,
                                   .target_loss = NAN,
                                   .gradient_norm = NAN,
                                   .max_seconds = NAN};
    struct stop_state state;
    enum stop_reason reason = STOP_NONE;
    bool improved;
    stop_init(&state);
    for (*epochs = 0; *epochs < count && reason == STOP_NONE; ++*epochs) {
        struct stop_epoch e = {.epoch = *epochs, .monitored = losses[*epochs], .objective = losses[*epochs]};
        e.gradient_norm = NAN;
        reason = stop_update(&state, &rule, &e, &improved);
    }
    *best = state.best_loss;
    return reason;
}

void row_stop_rule(void)
{
    static const struct {
        double losses[6];
        enum stop_reason reason;
        size_t epochs;
        double best;
    } sequences[] = {{{NAN, 1, 1, 1, 1, 1}, STOP_DIVERGED, 1, INFINITY},
                     {{INFINITY, 1, 1}, STOP_DIVERGED, 1, INFINITY},
                     {{-INFINITY, 1, 1}, STOP_DIVERGED, 1, INFINITY},
                     {{3, NAN, 1, 1, 1, 1}, STOP_DIVERGED, 2, 3},
                     {{3, 2, -INFINITY, 1, 1, 1}, STOP_DIVERGED, 3, 2},
                     {{2, 2, 2, 2, 2, 2}, STOP_LOSS_CHANGE, 4, 2},
                     {{0, 0, 0, 0, 0, 0}, STOP_LOSS_CHANGE, 4, 0},
                     {{5, 4, 3, 2, 1, 0}, STOP_NONE, 6, 0},
                     {{1, 2, 3, 4, 5, 6}, STOP_LOSS_CHANGE, 4, 1},
                     {{1e308, 1e308, 1e308, 1e308, 1, 1}, STOP_LOSS_CHANGE, 4, 1e308},
                     {{-1, -1.5, -1.5, -1.5, -1.5, 0}, STOP_LOSS_CHANGE, 5, -1.5}};
    for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++) {
        size_t epochs;
        double best;
        enum stop_reason reason = stopped_by(sequences[i].losses, 6, &epochs, &best);
        CASE(reason == sequences[i].reason && epochs == sequences[i].epochs && best == sequences[i].best,
             "sequence %zu: %s after %zu, best %g", i, stop_reason_name(reason), epochs, best);
    }
}
