/* Gradient descent with an automatic step, against minima known from outside. */
#include "optim/optim.h"

#include "base/random.h"
#include "drive.h"
#include "problems.h"

static double of_problem(const void *self, const double *w, double *g, double *hessian)
{
    return problem_evaluate(self, w, g, hessian);
}

static struct outcome solve(const struct problem *p, double l1, double start)
{
    struct optim_config config;
    optim_config_init(&config, OPTIM_GD);
    config.l1 = l1;
    double w[MOST_FEATURES + 1];
    for (size_t j = 0; j < p->n; j++)
        w[j] = start;
    struct drive d = {of_problem, p, p->penalised, p->n, .most_evaluations = 6000};
    return drive(&d, &config, w);
}

/* NIST StRD: certified coefficients, 15 digits. Condition numbers of the Hessians: 1, 64, 1.2e4. */
static void reaches_certified_coefficients_from_any_start(void)
{
    const char *const names[] = {"norris", "pontius", "longley"};
    const double starts[] = {0, 1e-3, 1e6};
    for (size_t i = 0; i < 3; i++) {
        struct problem p = problem_open(names[i], SQUARED);
        for (size_t s = 0; s < 3; s++) {
            struct outcome out = solve(&p, 0, starts[s]);
            double error = problem_error(&p, out.w);
            printf("\n    %s from %g: %.1e after %zu evaluations", names[i], starts[s], error, out.evaluations);
            CU_ASSERT(error <= 1e-9);
            CU_ASSERT_EQUAL(out.verdict, OPTIM_STUCK); /* it knows that it is done */
        }
        problem_close(&p);
    }
}

/* tests/oracles/README.md: spector to 13 digits, cancer to 10, cpunish to 7; birthweight by its mean loss. */
static void solves_generalised_linear_models(void)
{
    const struct {
        const char *name;
        enum family family;
        double tolerance;
    } sets[] = {{"spector", LOGISTIC, 1e-9}, {"cancer", GAMMA, 1e-9}, {"cpunish", POISSON, 5e-7}};
    for (size_t i = 0; i < 3; i++) {
        struct problem p = problem_open(sets[i].name, sets[i].family);
        struct outcome out = solve(&p, 0, 0);
        CU_ASSERT(problem_error(&p, out.w) <= sets[i].tolerance);
        CU_ASSERT(out.evaluations < 300);
        problem_close(&p);
    }
    struct problem p = problem_open("birthweight", LOGISTIC);
    ASSERT_CLOSE(solve(&p, 0, 0).f, 0.5329311934722275, 1e-12);
    ASSERT_CLOSE(solve(&p, 0, 1e6).f, 0.5329311934722275, 1e-12);
    problem_close(&p);
}

/* Conditions of Karush, Kuhn and Tucker: g_j = -l1 sign(w_j) where w_j is not 0, |g_j| <= l1 where it is. */
static void lasso_meets_the_optimality_conditions(void)
{
    const double l1s[] = {0.01, 0.05, 0.1};
    for (size_t k = 0; k < 3; k++) {
        struct problem p = problem_open("birthweight", LOGISTIC);
        struct outcome out = solve(&p, l1s[k], 0);
        double g[MOST_FEATURES + 1];
        size_t zeros = 0;
        problem_evaluate(&p, out.w, g, NULL);
        for (size_t j = 0; j < p.features; j++) {
            if (out.w[j] == 0)
                CU_ASSERT(fabs(g[j]) <= l1s[k]);
            if (out.w[j] != 0)
                ASSERT_CLOSE(g[j], -copysign(l1s[k], out.w[j]), 1e-10);
            zeros += out.w[j] == 0;
        }
        ASSERT_CLOSE(g[p.features], 0, 1e-10); /* the intercept carries no penalty */
        CU_ASSERT_EQUAL(zeros > 0, k > 0);
        problem_close(&p);
    }
}

/* f = 1/2 sum d_i (w_i - c_i)^2 + lift: the minimum with l1 is the soft threshold of c_i by l1 / d_i. */
struct diagonal {
    size_t n;
    double d[8], c[8], lift;
};

static double of_diagonal(const void *self, const double *w, double *g, double *hessian)
{
    (void)hessian;
    const struct diagonal *q = self;
    double f = q->lift;
    for (size_t i = 0; i < q->n; i++) {
        g[i] = q->d[i] * (w[i] - q->c[i]);
        f += 0.5 * g[i] * (w[i] - q->c[i]);
    }
    return f;
}

