/*
 * Jobs of networks on sparse rows: the same bits on any threads, streamed, from several files, and resumed; a model in
 * use; what it takes of the memory.
 */
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "train/mlp_sparse_lab.h"

/* ---- the same bits ---- */

static void few(struct gm_job *job, enum gm_optimizer type, double rate)
{
    job->optimizer.type = type;
    job->optimizer.batch_size = 200; /* 8,000 entries, 5,000 columns or more */
    job->optimizer.learning_rate = rate;
    job->optimizer.l2 = 1e-4;
    job->run.precision = GM_FLOAT32;
    job->stop.max_epochs = 2;
    job->data.standardize = true;
}

static void sgd_search(struct gm_job *job)
{
    few(job, GM_OPTIMIZER_SGD, NAN); /* the trials too */
    job->optimizer.l1 = 1e-5;
    job->stop.max_epochs = 1;
}

static void momentum_clipped(struct gm_job *job)
{
    few(job, GM_OPTIMIZER_MOMENTUM, 0.05);
    job->optimizer.l2 = 0;
    job->optimizer.clip_norm = 0.2;
}

static void adam_dropout(struct gm_job *job)
{
    few(job, GM_OPTIMIZER_ADAM, 0.003);
    job->model.dropout = 0.25;
}

static void adamw_double(struct gm_job *job)
{
    few(job, GM_OPTIMIZER_ADAMW, 0.003);
    job->run.precision = GM_FLOAT64;
    job->optimizer.weight_decay = 0.01;
    job->optimizer.batch_size = 37;
}

static void lbfgs_few(struct gm_job *job)
{
    few(job, GM_OPTIMIZER_LBFGS, NAN);
    job->optimizer.batch_size = 0;
}

static void models_are_the_same_on_any_threads(void)
{
    static adjust_fn *const adjusts[] = {sgd_search, momentum_clipped, adam_dropout, adamw_double, lbfgs_few};
    static const int counts[] = THREADS_COMPARED;
    rows_few_features(test_path("team.h5"), 600, 5000, 40);
    for (size_t i = 0; i < sizeof adjusts / sizeof *adjusts; i++)
        for (size_t n = 0; n < sizeof counts / sizeof *counts; n++) {
            struct lab lab;
            make_mlp(&lab, test_path("team.h5"), "logistic", test_path(n ? "b.h5" : "a.h5"));
            lab.job.model.hidden = (struct gm_wholes){(const size_t[]){12, 5}, 2};
            adjusts[i](&lab.job);
            lab.job.run.threads = counts[n];
            train_well(&lab, "threads");
            if (n)
                CU_ASSERT(lab_same_bytes(test_path("a.h5"), test_path("b.h5")));
        }
}

static void several_files_give_the_model_of_one(void)
{
    static const size_t cuts[] = {0, 1, 4, 900, ROWS};
    static adjust_fn *const adjusts[] = {penalised, adam_dropout, full};
    char name[32], pattern[300];
    struct sample *s = sample(2);
    write_rows(test_path("whole.h5"), s, 0, ROWS);
    for (size_t i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "piece%zu.h5", i);
        write_rows(test_path(name), s, cuts[i], cuts[i + 1]);
    }
    free(s);
    snprintf(pattern, sizeof pattern, "%s", test_path("piece*.h5"));
    for (size_t i = 0; i < sizeof adjusts / sizeof *adjusts; i++)
        for (int several = 0; several < 2; several++) {
            struct lab lab;
            make_mlp(&lab, several ? pattern : test_path("whole.h5"), "logistic", test_path(several ? "b.h5" : "a.h5"));
            adjusts[i](&lab.job);
            train_well(&lab, "several files");
            if (several)
                CU_ASSERT(lab_same_bytes(test_path("a.h5"), test_path("b.h5")));
        }
}

