/*
 * The same bits whatever the machine does: threads, memory, repetition. And the same model whatever the scale of the
 * data.
 */
#include "support.h"

#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "datasets/datasets.h"
#include "train/lab.h"

static const int thread_counts[] = THREADS_COMPARED;

/* 3001 rows: the last block and the last batch are partial. */
static const char *classes_data(void)
{
    static bool made;
    const char *path = test_path("classes.h5");
    struct gm_error err;
    struct make_options options = {.rows = 3001, .features = 37, .classes = 4, .noise = 0.1, .seed = 3};
    if (!made)
        CU_ASSERT_EQUAL_FATAL(make_classification(path, &options, &err), GM_OK);
    made = true;
    return path;
}

static void same_model_on_any_threads(const char *data, const char *loss, void (*adjust)(struct gm_job *))
{
    for (size_t i = 0; i < sizeof thread_counts / sizeof *thread_counts; i++) {
        struct lab lab;
        struct gm_error err;
        lab_job(&lab, data, loss, test_path(i ? "other.h5" : "first.h5"));
        lab.job.run.precision = GM_FLOAT32;
        lab.job.stop.max_epochs = TEST_RACES ? 2 : 6;
        adjust(&lab.job);
        lab.job.run.threads = thread_counts[i];
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        CU_ASSERT_EQUAL(lab_summary()->threads, thread_counts[i]);
        if (i)
            CU_ASSERT(lab_same_bytes(test_path("first.h5"), test_path("other.h5")));
    }
}

static void full_batch(struct gm_job *job)
{
    job->data.validation_fraction = 0.25;
    job->optimizer.l2 = 1e-3;
}

static void full_batch_l1(struct gm_job *job)
{
    job->optimizer.l1 = 1e-3;
    job->run.precision = GM_FLOAT64;
}

static void lbfgs(struct gm_job *job)
{
    job->optimizer.type = GM_OPTIMIZER_LBFGS;
}

static void minibatch(struct gm_job *job, enum gm_optimizer type)
{
    job->optimizer.type = type;
    job->optimizer.batch_size = 100;
    job->optimizer.learning_rate = 0.01;
    job->data.validation_fraction = 0.25;
}
static void sgd(struct gm_job *job)
{
    minibatch(job, GM_OPTIMIZER_SGD);
    job->optimizer.learning_rate = NAN; /* the trials too */
}
static void momentum(struct gm_job *job)
{
    minibatch(job, GM_OPTIMIZER_MOMENTUM);
}
static void nesterov(struct gm_job *job)
{
    minibatch(job, GM_OPTIMIZER_NESTEROV);
}
static void adam(struct gm_job *job)
{
    minibatch(job, GM_OPTIMIZER_ADAM);
}

static void adamw_clipped(struct gm_job *job)
{
    minibatch(job, GM_OPTIMIZER_ADAMW);
    job->optimizer.clip_norm = 0.1;
}
static void adagrad(struct gm_job *job)
{
    minibatch(job, GM_OPTIMIZER_ADAGRAD);
}
static void rmsprop_averaged(struct gm_job *job)
{
    minibatch(job, GM_OPTIMIZER_RMSPROP);
    job->optimizer.average = GM_AVERAGE_UNIFORM;
}
static void svrg(struct gm_job *job)
{
    minibatch(job, GM_OPTIMIZER_SVRG);
    job->optimizer.l1 = 1e-3;
}

static void full_batch_models_are_the_same_on_any_threads(void)
{
    same_model_on_any_threads(classes_data(), "cross_entropy", full_batch);
    same_model_on_any_threads(classes_data(), "cross_entropy", full_batch_l1);
    same_model_on_any_threads(classes_data(), "cross_entropy", lbfgs);
}

static void minibatch_models_are_the_same_on_any_threads(void)
{
    same_model_on_any_threads(classes_data(), "cross_entropy", sgd);
    same_model_on_any_threads(classes_data(), "cross_entropy", momentum);
    same_model_on_any_threads(classes_data(), "cross_entropy", nesterov);
    same_model_on_any_threads(classes_data(), "cross_entropy", adam);
    same_model_on_any_threads(classes_data(), "cross_entropy", adamw_clipped);
    same_model_on_any_threads(classes_data(), "cross_entropy", adagrad);
    same_model_on_any_threads(classes_data(), "cross_entropy", rmsprop_averaged);
    same_model_on_any_threads(classes_data(), "cross_entropy", svrg);
}

