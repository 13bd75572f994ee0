/*
 * Losses that couple rows: a ranking loss gets groups whole, a batch loss whole batches, whatever the method, the split
 * and the memory. Two plugins of tests/loss/plugins/whole.c fail when that is not so.
 */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/archive.h"
#include "base/random.h"
#include "train/lab.h"

static const char *picky(const char *id)
{
    static char name[2][512];
    static int turn;
    turn = !turn;
    snprintf(name[turn], sizeof name[turn], "%s/tests/plugins/whole.so:%s", getenv("GRADMILL_BUILD"), id);
    return name[turn];
}

/* Groups of 1 to 90 rows, one of 700: blocks have 32 to 512 rows. The target is the size of the row's group. */
enum { FEATURES = 5, ROWS = 9000 };
static const char *groups_data(void)
{
    static double x[ROWS * FEATURES], y[ROWS];
    static int64_t group[ROWS];
    struct random_key key = {21, RANDOM_CHECK, 0};
    for (size_t i = 0; i < (size_t)ROWS * FEATURES; i++)
        x[i] = random_normal(key, i);
    for (size_t row = 0, g = 0; row < ROWS; g++) {
        size_t size = g == 40 ? 700 : 1 + random_below(key, 1000000 + g, 90);
        size = row + size > ROWS ? ROWS - row : size;
        for (size_t i = 0; i < size; i++, row++) {
            y[row] = (double)size;
            group[row] = (int64_t)((g * 7919) % 100003); /* in no order */
        }
    }
    lab_write_wide(test_path("groups.h5"), x, y, group, (const size_t[]){ROWS, FEATURES, 1});
    return test_path("groups.h5");
}

static void train_picky(struct lab *lab, struct gm_error *err)
{
    lab->job.loss.trust = true; /* the short check would hand it targets that are no sizes */
    lab->job.stop.max_epochs = 2;
    enum gm_code code = lab_train(lab, err);
    CU_ASSERT_EQUAL(code, GM_OK);
    if (code)
        printf("%s\n", err->text);
}

static void groups_come_whole(void)
{
    static const enum gm_optimizer types[] = {GM_OPTIMIZER_GD, GM_OPTIMIZER_LBFGS, GM_OPTIMIZER_ADAM, GM_OPTIMIZER_SGD};
    const char *data = groups_data();
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        for (int held = 0; held < 3; held++) {
            struct lab lab;
            struct gm_error err;
            lab_job(&lab, data, picky("whole_groups"), NULL);
            lab.job.optimizer.type = types[i];
            lab.job.optimizer.batch_size = i < 2 || (i == 3 && held == 0) ? 0 : 300; /* sgd: all rows in one batch */
            lab.job.data.validation_fraction = held == 1 ? 0.3 : 0;
            lab.job.data.validation.path = held == 2 ? data : NULL;
            lab.job.run.threads = 1 + (int)i;
            lab.job.optimizer.learning_rate = i < 2 ? NAN : 0.01;
            train_picky(&lab, &err);
            CU_ASSERT_EQUAL(lab_summary()->train.rows + (held == 1 ? lab_summary()->validation.rows : 0), ROWS);
        }
}

static void streamed_groups_come_whole_and_give_the_same_bytes(void)
{
    enum { MANY = 150000, WIDE = 48 };
    unsigned char *x = malloc((size_t)MANY * WIDE);
    double *y = malloc(sizeof *y * MANY);
    int64_t *group = malloc(sizeof *group * MANY);
    struct random_key key = {22, RANDOM_CHECK, 0};
    for (size_t i = 0; i < (size_t)MANY * WIDE; i += 16) {
        uint32_t bits[4];
        random_bits(key, i, bits);
        memcpy(x + i, bits, sizeof bits);
    }
    for (size_t row = 0; row < MANY; row++) {
        group[row] = (int64_t)(row / 70);
        y[row] = row / 70 == MANY / 70 ? MANY % 70 : 70;
    }
    struct archive *a = NULL;
    struct archive_shape matrix = {2, {MANY, WIDE}}, column = {1, {MANY}};
    struct gm_error bad;
    CU_ASSERT_FATAL(!archive_create(&a, &bad) && !archive_put(a, "/X", ARCHIVE_U8, &matrix, x, &bad) &&
                    !archive_put(a, "/y", ARCHIVE_F64, &column, y, &bad) &&
                    !archive_put(a, "/group", ARCHIVE_I64, &column, group, &bad) &&
                    !archive_save(a, test_path("many.h5"), &bad));
    archive_close(a);
    for (int streamed = 0; streamed < 2; streamed++) {
        struct lab lab;
        struct gm_error err;
        lab_job(&lab, test_path("many.h5"), picky("whole_groups"), test_path(streamed ? "other.h5" : "first.h5"));
        lab.job.data.validation_fraction = 0.2;
        lab.job.run.threads = streamed ? 3 : 2;
        lab.job.run.memory = streamed ? (uint64_t)15 << 20 : 0;
        train_picky(&lab, &err);
        CU_ASSERT_EQUAL(lab_summary()->resident, !streamed);
    }
    CU_ASSERT(lab_same_bytes(test_path("first.h5"), test_path("other.h5")));
    struct lab lab;
    struct gm_error err;
    lab_job(&lab, test_path("many.h5"), picky("whole_groups"), NULL);
    lab.job.loss.trust = true;
    lab.job.run.memory = (uint64_t)15 << 20;
    lab.job.optimizer.type = GM_OPTIMIZER_ADAM;
    lab.job.optimizer.batch_size = 1000;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "batches of whole groups need the data in memory");
    free(x);
    free(y);
    free(group);
}

