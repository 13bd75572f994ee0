/* The split is a function of seed and row, of the right size, and keeps groups whole. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "data/split.h"

static struct gm_error err;

static void each_row_is_decided_by_its_own_number(void)
{
    struct data_split split;
    CU_ASSERT_EQUAL(split_init(&split, 100000, 0.3, 11, NULL, &err), GM_OK);
    size_t held_out = 0;
    for (size_t row = 0; row < 100000; row++) {
        bool expected = random_uniform((struct random_key){11, RANDOM_SPLIT, 0}, row) < 0.3;
        CU_ASSERT_EQUAL(split_held_out(&split, row), expected);
        held_out += expected;
    }
    CU_ASSERT_EQUAL(split.held_out, held_out);
    /* Binomial: 5 standard deviations of sqrt(n p q) */
    CU_ASSERT(fabs((double)held_out - 30000) < 5 * sqrt(100000 * 0.3 * 0.7));
    struct data_split longer; /* rows that are appended do not move the others */
    CU_ASSERT_EQUAL(split_init(&longer, 200000, 0.3, 11, NULL, &err), GM_OK);
    CU_ASSERT_EQUAL(memcmp(split.mask, longer.mask, 100000 / 64 * 8), 0);
    split_release(&longer);
    split_release(&split);
}

static void groups_stay_whole(void)
{
    enum { ROWS = 5000 };
    int64_t *group = malloc(ROWS * sizeof *group);
    for (size_t row = 0; row < ROWS; row++)
        group[row] = (int64_t)(row * 2654435761u % 400) - 200;
    struct data_split split;
    CU_ASSERT_EQUAL(split_init(&split, ROWS, 0.5, 3, group, &err), GM_OK);
    for (size_t a = 0; a < ROWS; a++)
        for (size_t b = a + 1; b < a + 2000 && b < ROWS; b += 400)
            if (group[a] == group[b])
                CU_ASSERT_EQUAL(split_held_out(&split, a), split_held_out(&split, b));
    CU_ASSERT(split.held_out > ROWS / 4 && split.held_out < 3 * ROWS / 4);
    split_release(&split);
    free(group);
}

static void an_empty_side_is_refused(void)
{
    struct data_split split;
    CU_ASSERT_EQUAL(split_init(&split, 1, 0.5, 1, NULL, &err), GM_BAD_DATA);
    CU_ASSERT_PTR_NULL(split.mask);
    CU_ASSERT_EQUAL(split_init(&split, 10, 1e-9, 1, NULL, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "no row for validation");
    CU_ASSERT_EQUAL(split_init(&split, 10, 0.999999999, 1, NULL, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "no row to train on");
    CU_ASSERT_EQUAL(split_init(&split, 10, 0, 1, NULL, &err), GM_OK);
    CU_ASSERT_PTR_NULL(split.mask);
    CU_ASSERT(!split_held_out(&split, 3));
    split_release(&split);
}

TEST_MAIN("split", TEST(each_row_is_decided_by_its_own_number), TEST(groups_stay_whole), TEST(an_empty_side_is_refused))
