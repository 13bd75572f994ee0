/* The fixed split of rows into slabs, lanes and blocks. */
#include "base/lanes.h"

/* A block of rows is still near for its second use; with half of it the calls for each block were felt, 3 % of a pass
 * over 64 features. */
#define BLOCK_BYTES      ((size_t)32 << 10)
#define BLOCK_ROWS_LEAST 32
#define BLOCK_ROWS_GOOD  64 /* rows that share what a block costs, where BLOCK_BYTES_MOST allows */
#define BLOCK_BYTES_MOST ((size_t)64 << 10)
#define BLOCK_ROWS_MOST  512
#define RUN_BYTES        ((size_t)256 << 10) /* long enough for the prefetcher, short enough to share a slab evenly */
#define LANES_BYTES      ((size_t)64 << 20)  /* of all lane gradients together */

static size_t clamp(size_t value, size_t low, size_t high)
{
    return value < low ? low : value > high ? high : value;
}

static size_t divide_up(size_t a, size_t b)
{
    return a / b + (a % b != 0);
}

struct lane_plan lane_plan_make(size_t rows, size_t row_bytes, size_t lane_bytes)
{
    row_bytes = row_bytes ? row_bytes : 1;
    size_t least = clamp(BLOCK_BYTES_MOST / row_bytes / 32 * 32, BLOCK_ROWS_LEAST, BLOCK_ROWS_GOOD);
    size_t block_rows = clamp(BLOCK_BYTES / row_bytes / 32 * 32, least, BLOCK_ROWS_MOST);
    size_t lanes = clamp(LANES_BYTES / (lane_bytes ? lane_bytes : 1), 4, LANES_MOST);
    size_t blocks = divide_up(rows, block_rows);
    lanes = clamp(lanes, 1, blocks ? blocks : 1);
    size_t run_blocks = clamp(RUN_BYTES / row_bytes / block_rows, 1, divide_up(blocks ? blocks : 1, lanes));
    struct lane_plan plan = {
        .rows = rows, .block_rows = block_rows, .run_rows = run_blocks * block_rows, .lanes = lanes};
    plan.slab_rows = plan.lanes * plan.run_rows;
    plan.slabs = divide_up(rows, plan.slab_rows);
    return plan;
}

struct row_range lane_run(const struct lane_plan *plan, size_t slab, size_t lane)
{
    size_t first = slab * plan->slab_rows + lane * plan->run_rows;
    size_t end = first + plan->run_rows;
    return (struct row_range){first < plan->rows ? first : plan->rows, end < plan->rows ? end : plan->rows};
}
