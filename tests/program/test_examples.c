/* The worked examples of docs/examples.md, run as they stand. Each expected value names who computed it. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

static json_t *summary_of(struct test_result result)
{
    CU_ASSERT_EQUAL(result.exit_code, 0);
    printf("%s", result.err);
    json_t *summary = json_loads(result.out, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(summary);
    test_result_free(&result);
    return summary;
}

/* The dataset made as the job's first lines say, and the job trained; the summary. */
static json_t *run(const char *csv, const char *data, const char *job)
{
    char source[512], path[512];
    snprintf(source, sizeof source, "%s", test_source(csv));
    snprintf(path, sizeof path, "%s", test_source(job));
    struct test_result made = PROGRAM("import", source, "-o", data, "--target", "target", "--quiet");
    CU_ASSERT_EQUAL(made.exit_code, 0);
    test_result_free(&made);
    return summary_of(PROGRAM("train", path, "--json", "--quiet"));
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

/* The two halves of every digit as two files, as digit_halves.yaml says; the image is 8 x 8, row by row. */
static void make_halves(void)
{
    char line[1024];
    FILE *all = fopen(test_source("datasets/samples/digits.csv"), "r");
    FILE *halves[] = {fopen(test_path("left.csv"), "w"), fopen(test_path("right.csv"), "w")};
    CU_ASSERT_FATAL(all && halves[0] && halves[1]);
    while (fgets(line, sizeof line, all)) {
        int column = 0;
        line[strcspn(line, "\r\n")] = 0;
        for (char *save = NULL, *cell = strtok_r(line, ",", &save); cell; cell = strtok_r(NULL, ",", &save), column++)
            if (column < 64)
                fprintf(halves[column % 8 / 4], "%s%s", column < 8 && column % 4 == 0 ? "" : ",", cell);
            else
                fprintf(halves[0], ",%s", cell);
        fputc('\n', halves[0]);
        fputc('\n', halves[1]);
    }
    fclose(all);
    fclose(halves[0]);
    fclose(halves[1]);
    struct test_result made = PROGRAM("import", "left.csv", "-o", "left.h5", "--target", "target", "--quiet");
    CU_ASSERT_EQUAL(made.exit_code, 0);
    test_result_free(&made);
    made = PROGRAM("import", "right.csv", "-o", "right.h5", "--quiet");
    CU_ASSERT_EQUAL(made.exit_code, 0);
    test_result_free(&made);
}

/* As many as a network on the whole image gets right, within its error of 1 % (test_mlp.c: 97.5 %). */
static void halves_of_digits(void)
{
    char job[512];
    make_halves();
    snprintf(job, sizeof job, "%s", test_source("datasets/jobs/digit_halves.yaml"));
    json_t *s = summary_of(PROGRAM("train", job, "--json", "--quiet", "--set", "stop.max_epochs=25"));
    CU_ASSERT(number(s, "validation", "accuracy") >= 0.965);
    json_decref(s);
    s = summary_of(PROGRAM("evaluate", "halves.model.h5", "left.h5", "--second", "right.h5", "--json"));
    CU_ASSERT(json_number_value(json_object_get(s, "accuracy")) >= 0.965);
    json_decref(s);
    struct test_result none =
        PROGRAM("predict", "halves.model.h5", "left.h5", "--second", "right.h5", "-o", "right.h5");
    CU_ASSERT_EQUAL(none.exit_code, 64);
    ASSERT_HOLDS(none.err, "is one of the inputs");
    test_result_free(&none);
    none = PROGRAM("predict", "halves.model.h5", "left.h5");
    CU_ASSERT_EQUAL(none.exit_code, 65);
    ASSERT_HOLDS(none.err, "--second");
    test_result_free(&none);
}

/* Guessing has the loss log n among n rows, 361 of them held out (van den Oord et al. 2018: it bounds the mutual
 * information of the halves from below by log n - loss; here 2 nats or more, nearly that of a digit's ten classes). */
static void pairs_of_digits(void)
{
    char job[512];
    make_halves();
    snprintf(job, sizeof job, "%s", test_source("datasets/jobs/digit_pairs.yaml"));
    json_t *s = summary_of(PROGRAM("train", job, "--json", "--quiet", "--set", "stop.max_epochs=5"));
    CU_ASSERT(number(s, "validation", "loss") <= log(number(s, "validation", "rows")) - 2);
    json_decref(s);
    struct test_result seen = PROGRAM("inspect", "pairs.model.h5");
    ASSERT_HOLDS(seen.out, "two_tower, 32 -> 64 -> 16 and 32 -> 64 -> 16, pair -> 32, relu");
    test_result_free(&seen);
}

TEST_MAIN("examples", TEST(breast_cancer), TEST(diabetes), TEST(iris_clusters), TEST(engel_quantiles),
          TEST(executions_poisson), TEST(halves_of_digits), TEST(pairs_of_digits))
