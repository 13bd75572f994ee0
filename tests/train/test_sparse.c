/*
 * Training on sparse rows: the same data dense and sparse give the same model within rounding, and the bits do not
 * depend on threads or memory. The expected values come from the dense path, which has its own known answers.
 */
#include "support.h"

#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "datasets/datasets.h"
#include "train/lab.h"

enum { ROWS = 1500, FEATURES = 400 };

struct sample {
    double x[ROWS][FEATURES], y[ROWS];
    float value[ROWS * FEATURES];
    int32_t index[ROWS * FEATURES], pointers[ROWS + 1];
    size_t entries;
};

/* About one cell in a hundred, small multiples of 1/8 (exact in float); column 11 never occurs, each ninth row is
 * empty. */
static struct sample *sample(size_t classes)
{
    struct sample *s = calloc(1, sizeof *s);
    struct random_key key = {5, RANDOM_CHECK, 0};
    for (size_t i = 0; i < ROWS; i++) {
        double score = 0;
        for (size_t j = 0; j < FEATURES; j++) {
            uint64_t draw = random_below(key, i * FEATURES + j, 1600);
            if (i % 9 == 4 || j == 11 || draw >= 16)
                continue;
            double x = ((double)draw - 6.5) / 8;
            s->x[i][j] = x;
            s->value[s->entries] = (float)x;
            s->index[s->entries++] = (int32_t)j;
            score += x * sin((double)j);
        }
        s->pointers[i + 1] = (int32_t)s->entries;
        score += random_uniform(key, (1u << 20) + i) - 0.5;
        s->y[i] = classes == 0 ? score : classes == 2 ? score > 0 : floor(fmod(fabs(score) * 7, (double)classes));
    }
    return s;
}

