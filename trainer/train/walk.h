/*
 * Visiting every row of a dataset in storage order, a block at a time, on all threads.
 *
 * Blocks come in lanes (base/lanes.h): one thread at a time works on a lane, and gets its blocks in row order, so
 * whatever a visitor adds up per lane has the same bits on any number of threads, resident or streamed.
 */
#ifndef TRAIN_WALK_H
#define TRAIN_WALK_H

#include "base/lanes.h"
#include "data/data.h"

struct walk_block {
    const struct data_window *window;
    size_t first, rows; /* rows [first, first + rows) of the window */
    size_t row;         /* of the dataset */
    bool next;          /* a whole block stands behind it in the window: worth prefetching */
};

/* Runs inside a parallel region: no allocation, no I/O, no lock. thread is 0 .. threads-1. */
typedef void walk_fn(void *context, int thread, size_t lane, const struct walk_block *block);

struct walk_stop {
    bool (*asked)(void *context); /* NULL: never */
    void *context;
};

struct walk {
    struct data_set *set;
    const struct lane_plan *plan;
    int threads;
    walk_fn *visit;
    void *context;
    /* When set: slabs are visited one after the other, and this is called by the calling thread, outside of the
     * parallel region, when rows [first, end) of the dataset were visited. false: stop walking. */
    bool (*visited)(void *context, size_t first, size_t end);
    /* Asked by the calling thread before each slab of each lane: true ends the walk, GM_INTERRUPTED. NULL: never. */
    const struct walk_stop *stop;
};

enum gm_code walk_rows(const struct walk *walk, struct gm_error *err);

#endif
