/*
 * Steps of networks, whose batches go by a tape: against the full-batch method, whose rows go by lanes; clipped and
 * averaged as their definitions say; with losses that couple rows and with lists of losses; on any threads; and what
 * they take of run.memory.
 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/archive.h"
#include "base/memory.h"
#include "base/random.h"
#include "train/lab.h"

enum { ROWS = 257, FEATURES = 5, PARAMS = 400, MOST = 800 };

static const size_t units[] = {12, 6};

/* Groups of 1 to 9 rows; y of two columns: a number, and a class or a relevance of 0, 1, 2. */
static const char *data(void)
{
    static bool made;
    static double x[ROWS * FEATURES], y[ROWS * 2];
    static int64_t group[ROWS];
    static char path[300];
    struct random_key key = {17, RANDOM_CHECK, 0};
    if (made)
        return path;
    for (size_t i = 0; i < (size_t)ROWS * FEATURES; i++)
        x[i] = random_normal(key, i);
    for (size_t i = 0; i < ROWS; i++) {
        y[2 * i] = x[i * FEATURES] * x[i * FEATURES + 1];
        y[2 * i + 1] = (x[i * FEATURES] > 0) + (x[i * FEATURES + 2] > 0.5);
    }
    for (size_t i = 0, g = 0; i < ROWS; g++)
        for (size_t end = i + 1 + random_below(key, 9000 + g, 9); i < end && i < ROWS; i++)
            group[i] = (int64_t)g;
    snprintf(path, sizeof path, "%s", test_path("rows.h5"));
    lab_write_wide(path, x, y, group, (const size_t[]){ROWS, FEATURES, 2});
    made = true;
    return path;
}

/* The losses, each by its columns of the outputs and of the target. */
static const struct gm_job_loss squares[] = {{.name = "mse", .weight = 1, .column_end = 1, .target_end = 1}};
static const struct gm_job_loss ranks[] = {
    {.name = "lambdarank", .weight = 1, .column_end = 1, .target_first = 1, .target_end = 2}};
static const struct gm_job_loss pairs[] = {{.name = "contrastive", .weight = 1}};
static const struct gm_job_loss heads[] = {
    {.name = "huber", .weight = NAN, .column_first = 0, .column_end = 1, .target_first = 0, .target_end = 1},
    {.name = "cross_entropy", .weight = NAN, .column_first = 1, .column_end = 4, .target_first = 1, .target_end = 2}};
static const struct gm_job_loss ranked_heads[] = {
    {.name = "mse", .weight = 0.5, .column_first = 0, .column_end = 1, .target_first = 0, .target_end = 1},
    {.name = "lambdarank", .weight = 2, .column_first = 1, .column_end = 2, .target_first = 1, .target_end = 2}};

static const struct loss_case {
    const char *name;
    const struct gm_job_loss *terms;
    size_t count, outputs;
} losses[] = {{"mse", squares, 1, 0},
              {"lambdarank", ranks, 1, 0},
              {"contrastive", pairs, 1, 4},
              {"learned heads", heads, 2, 0},
              {"ranked heads", ranked_heads, 2, 0}};
enum { CASES = sizeof losses / sizeof *losses };

static void make_job(struct lab *lab, const struct loss_case *c, const char *model)
{
    lab_job(lab, data(), NULL, model);
    lab->job.loss.terms = c->terms;
    lab->job.loss.count = c->count;
    lab->job.model.type = GM_MODEL_MLP;
    lab->job.model.hidden = (struct gm_wholes){units, 2};
    lab->job.model.activation = GM_TANH;
    lab->job.model.outputs = c->outputs;
    lab->job.data.standardize = false; /* the file holds the weights as the optimiser sees them */
    lab->job.optimizer.type = GM_OPTIMIZER_SGD;
    lab->job.optimizer.learning_rate = 0.1;
    lab->job.optimizer.l2 = 0.01;
    lab->job.stop.max_epochs = 1;
    lab->job.stop.restore_best = false;
}

/* All numbers of the trained model, what the loss learned behind them; how many. */
static size_t train(struct lab *lab, const char *what, double numbers[MOST])
{
    static const char *const names[] = {"/layers/0/weights", "/layers/0/bias", "/layers/1/weights", "/layers/1/bias",
                                        "/layers/2/weights", "/layers/2/bias", "/loss_theta"};
    struct gm_error err;
    struct archive *a = NULL;
    size_t count = 0;
    enum gm_code code = lab_train(lab, &err);
    if (code)
        printf("\n    %s: %s", what, err.text);
    CU_ASSERT_EQUAL_FATAL(code, GM_OK);
    CU_ASSERT_EQUAL_FATAL(archive_open(&a, lab->job.output.model, &err), GM_OK);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct archive_shape shape = {0};
        double *found = NULL;
        if (!archive_has(a, names[i]))
            continue;
        CU_ASSERT_EQUAL_FATAL(archive_get(a, names[i], ARCHIVE_F64, &shape, (void **)&found, &err), GM_OK);
        size_t size = shape.dims[0] * (shape.rank > 1 ? shape.dims[1] : 1);
        CU_ASSERT_FATAL(count + size <= MOST);
        memcpy(numbers + count, found, size * sizeof *numbers);
        count += size;
        memory_free(found);
    }
    archive_close(a);
    return count;
}

