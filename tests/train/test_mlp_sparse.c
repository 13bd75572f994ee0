/*
 * Networks on sparse rows: a sparse file and its dense twin give the same training within rounding, where steps that
 * touch few columns are exact; and what is refused. The expected values come from the dense path, which test_mlp.c
 * holds against NumPy.
 */
#include <string.h>

#include "base/archive.h"
#include "base/memory.h"
#include "train/mlp_sparse_lab.h"

enum { MOST = FEATURES * 20 + 400 };

/* ---- against the dense twin ---- */

/* All numbers of a model file; how many. */
static size_t read_model(const char *path, double numbers[MOST])
{
    static const char *const names[] = {"/layers/0/weights", "/layers/0/bias", "/layers/1/weights", "/layers/1/bias",
                                        "/layers/2/weights", "/layers/2/bias", "/loss_theta"};
    struct archive *a = NULL;
    struct gm_error err;
    size_t count = 0;
    CU_ASSERT_EQUAL_FATAL(archive_open(&a, path, &err), GM_OK);
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

struct twin {
    const char *what, *loss;
    size_t classes;
    adjust_fn *adjust;
};

static void as_dense(const struct twin *t)
{
    static double numbers[2][MOST];
    double objective[2], validation[2], worst = 0;
    size_t count = 0;
    for (int sparse = 0; sparse < 2; sparse++) {
        struct lab lab;
        make_mlp(&lab, test_path(sparse ? "sparse.h5" : "dense.h5"), t->loss, test_path("model.h5"));
        t->adjust(&lab.job);
        train_well(&lab, t->what);
        objective[sparse] = lab_summary()->objective;
        validation[sparse] = lab_summary()->validation_loss;
        count = read_model(test_path("model.h5"), numbers[sparse]);
    }
    for (size_t i = 0; i < count; i++)
        worst = fmax(worst, fabs(numbers[0][i] - numbers[1][i]));
    CU_ASSERT(worst < 1e-9);
    if (!(worst < 1e-9))
        printf("\n    %s: the largest difference is %g", t->what, worst);
    ASSERT_CLOSE(objective[1], objective[0], 1e-9);
    ASSERT_CLOSE(validation[1], validation[0], 1e-9);
}

static void plain(struct gm_job *job)
{
    batches(job, GM_OPTIMIZER_SGD);
}

static void dropping(struct gm_job *job)
{
    batches(job, GM_OPTIMIZER_SGD);
    job->optimizer.l2 = 0.02;
    job->model.dropout = 0.3;
}

static void clipped(struct gm_job *job)
{
    batches(job, GM_OPTIMIZER_SGD);
    job->optimizer.clip_norm = 0.05;
}

static void rolling(struct gm_job *job)
{
    batches(job, GM_OPTIMIZER_MOMENTUM);
    job->optimizer.learning_rate = 0.05;
}

static void looking_ahead(struct gm_job *job)
{
    batches(job, GM_OPTIMIZER_NESTEROV);
    job->optimizer.learning_rate = 0.05;
}

static void adaptive_l1(struct gm_job *job)
{
    batches(job, GM_OPTIMIZER_ADAGRAD);
    job->optimizer.l1 = 1e-4;
}

/* All columns that are to be learned occur in each batch, and so all methods are exact. */
static void adam_of_all_rows(struct gm_job *job)
{
    batches(job, GM_OPTIMIZER_ADAM);
    job->optimizer.batch_size = ROWS;
    job->optimizer.learning_rate = 0.01;
    job->stop.max_epochs = 6;
}

static void rmsprop_of_all_rows(struct gm_job *job)
{
    adam_of_all_rows(job);
    job->optimizer.type = GM_OPTIMIZER_RMSPROP;
}

static void averaged(struct gm_job *job)
{
    batches(job, GM_OPTIMIZER_ADAM);
    job->optimizer.learning_rate = 0.01;
    job->optimizer.average = GM_AVERAGE_DECAY;
}

static void clipped_and_shrunk(struct gm_job *job)
{
    clipped(job);
    job->optimizer.l2 = 0.02;
}

static const struct gm_job_loss learned[] = {
    {.name = "mse", .weight = NAN, .column_end = 1, .target_end = 1},
    {.name = "huber", .weight = NAN, .column_first = 1, .column_end = 2, .target_end = 1}};
static const struct gm_job_loss coupled[] = {{.name = "contrastive", .weight = 1}};

static void heads(struct gm_job *job)
{
    penalised(job);
    job->loss.terms = learned;
    job->loss.count = 2;
}

static void pairs(struct gm_job *job)
{
    penalised(job);
    job->optimizer.learning_rate = 0.05;
    job->loss.terms = coupled;
    job->loss.count = 1;
    job->model.outputs = 4;
}

static void training_is_that_of_dense_rows(void)
{
    static const struct twin twins[] = {{"clip_norm", "mse", 0, clipped},
                                        {"nesterov", "mse", 0, looking_ahead},
                                        {"clip_norm with l2", "mse", 0, clipped_and_shrunk},
                                        {"learned weights", "mse", 0, heads},
                                        {"sgd", "logistic", 2, plain},
                                        {"dropout", "logistic", 2, dropping},
                                        {"momentum", "logistic", 2, rolling},
                                        {"rmsprop", "logistic", 2, rmsprop_of_all_rows},
                                        {"average", "logistic", 2, averaged},
                                        {"lbfgs", "logistic", 2, full_lbfgs},
                                        {"sgd with l1 and l2", "cross_entropy", 3, penalised},
                                        {"adagrad with l1", "cross_entropy", 3, adaptive_l1},
                                        {"adam", "cross_entropy", 3, adam_of_all_rows},
                                        {"gd", "cross_entropy", 3, full},
                                        {"coupled rows", "mse", 3, pairs}};
    for (size_t i = 0; i < sizeof twins / sizeof *twins; i++) {
        if (i == 0 || twins[i].classes != twins[i - 1].classes)
            write_both(twins[i].classes);
        as_dense(&twins[i]);
    }
}

/* Methods whose state waits, with l2: the columns that do not occur are made good in another metric, and the training
 * is no slower: the objective after some epochs is at most 2 % above that of dense steps. */
static void waiting_methods_train_as_well(void)
{
    static const enum gm_optimizer types[] = {GM_OPTIMIZER_MOMENTUM, GM_OPTIMIZER_NESTEROV, GM_OPTIMIZER_ADAGRAD,
                                              GM_OPTIMIZER_RMSPROP,  GM_OPTIMIZER_ADAM,     GM_OPTIMIZER_ADAMW};
    write_both(2);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        double objective[2];
        for (int sparse = 0; sparse < 2; sparse++) {
            struct lab lab;
            make_mlp(&lab, test_path(sparse ? "sparse.h5" : "dense.h5"), "logistic", NULL);
            lab.job.optimizer.type = types[i];
            lab.job.optimizer.batch_size = 60;
            lab.job.optimizer.learning_rate = i < 2 ? 0.02 : i == 2 ? 0.03 : 0.003;
            lab.job.optimizer.l2 = 1e-3;
            lab.job.stop.max_epochs = 12;
            train_well(&lab, "a method that waits");
            objective[sparse] = lab_summary()->objective;
        }
        CU_ASSERT(objective[1] < 1.02 * objective[0]);
        if (!(objective[1] < 1.02 * objective[0]))
            printf("\n    method %d: %g, dense %g", (int)types[i], objective[1], objective[0]);
    }
}

