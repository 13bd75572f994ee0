/* Lists of losses: several heads on columns of the outputs, with fixed and with learned weights. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/random.h"
#include "train/lab.h"

static json_t *truth(const char *set)
{
    static json_t *all;
    if (!all)
        all = json_load_file(test_source("tests/oracles/expected.json"), 0, NULL);
    return json_object_get(all, set);
}

/* Spector and Mazzeo's data with their target twice: once to be a logistic regression, once a linear one. */
static const char *twice(void)
{
    static double x[64 * 3], y[64 * 2];
    char line[256];
    size_t rows = 0;
    FILE *csv = fopen(test_source("tests/oracles/spector.csv"), "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(csv);
    CU_ASSERT_PTR_NOT_NULL_FATAL(fgets(line, sizeof line, csv));
    while (rows < 64 && fgets(line, sizeof line, csv)) {
        CU_ASSERT_EQUAL(sscanf(line, "%lf,%lf,%lf,%lf", x + 3 * rows, x + 3 * rows + 1, x + 3 * rows + 2, y + 2 * rows),
                        4);
        y[2 * rows + 1] = y[2 * rows];
        rows++;
    }
    fclose(csv);
    lab_write_wide(test_path("twice.h5"), x, y, NULL, (const size_t[]){rows, 3, 2});
    return test_path("twice.h5");
}

static void each_head_is_a_model_of_its_own(void)
{
    const struct gm_job_loss terms[] = {{.name = "logistic", .weight = 3, .column_first = 0, .column_end = 1},
                                        {.name = "mse", .weight = 1, .column_first = 1, .column_end = 2}};
    struct lab lab, alone;
    struct gm_error err;
    lab_job(&lab, twice(), NULL, test_path("heads.h5"));
    lab.job.loss.terms = terms;
    lab.job.loss.count = 2;
    lab.job.optimizer.type = GM_OPTIMIZER_LBFGS;
    lab.job.stop.max_epochs = 3000;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    struct lab_model both = lab_read(test_path("heads.h5"));
    CU_ASSERT_EQUAL_FATAL(lab_summary()->train.n_terms, 2);
    const struct gm_metrics *logistic = &lab_summary()->train.terms[0];
    CU_ASSERT_STRING_EQUAL(logistic->loss_id, "logistic");
    ASSERT_CLOSE(logistic->loss, json_number_value(json_object_get(truth("spector"), "mean_loss")), 1e-9);
    CU_ASSERT(logistic->accuracy > 0.75); /* Spector and Mazzeo: 26 of 32 */
    ASSERT_CLOSE(lab_summary()->train_loss, 3 * logistic->loss + lab_summary()->train.terms[1].loss, 1e-12);
    for (size_t j = 0; j < 3; j++)
        ASSERT_CLOSE(both.coefficients[j],
                     json_number_value(json_array_get(json_object_get(truth("spector"), "coefficients"), j)), 1e-5);
    lab_job(&alone, lab_oracle("spector"), "mse", test_path("alone.h5"));
    alone.job.optimizer.type = GM_OPTIMIZER_NEWTON;
    CU_ASSERT_EQUAL(lab_train(&alone, &err), GM_OK);
    struct lab_model one = lab_read(test_path("alone.h5"));
    for (size_t j = 0; j < 3; j++)
        ASSERT_CLOSE(both.coefficients[3 + j], one.coefficients[j], 1e-6);
    ASSERT_CLOSE(both.intercept[1], one.intercept[0], 1e-5);
    lab_free(&one);
    lab_free(&both);
}

/* The best s of exp(-s) L + s / 2 is log(2 L), and NIST certifies the mean square L at the best coefficients. */
static void a_learned_weight_finds_the_log_of_its_loss(void)
{
    const struct gm_job_loss term = {.name = "mse", .weight = NAN};
    struct lab lab;
    struct gm_error err;
    lab_job(&lab, lab_oracle("norris"), NULL, test_path("learned.h5"));
    lab.job.loss.terms = &term;
    lab.job.optimizer.type = GM_OPTIMIZER_LBFGS;
    lab.job.stop.max_epochs = 3000;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    struct lab_model m = lab_read(test_path("learned.h5"));
    double mse = 2 * json_number_value(json_object_get(truth("norris"), "half_mse"));
    CU_ASSERT_EQUAL_FATAL(m.n_theta, 1);
    ASSERT_CLOSE(m.theta[0], log(2 * mse), 1e-7);
    ASSERT_CLOSE(lab_summary()->train.terms[0].weight, 1 / (2 * mse), 1e-7);
    ASSERT_CLOSE(lab_summary()->train.terms[0].loss, mse, 1e-9);
    lab_free(&m);
}

/* Column 0 of the target is a number, column 1 a class of three, both from two features. */
enum { ROWS = 600 };
static const char *mixed(void)
{
    static double x[ROWS * 2], y[ROWS * 2];
    struct random_key key = {31, RANDOM_CHECK, 0};
    for (size_t i = 0; i < ROWS; i++) {
        x[2 * i] = random_normal(key, 3 * i);
        x[2 * i + 1] = random_normal(key, 3 * i + 1);
        y[2 * i] = 2 * x[2 * i] - x[2 * i + 1] + 5 + 0.1 * random_normal(key, 3 * i + 2);
        y[2 * i + 1] = x[2 * i] > 0.5 ? 2 : x[2 * i + 1] > 0 ? 1 : 0;
    }
    lab_write_wide(test_path("mixed.h5"), x, y, NULL, (const size_t[]){ROWS, 2, 2});
    return test_path("mixed.h5");
}

static const struct gm_job_loss mixed_terms[] = {
    {.name = "mse", .weight = NAN, .column_first = 0, .column_end = 1, .target_first = 0, .target_end = 1},
    {.name = "cross_entropy", .weight = NAN, .column_first = 1, .column_end = 4, .target_first = 1, .target_end = 2}};

static bool add_up(void *context, size_t first, size_t rows, const double *pred)
{
    (void)first;
    for (size_t i = 0; i < rows; i++) /* probabilities behind a number */
        *(double *)context = fmax(*(double *)context, fabs(pred[4 * i + 1] + pred[4 * i + 2] + pred[4 * i + 3] - 1));
    return true;
}

static void numbers_and_classes_are_learned_together(void)
{
    struct lab lab;
    struct gm_error err;
    const char *data = mixed();
    for (int network = 0; network < 2; network++) {
        lab_job(&lab, data, NULL, test_path("mixed-model.h5"));
        lab.job.loss.terms = mixed_terms;
        lab.job.loss.count = 2;
        lab.job.optimizer.type = network ? GM_OPTIMIZER_ADAM : GM_OPTIMIZER_LBFGS;
        lab.job.stop.max_epochs = network ? 60 : 300;
        if (network) {
            static const size_t units[] = {16};
            lab.job.model.type = GM_MODEL_MLP;
            lab.job.model.hidden.values = units;
            lab.job.model.hidden.count = 1;
            lab.job.optimizer.batch_size = 32;
        }
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        if (err.text[0])
            printf("%s\n", err.text);
        const struct gm_metrics *trained = lab_summary()->train.terms;
        CU_ASSERT_EQUAL_FATAL(lab_summary()->train.n_terms, 2);
        CU_ASSERT(trained[0].rmse < (network ? 0.5 : 0.11)); /* the noise has deviation 0.1 */
        CU_ASSERT(trained[1].accuracy > 0.85);
        struct gm_model *model = NULL;
        struct gm_metrics again = {0};
        double worst = 0;
        CU_ASSERT_EQUAL_FATAL(gm_model_open(&model, test_path("mixed-model.h5"), NULL, &err), GM_OK);
        CU_ASSERT_EQUAL(gm_evaluate(model, &(struct gm_data){.path = data}, NULL, &again, &err), GM_OK);
        CU_ASSERT_EQUAL_FATAL(again.n_terms, 2);
        ASSERT_CLOSE(again.terms[0].rmse, trained[0].rmse, 1e-9);
        CU_ASSERT_EQUAL(again.terms[1].accuracy, trained[1].accuracy);
        ASSERT_CLOSE(again.loss, lab_summary()->train.loss, 1e-9);
        CU_ASSERT_EQUAL(gm_predict(model, &(struct gm_data){.path = data}, NULL, add_up, &worst, &err), GM_OK);
        CU_ASSERT(worst < 1e-12);
        gm_metrics_release(&again);
        gm_model_close(model);
    }
}

static void lists_are_the_same_on_any_threads(void)
{
    static const int counts[] = THREADS_COMPARED;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct lab lab;
        struct gm_error err;
        lab_job(&lab, mixed(), NULL, test_path(i ? "other.h5" : "first.h5"));
        lab.job.loss.terms = mixed_terms;
        lab.job.loss.count = 2;
        lab.job.data.validation_fraction = 0.2;
        lab.job.stop.max_epochs = 5;
        lab.job.run.threads = counts[i];
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        if (i)
            CU_ASSERT(lab_same_bytes(test_path("first.h5"), test_path("other.h5")));
    }
}

