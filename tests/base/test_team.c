/* Items of a team: each is done once, before team_run returns; expected values are counts. */
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "support.h"

#include "base/team.h"

struct tally {
    size_t threads, rounds;
    size_t done[TEAM_ITEMS]; /* not atomic: one thread at a time, and the caller in between */
};

static void count(void *context, size_t thread, size_t item)
{
    struct tally *t = context;
    CU_ASSERT_FATAL(thread < t->threads);
    t->done[item]++;
}

static void each_item_is_done_once_a_round(void)
{
    static const size_t sizes[] = {1, 2, 3, 5, 8};
    struct gm_error err;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct team *team;
        struct tally t = {.threads = sizes[s]};
        size_t expected[TEAM_ITEMS] = {0};
        CU_ASSERT_EQUAL_FATAL(team_open(&team, sizes[s], &err), GM_OK);
        for (size_t round = 0; round < 2000; round++) {
            size_t items = 1 + round * 7 % TEAM_ITEMS;
            team_run(team, items, count, &t);
            for (size_t i = 0; i < items; i++)
                expected[i]++;
            CU_ASSERT_EQUAL_FATAL(memcmp(t.done, expected, sizeof expected), 0);
        }
        team_close(team);
    }
}

static void pause_for(long microseconds)
{
    nanosleep(&(struct timespec){0, microseconds * 1000}, NULL);
}

/* Long enough between rounds that helpers sleep, or are about to. */
static void sleeping_threads_wake_up(void)
{
    struct gm_error err;
    struct team *team;
    struct tally t = {.threads = 3};
    CU_ASSERT_EQUAL_FATAL(team_open(&team, 3, &err), GM_OK);
    for (long round = 0; round < 300; round++) {
        pause_for(round);
        team_run(team, 8, count, &t);
    }
    team_close(team);
    for (size_t i = 0; i < 8; i++)
        CU_ASSERT_EQUAL(t.done[i], 300);
}

static pthread_t seen[TEAM_ITEMS];

static void be_slow(void *context, size_t thread, size_t item)
{
    (void)context;
    (void)thread;
    seen[item] = pthread_self();
    pause_for(20000);
}

static void several_threads_take_part(void)
{
    struct gm_error err;
    struct team *team;
    CU_ASSERT_EQUAL_FATAL(team_open(&team, 2, &err), GM_OK);
    team_run(team, 2, be_slow, NULL);
    team_close(team);
    CU_ASSERT(!pthread_equal(seen[0], seen[1]));
}

static void a_team_that_never_ran_is_closed(void)
{
    struct gm_error err;
    struct team *team;
    CU_ASSERT_EQUAL_FATAL(team_open(&team, 4, &err), GM_OK);
    team_close(team);
    team_close(NULL);
}

TEST_MAIN("team", TEST(each_item_is_done_once_a_round), TEST(sleeping_threads_wake_up), TEST(several_threads_take_part),
          TEST(a_team_that_never_ran_is_closed))
