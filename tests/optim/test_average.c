/* Averaged weights: means of short sequences, by hand. */
#include "optim/average.h"

#include <math.h>
#include <string.h>

#include "support.h"

static void uniform_weights_give_the_arithmetic_mean(void)
{
    const double points[] = {3, 5, 1, 7}, means[] = {3, 4, 3, 4};
    double mean = NAN; /* whatever was there */
    for (size_t k = 0; k < 4; k++) {
        average_range(&mean, &points[k], average_weight_uniform(k), 0, 1);
        ASSERT_CLOSE(mean, means[k], 1e-15);
    }
}

/* decay 3/4: weights 1, 1/2, 1/3, then 1/4 for good. */
static void decay_starts_as_the_mean_and_then_forgets(void)
{
    CU_ASSERT_EQUAL(average_weight_decay(0, 0.75), 1);
    CU_ASSERT_EQUAL(average_weight_decay(1, 0.75), 0.5);
    CU_ASSERT_EQUAL(average_weight_decay(3, 0.75), 0.25);
    CU_ASSERT_EQUAL(average_weight_decay(1000, 0.75), 0.25);
    CU_ASSERT_EQUAL(average_weight_decay(1000, 0), 1);
}

static void any_partition_gives_the_same_bits(void)
{
    double w[50], whole[50], cut[50];
    for (size_t pieces = 2; pieces <= 8; pieces++) {
        for (size_t k = 0; k < 5; k++) {
            for (size_t i = 0; i < 50; i++)
                w[i] = sin((double)(i + 50 * k));
            average_range(whole, w, average_weight_uniform(k), 0, 50);
            for (size_t p = 0; p < pieces; p++)
                average_range(cut, w, average_weight_uniform(k), 50 * p / pieces, 50 * (p + 1) / pieces);
        }
        CU_ASSERT_EQUAL(memcmp(whole, cut, sizeof whole), 0);
    }
}

TEST_MAIN("average", TEST(uniform_weights_give_the_arithmetic_mean), TEST(decay_starts_as_the_mean_and_then_forgets),
          TEST(any_partition_gives_the_same_bits))