/* ---- scales ---- */

static bool keep(void *context, size_t first_row, size_t rows, const double *pred)
{
    memcpy((double *)context + first_row, pred, rows * sizeof *pred);
    return true;
}

static void predict(const char *path, const char *data, double pred[ROWS])
{
    struct gm_model *model;
    struct gm_error err;
    CU_ASSERT_EQUAL_FATAL(gm_model_open(&model, path, NULL, &err), GM_OK);
    const struct gm_data from = {.path = data};
    CU_ASSERT_EQUAL_FATAL(gm_predict(model, &from, &(struct gm_use){.raw = true}, keep, pred, &err), GM_OK);
    gm_model_close(model);
}

/* Standardised sparse rows train as dense ones that were divided by their columns' largest magnitudes before; the file
 * takes raw rows, sparse or dense. */
static void scales_are_folded_back(void)
{
    static double pred[3][ROWS];
    struct sample *s = sample(2);
    struct lab lab;
    write_both(2);
    for (size_t j = 0; j < FEATURES; j++) {
        double most = 0;
        for (size_t i = 0; i < ROWS; i++)
            most = fmax(most, fabs(s->x[i][j]));
        for (size_t i = 0; i < ROWS && most > 0; i++)
            s->x[i][j] /= most;
    }
    lab_write(test_path("scaled.h5"), &s->x[0][0], s->y, ROWS, FEATURES);
    for (int sparse = 0; sparse < 2; sparse++) {
        make_mlp(&lab, test_path(sparse ? "sparse.h5" : "scaled.h5"), "logistic", test_path(sparse ? "b.h5" : "a.h5"));
        penalised(&lab.job);
        lab.job.data.standardize = sparse;
        lab.job.data.validation_fraction = 0; /* scales are of the rows that train */
        train_well(&lab, "scales");
    }
    predict(test_path("a.h5"), test_path("scaled.h5"), pred[0]);
    predict(test_path("b.h5"), test_path("sparse.h5"), pred[1]);
    predict(test_path("b.h5"), test_path("dense.h5"), pred[2]);
    for (size_t i = 0; i < ROWS; i++) {
        ASSERT_CLOSE(pred[1][i], pred[0][i], 1e-9);
        ASSERT_CLOSE(pred[2][i], pred[1][i], 1e-12);
    }
    free(s);
}

/* ---- what is refused ---- */

static void what_cannot_be_trained_is_refused(void)
{
    struct lab lab;
    struct gm_error err;
    write_both(2);
    make_mlp(&lab, test_path("sparse.h5"), "logistic", NULL);
    averaged(&lab.job);
    lab.job.model.dropout = 0.5;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "optimizer.average needs steps over all columns, which are made without dropout");
    clipped_and_shrunk(&lab.job);
    lab.job.optimizer.average = GM_AVERAGE_NONE;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "optimizer.clip_norm with l2 needs steps over all columns");
    make_mlp(&lab, test_path("sparse.h5"), "logistic", NULL);
    lab.job.data.validation_fraction = 0;
    lab.job.data.validation.path = test_path("dense.h5");
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "has dense rows, but the training data");
    lab_job(&lab, test_path("sparse.h5"), "kmeans", NULL);
    lab.job.model.type = GM_MODEL_CENTROIDS;
    lab.job.model.count = 3;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "this model does not take sparse rows");
    ASSERT_HOLDS(err.text, "linear and mlp do");
}

TEST_MAIN("mlp on sparse rows", TEST(training_is_that_of_dense_rows), TEST(waiting_methods_train_as_well),
          TEST(scales_are_folded_back), TEST(what_cannot_be_trained_is_refused))