static void orthogonal_lasso_is_the_soft_threshold(void)
{
    const struct diagonal q = {6, {1, 10, 100, 0.1, 3, 2}, {1, -0.04, 0.2, -30, 0.5, 0.01}, 5};
    const uint8_t penalised[] = {1, 1, 1, 1, 1, 0};
    struct optim_config config;
    optim_config_init(&config, OPTIM_GD);
    config.l1 = 0.5;
    struct drive d = {of_diagonal, &q, penalised, q.n, .most_evaluations = 2000};
    struct outcome out = drive(&d, &config, (const double[]){1, 1, 1, 1, 1, 1});
    const double expected[] = {0.5, 0, 0.195, -25, 0.5 - 0.5 / 3, 0.01};
    for (size_t i = 0; i < q.n; i++)
        ASSERT_CLOSE(out.w[i], expected[i], 1e-12);
    CU_ASSERT_EQUAL(out.w[1], 0);
}

/* A = Q D Q with the reflection Q = I - 2 v v' and eigenvalues spread evenly over `condition` in the logarithm. */
struct rotated {
    size_t n;
    double condition, v[64], c[64];
};

static double of_rotated(const void *self, const double *w, double *g, double *hessian)
{
    (void)hessian;
    const struct rotated *r = self;
    double z[64], dot = 0, f = 1;
    for (size_t i = 0; i < r->n; i++)
        dot += r->v[i] * (w[i] - r->c[i]);
    for (size_t i = 0; i < r->n; i++) {
        double q = w[i] - r->c[i] - 2 * dot * r->v[i];
        z[i] = pow(r->condition, -(double)i / (double)(r->n - 1)) * q;
        f += 0.5 * z[i] * q;
    }
    dot = 0;
    for (size_t i = 0; i < r->n; i++)
        dot += r->v[i] * z[i];
    for (size_t i = 0; i < r->n; i++)
        g[i] = z[i] - 2 * dot * r->v[i];
    return f;
}

static void solves_ill_conditioned_quadratics(void)
{
    const double conditions[] = {1e2, 1e4, 1e6};
    const size_t most[] = {200, 2000,
                           30000}; /* evaluations, about 20 sqrt(condition); a fixed step needs 14 condition */
    for (size_t k = 0; k < 3; k++) {
        struct rotated r = {.n = 64, .condition = conditions[k]};
        const uint8_t penalised[64] = {0};
        const struct random_key key = {7, RANDOM_CHECK, (uint32_t)k};
        double norm = 0, start[64] = {0};
        for (size_t i = 0; i < r.n; i++) {
            r.v[i] = random_normal(key, i);
            r.c[i] = random_normal(key, 100 + i);
            norm += r.v[i] * r.v[i];
        }
        for (size_t i = 0; i < r.n; i++)
            r.v[i] /= sqrt(norm);
        struct optim_config config;
        optim_config_init(&config, OPTIM_GD);
        struct drive d = {of_rotated, &r, penalised, r.n, most[k], .gradient_norm = 1e-12};
        struct outcome out = drive(&d, &config, start);
        printf("\n    condition %g: %zu evaluations, %zu epochs", conditions[k], out.evaluations, out.epochs);
        CU_ASSERT(out.evaluations < most[k]);
        for (size_t i = 0; i < r.n; i++)
            CU_ASSERT(fabs(out.w[i] - r.c[i]) <= 1e-12 * conditions[k]); /* |g| over the least eigenvalue */
    }
}

/* F(w) = a (b w - 1)^2, minimum 1/b, in units from 1e-100 to 1e100. */
static double of_scaled(const void *self, const double *w, double *g, double *hessian)
{
    (void)hessian;
    const double *unit = self;
    double r = unit[1] * w[0] - 1;
    g[0] = 2 * unit[0] * unit[1] * r;
    return unit[0] * r * r;
}

static void units_do_not_matter(void)
{
    const double units[] = {1e-100, 1e-30, 1, 1e30, 1e100};
    for (size_t i = 0; i < 25; i++) {
        const double unit[] = {units[i % 5], units[i / 5]};
        const uint8_t penalised[] = {0};
        struct optim_config config;
        optim_config_init(&config, OPTIM_GD);
        struct drive d = {of_scaled, unit, penalised, 1, .most_evaluations = 12};
        struct outcome out = drive(&d, &config, (const double[]){0});
        ASSERT_CLOSE(out.w[0] * unit[1], 1, 1e-15);
        CU_ASSERT_EQUAL(out.verdict, OPTIM_STUCK);
    }
}

/* w - log(w): minimum 1, not a number left of 0, infinite slope at 0. */
static double of_barrier(const void *self, const double *w, double *g, double *hessian)
{
    (void)hessian;
    (void)self;
    g[0] = 1 - 1 / w[0];
    return w[0] - log(w[0]);
}

static void steps_back_from_where_f_is_not_finite(void)
{
    const double starts[] = {1e-12, 1e-3, 2, 1e4, 1e12};
    const uint8_t penalised[] = {0};
    struct optim_config config;
    optim_config_init(&config, OPTIM_GD);
    for (size_t i = 0; i < 5; i++) {
        struct drive d = {of_barrier, NULL, penalised, 1, .most_evaluations = 200};
        struct outcome out = drive(&d, &config, &starts[i]);
        ASSERT_CLOSE(out.w[0], 1, 1e-9);
    }
}

