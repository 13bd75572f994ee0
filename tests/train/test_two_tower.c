/*
 * Training two towers: the same bits on any threads (streamed: test_streamed.c); files that predict what was trained,
 * by a computation of our own; a linear optimum that is known; what is refused.
 */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/archive.h"
#include "base/memory.h"
#include "base/random.h"
#include "train/lab.h"

enum { FIRST = 7, SECOND = 5 };

static double noise(uint64_t i)
{
    return random_normal((struct random_key){21, RANDOM_CHECK, 0}, i);
}

/* Two views of three hidden numbers: /X [rows x FIRST], /second [rows x SECOND], /y a product of them (mixed with
 * noise), /class one of three; far from mean 0 and deviation 1. */
static void write_pairs(const char *path, size_t rows)
{
    double *x = malloc(rows * FIRST * sizeof *x), *z = malloc(rows * SECOND * sizeof *z), *y = malloc(rows * sizeof *y);
    int64_t *class = malloc(rows * sizeof *class);
    for (size_t i = 0; i < rows; i++) {
        double h[3] = {noise(100 * i), noise(100 * i + 1), noise(100 * i + 2)};
        for (size_t j = 0; j < FIRST; j++)
            x[i * FIRST + j] = 50 + 10 * (double)j * (h[j % 3] + 0.3 * noise(100 * i + 10 + j));
        for (size_t j = 0; j < SECOND; j++)
            z[i * SECOND + j] = -3 + h[(j + 1) % 3] + 0.3 * noise(100 * i + 30 + j);
        y[i] = h[0] * h[1] + 0.1 * noise(100 * i + 50);
        class[i] = h[0] > 0.4 ? 2 : h[1] > 0;
    }
    struct archive *a = NULL;
    struct gm_error err;
    const struct archive_shape first = {2, {rows, FIRST}}, second = {2, {rows, SECOND}}, one = {1, {rows}};
    CU_ASSERT_FATAL(!archive_create(&a, &err) && !archive_put(a, "/X", ARCHIVE_F64, &first, x, &err) &&
                    !archive_put(a, "/second", ARCHIVE_F64, &second, z, &err) &&
                    !archive_put(a, "/y", ARCHIVE_F64, &one, y, &err) &&
                    !archive_put(a, "/class", ARCHIVE_I64, &one, class, &err) && !archive_save(a, path, &err));
    archive_close(a);
    free(x);
    free(z);
    free(y);
    free(class);
}

/* 301 rows: the last block and the last batch are partial. */
static const char *pairs(void)
{
    static bool made;
    static char path[300];
    if (!made) {
        snprintf(path, sizeof path, "%s", test_path("pairs.h5"));
        write_pairs(path, 301);
    }
    made = true;
    return path;
}

static const size_t hidden[] = {20, 9}, hidden_second[] = {11};

struct variant {
    enum gm_fuse fuse;
    const char *loss;
    enum gm_optimizer optimizer;
    size_t batch_size;
    enum gm_precision precision;
    double rate, dropout;
    size_t layers;
};

/* A job on `path`; of classes the target is another dataset. */
static void make_job(struct lab *lab, const struct variant *v, const char *path, const char *model)
{
    static char x[330], class[330];
    lab_job(lab, path, v->loss, model);
    if (strcmp(v->loss, "cross_entropy") == 0) {
        snprintf(x, sizeof x, "%s:/X", path);
        snprintf(class, sizeof class, "%s:/class", path);
        lab->job.data.train = (struct gm_data){.features = x, .target = class};
    }
    lab->job.data.validation_fraction = 0.25;
    lab->job.model.type = GM_MODEL_TWO_TOWER;
    lab->job.model.hidden = (struct gm_wholes){hidden, v->layers};
    lab->job.model.hidden_second = (struct gm_wholes){hidden_second, v->layers > 1};
    lab->job.model.embedding = 4;
    lab->job.model.fuse = v->fuse;
    lab->job.model.dropout = v->dropout;
    lab->job.model.activation = GM_TANH;
    lab->job.optimizer.type = v->optimizer;
    lab->job.optimizer.batch_size = v->batch_size;
    lab->job.optimizer.learning_rate = v->rate;
    lab->job.optimizer.l2 = 1e-3;
    lab->job.run.precision = v->precision;
    lab->job.stop.max_epochs = 2;
}