static void put(hid_t at, const char *name, hid_t type, size_t n, const void *values)
{
    hsize_t dims = n;
    hid_t space = H5Screate_simple(1, &dims, NULL);
    hid_t id = H5Dcreate2(at, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(id);
    H5Sclose(space);
}

/* Rows [first, end) of a sample. */
static void write_rows(const char *path, const struct sample *s, size_t first, size_t end)
{
    int32_t pointers[ROWS + 1];
    size_t from = (size_t)s->pointers[first], entries = (size_t)s->pointers[end] - from;
    for (size_t i = first; i <= end; i++)
        pointers[i - first] = s->pointers[i] - s->pointers[first];
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t group = H5Gcreate2(file, "X", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const int64_t shape[2] = {(int64_t)(end - first), FEATURES};
    put(group, "data", H5T_NATIVE_FLOAT, entries, s->value + from);
    put(group, "indices", H5T_NATIVE_INT32, entries, s->index + from);
    put(group, "indptr", H5T_NATIVE_INT32, end - first + 1, pointers);
    put(group, "shape", H5T_NATIVE_INT64, 2, shape);
    put(file, "y", H5T_NATIVE_DOUBLE, end - first, s->y + first);
    H5Gclose(group);
    H5Fclose(file);
}

/* dense.h5 and sparse.h5 of one sample. */
static void write_both(size_t classes)
{
    struct sample *s = sample(classes);
    lab_write(test_path("dense.h5"), &s->x[0][0], s->y, ROWS, FEATURES);
    write_rows(test_path("sparse.h5"), s, 0, ROWS);
    free(s);
}

typedef void adjust_fn(struct gm_job *job);

static void train(const char *data, const char *loss, adjust_fn *adjust, const char *model)
{
    struct lab lab;
    struct gm_error err;
    lab_job(&lab, data, loss, model);
    lab.job.data.standardize = false;
    lab.job.data.validation_fraction = 0.2;
    lab.job.stop.max_epochs = 8;
    adjust(&lab.job);
    enum gm_code code = lab_train(&lab, &err);
    if (code)
        printf("\n    %s", err.text);
    CU_ASSERT_EQUAL_FATAL(code, GM_OK);
}

/* The model on sparse rows is that on dense rows, coefficient by coefficient. */
static void same_as_dense(size_t classes, const char *loss, adjust_fn *adjust)
{
    write_both(classes);
    train(test_path("dense.h5"), loss, adjust, test_path("a.h5"));
    train(test_path("sparse.h5"), loss, adjust, test_path("b.h5"));
    struct lab_model a = lab_read(test_path("a.h5")), b = lab_read(test_path("b.h5"));
    CU_ASSERT_EQUAL_FATAL(a.outputs, b.outputs);
    double most = 0;
    for (size_t i = 0; i < a.outputs * FEATURES; i++)
        most = fmax(most, fabs(a.coefficients[i] - b.coefficients[i]));
    for (size_t k = 0; k < a.outputs; k++)
        most = fmax(most, fabs(a.intercept[k] - b.intercept[k]));
    CU_ASSERT(most < 1e-9);
    if (!(most < 1e-9))
        printf("\n    %s: the largest difference is %g", loss, most);
    for (size_t k = 0; k < b.outputs; k++)
        CU_ASSERT_EQUAL(b.coefficients[k * FEATURES + 11], 0); /* never seen */
    lab_free(&a);
    lab_free(&b);
}

static void gd(struct gm_job *job)
{
    job->optimizer.l2 = 1e-3;
}

static void gd_l1(struct gm_job *job)
{
    job->optimizer.l1 = 1e-3;
}

static void lbfgs(struct gm_job *job)
{
    job->optimizer.type = GM_OPTIMIZER_LBFGS;
    job->optimizer.l2 = 1e-3;
}

static void full_batch_models_are_those_of_dense_rows(void)
{
    same_as_dense(0, "mse", gd);
    same_as_dense(2, "logistic", gd);
    same_as_dense(2, "logistic", gd_l1);
    same_as_dense(3, "cross_entropy", gd);
    same_as_dense(3, "cross_entropy", lbfgs);
}

/* ---- steps that touch few columns ---- */

static void few_rows(struct gm_job *job, enum gm_optimizer type)
{
    job->optimizer.type = type;
    job->optimizer.batch_size = 20; /* some 80 entries, 400 columns */
    job->optimizer.learning_rate = 0.3;
    job->optimizer.schedule = GM_SCHEDULE_COSINE; /* another rate in each step */
}

static void sgd_few(struct gm_job *job)
{
    few_rows(job, GM_OPTIMIZER_SGD);
}

static void sgd_l2(struct gm_job *job)
{
    few_rows(job, GM_OPTIMIZER_SGD);
    job->optimizer.l2 = 0.02;
}

static void sgd_l1_l2(struct gm_job *job)
{
    few_rows(job, GM_OPTIMIZER_SGD);
    job->optimizer.l1 = 2e-3;
    job->optimizer.l2 = 0.02;
}

static void adagrad_few(struct gm_job *job)
{
    few_rows(job, GM_OPTIMIZER_ADAGRAD);
}

static void adagrad_l1(struct gm_job *job)
{
    few_rows(job, GM_OPTIMIZER_ADAGRAD);
    job->optimizer.l1 = 2e-3;
}

static void momentum_few(struct gm_job *job)
{
    few_rows(job, GM_OPTIMIZER_MOMENTUM);
}

static void nesterov_few(struct gm_job *job)
{
    few_rows(job, GM_OPTIMIZER_NESTEROV);
}

/* What a dense step does to columns that a batch does not touch is made good exactly: sgd with both penalties, adagrad
 * with l1, velocity without penalties. */
static void few_columns_are_updated_as_in_dense_steps(void)
{
    same_as_dense(2, "logistic", sgd_few);
    same_as_dense(2, "logistic", sgd_l2);
    same_as_dense(2, "logistic", sgd_l1_l2);
    same_as_dense(3, "cross_entropy", sgd_l1_l2);
    same_as_dense(0, "mse", adagrad_few);
    same_as_dense(2, "logistic", momentum_few);
    same_as_dense(2, "logistic", nesterov_few);
    same_as_dense(3, "cross_entropy", adagrad_l1);
}

/* The methods whose state waits with its column are no slower to the minimum: within 1 % of lbfgs's objective. */
static void waiting_methods_reach_the_minimum(void)
{
    static const enum gm_optimizer types[] = {GM_OPTIMIZER_MOMENTUM, GM_OPTIMIZER_NESTEROV, GM_OPTIMIZER_ADAGRAD,
                                              GM_OPTIMIZER_RMSPROP, GM_OPTIMIZER_ADAM};
    write_both(2);
    struct lab lab;
    struct gm_error err;
    double least = 0;
    for (size_t i = 0; i <= sizeof types / sizeof *types; i++) {
        lab_job(&lab, test_path("sparse.h5"), "logistic", test_path("a.h5"));
        lab.job.data.standardize = false;
        lab.job.optimizer.l2 = 1e-3;
        lab.job.optimizer.type = i ? types[i - 1] : GM_OPTIMIZER_LBFGS;
        lab.job.optimizer.batch_size = i ? 20 : 0;
        lab.job.stop.max_epochs = 60;
        CU_ASSERT_EQUAL_FATAL(lab_train(&lab, &err), GM_OK);
        if (i == 0)
            least = lab_summary()->objective;
        CU_ASSERT(lab_summary()->objective < 1.01 * least + 0.005);
        if (!(lab_summary()->objective < 1.01 * least + 0.005))
            printf("\n    method %d: %g, lbfgs %g", (int)lab.job.optimizer.type, lab_summary()->objective, least);
    }
}

/* ---- the same bits ---- */

static void minibatch(struct gm_job *job, enum gm_optimizer type)
{
    job->optimizer.type = type;
    job->optimizer.batch_size = 100;
    job->optimizer.learning_rate = 0.05;
    job->run.precision = GM_FLOAT32;
}

static void sgd(struct gm_job *job)
{
    minibatch(job, GM_OPTIMIZER_SGD);
    job->optimizer.learning_rate = NAN; /* the trials too */
    job->optimizer.l1 = 1e-4;
    job->optimizer.l2 = 1e-3;
}

static void adagrad(struct gm_job *job)
{
    minibatch(job, GM_OPTIMIZER_ADAGRAD);
    job->optimizer.l2 = 1e-3;
}

static void adam(struct gm_job *job)
{
    minibatch(job, GM_OPTIMIZER_ADAM);
}

static void lbfgs_scaled(struct gm_job *job)
{
    lbfgs(job);
    job->data.standardize = true;
    job->run.precision = GM_FLOAT32;
}

static void same_on_any_threads(adjust_fn *adjust)
{
    static const int counts[] = {1, 2, 3, 5, 8};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct lab lab;
        struct gm_error err;
        lab_job(&lab, test_path("sparse.h5"), "cross_entropy", test_path(i ? "b.h5" : "a.h5"));
        lab.job.data.validation_fraction = 0.2;
        lab.job.stop.max_epochs = 5;
        adjust(&lab.job);
        lab.job.run.threads = counts[i];
        CU_ASSERT_EQUAL_FATAL(lab_train(&lab, &err), GM_OK);
        if (i)
            CU_ASSERT(lab_same_bytes(test_path("a.h5"), test_path("b.h5")));
    }
}

static void models_are_the_same_on_any_threads(void)
{
    write_both(3);
    same_on_any_threads(gd);
    same_on_any_threads(lbfgs_scaled);
    same_on_any_threads(sgd);
    same_on_any_threads(adagrad);
    same_on_any_threads(adam);
}

static void rows_few_features(const char *data, size_t rows, size_t features, size_t nonzeros)
{
    struct gm_error err;
    struct make_options options = {.rows = rows, .features = features, .nonzeros = nonzeros, .seed = 3};
    CU_ASSERT_EQUAL_FATAL(make_sparse(data, &options, &err), GM_OK);
}

/* 45,000 entries a batch: shared among the threads, rows first, then ranges of columns; some have more of the entries
 * than others. */
static void large_batches_of_sgd_are_the_same_on_any_threads(void)
{
    static const int counts[] = {1, 2, 3, 5, 8};
    rows_few_features(test_path("wide.h5"), 4000, 200000, 30);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct lab lab;
        struct gm_error err;
        lab_job(&lab, test_path("wide.h5"), "logistic", test_path(i ? "b.h5" : "a.h5"));
        minibatch(&lab.job, GM_OPTIMIZER_SGD);
        lab.job.optimizer.batch_size = 1500;
        lab.job.optimizer.learning_rate = 4;
        lab.job.optimizer.l2 = 1e-4;
        lab.job.stop.max_epochs = 2;
        lab.job.run.threads = counts[i];
        CU_ASSERT_EQUAL_FATAL(lab_train(&lab, &err), GM_OK);
        CU_ASSERT(lab_summary()->train.loss < 0.69); /* log 2 before the first step */
        if (i)
            CU_ASSERT(lab_same_bytes(test_path("a.h5"), test_path("b.h5")));
    }
}

