/*
 * The order of a shuffled pass, apart from any reading: pure functions of shape, seed and epoch.
 *
 * CorgiPile (Xu et al., "Stochastic gradient descent without full data shuffle", SIGMOD 2022): the slabs are permuted,
 * taken in groups of a fixed number, and the rows of a group are permuted. Within one group that is a full shuffle.
 */
#ifndef DATA_ORDER_H
#define DATA_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

#include "base/lanes.h"
#include "data/data.h"

/* Slabs of a group: about 64 MiB of rows and their indices, at least one slab. Never a function of memory. */
size_t order_group_slabs(const struct lane_plan *plan, size_t row_bytes);

/* The slabs in the order of the pass: to[plan->slabs], a permutation of 0 .. slabs-1. */
void order_slabs(const struct lane_plan *plan, const struct data_order *order, size_t *to);

struct order_group {
    const size_t *slabs; /* [count] of the group, in order */
    size_t count;
    uint64_t base; /* rows in all groups before: keeps the random numbers of two groups apart */
};

/* The arrays of a group, each with room for every row of it. */
struct order_rows {
    size_t *row_of; /* [rows] dataset row of each row of the group, its slabs laid end to end */
    size_t *order;  /* [taken] indices into row_of: the rows of the mask, shuffled (Fisher and Yates) */
    size_t *picks;  /* scratch */
    size_t rows, taken;
};
void order_shuffle(struct order_rows *out, const struct lane_plan *plan, const struct data_order *order,
                   const struct order_group *group, int threads);

#endif