static bool trains(struct lab *lab)
{
    struct gm_error err;
    enum gm_code code = lab_train(lab, &err);
    if (code)
        printf("\n    %s", err.text);
    CU_ASSERT_EQUAL(code, GM_OK);
    return code == GM_OK;
}

/* ---- the same bits ---- */

static const struct variant variants[] = {
    {GM_FUSE_PAIR, "contrastive", GM_OPTIMIZER_GD, 0, GM_FLOAT32, NAN, 0, 2},
    {GM_FUSE_PAIR, "contrastive", GM_OPTIMIZER_ADAM, 64, GM_FLOAT32, 0.01, 0.2, 2},
    {GM_FUSE_PAIR, "contrastive", GM_OPTIMIZER_SGD, 100, GM_FLOAT64, NAN, 0, 0}, /* the trials too */
    {GM_FUSE_DOT, "mse", GM_OPTIMIZER_LBFGS, 0, GM_FLOAT64, NAN, 0, 1},
    {GM_FUSE_DOT, "huber", GM_OPTIMIZER_MOMENTUM, 300, GM_FLOAT32, 0.01, 0.3, 1},
    {GM_FUSE_DOT, "mse", GM_OPTIMIZER_ADAGRAD, 31, GM_FLOAT32, 0.1, 0, 2},
    {GM_FUSE_CONCAT, "cross_entropy", GM_OPTIMIZER_LBFGS, 0, GM_FLOAT32, NAN, 0, 2},
    {GM_FUSE_CONCAT, "cross_entropy", GM_OPTIMIZER_ADAMW, 31, GM_FLOAT32, 0.01, 0.5, 2},
    {GM_FUSE_CONCAT, "cross_entropy", GM_OPTIMIZER_RMSPROP, 0, GM_FLOAT64, 0.01, 0, 1}, /* all rows in one batch */
    {GM_FUSE_CONCAT, "mse", GM_OPTIMIZER_NESTEROV, 128, GM_FLOAT32, 0.01, 0, 0},
};

static void models_are_the_same_on_any_threads(void)
{
    static const int threads[] = THREADS_COMPARED;
    for (size_t v = 0; v < sizeof variants / sizeof *variants; v++)
        for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
            struct lab lab;
            make_job(&lab, &variants[v], pairs(), test_path(i ? "other.h5" : "first.h5"));
            lab.job.optimizer.clip_norm = v == 1 || v == 7 ? 0.5 : NAN;
            lab.job.optimizer.average = v == 5 ? GM_AVERAGE_UNIFORM : GM_AVERAGE_NONE;
            lab.job.run.threads = threads[i];
            trains(&lab);
            CU_ASSERT_EQUAL(lab_summary()->threads, threads[i]);
            if (i && !lab_same_bytes(test_path("first.h5"), test_path("other.h5"))) {
                printf("\n    variant %zu, %d threads", v, threads[i]);
                CU_ASSERT(false);
            }
        }
}

/* ---- files ---- */

/* Arrays of a file, kept until it is closed. */
struct numbers {
    double *list[40];
    size_t count;
    struct archive *archive;
};

static const double *take(struct numbers *n, const char *name, size_t *rows, size_t *columns)
{
    struct archive_shape shape = {0};
    struct gm_error err;
    if (!archive_has(n->archive, name))
        return NULL;
    CU_ASSERT_EQUAL_FATAL(archive_get(n->archive, name, ARCHIVE_F64, &shape, (void **)&n->list[n->count], &err), GM_OK);
    *rows = shape.dims[0];
    *columns = shape.rank > 1 ? shape.dims[1] : 1;
    return n->list[n->count++];
}

