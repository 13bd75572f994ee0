/*
 * The model centroids. Inertias of scikit-learn 1.9.1, KMeans(n_init=10, random_state=0), on the same rows: they are
 * the best of ten, and so are ours to be, within 1 %.
 */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/archive.h"
#include "base/memory.h"
#include "base/random.h"
#include "datasets/datasets.h"
#include "train/clusters.h"
#include "train/lab.h"

static const char *sample(const char *name)
{
    char from[64], to[64];
    snprintf(from, sizeof from, "datasets/samples/%s.csv", name);
    snprintf(to, sizeof to, "%s.h5", name);
    const char *path = test_path(to);
    struct gm_error err;
    struct import_report report;
    struct import_options options = {.target = "target"};
    CU_ASSERT_EQUAL_FATAL(import_csv(test_source(from), path, &options, &report, &err), GM_OK);
    return path;
}

static void clustering(struct lab *lab, const char *data, size_t count)
{
    lab_job(lab, data, "kmeans", test_path("model.h5"));
    lab->job.model.type = GM_MODEL_CENTROIDS;
    lab->job.model.count = count;
    lab->job.data.standardize = false;
}

static void inertia_is_within_a_percent_of_the_best_of_ten(void)
{
    static const struct {
        const char *name;
        size_t count;
        double raw, standardised;
    } cases[] = {{"digits", 10, 1165188.890449231, 69405.49806486623},
                 {"iris", 3, 78.851441426146, 139.82049635974974}};
    for (size_t i = TEST_RACES; i < 2; i++)
        for (int standardised = 0; standardised < 2; standardised++)
            for (int precision = 0; precision < 2; precision++) {
                struct lab lab;
                struct gm_error err;
                clustering(&lab, sample(cases[i].name), cases[i].count);
                lab.job.data.standardize = standardised;
                lab.job.run.precision = precision ? GM_FLOAT64 : GM_FLOAT32;
                CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
                double ratio = lab_summary()->train.inertia / (standardised ? cases[i].standardised : cases[i].raw);
                printf("\n    %s%s: %.5f after %zu epochs", cases[i].name, standardised ? " standardised" : "", ratio,
                       lab_summary()->epochs);
                CU_ASSERT(ratio <= 1.01);
                ASSERT_CLOSE(lab_summary()->train.inertia, lab_summary()->train_loss * (double)lab_summary()->rows,
                             1e-6);
            }
}

/* ---- the file and predict ---- */

static double distances[10 * 3];

static bool keep(void *context, size_t first, size_t rows, const double *pred)
{
    (void)context;
    memcpy(distances + first * 3, pred, rows * 3 * sizeof *pred);
    return true;
}

/* Column j of a distance is ((x - centroid) / scale)^2, from the arrays of the file. */
static void predictions_are_the_distances_that_the_file_says(void)
{
    enum { ROWS = 10, FEATURES = 2 };
    static double x[ROWS * FEATURES], y[ROWS];
    for (size_t i = 0; i < (size_t)ROWS * FEATURES; i++)
        x[i] = (double)(i * 7 % 11) * (i % 2 ? 100 : 1) + 1000;
    lab_write(test_path("rows.h5"), x, y, ROWS, FEATURES);
    struct lab lab;
    struct gm_error err;
    struct gm_model *model;
    clustering(&lab, test_path("rows.h5"), 3);
    lab.job.data.standardize = true;
    CU_ASSERT_EQUAL_FATAL(lab_train(&lab, &err), GM_OK);
    const struct gm_data data = {.path = test_path("rows.h5")};
    CU_ASSERT_EQUAL_FATAL(gm_model_open(&model, test_path("model.h5"), NULL, &err), GM_OK);
    CU_ASSERT_EQUAL_FATAL(gm_predict(model, &data, NULL, keep, NULL, &err), GM_OK);
    struct gm_metrics metrics;
    CU_ASSERT_EQUAL_FATAL(gm_evaluate(model, &data, NULL, &metrics, &err), GM_OK);
    gm_model_close(model);
    ASSERT_CLOSE(metrics.inertia, lab_summary()->train.inertia, 1e-10);
    gm_metrics_release(&metrics);
    struct archive *a;
    double *centroids, *scale;
    struct archive_shape matrix = {.rank = 2}, row = {.rank = 1};
    CU_ASSERT_EQUAL_FATAL(archive_open(&a, test_path("model.h5"), &err), GM_OK);
    CU_ASSERT_EQUAL_FATAL(archive_get(a, "/centroids", ARCHIVE_F64, &matrix, (void **)&centroids, &err), GM_OK);
    CU_ASSERT_EQUAL_FATAL(archive_get(a, "/scale", ARCHIVE_F64, &row, (void **)&scale, &err), GM_OK);
    archive_close(a);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t k = 0; k < 3; k++) {
            double d = 0;
            for (size_t j = 0; j < FEATURES; j++)
                d += pow((x[i * FEATURES + j] - centroids[k * FEATURES + j]) / scale[j], 2);
            ASSERT_CLOSE(distances[i * 3 + k], d, 1e-9);
        }
    memory_free(centroids);
    memory_free(scale);
}