/* 300,000 rows of 30 entries: 72 MB, in windows. */
static void streamed_is_resident(void)
{
    struct gm_error err;
    struct make_options options = {.rows = 300000, .features = 1000, .nonzeros = 30, .seed = 4};
    if (TEST_RACES) /* test_sparse_jobs.c streams under the thread sanitizer; this would take a minute */
        return;
    CU_ASSERT_EQUAL_FATAL(make_sparse(test_path("large.h5"), &options, &err), GM_OK);
    for (int streams = 0; streams < 2; streams++) {
        struct lab lab;
        make_mlp(&lab, test_path("large.h5"), "logistic", test_path(streams ? "b.h5" : "a.h5"));
        lab.job.model.hidden = (struct gm_wholes){(const size_t[]){8}, 1};
        few(&lab.job, GM_OPTIMIZER_ADAM, 0.003);
        lab.job.optimizer.batch_size = 1000;
        lab.job.stop.max_epochs = 1;
        lab.job.run.memory = streams ? 80000000 : 0;
        train_well(&lab, "streamed");
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

/* Stopped again and again, also within an epoch, on another number of threads: the bytes of an uninterrupted run. */
static void resumed_as_if_never_stopped(adjust_fn *adjust)
{
    struct lab lab;
    struct gm_error err = {0};
    size_t allowed = 0, runs = 0;
    const struct gm_watch watch = {.context = &allowed, .interrupted = stop_soon};
    make_mlp(&lab, "few.h5", "logistic", "a.h5");
    adjust(&lab.job);
    lab.job.optimizer.batch_size = 60; /* 300 entries, 100 columns */
    train_well(&lab, "whole");
    lab.job.output.model = "b.h5";
    lab.job.output.checkpoint = "c.h5";
    unlink("c.h5");
    unlink("c.h5.1");
    lab.job.output.resume = true;
    for (enum gm_code code = GM_INTERRUPTED; code == GM_INTERRUPTED && runs < 200; runs++) {
        struct gm_summary summary = {0};
        asks = 0;
        allowed = 5 + runs % 5;
        lab.job.run.threads = 1 + (int)(runs % 3);
        code = gm_train(&lab.job, &watch, &summary, &err);
        CU_ASSERT(code == GM_OK || (code == GM_INTERRUPTED && summary.resumable));
        gm_summary_release(&summary);
        if (code && code != GM_INTERRUPTED)
            printf("\n    %s", err.text);
    }
    CU_ASSERT(runs > 4); /* two epochs: some stops were within one */
    CU_ASSERT(lab_same_bytes("a.h5", "b.h5"));
}

static void a_run_is_resumed_within_an_epoch(void)
{
    CU_ASSERT_EQUAL_FATAL(chdir(test_directory()), 0); /* there are few test_path at a time */
    rows_few_features("few.h5", 3000, 100, 5);
    resumed_as_if_never_stopped(momentum_clipped);
    resumed_as_if_never_stopped(adam_dropout);
    resumed_as_if_never_stopped(adamw_double);
}

/* ---- a model in use ---- */

/* Networks that were trained with dropout predict without it: of either kind of rows. */
static void a_network_that_drops_units_is_put_to_use(void)
{
    write_both(2);
    for (int dense = 0; dense < 2; dense++) {
        struct lab lab;
        struct gm_model *model;
        struct gm_error err;
        struct gm_metrics metrics;
        const struct gm_data data = {.path = test_path(dense ? "dense.h5" : "sparse.h5")};
        make_mlp(&lab, data.path, "logistic", test_path("dropping.h5"));
        batches(&lab.job, GM_OPTIMIZER_SGD);
        lab.job.model.dropout = 0.4;
        lab.job.data.validation_fraction = 0;
        train_well(&lab, "dropout");
        CU_ASSERT_EQUAL_FATAL(gm_model_open(&model, test_path("dropping.h5"), NULL, &err), GM_OK);
        enum gm_code code = gm_evaluate(model, &data, NULL, &metrics, &err);
        CU_ASSERT_EQUAL_FATAL(code, GM_OK);
        ASSERT_CLOSE(metrics.loss, lab_summary()->train.loss, 1e-9);
        gm_metrics_release(&metrics);
        gm_model_close(model);
    }
}

/* What training reports of the model in memory is what the file gives, on sparse rows and on dense ones. */
static void a_file_evaluates_as_was_trained(void)
{
    struct lab lab;
    struct gm_model *model;
    struct gm_error err;
    struct gm_metrics metrics;
    write_both(3);
    make_mlp(&lab, test_path("sparse.h5"), "cross_entropy", test_path("kept.h5"));
    full_lbfgs(&lab.job);
    lab.job.data.standardize = true;
    lab.job.data.validation_fraction = 0;
    train_well(&lab, "kept");
    CU_ASSERT_EQUAL_FATAL(gm_model_open(&model, test_path("kept.h5"), NULL, &err), GM_OK);
    for (int dense = 0; dense < 2; dense++) {
        const struct gm_data data = {.path = test_path(dense ? "dense.h5" : "sparse.h5")};
        CU_ASSERT_EQUAL_FATAL(gm_evaluate(model, &data, NULL, &metrics, &err), GM_OK);
        CU_ASSERT_EQUAL(metrics.rows, ROWS);
        ASSERT_CLOSE(metrics.loss, lab_summary()->train.loss, 1e-9);
        gm_metrics_release(&metrics);
    }
    gm_model_close(model);
    struct test_result r = PROGRAM("inspect", "kept.h5");
    ASSERT_HOLDS(r.out, "mlp, 400 -> 20 -> 9 -> 3, tanh");
    test_result_free(&r);
}

/* 2^17 features x 64 units in four vectors of doubles (parameters, best, kept, weights) are 256 MiB; the gradient of a
 * batch is no vector. */
static void the_plan_has_no_gradient(void)
{
    static const size_t wide[] = {64};
    struct lab lab;
    struct gm_error err;
    rows_few_features(test_path("features.h5"), 400, (size_t)1 << 17, 10);
    make_mlp(&lab, test_path("features.h5"), "logistic", NULL);
    few(&lab.job, GM_OPTIMIZER_SGD, 0.1);
    lab.job.model.hidden = (struct gm_wholes){wide, 1};
    lab.job.run.memory = (uint64_t)200 << 20;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_SYSTEM);
    ASSERT_HOLDS(err.text, "the model 256 MiB");
}

/* What a refused job would have taken is not taken to find that out: 2^27 parameters, a byte of each is 128 MiB. */
static void a_job_too_large_is_refused_in_little_memory(void)
{
    static const size_t wide[] = {256};
    struct lab lab;
    struct gm_error err;
    rows_few_features(test_path("features.h5"), 400, (size_t)1 << 19, 10);
    make_mlp(&lab, test_path("features.h5"), "logistic", NULL);
    few(&lab.job, GM_OPTIMIZER_SGD, 0.1);
    lab.job.model.hidden = (struct gm_wholes){wide, 1};
    lab.job.run.memory = (uint64_t)64 << 20;
    uint64_t before = memory_peak();
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_SYSTEM);
    CU_ASSERT(memory_peak() - before < (uint64_t)64 << 20);
}

