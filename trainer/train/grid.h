/*
 * Ratings cut into side x side blocks, for stochastic gradient descent in parallel with the same bits at any number of
 * threads: distributed SGD, Gemulla, Nijkamp, Haas, Sismanis, "Large-scale matrix factorization with distributed
 * stochastic gradient descent", KDD 2011.
 *
 * Users and items are put into an order drawn from the seed and cut into `side` ranges of about as many ratings each.
 * Block (i, j) holds the ratings of user range i and item range j. The blocks (i, (i + s) mod side) of one STRATUM s
 * share neither users nor items: whichever thread works on them, and when, each block sees the same numbers.
 * A range of users is cut further into `inner` ones, and a block into as many TILES, one after the other: what a tile
 * touches fits into a second-level cache and is used several times there. Both numbers are functions of the data's
 * shape alone.
 */
#ifndef TRAIN_GRID_H
#define TRAIN_GRID_H

#include "data/ratings.h"
#include "data/split.h"

#define GRID_BATCH 32 /* ratings of a mini-batch at most */

struct grid_pair {
    uint32_t user, item; /* rows of the model */
};

/* Ratings of one side of the split, ordered by tile; within a tile in the order of the file. */
struct grid_set {
    size_t rows;
    struct grid_pair *pair; /* [rows] */
    void *rating;           /* [rows] of rating_type; NULL: events */
    enum data_type rating_type;
};

struct grid {
    size_t side, inner;  /* tile number: (user range * inner + inner range) * side + item range */
    size_t tiles;        /* side * inner * side */
    size_t ranges[2];    /* side * inner of users, side of items */
    size_t count[2];     /* users, items */
    uint32_t *row_of[2]; /* [count] index of the vocabulary -> row of the model */
    uint32_t *used[2];   /* [count] by row: training ratings of it */
    size_t *first[2];    /* [ranges + 1] rows of each range */
    size_t *start;       /* [tiles + 1] training ratings of each tile */
    uint16_t *batch;     /* [tiles] ratings of a mini-batch in this tile, see below */
    size_t largest;      /* ratings of the largest tile */
    struct grid_set train, held;
};

/* Rows of a mini-batch are predicted before any of them updates. So that a frequent user or item does not take many
 * steps from one point, a tile's batch holds, on average, at most 4 ratings of its most frequent user or item: the
 * batch is 4 * ratings / occurrences, at least 4, at most GRID_BATCH. */

struct grid_shape {
    size_t rows, users, items;
    size_t row_bytes; /* of a user or an item in the model */
};
/* Enough blocks for many threads, none too small; tiles whose factors fit into a second-level cache. */
size_t grid_side(const struct grid_shape *shape);
size_t grid_inner(const struct grid_shape *shape, size_t side);

/* GM_SYSTEM. */
enum gm_code grid_init(struct grid *grid, const struct ratings *ratings, const struct data_split *split,
                       size_t row_bytes, uint64_t seed, struct gm_error *err);
void grid_release(struct grid *grid); /* a zeroed struct is fine */

/* Ratings of another dataset as rows of the grid; unknown users and items get row `count`. set: grid_set_release. */
enum gm_code grid_place(struct grid_set *set, const struct grid *grid, const struct ratings *ratings,
                        struct gm_error *err);
void grid_set_release(struct grid_set *set);

double grid_rating(const struct grid_set *set, size_t at);

#endif