static void give_back(struct numbers *n)
{
    for (size_t i = 0; i < n->count; i++)
        memory_free(n->list[i]);
    archive_close(n->archive);
}

/* A tower of the file on one raw row, as one would write it down. */
static size_t tower(struct numbers *n, const char *which, const double *row, double *out)
{
    double in[64], next[64];
    char name[64];
    size_t units = 0, width, one;
    const double *w, *b, *more;
    memcpy(in, row, (strcmp(which, "first") == 0 ? FIRST : SECOND) * sizeof *in);
    for (size_t l = 0;; l++) {
        snprintf(name, sizeof name, "/%s/layers/%zu/weights", which, l);
        w = take(n, name, &units, &width);
        snprintf(name, sizeof name, "/%s/layers/%zu/bias", which, l);
        b = take(n, name, &one, &one);
        snprintf(name, sizeof name, "/%s/layers/%zu/weights", which, l + 1);
        size_t unused;
        more = take(n, name, &unused, &unused);
        for (size_t u = 0; u < units; u++) {
            next[u] = b[u];
            for (size_t j = 0; j < width; j++)
                next[u] += w[u * width + j] * in[j];
            next[u] = more ? tanh(next[u]) : next[u];
        }
        if (!more)
            break;
        memcpy(in, next, units * sizeof *in);
    }
    memcpy(out, next, units * sizeof *out);
    return units;
}

struct asked {
    size_t row;
    double pred[8];
};

static bool keep_row(void *context, size_t first_row, size_t rows, const double *pred)
{
    struct asked *a = context;
    size_t outputs = (size_t)a->pred[0];
    if (a->row >= first_row && a->row < first_row + rows)
        memcpy(a->pred, pred + (a->row - first_row) * outputs, outputs * sizeof *pred);
    return true;
}

/* What the file gives for a row, against the formula of the fusion on the file's own numbers. */
static void row_agrees(const struct gm_model *model, const char *path, enum gm_fuse fuse, size_t row)
{
    struct numbers data = {0}, file = {0};
    struct asked asked = {.row = row, .pred = {(double)gm_model_outputs(model)}};
    const struct gm_data where = {.path = pairs()};
    const struct gm_use raw = {.raw = true};
    struct gm_error err;
    double u[64], v[64], expected[8] = {0};
    size_t rows, columns;
    CU_ASSERT_EQUAL(gm_predict(model, &where, &raw, keep_row, &asked, &err), GM_OK);
    CU_ASSERT_FATAL(!archive_open(&data.archive, pairs(), &err) && !archive_open(&file.archive, path, &err));
    const double *x = take(&data, "/X", &rows, &columns), *z = take(&data, "/second", &rows, &columns);
    size_t width = tower(&file, "first", x + row * FIRST, u);
    CU_ASSERT_EQUAL(width, 4);
    tower(&file, "second", z + row * SECOND, v);
    const double *head = take(&file, "/head/layers/0/weights", &rows, &columns),
                 *bias = take(&file, "/head/layers/0/bias", &rows, &columns),
                 *constant = take(&file, "/intercept", &rows, &columns);
    for (size_t k = 0; k < gm_model_outputs(model); k++) {
        if (fuse == GM_FUSE_PAIR)
            expected[k] = k < width ? u[k] : v[k - width];
        if (fuse == GM_FUSE_DOT)
            expected[k] = constant[0];
        if (fuse == GM_FUSE_CONCAT)
            expected[k] = bias[k];
        for (size_t j = 0; j < width && fuse != GM_FUSE_PAIR; j++)
            expected[k] += head ? head[k * 2 * width + j] * u[j] + head[k * 2 * width + width + j] * v[j] : u[j] * v[j];
        ASSERT_CLOSE(asked.pred[k], expected[k], 1e-10);
    }
    give_back(&data);
    give_back(&file);
}

