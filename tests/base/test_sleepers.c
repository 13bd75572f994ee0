/* Threads that cannot run. A disk that hangs is not at hand; support.h has something that looks like one. */
#include "support.h"

#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sleepers.h"

#define ASLEEP 0.8 /* seconds */

static void *wait_for_a_child(void *context)
{
    (void)context;
    test_wait_as_for_a_disk(ASLEEP);
    return NULL;
}

static void a_thread_that_cannot_run_is_seen_for_as_long_as_it_cannot(void)
{
    struct sleepers sleepers = {.count = 0};
    pthread_t thread;
    double longest = 0, begun = clock_seconds();
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, wait_for_a_child, NULL), 0);
    while (clock_seconds() - begun < 10 * ASLEEP && longest < ASLEEP / 2) {
        double seconds = sleepers_look(&sleepers);
        CU_ASSERT(seconds <= clock_seconds() - begun);
        longest = seconds > longest ? seconds : longest;
        usleep(20000);
    }
    pthread_join(thread, NULL);
    CU_ASSERT(longest >= ASLEEP / 2);
    CU_ASSERT_EQUAL(sleepers_look(&sleepers), 0);
}

/* Waiting for time to pass is no disk's fault. */
static void *sleep_a_while(void *context)
{
    (void)context;
    usleep(200000);
    return NULL;
}

static void a_thread_that_waits_otherwise_is_none(void)
{
    struct sleepers sleepers = {.count = 0};
    pthread_t thread;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, sleep_a_while, NULL), 0);
    for (int i = 0; i < 5; i++) {
        CU_ASSERT(sleepers_look(&sleepers) < 0.1);
        usleep(20000);
    }
    pthread_join(thread, NULL);
}

TEST_MAIN("sleepers", TEST(a_thread_that_cannot_run_is_seen_for_as_long_as_it_cannot),
          TEST(a_thread_that_waits_otherwise_is_none))