static void batches_come_whole(void)
{
    static const struct {
        size_t batch;
        bool validation;
        struct gm_setting sizes;
    } cases[] = {{800, false, {"sizes", "800,200,750"}}, /* 11 batches of 800 and one of 200; measured in 12 of 750 */
                 {1000, true, {"sizes", "1000"}},
                 {9000, true, {"sizes", "9000"}}}; /* above the limit, but asked for */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lab lab;
        struct gm_error err;
        lab_job(&lab, groups_data(), picky("whole_batches"), NULL);
        lab.loss.params = &cases[i].sizes;
        lab.loss.n_params = 1;
        lab.job.model.outputs = 4;
        lab.job.optimizer.type = GM_OPTIMIZER_ADAM;
        lab.job.optimizer.batch_size = cases[i].batch;
        lab.job.data.validation.path = cases[i].validation ? test_path("groups.h5") : NULL;
        lab.job.run.threads = 3;
        train_picky(&lab, &err);
    }
}

static void a_full_batch_of_too_many_rows_is_refused(void)
{
    struct lab lab;
    struct gm_error err;
    lab_job(&lab, groups_data(), picky("whole_batches"), NULL);
    lab.job.loss.trust = true;
    lab.job.model.outputs = 4;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "a full batch of 9000 rows is too much (at most 8192). Choose optimizer.batch_size");
}

static void groups_that_do_not_stand_together_are_refused(void)
{
    double x[6] = {1, 2, 3, 4, 5, 6}, y[6] = {0, 1, 0, 1, 0, 1};
    int64_t group[6] = {3, 3, 9, 9, 3, 1};
    struct lab lab;
    struct gm_error err;
    lab_write_wide(test_path("scattered.h5"), x, y, group, (const size_t[]){6, 1, 1});
    lab_job(&lab, test_path("scattered.h5"), "pairwise_logistic", NULL);
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "row 4 (counted from 0): group 3 goes on here, but it ended before row 2.");
    ASSERT_HOLDS(err.text, "sort the rows by group");
    group[4] = 4;
    lab_write_wide(test_path("scattered.h5"), x, y, group, (const size_t[]){6, 1, 1});
    lab.job.optimizer.type = GM_OPTIMIZER_NEWTON;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "newton takes losses of independent rows");
    lab_write(test_path("no-groups.h5"), x, y, 6, 1);
    lab_job(&lab, test_path("no-groups.h5"), "listnet", NULL);
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "the loss 'listnet' ranks within groups, and there are none");
}

/* Groups of two rows with targets 1 and 0: the pairwise loss is logistic regression on the difference of the two. With
 * (x, 1) against (0, 0), the better one by y, that is logistic regression on x with intercept: Spector and Mazzeo. */
static void pairs_are_logistic_regression(void)
{
    json_t *all = json_load_file(test_source("tests/oracles/expected.json"), 0, NULL);
    json_t *truth = json_object_get(all, "spector");
    FILE *csv = fopen(test_source("tests/oracles/spector.csv"), "r");
    static double x[64 * 4], y[64];
    static int64_t group[64];
    char line[256];
    size_t rows = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL(csv);
    CU_ASSERT_PTR_NOT_NULL_FATAL(fgets(line, sizeof line, csv));
    while (rows < 64 && fgets(line, sizeof line, csv)) {
        double *v = x + 4 * rows, better;
        CU_ASSERT_EQUAL(sscanf(line, "%lf,%lf,%lf,%lf", v, v + 1, v + 2, &better), 4);
        v[3] = 1;
        y[rows] = better;
        y[rows + 1] = 1 - better;
        group[rows] = group[rows + 1] = (int64_t)rows;
        rows += 2;
    }
    fclose(csv);
    lab_write_wide(test_path("pairs.h5"), x, y, group, (const size_t[]){rows, 4, 1});
    static const enum gm_optimizer types[] = {GM_OPTIMIZER_LBFGS, GM_OPTIMIZER_ADAM};
    for (int i = 0; i < 2; i++) {
        struct lab lab;
        struct gm_error err;
        lab_job(&lab, test_path("pairs.h5"), "pairwise_logistic", test_path("pairs-model.h5"));
        lab.job.model.intercept = false;
        lab.job.optimizer.type = types[i];
        lab.job.optimizer.batch_size = i ? 16 : 0;
        lab.job.optimizer.learning_rate = i ? 0.2 : NAN;
        lab.job.stop.restore_best = !i; /* the best mean over batches, each before its update, is chance */
        lab.job.optimizer.schedule = i ? GM_SCHEDULE_COSINE : GM_SCHEDULE_CONSTANT;
        lab.job.stop.max_epochs = i ? 600 : 2000;
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        struct lab_model m = lab_read(test_path("pairs-model.h5"));
        double mean = json_number_value(json_object_get(truth, "mean_loss"));
        if (i) {
            CU_ASSERT(lab_summary()->train.loss < mean + 0.005);
        } else {
            ASSERT_CLOSE(lab_summary()->train_loss, mean, 1e-10);
            for (size_t j = 0; j < 3; j++)
                ASSERT_CLOSE(m.coefficients[j],
                             json_number_value(json_array_get(json_object_get(truth, "coefficients"), j)), 1e-5);
            ASSERT_CLOSE(m.coefficients[3], json_number_value(json_object_get(truth, "intercept")), 1e-5);
        }
        lab_free(&m);
    }
    json_decref(all);
}