static void files_predict_what_was_trained(void)
{
    static const size_t chosen[] = {0, 3, 6, 9};
    for (size_t c = 0; c < sizeof chosen / sizeof *chosen; c++) {
        struct lab lab;
        struct gm_error err;
        struct gm_model *model = NULL;
        struct gm_metrics metrics;
        struct variant v = variants[chosen[c]];
        const char *path = test_path("kept.h5");
        v.precision = GM_FLOAT64;
        make_job(&lab, &v, pairs(), path);
        lab.job.data.validation_fraction = 0;
        lab.job.stop.max_epochs = 20;
        trains(&lab);
        CU_ASSERT_EQUAL_FATAL(gm_model_open(&model, path, NULL, &err), GM_OK);
        CU_ASSERT_EQUAL(gm_model_features(model), FIRST + SECOND);
        CU_ASSERT_EQUAL(gm_evaluate(model, &lab.job.data.train, NULL, &metrics, &err), GM_OK);
        ASSERT_CLOSE(metrics.loss, lab_summary()->train.loss, 1e-9);
        gm_metrics_release(&metrics);
        for (size_t row = 0; row < 301; row += 150)
            row_agrees(model, path, v.fuse, row);
        gm_model_close(model);
    }
}

/* ---- an optimum that is known ---- */

/* Linear towers wide enough, joined by a linear head, are one linear model of all features: least squares. */
static void linear_towers_reach_the_least_squares_fit(void)
{
    struct lab lab;
    struct gm_error err;
    struct variant v = {GM_FUSE_CONCAT, "mse", GM_OPTIMIZER_LBFGS, 0, GM_FLOAT64, NAN, 0, 0};
    make_job(&lab, &v, pairs(), test_path("towers.h5"));
    lab.job.data.validation_fraction = 0;
    lab.job.optimizer.l2 = 0;
    lab.job.stop.max_epochs = 500;
    trains(&lab);
    double towers = lab_summary()->train.loss;
    struct archive *a = NULL;
    struct archive_shape first = {0}, second = {0}, one = {0};
    double *x = NULL, *z = NULL, *y = NULL, *all = malloc(301 * (FIRST + SECOND) * sizeof *all);
    CU_ASSERT_FATAL(!archive_open(&a, pairs(), &err) && !archive_get(a, "/X", ARCHIVE_F64, &first, (void **)&x, &err) &&
                    !archive_get(a, "/second", ARCHIVE_F64, &second, (void **)&z, &err) &&
                    !archive_get(a, "/y", ARCHIVE_F64, &one, (void **)&y, &err));
    for (size_t i = 0; i < 301; i++) {
        memcpy(all + i * (FIRST + SECOND), x + i * FIRST, FIRST * sizeof *all);
        memcpy(all + i * (FIRST + SECOND) + FIRST, z + i * SECOND, SECOND * sizeof *all);
    }
    lab_write(test_path("all.h5"), all, y, 301, FIRST + SECOND);
    lab_job(&lab, test_path("all.h5"), "mse", test_path("linear.h5"));
    lab.job.optimizer.type = GM_OPTIMIZER_NEWTON; /* known to be exact: test_known_answers.c */
    trains(&lab);
    ASSERT_CLOSE(towers, lab_summary()->train.loss, 1e-8);
    memory_free(x);
    memory_free(z);
    memory_free(y);
    archive_close(a);
    free(all);
}

/* A product of two hidden numbers, one in each input: no linear model sees it, the dot product does. */
static void a_dot_product_learns_what_a_sum_cannot(void)
{
    struct lab lab;
    struct variant v = {GM_FUSE_DOT, "mse", GM_OPTIMIZER_LBFGS, 0, GM_FLOAT64, NAN, 0, 0};
    make_job(&lab, &v, pairs(), test_path("towers.h5"));
    lab.job.optimizer.l2 = 0;
    lab.job.stop.max_epochs = 200;
    trains(&lab);
    CU_ASSERT(lab_summary()->validation.r2 > 0.6);
    v.fuse = GM_FUSE_CONCAT;
    make_job(&lab, &v, pairs(), test_path("towers.h5"));
    trains(&lab);
    CU_ASSERT(lab_summary()->validation.r2 < 0.1);
}

