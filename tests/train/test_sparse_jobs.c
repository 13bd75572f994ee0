/*
 * Jobs on sparse rows, from files to predictions: several files, streaming and resuming end in the bytes of one file,
 * in memory, never stopped; predictions and metrics are computed again by hand.
 */
#include <string.h>
#include <unistd.h>

#include "train/sparse_lab.h"

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
        lab.job.run.memory = streams ? 60000000 : 0;
        enum gm_code code = lab_train(&lab, &err);
        if (code)
            printf("\n    %s", err.text);
        CU_ASSERT_EQUAL_FATAL(code, GM_OK);
        CU_ASSERT_EQUAL(lab_summary()->resident, !streams);
    }
    CU_ASSERT(lab_same_bytes(test_path("a.h5"), test_path("b.h5")));
}

/* ---- streamed ---- */

#ifdef GRADMILL_SANITIZED /* 10,000 batches of 30 rows take a minute; the resumed runs below have such batches too */
enum { METHODS = 2 };
#else
enum { METHODS = 4 };
#endif

/* 300,000 rows of 30 entries: 72 MB, streamed in windows of 16 MB, shuffled in groups of 59. */
static void streamed_is_resident(void)
{
    struct gm_error err;
    struct make_options options = {.rows = 300000, .features = 1000, .nonzeros = 30, .seed = 4};
    const char *data = test_path("large.h5");
    CU_ASSERT_EQUAL_FATAL(make_sparse(data, &options, &err), GM_OK);
    for (int method = 0; method < METHODS; method++)
        for (int streams = 0; streams < 2; streams++) {
            struct lab lab;
            lab_job(&lab, data, "logistic", test_path(streams ? "b.h5" : "a.h5"));
            lab.job.stop.max_epochs = 1;
            lab.job.run.precision = GM_FLOAT32;
            if (method) {
                minibatch(&lab.job, GM_OPTIMIZER_SGD);
                lab.job.optimizer.batch_size = method == 1 ? 5000 : 30;
                lab.job.optimizer.l2 = 1e-3;
                lab.job.optimizer.l1 = method == 3 ? 1e-5 : 0; /* 900 entries: columns that wait */
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

TEST_MAIN("sparse jobs", TEST(several_files_give_the_model_of_one), TEST(several_files_stream_as_if_resident),
          TEST(streamed_is_resident), TEST(a_run_on_sparse_rows_is_resumed_within_an_epoch),
          TEST(predictions_and_metrics_are_those_of_the_coefficients))
