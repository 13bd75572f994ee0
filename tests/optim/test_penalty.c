/* Penalties: values worked out by hand on numbers that are exact in binary. */
#include "optim/penalty.h"

#include "support.h"

static const uint8_t penalised[] = {1, 1, 0, 1};

static void l2_adds_value_and_gradient_of_the_penalised(void)
{
    const double w[] = {1, -2, 100, 0.5};
    double g[] = {1, 1, 1, 1};
    CU_ASSERT_EQUAL(penalty_l2(0.5, penalised, w, g, 4), 0.25 * (1 + 4 + 0.25));
    CU_ASSERT_EQUAL(g[0], 1.5);
    CU_ASSERT_EQUAL(g[1], 0);
    CU_ASSERT_EQUAL(g[2], 1);
    CU_ASSERT_EQUAL(g[3], 1.25);
    CU_ASSERT_EQUAL(penalty_l2(0.5, penalised, w, NULL, 4), 0.25 * (1 + 4 + 0.25));
}

static void no_penalty_costs_nothing_even_at_infinity(void)
{
    const double w[] = {INFINITY, NAN, 1, 1};
    CU_ASSERT_EQUAL(penalty_l2(0, penalised, w, NULL, 4), 0);
    CU_ASSERT_EQUAL(penalty_l1(0, penalised, w, 4), 0);
}

static void l1_sums_magnitudes_of_the_penalised(void)
{
    const double w[] = {1, -2, 100, 0.5};
    CU_ASSERT_EQUAL(penalty_l1(2, penalised, w, 4), 7);
}

static void shrinking_moves_towards_zero_and_stops_there(void)
{
    CU_ASSERT_EQUAL(penalty_shrink(3, 1), 2);
    CU_ASSERT_EQUAL(penalty_shrink(-3, 1), -2);
    CU_ASSERT_EQUAL(penalty_shrink(1, 1), 0);
    CU_ASSERT_EQUAL(penalty_shrink(-0.5, 1), 0);
    CU_ASSERT_EQUAL(penalty_shrink(3, 0), 3);
    CU_ASSERT_EQUAL(penalty_shrink(-INFINITY, 1), -INFINITY);
    CU_ASSERT(isnan(penalty_shrink(NAN, 1)));
}

/* Per coordinate, l1 = 2: w > 0: g + 2; w < 0: g - 2; w = 0: what of g exceeds 2; not penalised: g. */
static void gradient_norm_is_that_of_the_smallest_subgradient(void)
{
    const double g[] = {1, -1, 4, 2.5};
    CU_ASSERT_EQUAL(penalty_gradient_norm(2, penalised, (const double[]){1, -1, 1, 0}, g, 4), sqrt(9 + 9 + 16 + 0.25));
    CU_ASSERT_EQUAL(penalty_gradient_norm(2, penalised, (const double[]){0, 0, 0, 0}, g, 4), sqrt(16.25));
    CU_ASSERT_EQUAL(penalty_gradient_norm(0, penalised, (const double[]){1, -1, 1, 0}, g, 4), sqrt(1 + 1 + 16 + 6.25));
}

static void gradient_norm_survives_huge_and_tiny_scales(void)
{
    const double w[4] = {0};
    ASSERT_CLOSE(penalty_gradient_norm(0, penalised, w, (const double[]){3e200, -4e200, 0, 0}, 4) / 5e200, 1, 1e-15);
    ASSERT_CLOSE(penalty_gradient_norm(0, penalised, w, (const double[]){3e-200, -4e-200, 0, 0}, 4) / 5e-200, 1, 1e-15);
    CU_ASSERT(isnan(penalty_gradient_norm(0, penalised, w, (const double[]){1, NAN, 0, 0}, 4)));
    CU_ASSERT_EQUAL(penalty_gradient_norm(0, penalised, w, (const double[]){1, -INFINITY, 0, 0}, 4), INFINITY);
    CU_ASSERT_EQUAL(penalty_gradient_norm(0, penalised, w, w, 4), 0);
}

TEST_MAIN("penalty", TEST(l2_adds_value_and_gradient_of_the_penalised), TEST(no_penalty_costs_nothing_even_at_infinity),
          TEST(l1_sums_magnitudes_of_the_penalised), TEST(shrinking_moves_towards_zero_and_stops_there),
          TEST(gradient_norm_is_that_of_the_smallest_subgradient), TEST(gradient_norm_survives_huge_and_tiny_scales))