/* ---- several files ---- */

static void several_files_give_the_model_of_one(void)
{
    static const size_t cuts[] = {0, 1, 4, 900, ROWS}; /* the second and the third begin with, and are, few rows */
    static adjust_fn *const adjusts[] = {gd, sgd_l2, adagrad, lbfgs_scaled};
    char name[32], pattern[300];
    struct sample *s = sample(2);
    write_rows(test_path("whole.h5"), s, 0, ROWS);
    for (size_t i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "piece%zu.h5", i);
        write_rows(test_path(name), s, cuts[i], cuts[i + 1]);
    }
    free(s);
    snprintf(pattern, sizeof pattern, "%s", test_path("piece*.h5"));
    for (size_t i = 0; i < sizeof adjusts / sizeof *adjusts; i++) {
        train(test_path("whole.h5"), "logistic", adjusts[i], test_path("a.h5"));
        train(pattern, "logistic", adjusts[i], test_path("b.h5"));
        CU_ASSERT(lab_same_bytes(test_path("a.h5"), test_path("b.h5")));
    }
}

/* 2 x 150,000 rows: windows reach from one file into the other. */
static void several_files_stream_as_if_resident(void)
{
    struct gm_error err;
    char pattern[300];
    snprintf(pattern, sizeof pattern, "%s", test_path("half*.h5"));
    for (uint64_t i = 0; i < 2; i++) {
        struct make_options options = {.rows = 150000, .features = 1000, .nonzeros = 30, .seed = 4 + i, .compress = i};
        CU_ASSERT_EQUAL_FATAL(make_sparse(test_path(i ? "half1.h5" : "half0.h5"), &options, &err), GM_OK);
    }
    for (int streams = 0; streams < 2; streams++) {
        struct lab lab;
        lab_job(&lab, pattern, "logistic", test_path(streams ? "b.h5" : "a.h5"));
        lab.job.stop.max_epochs = 1;
        lab.job.run.precision = GM_FLOAT32;
        lab.job.run.memory = streams ? 45000000 : 0;
        enum gm_code code = lab_train(&lab, &err);
        if (code)
            printf("\n    %s", err.text);
        CU_ASSERT_EQUAL_FATAL(code, GM_OK);
        CU_ASSERT_EQUAL(lab_summary()->resident, !streams);
    }
    CU_ASSERT(lab_same_bytes(test_path("a.h5"), test_path("b.h5")));
}

