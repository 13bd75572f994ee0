/*
 * Training networks: against NumPy, the same bits on any threads (streamed: test_invariance.c), files that keep the
 * model, and the worked example.
 */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/archive.h"
#include "base/memory.h"
#include "datasets/datasets.h"
#include "train/lab.h"

static const size_t hidden[] = {20, 9};

static void make_mlp(struct gm_job *job)
{
    job->model.type = GM_MODEL_MLP;
    job->model.hidden = (struct gm_wholes){hidden, 2};
    job->run.precision = GM_FLOAT32;
}

/* ---- against NumPy ---- */

/* Printed by tests/train/mlp_adam.py, which shares no code with us. */
static const struct {
    const char *name;
    double values[12];
} numpy[] = {
    {"/layers/0/weights",
     {-0.2608021260351462, -0.05704779556260683, 0.3416177914852832, -0.07282859762854989, 0.2309139264054834,
      -0.1202320040684587, -0.1799236642198354, -0.4813522762542481, -0.0826825456799198, 0.2383509676874561,
      0.2684285634156078, -0.3615607068553305}},
    {"/layers/0/bias", {-65.12960101346715, -2.354084616829586, 138.6970690161405, 31.33759818998104}},
    {"/layers/1/weights",
     {-0.8070322952444419, -0.5842176875847896, 0.7469780024496384, -0.08091270649363835, 0.1730566602328655,
      1.283943075325809, 0.1452815739579829, -0.5329598709489801, -0.9162238737891401, -0.147241444253414,
      -0.3826794218490396, 1.935782059026526}},
    {"/layers/1/bias", {-0.140873237067322, -0.1474876354128384, -0.1340511832427317}},
    {"/layers/2/weights",
     {-0.6114870258983838, -0.1802225543816351, 0.0816952336140585, 0.7971046525034098, 0.7534395547370125,
      -0.01436680453527957}},
    {"/layers/2/bias", {-0.04087625004502106, -0.1585079423717714}},
};

static void compare_with_numpy(const char *path, double tolerance)
{
    struct archive *a = NULL;
    struct gm_error err;
    CU_ASSERT_EQUAL_FATAL(archive_open(&a, path, &err), GM_OK);
    for (size_t i = 0; i < sizeof numpy / sizeof *numpy; i++) {
        struct archive_shape shape = {0};
        double *found = NULL;
        CU_ASSERT_EQUAL_FATAL(archive_get(a, numpy[i].name, ARCHIVE_F64, &shape, (void **)&found, &err), GM_OK);
        size_t count = shape.dims[0] * (shape.rank > 1 ? shape.dims[1] : 1);
        for (size_t k = 0; k < count; k++)
            ASSERT_CLOSE(found[k], numpy[i].values[k], tolerance);
        memory_free(found);
    }
    archive_close(a);
}

static void three_steps_of_adam(void)
{
    static const size_t units[] = {4, 3};
    double x[6 * 3], y[6 * 2];
    for (int i = 0; i < 6; i++) {
        for (int j = 0; j < 3; j++)
            x[i * 3 + j] = 100 * (j + 1) + 5 * sin(1 + 7 * i + 3 * j);
        for (int k = 0; k < 2; k++)
            y[i * 2 + k] = cos(i + 2 * k);
    }
    lab_write_wide(test_path("numpy.h5"), x, y, NULL, (const size_t[]){6, 3, 2});
    for (int single = 0; single < 2; single++) {
        struct lab lab;
        struct gm_error err;
        lab_job(&lab, test_path("numpy.h5"), "mse", test_path("stepped.h5"));
        make_mlp(&lab.job);
        lab.job.model.hidden = (struct gm_wholes){units, 2};
        lab.job.model.activation = GM_GELU;
        lab.job.optimizer.type = GM_OPTIMIZER_ADAM;
        lab.job.optimizer.learning_rate = 0.05;
        lab.job.optimizer.l2 = 0.1;
        lab.job.optimizer.batch_size = 6;
        lab.job.stop.max_epochs = 3;
        lab.job.stop.restore_best = false;
        lab.job.run.seed = 9;
        lab.job.run.precision = single ? GM_FLOAT32 : GM_FLOAT64;
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        compare_with_numpy(test_path("stepped.h5"), single ? 1e-5 : 1e-12);
    }
}

/* ---- the same bits ---- */

/* 701 rows: the last block and the last batch are partial. */
static const char *classes_data(void)
{
    static bool made;
    const char *path = test_path("classes.h5");
    struct gm_error err;
    struct make_options options = {.rows = 701, .features = 37, .classes = 4, .noise = 0.1, .seed = 3};
    if (!made)
        CU_ASSERT_EQUAL_FATAL(make_classification(path, &options, &err), GM_OK);
    made = true;
    return path;
}

struct variant {
    enum gm_optimizer optimizer;
    size_t batch_size;
    enum gm_activation activation;
    enum gm_precision precision;
    double rate, dropout;
};

static void adjust(struct gm_job *job, const struct variant *v)
{
    make_mlp(job);
    job->data.validation_fraction = 0.25;
    job->stop.max_epochs = 2;
    job->model.dropout = v->dropout;
    job->model.activation = v->activation;
    job->optimizer.type = v->optimizer;
    job->optimizer.batch_size = v->batch_size;
    job->optimizer.learning_rate = v->rate;
    job->optimizer.l2 = 1e-3;
    job->run.precision = v->precision;
}