static void are_close(const double *a, const double *b, size_t count, double tolerance)
{
    double worst = 0, size = 0;
    for (size_t i = 0; i < count; i++) {
        worst = fmax(worst, fabs(a[i] - b[i]));
        size = fmax(size, fabs(b[i]));
    }
    CU_ASSERT(worst <= tolerance * size);
}

/* Where the batch is all rows, sgd takes the steps of gd: one goes by the tape, the other by lanes. */
static void batches_of_all_rows_step_as_the_full_batch_method(void)
{
    static double tape[MOST], lanes[MOST];
    for (size_t c = 0; c < CASES; c++) {
        struct lab lab;
        make_job(&lab, &losses[c], test_path("tape.h5"));
        lab.job.stop.max_epochs = 3;
        size_t count = train(&lab, losses[c].name, tape);
        make_job(&lab, &losses[c], test_path("lanes.h5"));
        lab.job.stop.max_epochs = 3;
        lab.job.optimizer.type = GM_OPTIMIZER_GD;
        CU_ASSERT_EQUAL(train(&lab, losses[c].name, lanes), count);
        are_close(tape, lanes, count, 1e-12);
    }
}

/* w' = w - rate * g * min(1, c / |g|), g from the unclipped step (Pascanu, Mikolov, Bengio 2013). */
static void a_gradient_that_is_too_long_is_scaled_down(void)
{
    static double start[MOST], whole[MOST], clipped[MOST];
    for (size_t c = 0; c < CASES; c++) {
        struct lab lab;
        double norm = 0;
        make_job(&lab, &losses[c], test_path("model.h5"));
        lab.job.optimizer.learning_rate = 1e-300;
        size_t count = train(&lab, losses[c].name, start);
        lab.job.optimizer.learning_rate = 0.1;
        train(&lab, losses[c].name, whole);
        for (size_t i = 0; i < count; i++)
            norm += pow((whole[i] - start[i]) / 0.1, 2);
        lab.job.optimizer.clip_norm = sqrt(norm) / 3;
        train(&lab, losses[c].name, clipped);
        for (size_t i = 0; i < count; i++)
            whole[i] = start[i] + (whole[i] - start[i]) / 3;
        are_close(clipped, whole, count, 1e-12);
        lab.job.optimizer.clip_norm = 1.01 * sqrt(norm); /* long enough: as without */
        train(&lab, losses[c].name, whole);
        lab.job.optimizer.clip_norm = NAN;
        train(&lab, losses[c].name, clipped);
        are_close(clipped, whole, count, 1e-14);
    }
}

/* The mean of the weights after each of three steps. */
static void the_average_of_the_weights_is_the_model(void)
{
    static double mean[MOST], one[MOST];
    for (size_t c = 0; c < CASES; c++) {
        struct lab lab;
        size_t count = 0;
        memset(mean, 0, sizeof mean);
        make_job(&lab, &losses[c], test_path("model.h5"));
        for (size_t steps = 1; steps <= 3; steps++) {
            lab.job.stop.max_epochs = steps;
            count = train(&lab, losses[c].name, one);
            for (size_t i = 0; i < count; i++)
                mean[i] += one[i] / 3;
        }
        lab.job.optimizer.average = GM_AVERAGE_UNIFORM;
        train(&lab, losses[c].name, one);
        are_close(one, mean, count, 1e-13);
    }
}

static void models_are_the_same_on_any_threads(void)
{
    static const int threads[] = THREADS_COMPARED;
    static double numbers[MOST];
    for (size_t c = 0; c < CASES; c++)
        for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
            struct lab lab;
            make_job(&lab, &losses[c], test_path(i ? "other.h5" : "first.h5"));
            lab.job.data.standardize = true;
            lab.job.data.validation_fraction = 0.2;
            lab.job.run.precision = GM_FLOAT32;
            lab.job.optimizer.type = c % 2 ? GM_OPTIMIZER_ADAM : GM_OPTIMIZER_MOMENTUM;
            lab.job.optimizer.learning_rate = 0.01;
            lab.job.optimizer.batch_size = 50;
            lab.job.optimizer.clip_norm = 0.3;
            lab.job.optimizer.average = GM_AVERAGE_DECAY;
            lab.job.stop.max_epochs = 3;
            lab.job.run.threads = threads[i];
            train(&lab, losses[c].name, numbers);
            if (i)
                CU_ASSERT(lab_same_bytes(test_path("first.h5"), test_path("other.h5")));
        }
}

/* 257 rows of two times 20,000 units, activations and slopes, in float: 82 MB; their 140,000 parameters are nothing
 * beside it. */
static void activations_count_in_the_memory(void)
{
    static const size_t wide[] = {20000};
    struct lab lab;
    struct gm_error err;
    make_job(&lab, &losses[0], NULL);
    lab.job.model.hidden = (struct gm_wholes){wide, 1};
    lab.job.run.precision = GM_FLOAT32;
    lab.job.run.threads = 2;
    lab.job.run.memory = (uint64_t)40 << 20;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_SYSTEM);
    ASSERT_HOLDS(err.text, "the activations of a batch 39.");
    lab.job.optimizer.batch_size = 32; /* the lanes of a full batch would not fit either */
    lab.job.run.memory = (uint64_t)24 << 20;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    printf("%s", err.text);
}

TEST_MAIN("wide", TEST(batches_of_all_rows_step_as_the_full_batch_method),
          TEST(a_gradient_that_is_too_long_is_scaled_down), TEST(the_average_of_the_weights_is_the_model),
          TEST(models_are_the_same_on_any_threads), TEST(activations_count_in_the_memory))
