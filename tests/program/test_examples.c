/* The worked examples of docs/examples.md, run as they stand. Each expected value names who computed it. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

/* The dataset made as the job's first lines say, and the job trained; the summary. */
static json_t *run(const char *csv, const char *data, const char *job)
{
    char source[512], path[512];
    snprintf(source, sizeof source, "%s", test_source(csv));
    snprintf(path, sizeof path, "%s", test_source(job));
    struct test_result made = PROGRAM("import", source, "-o", data, "--target", "target", "--quiet");
    CU_ASSERT_EQUAL(made.exit_code, 0);
    test_result_free(&made);
    struct test_result result = PROGRAM("train", path, "--json", "--quiet");
    CU_ASSERT_EQUAL(result.exit_code, 0);
    printf("%s", result.err);
    json_t *summary = json_loads(result.out, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(summary);
    test_result_free(&result);
    return summary;
}

static double number(const json_t *summary, const char *side, const char *name)
{
    const json_t *from = side ? json_object_get(summary, side) : summary;
    const json_t *value = json_object_get(from, name);
    CU_ASSERT_PTR_NOT_NULL(value);
    return json_number_value(value);
}

/* Published logistic regressions of these data have 94 to 98 % of unseen rows right. */
static void breast_cancer(void)
{
    json_t *s = run("datasets/samples/breast_cancer.csv", "breast_cancer.h5", "datasets/jobs/breast_cancer.yaml");
    CU_ASSERT(number(s, "validation", "accuracy") >= 0.94);
    CU_ASSERT(number(s, "validation", "auc") >= 0.985);
    CU_ASSERT(number(s, NULL, "epochs") <= 20);
    json_decref(s);
}

/* Of all rows least squares explains 0.5177484222203499: NumPy 2.4 lstsq on the same rows. */
static void diabetes(void)
{
    json_t *s = run("datasets/samples/diabetes.csv", "diabetes.h5", "datasets/jobs/diabetes.yaml");
    ASSERT_CLOSE(number(s, "train", "r2"), 0.52, 0.04);
    ASSERT_CLOSE(number(s, "validation", "r2"), 0.48, 0.1);
    json_decref(s);
    char job[512];
    snprintf(job, sizeof job, "%s", test_source("datasets/jobs/diabetes.yaml"));
    struct test_result all = PROGRAM("train", job, "--json", "--quiet", "--set", "data.validation=null", "--set",
                                     "run.precision=float64", "--set", "stop.loss_change=1e-14");
    json_t *summary = json_loads(all.out, 0, NULL);
    ASSERT_CLOSE(number(summary, "train", "r2"), 0.5177484222203499, 1e-12);
    json_decref(summary);
    test_result_free(&all);
}

/* scikit-learn 1.9.1: KMeans(3, n_init=10) on the standardised rows has inertia 139.8205. */
static void iris_clusters(void)
{
    json_t *s = run("datasets/samples/iris.csv", "iris.h5", "datasets/jobs/iris_clusters.yaml");
    ASSERT_CLOSE(number(s, "train", "inertia"), 139.82049635974974, 1e-5);
    json_decref(s);
}

/* tests/oracles: the optimal mean losses at 0.1, 0.5 and 0.9, here averaged over outputs. */
static void engel_quantiles(void)
{
    json_t *s = run("tests/oracles/engel.csv", "engel.h5", "datasets/jobs/engel_quantiles.yaml");
    double optimum = (16.4677964297 + 37.3615588247 + 14.4339732384) / 3;
    CU_ASSERT(number(s, NULL, "train_loss") >= optimum * (1 - 1e-9));
    ASSERT_CLOSE(number(s, NULL, "train_loss"), optimum, 1e-4);
    json_decref(s);
}

/* tests/oracles: the loss at the published coefficients, worked out in double. */
static void executions_poisson(void)
{
    json_t *s = run("tests/oracles/cpunish.csv", "executions.h5", "datasets/jobs/executions_poisson.yaml");
    ASSERT_CLOSE(number(s, NULL, "train_loss"), -5.519624546664395, 1e-9);
    json_decref(s);
}

TEST_MAIN("examples", TEST(breast_cancer), TEST(diabetes), TEST(iris_clusters), TEST(engel_quantiles),
          TEST(executions_poisson))
