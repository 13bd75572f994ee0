/*
 * What must not break: the table of 28 faults, with the number of cases that were injected.
 *
 *     scripts/test.sh faults                         a part of the cases, as in CI
 *     GRADMILL_FAULTS=full scripts/test.sh faults    all of them: some minutes
 */
#include "support.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/faults/kit.h"

static const struct {
    const char *name;
    void (*run)(void);
} rows[] = {
    {"kill -9 at a random instant", row_kill},
    {"kill inside the save", row_kill_in_save},
    {"power loss: order of the system calls", row_power_loss},
    {"disk full, EIO, limit on file size", row_disk_full},
    {"fsync or close fails", row_sync_fails},
    {"short write, EINTR", row_short_writes},
    {"malloc fails at the Nth call", row_no_memory},
    {"truncated or corrupt files", row_corrupt},
    {"read error in mid-run", row_read_error},
    {"data changed since the checkpoint", row_other_data},
    {"NaN, Inf in features, target, weight", row_not_finite},
    {"target outside the loss's domain", row_bad_target},
    {"shapes or types that do not fit", row_bad_shape},
    {"1 row, few rows, constant column", row_tiny},
    {"huge declared shape", row_huge},
    {"no plugin, wrong ABI, wrong sizes", row_not_a_plugin},
    {"plugin returns NaN", row_nan_loss},
    {"plugin crashes", row_plugin_crash},
    {"plugin loops forever", row_plugin_hang},
    {"plugin writes outside its buffers", row_plugin_overrun},
    {"SIGTERM, SIGINT, SIGUSR1", row_signals},
    {"clock jump", row_clock},
    {"output directory not writable", row_not_writable},
    {"two runs, one output", row_two_runs},
    {"more threads than cores or quota", row_many_threads},
    {"job file: typo, range, 10 MB, binary", row_bad_job},
    {"rerun of a finished job", row_finished},
    {"stop rule: NaN first, Inf, equal", row_stop_rule},
};
#define ROWS (sizeof rows / sizeof *rows)

static size_t current, counted[ROWS], failed[ROWS];
static double seconds[ROWS];

void fault_case(bool held, const char *format, ...)
{
    counted[current]++;
    CU_assertImplementation(held, (unsigned)current + 1, rows[current].name, __FILE__, "", CU_FALSE);
    if (held)
        return;
    va_list args;
    va_start(args, format);
    printf("\n    row %zu: ", current + 1);
    vprintf(format, args);
    va_end(args);
    if (failed[current]++ == 0)
        printf("\n    stderr of the last command: %s", faults_err());
}

static void print_table(void)
{
    printf("\n\n   #  fault                                     cases          seconds\n");
    for (size_t i = 0; i < ROWS; i++)
        if (counted[i])
            printf("  %2zu  %-40s %6zu  %s %8.1f\n", i + 1, rows[i].name, counted[i], failed[i] ? "FAILED" : "passed",
                   seconds[i]);
}

/* Only the row of that number, where one is asked for. */
static bool wanted(size_t i)
{
    const char *only = getenv("GRADMILL_FAULT_ROW");
    return !only || (size_t)atoi(only) == i + 1;
}

static void all_faults_of_the_table(void)
{
    if (!faults_full())
        alarm(600); /* ctest waits for the full count */
    for (current = 0; current < ROWS; current++)
        if (wanted(current)) {
            double start = clock_seconds();
            rows[current].run();
            seconds[current] = clock_seconds() - start;
            if (counted[current] == 0)
                fault_case(false, "no case was injected");
        }
    print_table();
}

TEST_MAIN("faults", TEST(all_faults_of_the_table))