/* ---- resumed ---- */

static size_t asks;

static bool stop_soon(void *context)
{
    return ++asks > *(const size_t *)context;
}

/* Stopped again and again between the batches where all columns are caught up: the bytes of an uninterrupted run. */
static void resumed_as_if_never_stopped(enum gm_optimizer type, double l1, double l2)
{
    struct lab lab;
    struct gm_error err = {0};
    size_t allowed = 0, runs = 0;
    const struct gm_watch watch = {.context = &allowed, .interrupted = stop_soon};
    lab_job(&lab, "few.h5", "logistic", "a.h5");
    minibatch(&lab.job, type);
    lab.job.optimizer.batch_size = 10; /* 50 entries, 100 columns */
    lab.job.optimizer.l1 = l1;
    lab.job.optimizer.l2 = l2;
    lab.job.stop.max_epochs = 2;
    CU_ASSERT_EQUAL_FATAL(lab_train(&lab, &err), GM_OK);
    lab.job.output.model = "b.h5";
    lab.job.output.checkpoint = "c.h5";
    unlink("c.h5");
    unlink("c.h5.1");
    lab.job.output.resume = true;
    for (enum gm_code code = GM_INTERRUPTED; code == GM_INTERRUPTED && runs < 200; runs++) {
        struct gm_summary summary = {0};
        asks = 0;
        allowed = 3 + runs % 5;
        lab.job.run.threads = 1 + (int)(runs % 2);
        code = gm_train(&lab.job, &watch, &summary, &err);
        CU_ASSERT(code == GM_OK || (code == GM_INTERRUPTED && summary.resumable));
        gm_summary_release(&summary);
        if (code && code != GM_INTERRUPTED)
            printf("\n    %s", err.text);
    }
    CU_ASSERT(runs > 4); /* two epochs: some stops were within one */
    CU_ASSERT(lab_same_bytes("a.h5", "b.h5"));
}

static void a_run_on_sparse_rows_is_resumed_within_an_epoch(void)
{
    CU_ASSERT_EQUAL_FATAL(chdir(test_directory()), 0); /* there are few test_path at a time */
    rows_few_features("few.h5", 3000, 100, 5);
    resumed_as_if_never_stopped(GM_OPTIMIZER_SGD, 0, 0);
    resumed_as_if_never_stopped(GM_OPTIMIZER_SGD, 0, 1e-3);
    resumed_as_if_never_stopped(GM_OPTIMIZER_SGD, 1e-4, 1e-3);
    resumed_as_if_never_stopped(GM_OPTIMIZER_ADAGRAD, 1e-4, 0);
    resumed_as_if_never_stopped(GM_OPTIMIZER_ADAM, 0, 1e-3);
}

