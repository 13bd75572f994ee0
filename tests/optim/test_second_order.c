/* lbfgs and newton against minima known from outside: tests/oracles/README.md names the sources and their digits. */
#include "optim/optim.h"

#include "drive.h"
#include "problems.h"

static double of_problem(const void *self, const double *w, double *g, double *hessian)
{
    return problem_evaluate(self, w, g, hessian);
}

static struct outcome solve(const struct problem *p, enum optim_method method, double l1, double start)
{
    struct optim_config config;
    optim_config_init(&config, method);
    config.l1 = l1;
    double w[MOST_FEATURES + 1];
    for (size_t j = 0; j < p->n; j++)
        w[j] = start;
    struct drive d = {of_problem, p, p->penalised, p->n, .most_evaluations = 3000};
    return drive(&d, &config, w);
}

struct oracle {
    const char *name;
    enum family family;
    double tolerance;               /* of the raw coefficients, relative */
    size_t most_lbfgs, most_newton; /* evaluations until it knows that it is done */
};

static void check(const struct oracle *c)
{
    for (int newton = 0; newton < 2; newton++) {
        struct problem p = problem_open(c->name, c->family);
        struct outcome out = solve(&p, newton ? OPTIM_NEWTON : OPTIM_LBFGS, 0, 0);
        double error = problem_error(&p, out.w);
        printf("\n    %s %s: %.1e after %zu evaluations", newton ? "newton" : "lbfgs", c->name, error, out.evaluations);
        CU_ASSERT(error <= c->tolerance);
        CU_ASSERT_EQUAL(out.verdict, OPTIM_STUCK);
        CU_ASSERT_EQUAL(out.ridge, 0);
        CU_ASSERT(out.evaluations <= (newton ? c->most_newton : c->most_lbfgs));
        problem_close(&p);
    }
}

/* NIST StRD, certified to 15 digits. The Wamplers' correlation matrices have condition 2.7e6; the residuals of 4 and 5
 * are 1e5 and 1e7 times the coefficients. */