/* A ranking term and a squared error on the same output: groups stay whole for both. */
static void ranking_and_regression_share_an_output(void)
{
    static double x[300], y[300];
    static int64_t group[300];
    struct random_key key = {33, RANDOM_CHECK, 0};
    for (size_t i = 0; i < 300; i++) {
        x[i] = random_normal(key, 2 * i);
        y[i] = floor(2 + x[i] + 0.3 * random_normal(key, 2 * i + 1));
        group[i] = (int64_t)(i / 9);
    }
    lab_write_wide(test_path("both.h5"), x, y, group, (const size_t[]){300, 1, 1});
    const struct gm_job_loss terms[] = {{.name = "pairwise_logistic", .weight = 1}, {.name = "mse", .weight = 0.1}};
    struct lab lab;
    struct gm_error err;
    for (int batches = 0; batches < 2; batches++) {
        lab_job(&lab, test_path("both.h5"), NULL, NULL);
        lab.job.loss.terms = terms;
        lab.job.loss.count = 2;
        lab.job.optimizer.type = batches ? GM_OPTIMIZER_ADAM : GM_OPTIMIZER_LBFGS;
        lab.job.optimizer.batch_size = batches ? 40 : 0;
        lab.job.stop.max_epochs = 30;
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        CU_ASSERT(lab_summary()->train.terms[1].r2 > 0.5);
        CU_ASSERT(isnan(lab_summary()->train.terms[0].loss));
    }
}