/* ---- what is refused ---- */

static void refused(const struct lab *lab, enum gm_code code, const char *why)
{
    struct lab copy = *lab;
    struct gm_error err;
    copy.job.loss.terms = &copy.loss;
    CU_ASSERT_EQUAL(lab_train(&copy, &err), code);
    ASSERT_HOLDS(err.text, why);
}

static void what_cannot_be_trained_is_refused(void)
{
    static const double x[] = {1, 2, 3, 4, 5, 6}, y[] = {1, 2, 3};
    static const size_t many[65] = {0};
    struct lab lab;
    make_job(&lab, &variants[3], pairs(), test_path("none.h5"));
    lab.job.optimizer.type = GM_OPTIMIZER_NEWTON;
    refused(&lab, GM_BAD_JOB, "newton trains linear models");
    make_job(&lab, &variants[3], pairs(), test_path("none.h5"));
    lab.loss.name = "cross_entropy";
    char x_at[330], class[330];
    snprintf(x_at, sizeof x_at, "%s:/X", pairs());
    snprintf(class, sizeof class, "%s:/class", pairs());
    lab.job.data.train = (struct gm_data){.features = x_at, .target = class};
    refused(&lab, GM_BAD_JOB,
            "model.fuse: the towers' dot product gives 1 outputs, but the loss 'cross_entropy' needs 3");
    make_job(&lab, &variants[3], pairs(), test_path("none.h5"));
    lab.job.model.hidden = (struct gm_wholes){many, 65};
    refused(&lab, GM_BAD_JOB, "at most 64 layers");
    lab_write(test_path("one.h5"), x, y, 3, 2);
    make_job(&lab, &variants[3], test_path("one.h5"), test_path("none.h5"));
    refused(&lab, GM_BAD_DATA, "none of second, X2, x2 beside the features");
    char one[300];
    snprintf(one, sizeof one, "%s", test_path("one.h5"));
    lab.job.data.train = (struct gm_data){.features = x_at, .second = one, .target = class};
    refused(&lab, GM_BAD_DATA, "has 3 rows, but the first input");
    lab.job.data.train = (struct gm_data){.path = one, .second = one};
    lab.job.model.type = GM_MODEL_LINEAR;
    refused(&lab, GM_BAD_JOB, "data.train.second: the model has one input");
}

static void a_model_is_not_put_to_use_on_other_inputs(void)
{
    struct lab lab;
    struct gm_error err;
    struct gm_model *model = NULL;
    struct gm_metrics metrics;
    char x[330], z[330];
    make_job(&lab, &variants[3], pairs(), test_path("kept.h5"));
    trains(&lab);
    CU_ASSERT_EQUAL_FATAL(gm_model_open(&model, test_path("kept.h5"), NULL, &err), GM_OK);
    snprintf(x, sizeof x, "%s:/X", pairs());
    snprintf(z, sizeof z, "%s:/second", pairs());
    const struct gm_data turned = {.path = z, .second = x};
    CU_ASSERT_EQUAL(gm_evaluate(model, &turned, NULL, &metrics, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "the first input has 5 features, but that of the model");
    gm_model_close(model);
}

TEST_MAIN("two_tower", TEST(models_are_the_same_on_any_threads), TEST(files_predict_what_was_trained),
          TEST(linear_towers_reach_the_least_squares_fit), TEST(a_dot_product_learns_what_a_sum_cannot),
          TEST(what_cannot_be_trained_is_refused), TEST(a_model_is_not_put_to_use_on_other_inputs))
