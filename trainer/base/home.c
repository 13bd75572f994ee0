/* Where memory lives: on the node of the thread that will work on it. */
#include "base/home.h"

#include <omp.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/affinity.h"
#include "base/share.h"

#define WORTH_BYTES ((size_t)1 << 20)

static bool is_worth_it(size_t bytes, int threads)
{
    struct affinity mask;
    if (bytes < WORTH_BYTES || threads < 2 || !affinity_init(&mask))
        return false;
    int nodes = affinity_nodes(&mask, "");
    affinity_release(&mask);
    return nodes > 1;
}

/* Every page that begins in [first, end): one that two threads share is of the first one's. */
static void touch(void *memory, struct row_range bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)memory % page;
    for (size_t at = (bytes.first + begin + page - 1) / page * page; at < bytes.end + begin; at += page)
        *((volatile char *)memory + (at - begin)) = 0;
}

void home_of_items(void *memory, size_t bytes, int threads)
{
    if (!is_worth_it(bytes, threads))
        return;
#pragma omp parallel num_threads(threads)
    touch(memory, share_own(bytes, omp_get_num_threads(), omp_get_thread_num()));
}

void home_of_rows(void *memory, size_t bytes, const uint64_t *start, const struct lane_plan *plan, int threads)
{
    if (!is_worth_it((start ? start[plan->rows] : plan->rows) * bytes, threads))
        return;
#pragma omp parallel num_threads(threads)
    {
        struct row_range lanes = share_own(plan->lanes, omp_get_num_threads(), omp_get_thread_num());
        for (size_t slab = 0; slab < plan->slabs; slab++)
            for (size_t lane = lanes.first; lane < lanes.end; lane++) {
                struct row_range rows = lane_run(plan, slab, lane);
                size_t first = start ? start[rows.first] : rows.first, end = start ? start[rows.end] : rows.end;
                touch(memory, (struct row_range){first * bytes, end * bytes});
            }
    }
}
