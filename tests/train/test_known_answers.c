/*
 * Whole trainings against answers that were not computed here: NIST's certified coefficients and exact optima of
 * logistic regressions (tests/oracles/expected.json, sources in its README), and closed forms.
 */
#include "support.h"

#include <math.h>
#include <stdio.h>

#include <jansson.h>

#include "train/lab.h"

static json_t *expected(const char *name)
{
    static json_t *all;
    if (!all)
        all = json_load_file(test_source("tests/oracles/expected.json"), 0, NULL);
    return json_object_get(all, name);
}

static void check_coefficients(const char *name, const char *path, double tolerance)
{
    struct lab_model m = lab_read(path);
    json_t *truth = expected(name), *coefficients = json_object_get(truth, "coefficients");
    CU_ASSERT_EQUAL(json_array_size(coefficients), m.features);
    double worst = 0;
    for (size_t j = 0; j < m.features; j++) {
        double value = json_number_value(json_array_get(coefficients, j));
        worst = fmax(worst, fabs(m.coefficients[j] - value) / fabs(value));
    }
    double intercept = json_number_value(json_object_get(truth, "intercept"));
    worst = fmax(worst, fabs(m.intercept[0] - intercept) / fabs(intercept));
    printf("[%s: %.1e after %zu epochs] ", name, worst, lab_summary()->epochs);
    CU_ASSERT(worst <= tolerance);
    lab_free(&m);
}

static void train_on(const char *name, const char *loss, enum gm_optimizer optimizer, double tolerance)
{
    struct lab lab;
    struct gm_error err;
    const char *model = test_path("known.h5");
    lab_job(&lab, lab_oracle(name), loss, model);
    lab.job.optimizer.type = optimizer;
    lab.job.stop.max_epochs = 20000;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    check_coefficients(name, model, tolerance);
}

static void gradient_descent_reaches_the_certified_coefficients(void)
{
    train_on("norris", "mse", GM_OPTIMIZER_GD, 1e-9);
    train_on("pontius", "mse", GM_OPTIMIZER_GD, 1e-9);
    train_on("longley", "mse", GM_OPTIMIZER_GD, 1e-9);
}

static void lbfgs_reaches_the_certified_coefficients(void)
{
    train_on("norris", "mse", GM_OPTIMIZER_LBFGS, 1e-9);
    train_on("pontius", "mse", GM_OPTIMIZER_LBFGS, 1e-9);
    train_on("longley", "mse", GM_OPTIMIZER_LBFGS, 1e-9);
}

static void logistic_regression_reaches_the_optimum(void)
{
    train_on("spector", "logistic", GM_OPTIMIZER_GD, 1e-6);
    ASSERT_CLOSE(lab_summary()->train_loss, json_number_value(json_object_get(expected("spector"), "mean_loss")),
                 1e-12);
    struct lab lab;
    struct gm_error err;
    lab_job(&lab, lab_oracle("birthweight"), "logistic", test_path("known.h5"));
    lab.job.stop.max_epochs = 20000;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    ASSERT_CLOSE(lab_summary()->train_loss, json_number_value(json_object_get(expected("birthweight"), "mean_loss")),
                 1e-10);
}

static void r_squared_and_mse_are_those_published(void)
{
    static const char *const names[] = {"norris", "longley"};
    for (size_t i = 0; i < 2; i++) {
        struct lab lab;
        struct gm_error err;
        lab_job(&lab, lab_oracle(names[i]), "mse", NULL);
        lab.job.stop.max_epochs = 20000;
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        const struct gm_metrics *m = &lab_summary()->train;
        ASSERT_CLOSE(m->r2, json_number_value(json_object_get(expected(names[i]), "r2")), 1e-9);
        ASSERT_CLOSE(m->mse / 2, json_number_value(json_object_get(expected(names[i]), "half_mse")), 1e-9);
        ASSERT_CLOSE(m->rmse, sqrt(m->mse), 1e-15);
    }
}