static void full_batch_both(struct gm_job *job)
{
    full_batch(job);
    job->optimizer.l1 = 1e-3;
}

static void what_a_loss_learns_is_the_same_on_any_threads(void)
{
    same_model_on_any_threads(classes_data(), "ordinal", full_batch_both);
    same_model_on_any_threads(classes_data(), "ordinal", lbfgs);
    same_model_on_any_threads(classes_data(), "ordinal", adam);
    same_model_on_any_threads(classes_data(), "ordinal", adagrad);
}

static void fewer_rows_than_threads_change_nothing(void)
{
    double x[] = {1, 2, 3, 5, 8, 13}, y[] = {1, 0, 2};
    lab_write(test_path("few.h5"), x, y, 3, 2);
    same_model_on_any_threads(test_path("few.h5"), "huber", full_batch_l1);
}

static void newton(struct gm_job *job)
{
    job->optimizer.type = GM_OPTIMIZER_NEWTON;
}

static void network(struct gm_job *job)
{
    static const size_t hidden[] = {5, 3};
    job->model.type = GM_MODEL_MLP;
    job->model.hidden = (struct gm_wholes){hidden, 2};
    job->stop.max_epochs = 2;
}

/* 12.8 MB, in windows of some 4 MB. */
static const char *bytes_data(void)
{
    const char *path = test_path("bytes.h5");
    lab_write_bytes(path, 200000, 64, 0, 1);
    return path;
}

static void streamed_is_resident(const char *data, const char *loss, void (*adjust)(struct gm_job *))
{
    struct gm_error err;
    for (int streamed = 0; streamed < 2; streamed++) {
        struct lab lab;
        lab_job(&lab, data, loss, test_path(streamed ? "other.h5" : "first.h5"));
        lab.job.run.precision = GM_FLOAT32;
        lab.job.data.validation_fraction = 0.2;
        lab.job.stop.max_epochs = 4;
        if (adjust)
            adjust(&lab.job);
        lab.job.run.threads = streamed ? 3 : 2;
        lab.job.run.memory = streamed ? (uint64_t)13 << 20 : 0;
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        printf("%s", err.text);
        CU_ASSERT_EQUAL(lab_summary()->resident, !streamed);
    }
    CU_ASSERT(lab_same_bytes(test_path("first.h5"), test_path("other.h5")));
}

static void streamed_and_resident_give_the_same_bytes(void)
{
    const char *data = bytes_data();
    streamed_is_resident(data, "mse", NULL);
    streamed_is_resident(data, "log_cosh", newton);
    streamed_is_resident(data, "barron", NULL); /* learns two parameters of its own */
    streamed_is_resident(data, "mse", network);
}

