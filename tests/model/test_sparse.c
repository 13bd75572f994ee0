/*
 * Products of sparse rows with weights, on every instruction set: against sums in long double, and the two ways to make
 * them against each other, bit by bit, wherever rows are cut.
 */
#include "support.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "model/sparse.h"

enum { ROWS = 200, MOST = 70, FEATURES = 3000, RANGES = 5, ROOM = ROWS * MOST };

static struct {
    float value[ROOM], u[FEATURES], product[RANGES * ROOM], whole[ROWS], added[ROWS];
    double value64[ROOM], u64[FEATURES], product64[RANGES * ROOM], whole64[ROWS], added64[ROWS];
    uint32_t index[ROOM], count[ROWS], part[RANGES * ROWS], at[RANGES * ROWS];
    uint64_t first[ROWS], cut[RANGES * ROWS];
} t;

static double next(uint64_t *i)
{
    return random_uniform((struct random_key){4, RANDOM_CHECK, 0}, (*i)++);
}

/* Rows of 0 to MOST - 1 entries, cut anywhere. */
static void make_rows(void)
{
    uint64_t state = 0;
    uint32_t size[RANGES] = {0};
    for (size_t j = 0; j < FEATURES; j++)
        t.u[j] = (float)(t.u64[j] = 2 * next(&state) - 1);
    for (size_t i = 0; i < ROWS; i++) {
        t.first[i] = i * MOST;
        t.count[i] = (uint32_t)(next(&state) * MOST);
        for (size_t e = t.first[i]; e < t.first[i] + MOST; e++) {
            t.index[e] = (uint32_t)(next(&state) * FEATURES);
            t.value[e] = (float)(t.value64[e] = 2 * next(&state) - 1);
        }
        uint32_t from = 0;
        for (size_t r = 0; r < RANGES; r++) {
            uint32_t left = t.count[i] - from;
            uint32_t taken = r + 1 < RANGES ? (uint32_t)(next(&state) * (left + 1)) : left;
            t.cut[r * ROWS + i] = t.first[i] + from;
            t.part[r * ROWS + i] = taken;
            t.at[r * ROWS + i] = size[r];
            size[r] += taken;
            from += taken;
        }
    }
}

static void both_ways(const struct sparse_kernels *k)
{
    const struct sparse_rows all = {.value = t.value, .index = t.index, .first = t.first, .count = t.count, ROWS};
    struct sparse_rows all64 = all;
    all64.value = t.value64;
    k->forward_f32(&all, t.u, 1, t.whole);
    k->forward_f64(&all64, t.u64, 1, t.whole64);
    for (size_t r = 0; r < RANGES; r++) {
        struct sparse_rows range = all;
        range.first = t.cut + r * ROWS;
        range.count = t.part + r * ROWS;
        k->multiply_f32(&range, t.u, t.product + r * ROOM);
        range.value = t.value64;
        k->multiply_f64(&range, t.u64, t.product64 + r * ROOM);
    }
    for (size_t row = 0; row < ROWS; row += 50) {
        struct sparse_products p = {t.product, t.at, t.part, RANGES, ROOM, ROWS, row, 50};
        k->add_f32(&p, t.added + row);
        p.product = t.product64;
        k->add_f64(&p, t.added64 + row);
    }
}

static void sums_are_right_and_the_same_however_rows_are_cut(void)
{
    make_rows();
    for (int isa = 0; isa <= (int)cpu_isa(); isa++) {
        struct sparse_kernels k = sparse_kernels_for((enum cpu_isa)isa);
        both_ways(&k);
        CU_ASSERT(memcmp(t.whole, t.added, sizeof t.whole) == 0);
        CU_ASSERT(memcmp(t.whole64, t.added64, sizeof t.whole64) == 0);
        for (size_t i = 0; i < ROWS; i++) {
            long double sum = 0, sum64 = 0;
            for (size_t e = t.first[i]; e < t.first[i] + t.count[i]; e++) {
                sum += (long double)t.value[e] * t.u[t.index[e]];
                sum64 += (long double)t.value64[e] * t.u64[t.index[e]];
            }
            CU_ASSERT(fabsl(sum - t.whole[i]) <= MOST * 0x1p-24L); /* of sums below MOST / 4, in fours */
            CU_ASSERT(fabsl(sum64 - t.whole64[i]) <= MOST * 0x1p-53L);
        }
    }
}

TEST_MAIN("products of sparse rows", TEST(sums_are_right_and_the_same_however_rows_are_cut))
