/* Counter-based random numbers. */
#include "support.h"

#include <math.h>

#include "base/random.h"

#define MANY 200000

/* Random123's published known-answer vectors (kat_vectors, philox4x32 with 10 rounds). */
static void bits_are_the_published_ones(void)
{
    static const struct {
        uint64_t seed, index;
        uint32_t purpose, epoch, bits[4];
    } cases[] = {
        {0, 0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {UINT64_MAX, UINT64_MAX, UINT32_MAX, UINT32_MAX, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {0x299f31d0a4093822,
         0x85a308d3243f6a88,
         0x13198a2e,
         0x03707344,
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t bits[4];
        struct random_key key = {cases[i].seed, cases[i].purpose, cases[i].epoch};
        random_bits(key, cases[i].index, bits);
        for (int word = 0; word < 4; word++)
            CU_ASSERT_EQUAL(bits[word], cases[i].bits[word]);
    }
}

static void every_part_of_the_key_matters(void)
{
    const struct random_key keys[] = {{1, RANDOM_INIT, 0},
                                      {2, RANDOM_INIT, 0},
                                      {1, RANDOM_SPLIT, 0},
                                      {1, RANDOM_INIT, 1},
                                      {1 + (UINT64_C(1) << 32), RANDOM_INIT, 0}};
    for (size_t a = 0; a < sizeof keys / sizeof *keys; a++)
        for (size_t b = 0; b < a; b++)
            CU_ASSERT(random_uniform(keys[a], 5) != random_uniform(keys[b], 5));
    CU_ASSERT(random_uniform(keys[0], 5) != random_uniform(keys[0], 5 + (UINT64_C(1) << 32)));
    CU_ASSERT_EQUAL(random_uniform(keys[0], 5), random_uniform(keys[0], 5));
}

/* Bands are five standard errors of the moment, from the moments of the exact distribution. */
static void uniforms_have_the_moments_of_the_unit_interval(void)
{
    struct random_key key = {.seed = 42, .purpose = RANDOM_CHECK};
    double sum = 0, square = 0, neighbours = 0, before = 0.5;
    size_t outside = 0;
    for (uint64_t i = 0; i < MANY; i++) {
        double u = random_uniform(key, i);
        outside += !(u >= 0 && u < 1);
        sum += u;
        square += u * u;
        neighbours += (u - 0.5) * (before - 0.5);
        before = u;
    }
    CU_ASSERT_EQUAL(outside, 0);
    CU_ASSERT(fabs(sum / MANY - 0.5) < 5 * sqrt(1.0 / 12 / MANY));
    CU_ASSERT(fabs(square / MANY - 1.0 / 3) < 5 * sqrt(4.0 / 45 / MANY));
    CU_ASSERT(fabs(neighbours / MANY) < 5 * (1.0 / 12) / sqrt(MANY));
}

/* Pearson's statistic over 64 cells has mean 63 and standard deviation sqrt(126). */
static void uniforms_fill_cells_evenly(void)
{
    struct random_key key = {.seed = 7, .purpose = RANDOM_CHECK};
    size_t cells[64] = {0};
    double statistic = 0;
    for (uint64_t i = 0; i < MANY; i++)
        cells[(size_t)(64 * random_uniform(key, i))]++;
    for (size_t i = 0; i < 64; i++) {
        double off = (double)cells[i] - MANY / 64.0;
        statistic += off * off / (MANY / 64.0);
    }
    CU_ASSERT(fabs(statistic - 63) < 5 * sqrt(126));
}

/* Moments of the standard normal: 0, 1, 0, 3; variances of their estimates 1, 2, 15, 96 over n. */
static void normals_have_the_moments_of_the_normal(void)
{
    struct random_key key = {.seed = 3, .purpose = RANDOM_CHECK};
    double power[5] = {0};
    size_t beyond_two = 0;
    for (uint64_t i = 0; i < MANY; i++) {
        double z = random_normal(key, i), product = 1;
        for (int p = 1; p <= 4; p++)
            power[p] += (product *= z) / MANY;
        beyond_two += fabs(z) > 2;
    }
    CU_ASSERT(fabs(power[1]) < 5 * sqrt(1.0 / MANY));
    CU_ASSERT(fabs(power[2] - 1) < 5 * sqrt(2.0 / MANY));
    CU_ASSERT(fabs(power[3]) < 5 * sqrt(15.0 / MANY));
    CU_ASSERT(fabs(power[4] - 3) < 5 * sqrt(96.0 / MANY));
    double share = erfc(2 / sqrt(2)); /* P(|z| > 2) */
    CU_ASSERT(fabs((double)beyond_two / MANY - share) < 5 * sqrt(share * (1 - share) / MANY));
}

static void whole_numbers_stay_below_their_bound(void)
{
    struct random_key key = {.seed = 9, .purpose = RANDOM_CHECK};
    size_t seen[7] = {0};
    for (uint64_t i = 0; i < 70000; i++) {
        uint64_t value = random_below(key, i, 7);
        CU_ASSERT_FATAL(value < 7);
        seen[value]++;
    }
    for (size_t i = 0; i < 7; i++) /* binomial: 10000 with standard deviation sqrt(70000 * 1/7 * 6/7) */
        CU_ASSERT(fabs((double)seen[i] - 10000) < 5 * sqrt(70000.0 * 6 / 49));
    CU_ASSERT_EQUAL(random_below(key, 1, 1), 0);
    CU_ASSERT(random_below(key, 1, UINT64_MAX) < UINT64_MAX);
}

TEST_MAIN("random", TEST(bits_are_the_published_ones), TEST(every_part_of_the_key_matters),
          TEST(uniforms_have_the_moments_of_the_unit_interval), TEST(uniforms_fill_cells_evenly),
          TEST(normals_have_the_moments_of_the_normal), TEST(whole_numbers_stay_below_their_bound))