/* The loss that a model file reports is that of plain double loops over the model's predictions. */
static double predicted[ROWS];
static bool keep(void *context, size_t first, size_t rows, const double *pred)
{
    size_t outputs = *(size_t *)context;
    for (size_t i = 0; i < rows && first + i < ROWS / outputs; i++)
        memcpy(predicted + (first + i) * outputs, pred + i * outputs, outputs * sizeof *pred);
    return true;
}

static void evaluated_ranking_losses_are_those_of_double_loops(void)
{
    enum { N = 600 };
    static double x[N * 3], y[N];
    static int64_t group[N];
    struct random_key key = {23, RANDOM_CHECK, 0};
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < 3; j++)
            x[3 * i + j] = random_normal(key, 4 * i + j);
        y[i] = (double)random_below(key, 4 * i + 3, 4);
        group[i] = (int64_t)(i < 100 ? i / 7 : i < 550 ? 1000 : 2000); /* one group is larger than a block */
    }
    lab_write_wide(test_path("rank.h5"), x, y, group, (const size_t[]){N, 3, 1});
    struct lab lab;
    struct gm_error err;
    struct gm_model *model;
    struct gm_metrics metrics = {0};
    size_t outputs = 1;
    lab_job(&lab, test_path("rank.h5"), "pairwise_logistic", test_path("rank-model.h5"));
    lab.job.stop.max_epochs = 3;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    CU_ASSERT_EQUAL_FATAL(gm_model_open(&model, test_path("rank-model.h5"), NULL, &err), GM_OK);
    const struct gm_data data = {.path = test_path("rank.h5")};
    CU_ASSERT_EQUAL(gm_evaluate(model, &data, NULL, &metrics, &err), GM_OK);
    CU_ASSERT_EQUAL(gm_predict(model, &data, NULL, keep, &outputs, &err), GM_OK);
    double total = 0;
    for (size_t first = 0, end; first < N; first = end) {
        double sum = 0, pairs = 0;
        for (end = first; end < N && group[end] == group[first]; end++)
            ;
        for (size_t i = first; i < end; i++)
            for (size_t j = first; j < end; j++)
                if (y[i] > y[j]) {
                    sum += log1p(exp(predicted[j] - predicted[i]));
                    pairs++;
                }
        total += pairs > 0 ? (double)(end - first) * sum / pairs : 0;
    }
    ASSERT_CLOSE(metrics.loss, total / N, 1e-12);
    ASSERT_CLOSE(lab_summary()->train.loss, total / N, 1e-12);
    gm_metrics_release(&metrics);
    gm_model_close(model);
}

static void same_on_any_threads(const char *loss, enum gm_optimizer type, size_t batch)
{
    static const int counts[] = THREADS_COMPARED;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct lab lab;
        struct gm_error err;
        lab_job(&lab, groups_data(), loss, test_path(i ? "other.h5" : "first.h5"));
        lab.job.run.precision = GM_FLOAT32;
        lab.job.data.validation_fraction = 0.25;
        lab.job.optimizer.type = type;
        lab.job.optimizer.batch_size = batch;
        lab.job.optimizer.learning_rate = batch ? 0.01 : NAN;
        lab.job.model.outputs = strcmp(loss, "contrastive") == 0 ? 4 : 0;
        lab.job.stop.max_epochs = 3;
        lab.job.run.threads = counts[i];
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        if (i)
            CU_ASSERT(lab_same_bytes(test_path("first.h5"), test_path("other.h5")));
    }
}

static void models_are_the_same_on_any_threads(void)
{
    same_on_any_threads("listnet", GM_OPTIMIZER_GD, 0);
    same_on_any_threads("pairwise_logistic", GM_OPTIMIZER_ADAM, 500);
    same_on_any_threads("contrastive", GM_OPTIMIZER_ADAM, 200);
}

TEST_MAIN("coupled", TEST(groups_come_whole), TEST(streamed_groups_come_whole_and_give_the_same_bytes),
          TEST(batches_come_whole), TEST(a_full_batch_of_too_many_rows_is_refused),
          TEST(groups_that_do_not_stand_together_are_refused), TEST(pairs_are_logistic_regression),
          TEST(evaluated_ranking_losses_are_those_of_double_loops), TEST(models_are_the_same_on_any_threads))
