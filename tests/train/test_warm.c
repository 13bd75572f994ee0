/*
 * lbfgs from a sample of the rows: the minimum that newton finds, which shares no code with it; the same bits on any
 * threads, streamed, and however often it is stopped.
 */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/random.h"
#include "train/lab.h"

enum { MANY = 200000, FEATURES = 3, WIDE = 25 }; /* 65,536 rows are a sample: one block of three */

/* Classes in order, so that a sample of the first rows would know one of them only. */
static const char *many_rows(size_t features)
{
    static char paths[2][300];
    char *path = paths[features == WIDE];
    const struct random_key key = {5, RANDOM_CHECK, 0};
    if (path[0])
        return path;
    snprintf(path, sizeof paths[0], "%s", test_path(features == WIDE ? "wide.h5" : "many.h5"));
    double *x = calloc((size_t)MANY * features, sizeof *x), *y = calloc(MANY, sizeof *y);
    for (size_t i = 0; i < MANY; i++) {
        y[i] = i >= MANY / 3;
        for (size_t j = 0; j < features; j++)
            x[features * i + j] = random_normal(key, features * i + j) * (double)(j + 1) + (j < 2 ? y[i] : 0);
    }
    lab_write(path, x, y, MANY, features);
    free(x);
    free(y);
    return path;
}

static void job(struct lab *lab, const char *model, double l1)
{
    lab_job(lab, many_rows(FEATURES), "logistic", model);
    lab->job.optimizer.type = GM_OPTIMIZER_LBFGS;
    lab->job.optimizer.l1 = l1;
    lab->job.stop.gradient_norm = 1e-9;
}

static void a_start_from_a_sample_ends_where_newton_does(void)
{
    struct lab_model m[2];
    for (size_t k = 0; k < 2; k++) {
        struct lab lab;
        struct gm_error err;
        job(&lab, test_path("known.h5"), 0);
        lab.job.optimizer.type = k ? GM_OPTIMIZER_NEWTON : GM_OPTIMIZER_LBFGS;
        CU_ASSERT_EQUAL_FATAL(lab_train(&lab, &err), GM_OK);
        if (k == 0)
            CU_ASSERT(lab_summary()->passes <= 8);
        m[k] = lab_read(test_path("known.h5"));
    }
    for (size_t j = 0; j < FEATURES; j++)
        ASSERT_CLOSE(m[0].coefficients[j], m[1].coefficients[j], 1e-6);
    ASSERT_CLOSE(m[0].intercept[0], m[1].intercept[0], 1e-6);
    lab_free(&m[0]);
    lab_free(&m[1]);
}

/* Counts of mean e^(0.9 x), and one row, in a block that few samples hold, where a slope that is right for all others
 * gives e^(0.9 v): no number, or one that no step leads back from. The minimum is newton's. */
static void a_sample_that_lacks_the_row_that_decides_is_given_up(void)
{
    static const double far[] = {100, 700, 3000};
    const struct random_key key = {6, RANDOM_CHECK, 0};
    double *x = calloc(MANY, sizeof *x), *y = calloc(MANY, sizeof *y);
    for (size_t f = 0; f < sizeof far / sizeof *far; f++) {
        for (size_t i = 0; i < MANY; i++) {
            x[i] = 2 * random_uniform(key, 2 * i) - 1;
            y[i] = floor(exp(0.9 * x[i]) + random_uniform(key, 2 * i + 1));
        }
        x[MANY / 2] = far[f];
        y[MANY / 2] = 3;
        lab_write(test_path("far.h5"), x, y, MANY, 1);
        double least = 0;
        for (uint64_t seed = 0; seed < 4; seed++) {
            struct lab lab;
            struct gm_error err;
            lab_job(&lab, test_path("far.h5"), "poisson", test_path("far_model.h5"));
            lab.job.optimizer.type = seed ? GM_OPTIMIZER_LBFGS : GM_OPTIMIZER_NEWTON;
            lab.job.data.standardize = false;
            lab.job.stop.max_epochs = 300;
            lab.job.run.seed = seed;
            CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
            if (seed == 0)
                least = lab_summary()->train_loss;
            ASSERT_CLOSE(lab_summary()->train_loss, least, 1e-4);
        }
    }
    free(x);
    free(y);
}

static void the_bits_do_not_depend_on_threads(void)
{
    static const int threads[] = THREADS_COMPARED;
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        struct lab lab;
        struct gm_error err;
        job(&lab, test_path(i ? "other.h5" : "first.h5"), 1e-4);
        lab.job.data.validation_fraction = 0.1;
        lab.job.run.threads = threads[i];
        CU_ASSERT_EQUAL_FATAL(lab_train(&lab, &err), GM_OK);
        if (i)
            CU_ASSERT(lab_same_bytes(test_path("first.h5"), test_path("other.h5")));
    }
}

/* 40 MB, in windows of 16. */
static void streamed_is_resident(void)
{
    for (int streams = 0; streams < 2; streams++) {
        struct lab lab;
        struct gm_error err;
        job(&lab, test_path(streams ? "other.h5" : "first.h5"), 0);
        lab.job.data.train.path = many_rows(WIDE);
        lab.job.run.threads = 2;
        lab.job.run.memory = streams ? 40000000 : 0;
        lab.job.stop.max_epochs = 2;
        enum gm_code code = lab_train(&lab, &err);
        if (code)
            printf("\n    %s", err.text);
        CU_ASSERT_EQUAL_FATAL(code, GM_OK);
        CU_ASSERT_EQUAL(lab_summary()->resident, !streams);
    }
    CU_ASSERT(lab_same_bytes(test_path("first.h5"), test_path("other.h5")));
}

static size_t asks;

static bool stop_soon(void *context)
{
    return ++asks > *(const size_t *)context;
}

/* Stopped within the sample, between it and epoch 0, and later. */
static void a_stopped_start_is_made_again(void)
{
    struct lab lab;
    struct gm_error err;
    size_t allowed = 1, runs = 0;
    const struct gm_watch watch = {.context = &allowed, .interrupted = stop_soon};
    CU_ASSERT_EQUAL_FATAL(chdir(test_directory()), 0); /* there are few test_path at a time */
    job(&lab, "whole.h5", 0);
    lab.job.run.threads = 2;
    CU_ASSERT_EQUAL_FATAL(lab_train(&lab, &err), GM_OK);
    lab.job.output.model = "pieces.h5";
    lab.job.output.checkpoint = "c.h5";
    lab.job.output.resume = true;
    for (enum gm_code code = GM_INTERRUPTED; code == GM_INTERRUPTED && runs < 40; runs++) {
        struct gm_summary summary = {0};
        asks = 0;
        code = gm_train(&lab.job, &watch, &summary, &err);
        CU_ASSERT(code == GM_OK || code == GM_INTERRUPTED);
        gm_summary_release(&summary);
        allowed += allowed / 3 + 1;
    }
    CU_ASSERT(runs > 3);
    CU_ASSERT(lab_same_bytes("whole.h5", "pieces.h5"));
}

TEST_MAIN("start from a sample", TEST(a_start_from_a_sample_ends_where_newton_does),
          TEST(a_sample_that_lacks_the_row_that_decides_is_given_up), TEST(the_bits_do_not_depend_on_threads),
          TEST(streamed_is_resident), TEST(a_stopped_start_is_made_again))
