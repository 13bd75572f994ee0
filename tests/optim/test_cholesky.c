/* Cholesky: residuals of the definition in long double, and matrices whose factors are known. */
#include "optim/cholesky.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "support.h"

#define MOST 61

static double matrix[MOST * MOST], given[MOST * MOST], scale[MOST], inverse[MOST];

/* A = B B' / n + 0.01 I with B standard normal, its rows in units from 1e-6 to 1e6; only the upper triangle is filled.
 */
static void fill(size_t n)
{
    const struct random_key key = {11, RANDOM_CHECK, (uint32_t)n};
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = i == j ? 0.01 : 0;
            for (size_t k = 0; k < n; k++)
                sum += random_normal(key, i * n + k) * random_normal(key, j * n + k) / (double)n;
            double units = pow(10, (double)(i % 13) - 6) * pow(10, (double)(j % 13) - 6);
            given[i * n + j] = i <= j ? sum * units : NAN;
        }
    memcpy(matrix, given, n * n * sizeof *matrix);
}

static double symmetric(size_t n, size_t i, size_t j)
{
    return given[i <= j ? i * n + j : j * n + i];
}

static void solves_to_rounding_at_every_size_and_in_any_units(void)
{
    for (size_t n = 1; n <= MOST; n += n < 12 ? 1 : 7) {
        fill(n);
        struct cholesky c = {n, matrix, scale, inverse, 0};
        double x[MOST], b[MOST];
        for (size_t i = 0; i < n; i++)
            x[i] = b[i] = sqrt(symmetric(n, i, i)) * ((double)(i % 3) - 1);
        CU_ASSERT_FATAL(cholesky_factor(&c, 0));
        cholesky_solve(&c, x);
        for (size_t i = 0; i < n; i++) {
            long double residual = -b[i], size = 0;
            for (size_t j = 0; j < n; j++) {
                residual += (long double)symmetric(n, i, j) * x[j];
                size += fabsl((long double)symmetric(n, i, j) * x[j]);
            }
            CU_ASSERT(fabsl(residual) <= 1e-13L * (size + sqrtl(symmetric(n, i, i))));
        }
    }
}

static void the_given_triangle_stays_for_another_try(void)
{
    const size_t n = 23;
    fill(n);
    struct cholesky c = {n, matrix, scale, inverse, 0};
    CU_ASSERT(cholesky_factor(&c, 0));
    for (size_t i = 0; i < n; i++)
        CU_ASSERT_EQUAL(memcmp(matrix + i * n + i, given + i * n + i, (n - i) * sizeof *matrix), 0);
}

/* [[2, 2], [2, 2]]: singular; scaled it is [[1, 1], [1, 1]], and with ridge r its solution for b = (1, 1) is
 * x = 1 / (2 (2 + r)) each. */
static void a_singular_matrix_needs_a_ridge(void)
{
    double small[] = {2, 2, NAN, 2};
    struct cholesky c = {2, small, scale, inverse, 0};
    CU_ASSERT_FALSE(cholesky_factor(&c, 0));
    CU_ASSERT_TRUE(cholesky_factor(&c, 0.5));
    double x[] = {1, 1};
    cholesky_solve(&c, x);
    ASSERT_CLOSE(x[0], 0.2, 1e-15);
    ASSERT_CLOSE(x[1], 0.2, 1e-15);
}

static void an_indefinite_matrix_needs_a_ridge_above_its_most_negative_eigenvalue(void)
{
    double small[] = {1, 3, NAN, 1}; /* eigenvalues 4 and -2 */
    struct cholesky c = {2, small, scale, inverse, 0};
    CU_ASSERT_FALSE(cholesky_factor(&c, 0));
    CU_ASSERT_FALSE(cholesky_factor(&c, 1.99));
    CU_ASSERT_TRUE(cholesky_factor(&c, 2.01));
}

static void a_parameter_without_curvature_is_held_by_the_ridge_alone(void)
{
    double small[] = {4, 0, NAN, 0};
    struct cholesky c = {2, small, scale, inverse, 0};
    CU_ASSERT_FALSE(cholesky_factor(&c, 0));
    CU_ASSERT_TRUE(cholesky_factor(&c, 1));
    double x[] = {8, 0};
    cholesky_solve(&c, x);
    ASSERT_CLOSE(x[0], 1, 1e-15); /* 8 / (4 + 4) */
    CU_ASSERT_EQUAL(x[1], 0);
}

TEST_MAIN("cholesky", TEST(solves_to_rounding_at_every_size_and_in_any_units),
          TEST(the_given_triangle_stays_for_another_try), TEST(a_singular_matrix_needs_a_ridge),
          TEST(an_indefinite_matrix_needs_a_ridge_above_its_most_negative_eigenvalue),
          TEST(a_parameter_without_curvature_is_held_by_the_ridge_alone))
