/* The grid of ratings: every rating once, in the tile of its user and item; expected values are counted by hand. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "train/grid.h"

enum { ROWS = 140000, USERS = 40000, ITEMS = 300 };

static uint32_t user[ROWS], item[ROWS];
static float rating[ROWS]; /* its own row: tells where it went */

static struct ratings make(void)
{
    const struct random_key key = {3, RANDOM_CHECK, 0};
    for (size_t i = 0; i < ROWS; i++) {
        double u = random_uniform(key, 2 * i);
        user[i] = (uint32_t)random_below(key, 2 * i + 1, USERS);
        item[i] = (uint32_t)(ITEMS * u * u);
        rating[i] = (float)i;
    }
    return (struct ratings){.rows = ROWS,
                            .user = user,
                            .item = item,
                            .rating = rating,
                            .rating_type = DATA_F32,
                            .users = {.count = USERS},
                            .items = {.count = ITEMS}};
}

static bool inside(const struct grid *g, int which, size_t range, uint32_t row)
{
    return g->first[which][range] <= row && row < g->first[which][range + 1];
}

static void every_rating_is_in_the_tile_of_its_user_and_item(void)
{
    struct ratings r = make();
    struct data_split split = {0};
    struct grid g;
    struct gm_error err;
    CU_ASSERT_EQUAL_FATAL(split_init(&split, ROWS, 0.1, 1, NULL, &err), GM_OK);
    CU_ASSERT_EQUAL_FATAL(grid_init(&g, &r, &split, 144, 7, &err), GM_OK);
    CU_ASSERT_EQUAL(g.side, 16);
    CU_ASSERT(g.inner > 1);
    CU_ASSERT_EQUAL(g.train.rows, ROWS - split.held_out);
    CU_ASSERT_EQUAL(g.held.rows, split.held_out);
    CU_ASSERT_EQUAL(g.start[g.tiles], g.train.rows);
    size_t wrong = 0, most = 0;
    for (size_t tile = 0; tile < g.tiles; tile++) {
        double before = -1;
        most = g.start[tile + 1] - g.start[tile] > most ? g.start[tile + 1] - g.start[tile] : most;
        for (size_t at = g.start[tile]; at < g.start[tile + 1]; at++) {
            size_t row = (size_t)grid_rating(&g.train, at);
            wrong += split_held_out(&split, row) || g.train.pair[at].user != g.row_of[0][user[row]] ||
                     g.train.pair[at].item != g.row_of[1][item[row]] ||
                     !inside(&g, 0, tile / g.side, g.train.pair[at].user) ||
                     !inside(&g, 1, tile % g.side, g.train.pair[at].item) || !((double)row > before);
            before = (double)row; /* in the order of the file, so no rating comes twice */
        }
        wrong += g.batch[tile] < 4 || g.batch[tile] > GRID_BATCH;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(most, g.largest);
    CU_ASSERT(g.largest < 3 * g.train.rows / g.tiles); /* about as many ratings in each */
    grid_release(&g);
    split_release(&split);
}

static void rows_are_a_permutation_that_depends_on_the_seed(void)
{
    struct ratings r = make();
    struct data_split split = {.rows = ROWS};
    struct grid a, b;
    struct gm_error err;
    static uint8_t seen[USERS];
    CU_ASSERT_EQUAL_FATAL(grid_init(&a, &r, &split, 144, 7, &err), GM_OK);
    CU_ASSERT_EQUAL_FATAL(grid_init(&b, &r, &split, 144, 8, &err), GM_OK);
    for (size_t i = 0; i < USERS; i++)
        seen[a.row_of[0][i]]++;
    CU_ASSERT(memchr(seen, 0, USERS) == NULL);
    CU_ASSERT(memcmp(a.row_of[0], b.row_of[0], USERS * sizeof(uint32_t)) != 0);
    grid_release(&a);
    grid_release(&b);
}

/* 4 * ratings / occurrences: one item only means 4 at a time, all different means 32. */
static void batches_are_short_where_one_item_is_frequent(void)
{
    static uint32_t one[200], all[200];
    struct data_split split = {.rows = 200};
    struct gm_error err;
    for (uint32_t i = 0; i < 200; i++)
        all[i] = i;
    for (int k = 0; k < 2; k++) {
        struct grid g;
        struct ratings r = {.rows = 200, .user = all, .item = k ? all : one, .users = {.count = 200}};
        r.items.count = k ? 200 : 1;
        CU_ASSERT_EQUAL_FATAL(grid_init(&g, &r, &split, 64, 1, &err), GM_OK);
        CU_ASSERT_EQUAL(g.tiles, 1);
        CU_ASSERT_EQUAL(g.batch[0], k ? 32 : 4);
        grid_release(&g);
    }
}

static void the_shape_alone_decides_on_the_sizes(void)
{
    const struct grid_shape tiny = {10, 5, 5, 128}, usual = {4500000, 70000, 10000, 144},
                            tall = {4500000, 4000000, 3, 144};
    CU_ASSERT_EQUAL(grid_side(&tiny), 1);
    CU_ASSERT_EQUAL(grid_side(&usual), 16);
    CU_ASSERT_EQUAL(grid_inner(&usual, 16), 4); /* 4375 users of 144 bytes, beside 88 KiB of items in 256 KiB */
    CU_ASSERT_EQUAL(grid_side(&tall), 3);
    CU_ASSERT_EQUAL(grid_inner(&tiny, 1), 1);
}

TEST_MAIN("grid", TEST(every_rating_is_in_the_tile_of_its_user_and_item),
          TEST(rows_are_a_permutation_that_depends_on_the_seed), TEST(batches_are_short_where_one_item_is_frequent),
          TEST(the_shape_alone_decides_on_the_sizes))
