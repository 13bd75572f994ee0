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

/* After two lanes of 64 rows. By one thread: of several, the first may be asked too late. */
static void a_walk_ends_where_it_is_asked_to(void)
{
    struct gm_error err;
    struct data_set *set;
    struct lane_plan plan = {ROWS, 32, 64, 256, 4, ROWS / 256};
    int questions = 0;
    struct walk_stop stop = {on_the_third_question, &questions};
    lab_write_bytes(test_path("bytes.h5"), ROWS, FEATURES, 0, 0);
    CU_ASSERT_EQUAL_FATAL(
        data_open(&set, &(struct data_source){.path = test_path("bytes.h5")}, &(struct data_options){0}, &err), GM_OK);
    CU_ASSERT_EQUAL_FATAL(data_load(set, &plan, (uint64_t)1 << 30, 1, &err), GM_OK);
    struct walk walk = {.set = set, .plan = &plan, .threads = 1, .visit = count, .stop = &stop};
    CU_ASSERT_EQUAL(walk_rows(&walk, &err), GM_INTERRUPTED);
    ASSERT_HOLDS(err.text, "Interrupted in a pass over the data.");
    CU_ASSERT_EQUAL(visited, 128);
    walk.stop = NULL;
    visited = 0;
    CU_ASSERT_EQUAL(walk_rows(&walk, &err), GM_OK);
    CU_ASSERT_EQUAL(visited, ROWS);
    data_close(set);
}

TEST_MAIN("walk", TEST(a_walk_ends_where_it_is_asked_to))