static const struct variant variants[] = {
    {GM_OPTIMIZER_GD, 0, GM_TANH, GM_FLOAT32, NAN, 0},
    {GM_OPTIMIZER_LBFGS, 0, GM_SIGMOID, GM_FLOAT64, NAN, 0},
    {GM_OPTIMIZER_SGD, 200, GM_RELU, GM_FLOAT32, NAN, 0}, /* the trials too */
    {GM_OPTIMIZER_MOMENTUM, 300, GM_GELU, GM_FLOAT64, 0.01, 0.2},
    {GM_OPTIMIZER_ADAM, 100, GM_GELU, GM_FLOAT32, 0.01, 0.5},
    {GM_OPTIMIZER_ADAMW, 31, GM_RELU, GM_FLOAT32, 0.001, 0},
    {GM_OPTIMIZER_RMSPROP, 0, GM_SIGMOID, GM_FLOAT64, 0.01, 0}, /* all rows in one batch */
};

static void models_are_the_same_on_any_threads(void)
{
    static const int threads[] = THREADS_COMPARED;
    for (size_t v = 0; v < sizeof variants / sizeof *variants; v++)
        for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
            struct lab lab;
            struct gm_error err;
            lab_job(&lab, classes_data(), "cross_entropy", test_path(i ? "other.h5" : "first.h5"));
            adjust(&lab.job, &variants[v]);
            lab.job.run.threads = threads[i];
            CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
            CU_ASSERT_EQUAL(lab_summary()->threads, threads[i]);
            if (i)
                CU_ASSERT(lab_same_bytes(test_path("first.h5"), test_path("other.h5")));
        }
}

/* ---- losses on top, and files ---- */

/* What training reports of the model in memory, on standardised rows, is what the file gives on raw ones. */
static void a_file_predicts_what_was_trained(const char *data, const char *loss, double tolerance)
{
    struct lab lab;
    struct gm_error err;
    struct gm_model *model = NULL;
    struct gm_metrics metrics;
    lab_job(&lab, data, loss, test_path("kept.h5"));
    make_mlp(&lab.job);
    lab.job.run.precision = GM_FLOAT64;
    lab.job.optimizer.type = GM_OPTIMIZER_LBFGS;
    lab.job.stop.max_epochs = 30;
    CU_ASSERT_EQUAL_FATAL(lab_train(&lab, &err), GM_OK);
    CU_ASSERT_EQUAL_FATAL(gm_model_open(&model, test_path("kept.h5"), NULL, &err), GM_OK);
    CU_ASSERT_EQUAL(gm_evaluate(model, &lab.job.data.train, NULL, &metrics, &err), GM_OK);
    ASSERT_CLOSE(metrics.loss, lab_summary()->train.loss, tolerance);
    gm_metrics_release(&metrics);
    gm_model_close(model);
}

static void files_predict_what_was_trained(void)
{
    a_file_predicts_what_was_trained(classes_data(), "cross_entropy", 1e-9);
    a_file_predicts_what_was_trained(lab_oracle("fair"), "poisson", 1e-9);
    a_file_predicts_what_was_trained(lab_oracle("cancer"), "gamma", 1e-9);
    a_file_predicts_what_was_trained(lab_oracle("spector"), "logistic", 1e-9);
}

static void what_cannot_be_trained_is_refused(void)
{
    struct lab lab;
    struct gm_error err;
    lab_job(&lab, classes_data(), "cross_entropy", test_path("none.h5"));
    make_mlp(&lab.job);
    lab.job.model.hidden.count = 0;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "model.hidden: expected 1 to 64 layers");
    make_mlp(&lab.job);
    lab.job.optimizer.type = GM_OPTIMIZER_NEWTON;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "newton trains linear models");
    lab.job.optimizer.type = GM_OPTIMIZER_LBFGS;
    lab.job.model.dropout = 0.5;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "model.dropout");
}

/* ---- the worked example: datasets/jobs/digits_mlp.yaml ---- */

/* The digits, every fifth of them into held_out.csv. */
static void split_digits(void)
{
    char line[1024];
    FILE *all = fopen(test_source("datasets/samples/digits.csv"), "r");
    FILE *parts[] = {fopen(test_path("train.csv"), "w"), fopen(test_path("held_out.csv"), "w")};
    CU_ASSERT_FATAL(all && parts[0] && parts[1]);
    for (size_t row = 1; fgets(line, sizeof line, all); row++)
        for (int held = 0; held < 2; held++)
            if (row == 1 || held == (row % 5 == 0))
                fputs(line, parts[held]);
    fclose(all);
    fclose(parts[0]);
    fclose(parts[1]);
}

static void digits_reach_what_was_promised(void)
{
    split_digits();
    struct test_result r;
    r = PROGRAM("import", "train.csv", "-o", "train.h5", "--target", "target", "--quiet");
    test_result_free(&r);
    r = PROGRAM("import", "held_out.csv", "-o", "held_out.h5", "--target", "target", "--quiet");
    test_result_free(&r);
    r = PROGRAM("train", test_source("datasets/jobs/digits_mlp.yaml"), "--quiet");
    CU_ASSERT_EQUAL(r.exit_code, 0);
    test_result_free(&r);
    r = PROGRAM("evaluate", "model.h5", "held_out.h5", "--json");
    const char *accuracy = strstr(r.out, "\"accuracy\":");
    CU_ASSERT_PTR_NOT_NULL_FATAL(accuracy);
    CU_ASSERT(strtod(accuracy + strlen("\"accuracy\":"), NULL) >= 0.975);
    test_result_free(&r);
    r = PROGRAM("inspect", "model.h5");
    ASSERT_HOLDS(r.out, "mlp, 64 -> 128 -> 64 -> 10, relu");
    test_result_free(&r);
}

TEST_MAIN("mlp", TEST(three_steps_of_adam), TEST(models_are_the_same_on_any_threads),
          TEST(files_predict_what_was_trained), TEST(what_cannot_be_trained_is_refused),
          TEST(digits_reach_what_was_promised))