static void a_start_that_is_not_finite_is_given_up_at_once(void)
{
    const uint8_t penalised[] = {0};
    struct optim_config config;
    optim_config_init(&config, OPTIM_GD);
    struct drive d = {of_barrier, NULL, penalised, 1, .most_evaluations = 10};
    struct outcome out = drive(&d, &config, (const double[]){-1});
    CU_ASSERT_EQUAL(out.verdict, OPTIM_STUCK);
    CU_ASSERT_EQUAL(out.evaluations, 1);
    CU_ASSERT_EQUAL(out.w[0], -1);
}

static void a_start_at_the_minimum_is_an_epoch_and_then_the_end(void)
{
    const struct diagonal q = {2, {1, 10}, {3, -4}, 5};
    const uint8_t penalised[] = {1, 1};
    struct optim_config config;
    optim_config_init(&config, OPTIM_GD);
    struct drive d = {of_diagonal, &q, penalised, 2, .most_evaluations = 10};
    struct outcome out = drive(&d, &config, q.c);
    CU_ASSERT_EQUAL(out.epochs, 1);
    CU_ASSERT_EQUAL(out.evaluations, 2);
    CU_ASSERT_EQUAL(out.verdict, OPTIM_STUCK);
    CU_ASSERT_EQUAL(out.w[0], 3);
    CU_ASSERT_EQUAL(out.w[1], -4);
}

static double of_wrong_sign(const void *self, const double *w, double *g, double *hessian)
{
    double f = of_diagonal(self, w, g, hessian);
    g[0] = -g[0];
    g[1] = -g[1];
    return f;
}

static void a_gradient_of_the_wrong_sign_ends_at_the_height_where_it_began(void)
{
    const struct diagonal q = {2, {1, 10}, {3, -4}, 5};
    const uint8_t penalised[] = {1, 1};
    struct optim_config config;
    optim_config_init(&config, OPTIM_GD);
    struct drive d = {of_wrong_sign, &q, penalised, 2, .most_evaluations = 200};
    struct outcome out = drive(&d, &config, (const double[]){1, 1});
    CU_ASSERT_EQUAL(out.verdict, OPTIM_STUCK);
    CU_ASSERT(out.evaluations < 100);
    CU_ASSERT(out.f <= 132 * (1 + 2e-10)); /* 132 at the start; differences within config.rounding are not resolved */
}

/* Interrupt after k evaluations, move the state into a fresh optimiser, go on: the same bits as without. */
static void restored_state_continues_with_the_same_bits(void)
{
    struct problem p = problem_open("longley", SQUARED);
    struct optim_config config;
    optim_config_init(&config, OPTIM_GD);
    config.l1 = 3;
    double w[MOST_FEATURES + 1] = {0}, g[MOST_FEATURES + 1], moved[MOST_FEATURES + 1];
    struct optim *whole = optim_or_die(&config, p.n, p.penalised);
    for (size_t k = 0; k < 60; k++) {
        struct optim *fresh = optim_or_die(&config, p.n, p.penalised);
        struct optim_array from[OPTIM_ARRAYS], to[OPTIM_ARRAYS];
        size_t count = optim_state(whole, from, OPTIM_ARRAYS);
        CU_ASSERT_EQUAL(optim_state(fresh, to, OPTIM_ARRAYS), count);
        for (size_t a = 0; a < count; a++)
            memcpy(to[a].values, from[a].values, from[a].count * sizeof(double));
        memcpy(moved, w, sizeof w);
        double f = problem_evaluate(&p, w, g, NULL);
        CU_ASSERT_EQUAL(optim_tell(fresh, moved, f, g), optim_tell(whole, w, f, g));
        CU_ASSERT_EQUAL(memcmp(moved, w, p.n * sizeof *w), 0);
        CU_ASSERT_EQUAL(optim_last_rate(fresh), optim_last_rate(whole));
        optim_free(whole);
        whole = fresh;
    }
    optim_free(whole);
    problem_close(&p);
}

TEST_MAIN("spectral", TEST(reaches_certified_coefficients_from_any_start), TEST(solves_generalised_linear_models),
          TEST(lasso_meets_the_optimality_conditions), TEST(orthogonal_lasso_is_the_soft_threshold),
          TEST(solves_ill_conditioned_quadratics), TEST(units_do_not_matter),
          TEST(steps_back_from_where_f_is_not_finite), TEST(a_start_that_is_not_finite_is_given_up_at_once),
          TEST(a_start_at_the_minimum_is_an_epoch_and_then_the_end),
          TEST(a_gradient_of_the_wrong_sign_ends_at_the_height_where_it_began),
          TEST(restored_state_continues_with_the_same_bits))
