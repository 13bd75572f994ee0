/*
 * The fixed split of rows into slabs, lanes and blocks.
 *
 * Rows are cut into SLABS; a slab is cut into `lanes` RUNS of whole BLOCKS. Run l of every slab belongs to lane l. A
 * lane adds its blocks in row order; lanes are added in a fixed tree. The split is a pure function of the shape, never
 * of the number of threads and never of the memory: data that stream by whole slabs and resident data give the same
 * bits.
 *
 *     rows  |------------ slab 0 ------------|------------ slab 1 ------------|--
 *     lanes |  run 0  |  run 1  |  run 2 ... |  run 0  |  run 1  | ...
 *     blocks| b b b b | b b b b | b b b b ...
 */
#ifndef BASE_LANES_H
#define BASE_LANES_H

#include <stddef.h>

#define LANES_MOST 64

struct lane_plan {
    size_t rows;
    size_t block_rows; /* rows of a block; the last block of the data may be shorter */
    size_t run_rows;   /* rows of one lane's run in a slab, a multiple of block_rows */
    size_t slab_rows;  /* lanes * run_rows */
    size_t lanes;      /* 1 .. LANES_MOST */
    size_t slabs;      /* ceil(rows / slab_rows) */
};

struct row_range {
    size_t first, end; /* rows [first, end) */
};

/* The split for `rows` rows of `row_bytes` bytes (as the model reads them) and a lane gradient of `lane_bytes` bytes.
 */
struct lane_plan lane_plan_make(size_t rows, size_t row_bytes, size_t lane_bytes);

/* Rows of lane `lane` in slab `slab`; empty when past the end. */
struct row_range lane_run(const struct lane_plan *plan, size_t slab, size_t lane);

#endif
