/*
 * A tape: what a wide model writes down on the way forward, for the rows of a batch at once.
 *
 * Rows may be filled by any threads, in any ranges; then weight gradients are made tile by tile over all rows. What a
 * model keeps in its memory is its own business.
 */
#ifndef MODEL_TAPE_H
#define MODEL_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct model_tape {
    void *memory;       /* at a cache line; need not be cleared */
    size_t capacity;    /* rows it has room for */
    size_t first, rows; /* rows [first, first + rows) are worked on */
    bool training;      /* units drop out, by (seed, step, row of the tape) */
    uint64_t seed, step;
};

/* Parameters [first, end), whose gradient begins at `gradient`, in the precision of the model. */
struct model_run {
    size_t first, end;
    const void *gradient;
};

#endif
