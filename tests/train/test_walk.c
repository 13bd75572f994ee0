/* A walk that is asked to end. */
#include "support.h"

#include <stdatomic.h>

#include "data/data.h"
#include "train/lab.h"
#include "train/walk.h"

enum { ROWS = 4096, FEATURES = 16 };

static atomic_size_t visited;

static void count(void *context, int thread, size_t lane, const struct walk_block *block)
{
    (void)context;
    (void)thread;
    (void)lane;
    visited += block->rows;
}

static bool on_the_third_question(void *context)
{
    return ++*(int *)context >= 3;
}

static bool never(void *context)
{
    (void)context;
    return false;
}

static void a_walk_ends_where_it_is_asked_to(void)
{
    struct gm_error err;
    struct data_set *set;
    struct lane_plan plan = {ROWS, 32, 64, 256, 4, ROWS / 256};
    int questions = 0;
    struct walk_stop stops[] = {{never, NULL}, {on_the_third_question, &questions}};
    lab_write_bytes(test_path("bytes.h5"), ROWS, FEATURES, 0, 0);
    CU_ASSERT_EQUAL_FATAL(
        data_open(&set, &(struct data_source){.path = test_path("bytes.h5")}, &(struct data_options){0}, &err), GM_OK);
    CU_ASSERT_EQUAL_FATAL(data_load(set, &plan, (uint64_t)1 << 30, 2, &err), GM_OK);
    for (int i = 0; i < 2; i++) {
        struct walk walk = {.set = set, .plan = &plan, .threads = 2, .visit = count, .stop = &stops[i]};
        visited = 0;
        CU_ASSERT_EQUAL(walk_rows(&walk, &err), i ? GM_INTERRUPTED : GM_OK);
        CU_ASSERT(i ? visited < ROWS / 2 : visited == ROWS);
    }
    ASSERT_HOLDS(err.text, "Interrupted in a pass over the data.");
    data_close(set);
}

TEST_MAIN("walk", TEST(a_walk_ends_where_it_is_asked_to))