/* Closed form: minimise mean (y - b - w x)^2 + l2/2 w^2 on centred x: w = cov / (var + l2/2), with standardised x. */
static void l2_shrinks_as_the_closed_form_says(void)
{
    double x[] = {1, 2, 3, 4, 5, 6, 7}, y[] = {2, 1, 4, 3, 7, 5, 8}, l2 = 0.3;
    double mx = 4, my = 30.0 / 7, var = 0, cov = 0;
    for (int i = 0; i < 7; i++) {
        var += (x[i] - mx) * (x[i] - mx) / 7;
        cov += (x[i] - mx) * (y[i] - my) / 7;
    }
    double w = cov / sqrt(var) / (1 + l2 / 2) / sqrt(var);
    lab_write(test_path("ridge.h5"), x, y, 7, 1);
    struct lab lab;
    struct gm_error err;
    lab_job(&lab, test_path("ridge.h5"), "mse", test_path("known.h5"));
    lab.job.optimizer.l2 = l2;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    struct lab_model m = lab_read(test_path("known.h5"));
    ASSERT_CLOSE(m.coefficients[0], w, 1e-12);
    ASSERT_CLOSE(m.intercept[0], my - w * mx, 1e-12);
    lab_free(&m);
}

/* Closed form of the lasso with one standardised feature: soft threshold of cov by l1 / 2. */
static void l1_thresholds_as_the_closed_form_says(void)
{
    double x[] = {1, 2, 3, 4, 5, 6, 7}, y[] = {2, 1, 4, 3, 7, 5, 8};
    lab_write(test_path("lasso.h5"), x, y, 7, 1);
    for (int big = 0; big < 2; big++) {
        struct lab lab;
        struct gm_error err;
        lab_job(&lab, test_path("lasso.h5"), "mse", test_path("known.h5"));
        lab.job.optimizer.l1 = big ? 10 : 0.5;
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        struct lab_model m = lab_read(test_path("known.h5"));
        double cov = 4.142857142857143 / 2; /* sum (x - 4)(y - 30/7) = 29, / 7 = 4.142857142857143, / deviation 2 */
        ASSERT_CLOSE(m.coefficients[0], big ? 0 : (cov - 0.25) / 2, 1e-12);
        lab_free(&m);
    }
}

static void one_row_is_predicted_exactly(void)
{
    double x[] = {3, -1}, y[] = {7};
    lab_write(test_path("one.h5"), x, y, 1, 2);
    struct lab lab;
    struct gm_error err;
    lab_job(&lab, test_path("one.h5"), "mse", test_path("known.h5"));
    lab.job.run.threads = 8;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    struct lab_model m = lab_read(test_path("known.h5"));
    ASSERT_CLOSE(m.intercept[0] + 3 * m.coefficients[0] - m.coefficients[1], 7, 1e-14);
    lab_free(&m);
}

static void a_constant_column_gets_no_weight(void)
{
    double x[] = {1, 5, 2, 5, 3, 5, 4, 5}, y[] = {3, 5, 7, 9};
    lab_write(test_path("constant.h5"), x, y, 4, 2);
    struct lab lab;
    struct gm_error err;
    lab_job(&lab, test_path("constant.h5"), "mse", test_path("known.h5"));
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    struct lab_model m = lab_read(test_path("known.h5"));
    ASSERT_CLOSE(m.coefficients[0], 2, 1e-12);
    CU_ASSERT_EQUAL(m.coefficients[1], 0);
    ASSERT_CLOSE(m.intercept[0], 1, 1e-12);
    lab_free(&m);
}

TEST_MAIN("known answers", TEST(gradient_descent_reaches_the_certified_coefficients),
          TEST(lbfgs_reaches_the_certified_coefficients), TEST(logistic_regression_reaches_the_optimum),
          TEST(r_squared_and_mse_are_those_published), TEST(l2_shrinks_as_the_closed_form_says),
          TEST(l1_thresholds_as_the_closed_form_says), TEST(one_row_is_predicted_exactly),
          TEST(a_constant_column_gets_no_weight))