/* ---- a model in use ---- */

static bool keep(void *context, size_t first_row, size_t rows, const double *pred)
{
    memcpy((double *)context + first_row, pred, rows * sizeof *pred);
    return true;
}

/* Expected: the file's coefficients times the rows, and the mean of -log p, by hand. */
static void predictions_and_metrics_are_those_of_the_coefficients(void)
{
    static double pred[2][ROWS];
    static const char *const names[] = {"sparse.h5", "dense.h5"};
    struct gm_error err;
    struct gm_model *model;
    struct gm_metrics metrics;
    struct sample *s = sample(2);
    double loss = 0, right = 0;
    write_both(2);
    train(test_path("sparse.h5"), "logistic", sgd_l2, test_path("a.h5"));
    struct lab_model file = lab_read(test_path("a.h5"));
    CU_ASSERT_EQUAL_FATAL(gm_model_open(&model, test_path("a.h5"), NULL, &err), GM_OK);
    for (int i = 0; i < 2; i++) {
        struct gm_data data = {.path = test_path(names[i])};
        CU_ASSERT_EQUAL_FATAL(gm_predict(model, &data, &(struct gm_use){.raw = true}, keep, pred[i], &err), GM_OK);
    }
    for (size_t i = 0; i < ROWS; i++) {
        double z = file.intercept[0];
        for (size_t j = 0; j < FEATURES; j++)
            z += file.coefficients[j] * s->x[i][j];
        CU_ASSERT_DOUBLE_EQUAL(pred[0][i], z, 1e-5); /* sums in float */
        CU_ASSERT_DOUBLE_EQUAL(pred[1][i], z, 1e-5);
        loss += log1p(exp(s->y[i] > 0 ? -z : z));
        right += (z > 0) == (s->y[i] > 0);
    }
    struct gm_data data = {.path = test_path("sparse.h5")};
    CU_ASSERT_EQUAL_FATAL(gm_evaluate(model, &data, &(struct gm_use){0}, &metrics, &err), GM_OK);
    CU_ASSERT_EQUAL(metrics.rows, ROWS);
    CU_ASSERT_DOUBLE_EQUAL(metrics.loss, loss / ROWS, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(metrics.accuracy, right / ROWS, 1.5 / ROWS);
    gm_metrics_release(&metrics);
    gm_model_close(model);
    lab_free(&file);
    free(s);
}

/* 300,000 rows of 30 entries: 72 MB, streamed in windows of 16 MB, shuffled in groups of 59. */
static void streamed_is_resident(void)
{
    struct gm_error err;
    struct make_options options = {.rows = 300000, .features = 1000, .nonzeros = 30, .seed = 4};
    const char *data = test_path("large.h5");
    CU_ASSERT_EQUAL_FATAL(make_sparse(data, &options, &err), GM_OK);
    for (int method = 0; method < 3; method++)
        for (int streams = 0; streams < 2; streams++) {
            struct lab lab;
            lab_job(&lab, data, "logistic", test_path(streams ? "b.h5" : "a.h5"));
            lab.job.stop.max_epochs = 1;
            lab.job.run.precision = GM_FLOAT32;
            if (method) {
                minibatch(&lab.job, GM_OPTIMIZER_SGD);
                lab.job.optimizer.batch_size = method == 1 ? 5000 : 30; /* 900 entries: columns that wait */
                lab.job.optimizer.l2 = 1e-3;
            }
            lab.job.run.memory = streams ? (method ? 72000000 : 40000000) : 0;
            enum gm_code code = lab_train(&lab, &err);
            if (code)
                printf("\n    %s", err.text);
            CU_ASSERT_EQUAL_FATAL(code, GM_OK);
            CU_ASSERT_EQUAL(lab_summary()->resident, !streams);
            if (streams)
                CU_ASSERT(lab_same_bytes(test_path("a.h5"), test_path("b.h5")));
        }
}

TEST_MAIN("sparse training", TEST(full_batch_models_are_those_of_dense_rows),
          TEST(few_columns_are_updated_as_in_dense_steps), TEST(waiting_methods_reach_the_minimum),
          TEST(models_are_the_same_on_any_threads), TEST(large_batches_of_sgd_are_the_same_on_any_threads),
          TEST(several_files_give_the_model_of_one), TEST(several_files_stream_as_if_resident),
          TEST(a_run_on_sparse_rows_is_resumed_within_an_epoch),
          TEST(predictions_and_metrics_are_those_of_the_coefficients), TEST(streamed_is_resident))
