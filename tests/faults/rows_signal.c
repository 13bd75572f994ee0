/* Signals: row 21. */
#include <signal.h>
#include <stdio.h>

#include "support.h"

#include "tests/faults/kit.h"

/* A run that hangs after some steps, and says so. */
#define HANGING                                                                                             \
    "$G train j.yaml --set \"loss={name: $P/late.so, trust: true, params: {kind: hang, after: 5}}\" --set " \
    "run.threads=1"
#define HANGS "late.so hangs"

static void at_random_instants(void)
{
    unsigned whole = faults_job_microseconds();
    static const int stops[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < faults_count(8, 60); i++) {
        faults_job();
        for (int k = 0; k < 3; k++) {
            unsigned instant = faults_random(whole);
            int code = faults_run_and_signal("$G train j.yaml --resume", stops[(i + (size_t)k) % 2], instant, false);
            /* Nothing to save yet; or the program had not begun, it would have said so. */
            bool early = code > 128 && (!faults_exists("c.h5") || !faults_err()[0]);
            CASE(code == 75 || code == 0 || early, "SIGTERM, SIGINT after %u us: left with %d", instant, code);
            CASE(code != 75 || faults_exists("c.h5"), "75 without a checkpoint");
        }
        CASE(faults_resumed_to_the_same(), "interrupted, resumed to other bytes");
    }
}

/* A run without end, whose only checkpoint is that of the signal. */
static void checkpoints_on_demand(void)
{
    for (size_t i = 0; i < faults_count(3, 20); i++) {
        faults_job();
        int code =
            faults_run("$G train j.yaml -q --set stop.max_epochs=100000000 --set 'output.checkpoint={path: c.h5, "
                       "every: 1h}' & run=$!\n"
                       "i=0; while ! [ -s l.jsonl ] && [ $i -lt 3000 ]; do sleep 0.01; i=$((i + 1)); done\n"
                       "! [ -e c.h5 ] && kill -USR1 $run || { kill -9 $run; exit 1; }\n"
                       "i=0; while ! [ -e c.h5 ] && [ $i -lt 3000 ]; do sleep 0.01; i=$((i + 1)); done\n"
                       "[ -e c.h5 ] && $G inspect c.h5 >/dev/null && kill -0 $run && kill -TERM $run || { kill -9 "
                       "$run; exit 2; }\n"
                       "wait $run");
        CASE(code == 75, "SIGUSR1, a checkpoint, going on, SIGTERM: left with %d", code);
    }
}

/* Stopped while the child that tries out the data has not had its turn, as on a busy machine: it holds the locks too,
 * and who is started again at once must not take it for another run. */
static void while_the_data_are_probed(void)
{
    static const struct {
        int number, code;
    } stops[] = {{SIGTERM, 75}, {SIGINT, 75}, {SIGKILL, 128 + SIGKILL}};
    for (size_t i = 0; i < faults_count(3, 15); i++) {
        faults_job();
        faults_run("$G train j.yaml -q --set stop.max_epochs=3");
        int code = faults_run_and_signal_at("env FAULT_LATE=300 faulty '' '' 0 late $G train j.yaml --resume",
                                            stops[i % 3].number, "at most", false);
        CASE(code == stops[i % 3].code, "signal %d in a probe: left with %d", stops[i % 3].number, code);
        CASE(faults_resumed_to_the_same(), "started again at once after signal %d in a probe", stops[i % 3].number);
    }
}

/* `command` as the first process of a PID namespace, as in a container: there no signal has a default action. When its
 * stderr holds `part` it gets SIGTERM, `times` times. The code is the command's. */
static int as_first_process(const char *command, const char *part, int times)
{
    char script[1024];
    snprintf(script, sizeof script, "exec %s\n", command);
    test_write("pod", script);
    return faults_run("rm -f said; unshare --pid --fork sh pod 2>said & outer=$!\n"
                      "i=0; while ! grep -q '%s' said && [ $i -lt 3000 ]; do sleep 0.01; i=$((i + 1)); done\n"
                      "run=$(cat /proc/$outer/task/$outer/children); run=${run%% }\n"
                      "for child in $(cat /proc/$run/task/$run/children); do\n"
                      "grep -q '^State:.Z' /proc/$child/status && echo a zombie >&2; done\n"
                      "kill -TERM $run; [ %d = 1 ] || { sleep 0.5; kill -TERM $run; }\n"
                      "i=0; while [ -e /proc/$run ] && [ $i -lt 1000 ]; do sleep 0.01; i=$((i + 1)); done\n"
                      "[ -e /proc/$run ] && kill -9 $run\n"
                      "wait $outer; code=$?; cat said >&2; exit $code",
                      part, times);
}

static void as_the_first_process_of_a_pod(void)
{
    if (faults_run("unshare --pid --fork true && [ -r /proc/$$/task/$$/children ]")) {
        printf("\n    PID namespaces may not be made here (root may): the stop of a pod is left out");
        return;
    }
    for (size_t i = 0; i < faults_count(1, 10); i++) {
        faults_job();
        int code = as_first_process("$G train j.yaml -v", "epoch 3", 1);
        CASE(code == 75 && faults_exists("c.h5") && !faults_err_holds("a zombie") &&
                 faults_err_holds(". --resume goes on from c.h5."),
             "a pod: left with %d", code);
        CASE(faults_resumed_to_the_same(), "a stopped pod was resumed to other bytes");
        faults_job();
        code = as_first_process("env FAULT_LATE=300 ./faulty '' '' 0 late $G train j.yaml", "at most", 1);
        CASE(code == 128 + SIGTERM && !faults_exists("m.h5"), "a pod that had not begun: left with %d", code);
        faults_job();
        code = as_first_process(HANGING, HANGS, 2);
        CASE(code == 128 + SIGTERM, "a second SIGTERM to a pod: left with %d", code);
    }
}

void row_signals(void)
{
    at_random_instants();
    checkpoints_on_demand();
    while_the_data_are_probed();
    as_the_first_process_of_a_pod();
    /* a second signal ends a run that does not come to the end of its step */
    faults_job();
    int code = faults_run_and_signal_at(HANGING, SIGTERM, HANGS, true);
    CASE(code == 128 + SIGTERM, "a second SIGTERM: left with %d", code);
}
