/*
 * A machine that becomes too small during a run: fewer processors, less memory, other work. The linker puts our
 * answers in place of the system's, and a clock that runs a hundred times as fast: 20 seconds are 0.2.
 */
#include "support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/memory.h"
#include "train/lab.h"

static atomic_int processors, busy;
static _Atomic uint64_t memory;
static atomic_int notes;
static char last_note[GM_ERROR_TEXT];

double __real_clock_seconds(void);
double __wrap_clock_seconds(void);
int __wrap_cpu_threads(void);
uint64_t __wrap_memory_limit(void);
bool __wrap_cpu_times(double *ran, double *waited);

double __wrap_clock_seconds(void)
{
    return 100 * __real_clock_seconds();
}

int __wrap_cpu_threads(void)
{
    return processors;
}

uint64_t __wrap_memory_limit(void)
{
    return memory;
}

/* Seconds of running, and as many of waiting once there is other work. */
bool __wrap_cpu_times(double *ran, double *waited)
{
    static double last, waits;
    double now = __wrap_clock_seconds();
    waits += busy ? now - last : 0;
    last = now;
    *ran = now;
    *waited = waits;
    return true;
}

static void stalled(void *context, enum gm_code code, const char *text)
{
    (void)context;
    CU_ASSERT_EQUAL(code, GM_OK);
    snprintf(last_note, sizeof last_note, "%s", text);
    notes++;
}

static enum { NOTHING, FEWER, LESS, OTHERS } change;

static void at_epoch(void *context, const struct gm_epoch *epoch)
{
    (void)context;
    if (epoch->epoch != 1)
        return;
    if (change == FEWER)
        processors = 1;
    if (change == LESS)
        memory = (uint64_t)1 << 20;
    if (change == OTHERS)
        busy = 1;
    for (int i = 0; i < (change == NOTHING ? 80 : 1000) && !notes; i++) /* 10 seconds at most */
        usleep(10000);
}

static void train(int what)
{
    struct lab lab;
    struct gm_error err = {0};
    struct gm_summary summary = {0};
    const struct gm_watch watch = {.stalled = stalled, .epoch = at_epoch};
    CU_ASSERT_EQUAL_FATAL(chdir(test_directory()), 0);
    double x[200], y[200];
    for (int i = 0; i < 200; i++) {
        x[i] = i * 7 % 13;
        y[i] = i % 5;
    }
    lab_write("d.h5", x, y, 100, 2);
    lab_job(&lab, "d.h5", "mse", NULL);
    lab.job.run.threads = 2;
    lab.job.run.memory = (uint64_t)64 << 20;
    lab.job.stop.max_epochs = 2;
    processors = 2;
    memory = (uint64_t)1 << 30;
    notes = busy = 0;
    change = what;
    CU_ASSERT_EQUAL(gm_train(&lab.job, &watch, &summary, &err), GM_OK);
    gm_summary_release(&summary);
}

static void fewer_processors_are_told(void)
{
    train(FEWER);
    ASSERT_HOLDS(last_note, "Only 1 processor is allowed now (affinity, CPU quota); the run keeps its threads");
}

static void a_lower_memory_limit_is_told(void)
{
    train(LESS);
    ASSERT_HOLDS(last_note, "The memory limit is 1 MiB now; the run plans with 64 MiB (run.memory)");
}

static void other_work_is_told_once(void)
{
    train(OTHERS);
    CU_ASSERT_EQUAL(notes, 1);
    ASSERT_HOLDS(last_note, "% of the last 20 seconds the threads waited for a processor: other work runs here");
}

static void a_machine_as_it_was_is_not_spoken_of(void)
{
    train(NOTHING);
    CU_ASSERT_EQUAL(notes, 0);
}

TEST_MAIN("crowded", TEST(fewer_processors_are_told), TEST(a_lower_memory_limit_is_told), TEST(other_work_is_told_once),
          TEST(a_machine_as_it_was_is_not_spoken_of))
