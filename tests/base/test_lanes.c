/* The split of rows: every row exactly once, never dependent on threads. */
#include "support.h"

#include "base/lanes.h"

static void every_row_is_in_one_lane_once(void)
{
    static const size_t row_counts[] = {0, 1, 31, 32, 33, 511, 512, 513, 2047, 100000, 1000003};
    static const size_t row_sizes[] = {1, 64, 256, 4000, 400000};
    for (size_t a = 0; a < sizeof row_counts / sizeof *row_counts; a++)
        for (size_t b = 0; b < sizeof row_sizes / sizeof *row_sizes; b++) {
            struct lane_plan plan = lane_plan_make(row_counts[a], row_sizes[b], 8000);
            size_t next = 0;
            for (size_t slab = 0; slab < plan.slabs; slab++)
                for (size_t lane = 0; lane < plan.lanes; lane++) {
                    struct row_range run = lane_run(&plan, slab, lane);
                    CU_ASSERT_EQUAL(run.first, next);
                    CU_ASSERT(run.end >= run.first && run.end - run.first <= plan.run_rows);
                    next = run.end;
                }
            CU_ASSERT_EQUAL(next, row_counts[a]);
            CU_ASSERT(plan.lanes >= 1 && plan.run_rows % plan.block_rows == 0);
        }
}

static void lane_memory_is_bounded(void)
{
    struct lane_plan plan = lane_plan_make(1000000, 400, (size_t)8 << 20);
    CU_ASSERT(plan.lanes * ((size_t)8 << 20) <= (size_t)64 << 20);
    CU_ASSERT(plan.lanes >= 4);
}

TEST_MAIN("lanes", TEST(every_row_is_in_one_lane_once), TEST(lane_memory_is_bounded))
