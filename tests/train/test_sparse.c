/*
 * Training on sparse rows: the same data dense and sparse give the same model within rounding, and the bits do not
 * depend on threads. The expected values come from the dense path, which has its own known answers.
 */
#include <string.h>

#include "train/sparse_lab.h"

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

static void gd_l1(struct gm_job *job)
{
    job->optimizer.l1 = 1e-3;
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

static void sgd_few(struct gm_job *job)
{
    few_rows(job, GM_OPTIMIZER_SGD);
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

static void sgd(struct gm_job *job)
{
    minibatch(job, GM_OPTIMIZER_SGD);
    job->optimizer.learning_rate = NAN; /* the trials too */
    job->optimizer.l1 = 1e-4;
    job->optimizer.l2 = 1e-3;
}

static void adam(struct gm_job *job)
{
    minibatch(job, GM_OPTIMIZER_ADAM);
}

static void same_on_any_threads(adjust_fn *adjust)
{
    static const int counts[] = THREADS_COMPARED;
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

/* 45,000 entries a batch: shared among the threads, rows first, then ranges of columns; some have more of the entries
 * than others. */
static void large_batches_of_sgd_are_the_same_on_any_threads(void)
{
    static const int counts[] = THREADS_COMPARED;
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

static void momentum_l2(struct gm_job *job)
{
    minibatch(job, GM_OPTIMIZER_MOMENTUM);
    job->optimizer.l2 = 1e-3;
}

static void adagrad_l1_alone(struct gm_job *job)
{
    minibatch(job, GM_OPTIMIZER_ADAGRAD);
    job->optimizer.l1 = 1e-5;
}

/* 8,000 entries a batch, shared by a team of threads; read where they are (float32), and converted (float64). */
static void small_batches_are_the_same_on_any_threads(void)
{
    static adjust_fn *const adjusts[] = {sgd_l2, adam, momentum_l2, adagrad_l1_alone};
    static const int counts[] = {1, 2, 3, 5, 8};
    rows_few_features(test_path("team.h5"), 1500, 30000, 40);
    for (size_t i = 0; i < sizeof adjusts / sizeof *adjusts * sizeof counts / sizeof *counts; i++) {
        struct lab lab;
        struct gm_error err;
        size_t method = i / (sizeof counts / sizeof *counts), count = i % (sizeof counts / sizeof *counts);
        lab_job(&lab, test_path("team.h5"), "logistic", test_path(count ? "b.h5" : "a.h5"));
        adjusts[method](&lab.job);
        lab.job.optimizer.batch_size = 200;
        lab.job.run.precision = method % 2 ? GM_FLOAT64 : GM_FLOAT32;
        lab.job.stop.max_epochs = 2;
        lab.job.run.threads = counts[count];
        CU_ASSERT_EQUAL_FATAL(lab_train(&lab, &err), GM_OK);
        if (count)
            CU_ASSERT(lab_same_bytes(test_path("a.h5"), test_path("b.h5")));
    }
}

TEST_MAIN("sparse training", TEST(full_batch_models_are_those_of_dense_rows),
          TEST(few_columns_are_updated_as_in_dense_steps), TEST(waiting_methods_reach_the_minimum),
          TEST(models_are_the_same_on_any_threads), TEST(large_batches_of_sgd_are_the_same_on_any_threads),
          TEST(small_batches_are_the_same_on_any_threads))