/* Of 3,000 rows in one batch, whose 120,000 entries are kept in 11 numbers of 4 bytes and two values each, 5.95 MiB,
 * and whose tape has 4 panels of 64 bytes a row, 0.73 MiB. */
static void the_plan_holds_the_entries_of_a_batch(void)
{
    static const size_t one[] = {1};
    struct lab lab;
    struct gm_error err;
    rows_few_features(test_path("batch.h5"), 3000, 5000, 40);
    make_mlp(&lab, test_path("batch.h5"), "logistic", NULL);
    few(&lab.job, GM_OPTIMIZER_SGD, 0.1);
    lab.job.optimizer.batch_size = 3000;
    lab.job.model.hidden = (struct gm_wholes){one, 1};
    lab.job.run.memory = 1000;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_SYSTEM);
    ASSERT_HOLDS(err.text, "the activations of a batch 6.");
}

/* 2^17 features of one unit: three vectors of doubles (parameters, best, kept) are 3 MiB, and the weights are a line of
 * 64 bytes each. */
static void the_plan_holds_whole_lines(void)
{
    static const size_t one[] = {1};
    struct lab lab;
    struct gm_error err;
    rows_few_features(test_path("features.h5"), 400, (size_t)1 << 17, 10);
    make_mlp(&lab, test_path("features.h5"), "logistic", NULL);
    few(&lab.job, GM_OPTIMIZER_SGD, 0.1);
    lab.job.model.hidden = (struct gm_wholes){one, 1};
    lab.job.run.memory = 1000;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_SYSTEM);
    ASSERT_HOLDS(err.text, "the model 11 MiB");
}

TEST_MAIN("mlp jobs on sparse rows", TEST(a_job_too_large_is_refused_in_little_memory),
          TEST(the_plan_holds_the_entries_of_a_batch), TEST(the_plan_holds_whole_lines),
          TEST(models_are_the_same_on_any_threads), TEST(several_files_give_the_model_of_one),
          TEST(streamed_is_resident), TEST(a_run_is_resumed_within_an_epoch), TEST(a_file_evaluates_as_was_trained),
          TEST(a_network_that_drops_units_is_put_to_use), TEST(the_plan_has_no_gradient))
