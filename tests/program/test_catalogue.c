/*
 * Losses of the catalogue through the whole program, from CSV to model.h5, against answers that were not computed here:
 * tests/oracles/expected.json, whose README names the sources. Tolerances are the digits that these sources give.
 */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "train/lab.h"

static json_t *truth(const char *set)
{
    static json_t *all;
    if (!all)
        all = json_load_file(test_source("tests/oracles/expected.json"), 0, NULL);
    json_t *found = json_object_get(all, set);
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    return found;
}

static double number(const char *set, const char *name)
{
    return json_number_value(json_object_get(truth(set), name));
}

/* The last column of an oracle's CSV. */
static size_t targets_of(const char *set, double *y, size_t most)
{
    char path[64], line[512];
    size_t rows = 0;
    snprintf(path, sizeof path, "tests/oracles/%s.csv", set);
    FILE *csv = fopen(test_source(path), "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(csv);
    CU_ASSERT_PTR_NOT_NULL_FATAL(fgets(line, sizeof line, csv));
    while (rows < most && fgets(line, sizeof line, csv))
        y[rows++] = strtod(strrchr(line, ',') + 1, NULL);
    fclose(csv);
    return rows;
}

/* Import and train; the mean loss over the rows. */
static double train(const char *set, const char *loss, const char *more)
{
    char job[1024], csv[64], h5[64];
    snprintf(csv, sizeof csv, "tests/oracles/%s.csv", set);
    snprintf(h5, sizeof h5, "%s.h5", set);
    struct test_result r = PROGRAM("import", test_source(csv), "-o", h5, "--target", "target", "--float64", "--quiet");
    CU_ASSERT_EQUAL(r.exit_code, 0);
    test_result_free(&r);
    snprintf(job, sizeof job,
             "data: {train: %s}\nloss: %s\n%s\n"
             "stop: {max_epochs: 5000, loss_change: 1.0e-13, patience: 60}\n"
             "run: {precision: float64}\noutput: {model: catalogue.h5, log: null}\n",
             h5, loss, more);
    test_write(test_path("catalogue.yaml"), job);
    r = PROGRAM("train", "catalogue.yaml", "--quiet", "--json");
    CU_ASSERT_EQUAL(r.exit_code, 0);
    if (r.exit_code)
        printf("%s: %s\n", set, r.err);
    json_t *end = json_loads(r.out, 0, NULL);
    double mean = json_number_value(json_object_get(json_object_get(end, "train"), "loss"));
    json_decref(end);
    test_result_free(&r);
    return mean;
}

static void check_coefficients(const char *set, double tolerance)
{
    struct lab_model m = lab_read(test_path("catalogue.h5"));
    json_t *coefficients = json_object_get(truth(set), "coefficients"),
           *intercept = json_object_get(truth(set), "intercept");
    double worst = 0;
    CU_ASSERT_EQUAL(json_array_size(coefficients), m.features);
    for (size_t j = 0; j < m.features; j++) {
        double value = json_number_value(json_array_get(coefficients, j));
        worst = fmax(worst, fabs(m.coefficients[j] / value - 1));
    }
    if (!json_is_null(intercept))
        worst = fmax(worst, fabs(m.intercept[0] / json_number_value(intercept) - 1));
    printf("[%s: %.0e] ", set, worst);
    CU_ASSERT(worst <= tolerance);
    lab_free(&m);
}

/* Koenker and Bassett's food expenditures: the mean loss at five quantiles, to the 1e-4 that the oracles promise for
 * subgradient methods; ours comes closer. */
static void quantiles_of_engel(void)
{
    const char *tau;
    json_t *values, *all = json_object_get(truth("engel"), "tau");
    json_object_foreach(all, tau, values)
    {
        char loss[64];
        double expected = json_number_value(json_array_get(values, 2));
        snprintf(loss, sizeof loss, "{name: quantile, params: {tau: %s}}", tau);
        double mean = train("engel", loss, "");
        printf("[%s: %.0e] ", tau, mean / expected - 1);
        CU_ASSERT(fabs(mean / expected - 1) < 1e-4);
    }
}

static void huber_on_stackloss(void)
{
    double mean = train("stackloss", "{name: huber, params: {delta: 3.28276005402597}}", "");
    ASSERT_CLOSE(21 * mean, number("stackloss", "sum_loss"), 1e-10);
    check_coefficients("stackloss", 1e-6);
}

/* Deviance: 2 sum of (y log(y / mu) - y + mu). The loss is mu - y log(mu). */
static void poisson_on_cpunish(void)
{
    double y[32], rest = 0, mean = train("cpunish", "poisson", "optimizer: {type: newton}");
    size_t rows = targets_of("cpunish", y, 32);
    for (size_t i = 0; i < rows; i++)
        rest += y[i] > 0 ? y[i] * log(y[i]) - y[i] : 0;
    ASSERT_CLOSE(2 * ((double)rows * mean + rest), number("cpunish", "deviance"), 1e-10);
    check_coefficients("cpunish", 5e-6); /* published to 7 digits */
}

static void poisson_on_randhie(void)
{
    static double y[20190];
    double rest = 0, mean = train("randhie", "poisson", "optimizer: {type: lbfgs}");
    size_t rows = targets_of("randhie", y, 20190);
    for (size_t i = 0; i < rows; i++)
        rest += lgamma(y[i] + 1);
    ASSERT_CLOSE(mean, number("randhie", "mean_mu_minus_y_eta"), 1e-13);
    ASSERT_CLOSE(-(double)rows * mean - rest, number("randhie", "log_likelihood"), 1e-11);
    check_coefficients("randhie", 1e-6);
}

/* Deviance: 2 sum of (-log(y / mu) + (y - mu) / mu). The loss is log(mu) + y / mu. */
static void gamma_on_cancer(void)
{
    double y[64], rest = 0, mean = train("cancer", "gamma", "optimizer: {type: newton}");
    size_t rows = targets_of("cancer", y, 64);
    for (size_t i = 0; i < rows; i++)
        rest -= log(y[i]) + 1;
    ASSERT_CLOSE(2 * ((double)rows * mean + rest), number("cancer", "deviance"), 1e-10);
    check_coefficients("cancer", 1e-8);
}

/* Deviance with p = 1.5: 2 sum of (-4 y^0.5 + 2 y mu^-0.5 + 2 mu^0.5). The loss is what of it depends on mu. */
static void tweedie_on_fair(void)
{
    static double y[6366];
    double rest = 0, mean = train("fair", "{name: tweedie, params: {power: 1.5}}",
                                  "optimizer: {type: newton}\nmodel: {intercept: false}");
    size_t rows = targets_of("fair", y, 6366);
    for (size_t i = 0; i < rows; i++)
        rest -= 4 * sqrt(y[i]);
    ASSERT_CLOSE(2 * ((double)rows * mean + rest), number("fair", "deviance"), 1e-9);
    check_coefficients("fair", 2e-8);
}

static void logistic_on_spector_and_birthweight(void)
{
    ASSERT_CLOSE(train("spector", "logistic", ""), number("spector", "mean_loss"), 1e-13);
    check_coefficients("spector", 1e-6);
    ASSERT_CLOSE(train("birthweight", "logistic", "optimizer: {type: newton}"), number("birthweight", "mean_loss"),
                 1e-13);
}

/* ---- a wrong loss is not trained with ---- */

static void refused(const char *mutant, const char *said)
{
    char job[1024];
    snprintf(job, sizeof job,
             "data: {train: cancer.h5}\nloss: {name: %s/tests/mutants/%s.so}\noutput: {model: no.h5}\n",
             getenv("GRADMILL_BUILD"), mutant);
    test_write(test_path("refused.yaml"), job);
    struct test_result r = PROGRAM("train", "refused.yaml");
    CU_ASSERT_EQUAL(r.exit_code, 82);
    ASSERT_HOLDS(r.err, said);
    ASSERT_HOLDS(r.err, "check-loss");
    test_result_free(&r);
    FILE *model = fopen(test_path("no.h5"), "r");
    CU_ASSERT_PTR_NULL(model);
    if (model)
        fclose(model);
}

static void wrong_plugins_are_refused_with_82(void)
{
    refused("wrong_sign", "but the loss changes by");
    refused("wrong_scale", "but the loss changes by");
    refused("mean_for_sum", "is wrong");
    refused("mean_for_sum", "cut into blocks");
    refused("slightly_wrong", "but the loss changes by");
    refused("random", "is wrong");
}

TEST_MAIN("catalogue", TEST(quantiles_of_engel), TEST(huber_on_stackloss), TEST(poisson_on_cpunish),
          TEST(poisson_on_randhie), TEST(gamma_on_cancer), TEST(tweedie_on_fair),
          TEST(logistic_on_spector_and_birthweight), TEST(wrong_plugins_are_refused_with_82))