static void least_squares_reach_the_certified_coefficients(void)
{
    const struct oracle cases[] = {
        {"norris", SQUARED, 1e-12, 20, 10},   {"pontius", SQUARED, 1e-11, 150, 15},
        {"longley", SQUARED, 1e-9, 150, 15},  {"wampler1", SQUARED, 1e-8, 300, 100},
        {"wampler2", SQUARED, 1e-8, 300, 30}, {"wampler3", SQUARED, 1e-8, 300, 30},
        {"wampler4", SQUARED, 1e-7, 300, 30}, {"wampler5", SQUARED, 1e-5, 1500, 30},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

static void generalised_linear_models_reach_the_published_coefficients(void)
{
    const struct oracle cases[] = {
        {"spector", LOGISTIC, 1e-10, 100, 20},
        {"cancer", GAMMA, 1e-8, 100, 20},
        {"randhie", POISSON, 1e-10, 300, 30},
        {"cpunish", POISSON, 5e-7, 200, 30}, /* published to 7 digits */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

/* Figures that are not coefficients: mean loss, deviance, mean log-likelihood part. */
static void they_reach_the_published_losses(void)
{
    const enum optim_method methods[] = {OPTIM_LBFGS, OPTIM_NEWTON};
    for (size_t m = 0; m < 2; m++) {
        struct problem p = problem_open("birthweight", LOGISTIC);
        ASSERT_CLOSE(solve(&p, methods[m], 0, 0).f, 0.5329311934722275, 1e-14);
        ASSERT_CLOSE(solve(&p, methods[m], 0, 1e6).f, 0.5329311934722275,
                     1e-14); /* from where all rows are saturated */
        problem_close(&p);

        p = problem_open("randhie", POISSON);
        ASSERT_CLOSE(solve(&p, methods[m], 0, 0).f, -0.35518792675490213, 1e-13);
        problem_close(&p);

        p = problem_open("cpunish", POISSON); /* deviance = 2 sum(y log(y / mu) - y + mu) */
        struct outcome out = solve(&p, methods[m], 0, 0);
        double saturated = 0;
        for (size_t i = 0; i < p.rows; i++)
            saturated += p.y[i] - p.y[i] * log(p.y[i]);
        ASSERT_CLOSE(2 * (out.f * (double)p.rows - saturated), 18.591641759529, 1e-10);
        problem_close(&p);

        p = problem_open("cancer", GAMMA); /* deviance = 2 sum(y / mu - 1 - log(y / mu)) */
        out = solve(&p, methods[m], 0, 0);
        saturated = 0;
        for (size_t i = 0; i < p.rows; i++)
            saturated += 1 + log(p.y[i]);
        ASSERT_CLOSE(2 * (out.f * (double)p.rows - saturated), 16.17463553455, 1e-11);
        problem_close(&p);
    }
}

/* Filip's correlation matrix is singular in double: the honest answer is that the coefficients are not determined. */
static void filip_is_not_claimed_to_be_solved(void)
{
    struct problem p = problem_open("filip", SQUARED);
    struct outcome out = solve(&p, OPTIM_NEWTON, 0, 0);
    CU_ASSERT(problem_error(&p, out.w) > 0.1);
    CU_ASSERT_NOT_EQUAL(out.verdict, OPTIM_STUCK);
    CU_ASSERT(out.ridge > 0);
    out = solve(&p, OPTIM_LBFGS, 0, 0);
    CU_ASSERT(problem_error(&p, out.w) > 0.1);
    CU_ASSERT_NOT_EQUAL(out.verdict, OPTIM_STUCK);
    problem_close(&p);
}

/* Twice the same feature: the sum of both weights is determined, nothing else; ridge above 0 says so. */
static void newton_solves_collinear_features_and_says_so(void)
{
    struct problem p = problem_open("pontius", SQUARED);
    for (size_t i = 0; i < p.rows; i++)
        p.x[2 * i + 1] = p.x[2 * i];
    struct outcome both = solve(&p, OPTIM_NEWTON, 0, 0), lbfgs = solve(&p, OPTIM_LBFGS, 0, 0);
    double xy = 0; /* of the one feature alone, in closed form: its variance is 1 */
    for (size_t i = 0; i < p.rows; i++)
        xy += p.x[2 * i] * p.y[i] / (double)p.rows;
    CU_ASSERT(both.ridge > 0);
    ASSERT_CLOSE((both.w[0] + both.w[1]) / xy, 1, 1e-12);
    ASSERT_CLOSE((lbfgs.w[0] + lbfgs.w[1]) / xy, 1, 1e-12);
    problem_close(&p);
}

static void newton_refuses_l1_with_advice(void)
{
    struct optim *o;
    struct gm_error err;
    struct optim_config config;
    const uint8_t penalised[] = {1};
    optim_config_init(&config, OPTIM_NEWTON);
    config.l1 = 0.5;
    CU_ASSERT_EQUAL(optim_create(&o, &config, 1, penalised, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "l1 is 0.5, but newton needs a smooth objective; use gd or lbfgs");
}

/* Karush-Kuhn-Tucker, as in test_spectral.c; and the two methods, which share no code that finds the minimum, agree. */
static void lbfgs_with_l1_meets_the_optimality_conditions(void)
{
    const double l1s[] = {0.01, 0.05, 0.1};
    for (size_t k = 0; k < 3; k++) {
        struct problem p = problem_open("birthweight", LOGISTIC);
        struct outcome out = solve(&p, OPTIM_LBFGS, l1s[k], 0), other = solve(&p, OPTIM_GD, l1s[k], 0);
        double g[MOST_FEATURES + 1];
        size_t zeros = 0;
        problem_evaluate(&p, out.w, g, NULL);
        for (size_t j = 0; j < p.features; j++) {
            if (out.w[j] == 0)
                CU_ASSERT(fabs(g[j]) <= l1s[k]);
            if (out.w[j] != 0)
                ASSERT_CLOSE(g[j], -copysign(l1s[k], out.w[j]), 1e-10);
            ASSERT_CLOSE(out.w[j], other.w[j], 1e-9);
            zeros += out.w[j] == 0;
        }
        ASSERT_CLOSE(g[p.features], 0, 1e-10);
        CU_ASSERT_EQUAL(zeros > 0, k > 0);
        problem_close(&p);
    }
}

/* Rosenbrock 1960: f = 100 (y - x^2)^2 + (1 - x)^2, not convex, from (-1.2, 1); minimum 0 at (1, 1). */
static double of_rosenbrock(const void *self, const double *w, double *g, double *hessian)
{
    (void)self;
    double a = w[1] - w[0] * w[0], b = 1 - w[0];
    g[0] = -400 * a * w[0] - 2 * b;
    g[1] = 200 * a;
    if (hessian) {
        hessian[0] = 1200 * w[0] * w[0] - 400 * w[1] + 2;
        hessian[1] = hessian[2] = -400 * w[0];
        hessian[3] = 200;
    }
    return 100 * a * a + b * b;
}

static void valleys_that_bend_are_followed(void)
{
    const uint8_t penalised[] = {0, 0};
    const enum optim_method methods[] = {OPTIM_GD, OPTIM_LBFGS, OPTIM_NEWTON};
    const size_t most[] = {2000, 80, 50};
    for (size_t m = 0; m < 3; m++) {
        struct optim_config config;
        optim_config_init(&config, methods[m]);
        struct drive d = {of_rosenbrock, NULL, penalised, 2, .most_evaluations = 3000, .gradient_norm = 1e-10};
        struct outcome out = drive(&d, &config, (const double[]){-1.2, 1});
        printf("\n    %s: %zu evaluations", optim_method_name(methods[m]), out.evaluations);
        ASSERT_CLOSE(out.w[0], 1, 1e-9);
        ASSERT_CLOSE(out.w[1], 1, 1e-9);
        CU_ASSERT(out.evaluations <= most[m]);
    }
}

/* w - log(w): see test_spectral.c. */
static double of_barrier(const void *self, const double *w, double *g, double *hessian)
{
    (void)self;
    g[0] = 1 - 1 / w[0];
    if (hessian)
        hessian[0] = 1 / (w[0] * w[0]);
    return w[0] - log(w[0]);
}

static void they_step_back_from_where_f_is_not_finite(void)
{
    const double starts[] = {1e-6, 1e-3, 1.5, 10, 1e4};
    const enum optim_method methods[] = {OPTIM_LBFGS, OPTIM_NEWTON};
    const uint8_t penalised[] = {0};
    for (size_t i = 0; i < 10; i++) {
        struct optim_config config;
        optim_config_init(&config, methods[i % 2]);
        struct drive d = {of_barrier, NULL, penalised, 1, .most_evaluations = 300};
        ASSERT_CLOSE(drive(&d, &config, &starts[i / 2]).w[0], 1, 1e-12);
    }
    struct optim_config config;
    optim_config_init(&config, OPTIM_NEWTON);
    struct drive d = {of_barrier, NULL, penalised, 1, .most_evaluations = 300};
    CU_ASSERT_EQUAL(drive(&d, &config, (const double[]){-1}).verdict, OPTIM_STUCK);
}

/* f = w^2 / 2 with a Hessian that is `claimed`: a step leaves 1 - 1 / claimed of the gradient. */
static double stride_after_step(double claimed, double wanted, double *ridge)
{
    const uint8_t penalised[] = {0};
    struct optim_config config;
    optim_config_init(&config, OPTIM_NEWTON);
    config.hessian_stride = wanted;
    struct optim *o = optim_or_die(&config, 1, penalised);
    double w = 1, hessian = claimed;
    CU_ASSERT_EQUAL(optim_hessian_stride(o), wanted);
    optim_tell_hessian(o, &w, w * w / 2, &(double){w}, &hessian);
    double first = optim_hessian_stride(o);
    *ridge = optim_last_ridge(o);
    if (first == wanted) {
        hessian = claimed;
        optim_tell_hessian(o, &w, w * w / 2, &(double){w}, &hessian);
    }
    double stride = optim_hessian_stride(o);
    optim_free(o);
    return stride;
}

static void samples_of_the_hessian_grow_where_steps_are_slow(void)
{
    double ridge;
    CU_ASSERT_EQUAL(stride_after_step(1.5, 100, &ridge), 100);
    CU_ASSERT_EQUAL(stride_after_step(5, 100, &ridge), 25);
    CU_ASSERT_EQUAL(stride_after_step(5, 3, &ridge), 1);
    CU_ASSERT_EQUAL(stride_after_step(0, 100, &ridge), 1); /* a singular sample says nothing about all rows */
    CU_ASSERT_EQUAL(ridge, 0);
    CU_ASSERT_EQUAL(stride_after_step(1.5, 1, &ridge), 1);
}

/* As in test_spectral.c: state moved into a fresh optimiser before every evaluation. */
static void restored_state_continues_with_the_same_bits(void)
{
    const enum optim_method methods[] = {OPTIM_LBFGS, OPTIM_NEWTON, OPTIM_LBFGS};
    const double l1s[] = {0, 0, 0.02};
    struct problem p = problem_open("birthweight", LOGISTIC);
    for (size_t m = 0; m < 3; m++) {
        struct optim_config config;
        optim_config_init(&config, methods[m]);
        config.l1 = l1s[m];
        config.hessian_stride = methods[m] == OPTIM_NEWTON ? 20 : 1;
        double w[MOST_FEATURES + 1], moved[MOST_FEATURES + 1], g[MOST_FEATURES + 1];
        double hessian[(MOST_FEATURES + 1) * (MOST_FEATURES + 1)];
        for (size_t j = 0; j < p.n; j++)
            w[j] = 3; /* far enough for rejected trials */
        struct optim *whole = optim_or_die(&config, p.n, p.penalised);
        for (size_t k = 0; k < 40; k++) {
            struct optim *fresh = optim_or_die(&config, p.n, p.penalised);
            struct optim_array from[OPTIM_ARRAYS], to[OPTIM_ARRAYS];
            size_t count = optim_state(whole, from, OPTIM_ARRAYS);
            CU_ASSERT_FATAL(count <= OPTIM_ARRAYS);
            CU_ASSERT_EQUAL(optim_state(fresh, to, OPTIM_ARRAYS), count);
            for (size_t a = 0; a < count; a++)
                memcpy(to[a].values, from[a].values, from[a].count * sizeof(double));
            memcpy(moved, w, sizeof w);
            double f = problem_evaluate(&p, w, g, hessian);
            enum optim_verdict verdict = optim_tell_hessian(fresh, moved, f, g, hessian);
            CU_ASSERT_EQUAL(optim_tell_hessian(whole, w, f, g, hessian), verdict);
            CU_ASSERT_EQUAL(memcmp(moved, w, p.n * sizeof *w), 0);
            optim_free(whole);
            whole = fresh;
        }
        optim_free(whole);
    }
    problem_close(&p);
}

TEST_MAIN("second_order", TEST(least_squares_reach_the_certified_coefficients),
          TEST(generalised_linear_models_reach_the_published_coefficients), TEST(they_reach_the_published_losses),
          TEST(filip_is_not_claimed_to_be_solved), TEST(newton_solves_collinear_features_and_says_so),
          TEST(newton_refuses_l1_with_advice), TEST(lbfgs_with_l1_meets_the_optimality_conditions),
          TEST(valleys_that_bend_are_followed), TEST(they_step_back_from_where_f_is_not_finite),
          TEST(samples_of_the_hessian_grow_where_steps_are_slow), TEST(restored_state_continues_with_the_same_bits))