/* 701 rows of 33 whole numbers 0 .. 255, /X stored as `type`, and y. */
static void write_stored(const char *path, hid_t type)
{
    enum { ROWS = 701, FEATURES = 33 };
    static unsigned char x[ROWS * FEATURES], y[ROWS];
    const hsize_t shape[2] = {ROWS, FEATURES};
    for (size_t i = 0; i < ROWS * FEATURES; i++)
        x[i] = (unsigned char)random_below((struct random_key){6, RANDOM_CHECK, 0}, i, 256);
    for (size_t i = 0; i < ROWS; i++)
        y[i] = x[i * FEATURES] / 2;
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space[2] = {H5Screate_simple(2, shape, NULL), H5Screate_simple(1, shape, NULL)};
    hid_t set[2] = {H5Dcreate2(file, "X", type, space[0], H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                    H5Dcreate2(file, "y", H5T_NATIVE_FLOAT, space[1], H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)};
    for (int i = 0; i < 2; i++) {
        CU_ASSERT(H5Dwrite(set[i], H5T_NATIVE_UCHAR, H5S_ALL, H5S_ALL, H5P_DEFAULT, i ? y : x) >= 0);
        H5Dclose(set[i]);
        H5Sclose(space[i]);
    }
    H5Fclose(file);
}

/* The model reads some types as they are stored, others are converted first: uint8, int16 and others against float32.
 */
static void small_numbers_train_alike_however_they_are_stored(void)
{
    const hid_t types[] = {H5T_NATIVE_FLOAT, H5T_NATIVE_UCHAR, H5T_NATIVE_SHORT, H5T_NATIVE_USHORT, H5T_STD_I16BE};
    struct lab_model first = {0};
    for (size_t t = 0; t < sizeof types / sizeof *types; t++)
        for (size_t i = 0; i < sizeof thread_counts / sizeof *thread_counts; i++) {
            struct lab lab;
            struct gm_error err;
            write_stored(test_path("stored.h5"), types[t]);
            lab_job(&lab, test_path("stored.h5"), "huber", test_path("model.h5"));
            lab.job.run.precision = GM_FLOAT32;
            lab.job.data.validation_fraction = 0.2;
            lab.job.stop.max_epochs = 4;
            lab.job.run.threads = thread_counts[i];
            CU_ASSERT_EQUAL_FATAL(lab_train(&lab, &err), GM_OK);
            struct lab_model m = lab_read(test_path("model.h5"));
            if (!first.coefficients)
                first = m;
            else {
                CU_ASSERT_EQUAL(memcmp(m.coefficients, first.coefficients, m.features * sizeof(double)), 0);
                CU_ASSERT_EQUAL(m.intercept[0], first.intercept[0]);
                lab_free(&m);
            }
        }
    lab_free(&first);
}

static void two_runs_write_the_same_bytes(void)
{
    for (int run = 0; run < 2; run++) {
        struct lab lab;
        struct gm_error err;
        lab_job(&lab, classes_data(), "cross_entropy", test_path(run ? "other.h5" : "first.h5"));
        lab.job.stop.max_epochs = 3;
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    }
    CU_ASSERT(lab_same_bytes(test_path("first.h5"), test_path("other.h5")));
}

/* Standardising in gradmill = standardising outside and training on that: the raw models predict the same. */
static void a_model_on_raw_features_is_the_model_on_standardised_ones(void)
{
    enum { ROWS = 50, FEATURES = 3 };
    static double x[ROWS * FEATURES], s[ROWS * FEATURES], y[ROWS];
    double mean[FEATURES] = {0}, deviation[FEATURES] = {0};
    struct random_key key = {5, RANDOM_CHECK, 0};
    for (size_t i = 0; i < ROWS * FEATURES; i++)
        x[i] = 1000 * (double)(i % FEATURES + 1) + 10 * random_normal(key, i);
    for (size_t i = 0; i < ROWS; i++) {
        y[i] = random_normal(key, 1000 + i);
        for (size_t j = 0; j < FEATURES; j++)
            mean[j] += x[i * FEATURES + j] / ROWS;
    }
    for (size_t i = 0; i < ROWS * FEATURES; i++)
        deviation[i % FEATURES] += (x[i] - mean[i % FEATURES]) * (x[i] - mean[i % FEATURES]) / ROWS;
    for (size_t i = 0; i < ROWS * FEATURES; i++)
        s[i] = (x[i] - mean[i % FEATURES]) / sqrt(deviation[i % FEATURES]);
    lab_write(test_path("raw.h5"), x, y, ROWS, FEATURES);
    lab_write(test_path("standard.h5"), s, y, ROWS, FEATURES);
    struct lab_model m[2];
    for (int raw = 0; raw < 2; raw++) {
        struct lab lab;
        struct gm_error err;
        lab_job(&lab, test_path(raw ? "raw.h5" : "standard.h5"), "huber", test_path("model.h5"));
        lab.job.data.standardize = raw;
        lab.job.optimizer.l2 = 0.1;
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        m[raw] = lab_read(test_path("model.h5"));
    }
    for (size_t i = 0; i < ROWS; i++) {
        double a = m[0].intercept[0], b = m[1].intercept[0];
        for (size_t j = 0; j < FEATURES; j++) {
            a += m[0].coefficients[j] * s[i * FEATURES + j];
            b += m[1].coefficients[j] * x[i * FEATURES + j];
        }
        ASSERT_CLOSE(b, a, 1e-9);
    }
    lab_free(&m[0]);
    lab_free(&m[1]);
}

TEST_MAIN("invariance", TEST(full_batch_models_are_the_same_on_any_threads),
          TEST(minibatch_models_are_the_same_on_any_threads), TEST(what_a_loss_learns_is_the_same_on_any_threads),
          TEST(fewer_rows_than_threads_change_nothing), TEST(streamed_and_resident_give_the_same_bytes),
          TEST(small_numbers_train_alike_however_they_are_stored), TEST(two_runs_write_the_same_bytes),
          TEST(a_model_on_raw_features_is_the_model_on_standardised_ones))