static void a_job_file_says_it(void)
{
    char job[2048];
    snprintf(job, sizeof job,
             "data: {train: %s, validation: 0.25}\n"
             "loss:\n"
             "  - {name: mse, columns: 0, target: 0, weight: learned}\n"
             "  - {name: cross_entropy, columns: \"1:4\", target: 1, weight: 2, params: {label_smoothing: 0.1}}\n"
             "optimizer: {type: lbfgs}\n"
             "output: {model: heads.h5, log: null}\n",
             mixed());
    test_write(test_path("heads.yaml"), job);
    struct test_result r = PROGRAM("train", "heads.yaml", "--json", "--quiet");
    if (r.exit_code)
        printf("%s\n", r.err);
    CU_ASSERT_EQUAL(r.exit_code, 0);
    ASSERT_HOLDS(r.out, "\"terms\":[{");
    ASSERT_HOLDS(r.out, "\"loss_id\":\"cross_entropy\",\"columns\":[1,4],\"weight\":2");
    test_result_free(&r);
    r = PROGRAM("inspect", "heads.h5");
    CU_ASSERT_EQUAL(r.exit_code, 0);
    ASSERT_HOLDS(r.out, "mse");
    ASSERT_HOLDS(r.out, "columns 1:4, target 1:2, weight 2, {\"label_smoothing\":0.1}");
    ASSERT_HOLDS(r.out, "weight learned");
    test_result_free(&r);
    r = PROGRAM("evaluate", "heads.h5", "mixed.h5");
    CU_ASSERT_EQUAL(r.exit_code, 0);
    ASSERT_HOLDS(r.out, "cross_entropy 1:4");
    ASSERT_HOLDS(r.out, "accuracy");
    test_result_free(&r);
    r = PROGRAM("train", "heads.yaml", "--set", "loss.1.columns=2:5");
    CU_ASSERT_EQUAL(r.exit_code, 78);
    ASSERT_HOLDS(r.err, "Output 1 belongs to no loss of the list");
    test_result_free(&r);
}

TEST_MAIN("lists", TEST(each_head_is_a_model_of_its_own), TEST(a_learned_weight_finds_the_log_of_its_loss),
          TEST(numbers_and_classes_are_learned_together), TEST(lists_are_the_same_on_any_threads),
          TEST(ranking_and_regression_share_an_output), TEST(a_job_file_says_it))