/* ---- steps ---- */

/* At the end of training by Lloyd's step every centre is the mean of its rows: the gradient is 0, also of the soft
 * clusters; and methods that know nothing of clusters end in the same minimum from the same start. */
static void every_method_ends_where_no_centre_would_move(void)
{
    static const enum gm_optimizer methods[] = {GM_OPTIMIZER_GD, GM_OPTIMIZER_LBFGS};
    double loss[2];
    for (size_t k = 0; k < 2; k++) {
        struct lab lab;
        struct gm_error err;
        const struct gm_setting stiffness = {"stiffness", "2"};
        clustering(&lab, sample("iris"), 3);
        lab.loss = (struct gm_job_loss){.name = "soft_kmeans", .weight = 1, .params = &stiffness, .n_params = 1};
        lab.job.optimizer.type = methods[k];
        lab.job.stop.max_epochs = 500;
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        loss[k] = lab_summary()->train_loss;
        CU_ASSERT(lab_summary()->gradient_norm < 1e-6);
    }
    ASSERT_CLOSE(loss[0], loss[1], 1e-10);
}

/* Two rows, a fixed rate: c -= rate * 2 (c - x) / 2 for each centre's own row, from centres at the rows: nothing moves;
 * with adam something does, and the loss stays finite. */
static void duplicate_rows_and_more_centres_than_distinct_rows_are_fine(void)
{
    static const double x[] = {1, 1, 1, 5, 5, 5}, y[6];
    struct lab lab;
    struct gm_error err;
    lab_write(test_path("few.h5"), x, y, 6, 1);
    clustering(&lab, test_path("few.h5"), 4);
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    CU_ASSERT_EQUAL(lab_summary()->train.inertia, 0);
    lab.job.model.count = 7;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "model.count");
}

/* Rows 0, 1 and 9 on a line. Both rows 0 and 1 belong to centre 0 (at 0): it moves to their mean by the gradient
 * 2 (0 - 0.5); centre 1 has lost all rows, and goes to the row farthest from all centres: 9. */
static void a_centre_without_rows_moves_to_the_farthest_row(void)
{
    double rows[3 * 16] = {[0] = 0, [16] = 1, [32] = 9}, row_weights[] = {1, 1, 1}, masses[] = {2, 0};
    struct data_schema schema = {.features = 1};
    struct problem problem = {.train.schema = &schema, .loss.outputs = 2};
    struct engine engine = {.problem = &problem};
    const struct clusters c = {rows, row_weights, 3, 16, masses};
    const struct engine_totals totals = {.weight = {2, 0}};
    double params[] = {0, 4}, gradient[] = {-1, 0};
    CU_ASSERT(clusters_step(&c, &engine, &totals, gradient, params));
    CU_ASSERT_EQUAL(params[0], 0.5);
    CU_ASSERT_EQUAL(params[1], 9);
    const double still[] = {0, 0};
    masses[1] = 1;
    CU_ASSERT(!clusters_step(&c, &engine, &totals, still, params));
}

static void the_same_bits_on_any_threads_and_for_every_method(void)
{
    static const int threads[] = THREADS_COMPARED;
    static const enum gm_optimizer methods[] = {GM_OPTIMIZER_GD, GM_OPTIMIZER_LBFGS, GM_OPTIMIZER_ADAM};
    struct make_options options = {.rows = 3001, .features = 5, .classes = 4, .noise = 1, .seed = 3};
    struct gm_error err;
    CU_ASSERT_EQUAL_FATAL(make_blobs(test_path("blobs.h5"), &options, &err), GM_OK);
    for (size_t m = 0; m < 3; m++)
        for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
            struct lab lab;
            clustering(&lab, test_path("blobs.h5"), 5);
            lab.job.data.standardize = true;
            lab.job.run.precision = GM_FLOAT32;
            lab.job.data.validation_fraction = 0.2;
            lab.job.output.model = test_path(i ? "other.h5" : "first.h5");
            lab.job.optimizer.type = methods[m];
            lab.job.optimizer.batch_size = methods[m] == GM_OPTIMIZER_ADAM ? 64 : 0;
            lab.job.optimizer.learning_rate = methods[m] == GM_OPTIMIZER_ADAM ? 0.01 : NAN;
            lab.job.stop.max_epochs = 4;
            lab.job.run.threads = threads[i];
            CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
            if (i)
                CU_ASSERT(lab_same_bytes(test_path("first.h5"), test_path("other.h5")));
        }
}

TEST_MAIN("clusters", TEST(inertia_is_within_a_percent_of_the_best_of_ten),
          TEST(predictions_are_the_distances_that_the_file_says), TEST(every_method_ends_where_no_centre_would_move),
          TEST(duplicate_rows_and_more_centres_than_distinct_rows_are_fine),
          TEST(a_centre_without_rows_moves_to_the_farthest_row),
          TEST(the_same_bits_on_any_threads_and_for_every_method))
