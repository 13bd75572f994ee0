/* The monotonic clock. */
#include "support.h"

#include <time.h>

#include "base/clock.h"

static void time_never_runs_backwards(void)
{
    double before = clock_seconds();
    for (int i = 0; i < 10000; i++) {
        double now = clock_seconds();
        CU_ASSERT_FATAL(now >= before);
        before = now;
    }
}

static void seconds_are_seconds(void)
{
    struct timespec pause = {0, 20000000}; /* 20 ms; a sleep may be longer, never shorter */
    double before = clock_seconds();
    nanosleep(&pause, NULL);
    double passed = clock_seconds() - before;
    CU_ASSERT(passed >= 0.02 && passed < 10);
}

TEST_MAIN("clock", TEST(time_never_runs_backwards), TEST(seconds_are_seconds))
