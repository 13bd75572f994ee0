/* Sparse rows with known dense ones, and ways to train on them, for tests. */
#ifndef TESTS_TRAIN_SPARSE_LAB_H
#define TESTS_TRAIN_SPARSE_LAB_H

#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "datasets/datasets.h"
#include "support.h"
#include "train/lab.h"

enum { ROWS = 1500, FEATURES = 400 };

struct sample {
    double x[ROWS][FEATURES], y[ROWS];
    float value[ROWS * FEATURES];
    int32_t index[ROWS * FEATURES], pointers[ROWS + 1];
    size_t entries;
};

/* About one cell in a hundred, small multiples of 1/8 (exact in float); column 11 never occurs, each ninth row is
 * empty. */
static inline struct sample *sample(size_t classes)
{
    struct sample *s = calloc(1, sizeof *s);
    struct random_key key = {5, RANDOM_CHECK, 0};
    for (size_t i = 0; i < ROWS; i++) {
        double score = 0;
        for (size_t j = 0; j < FEATURES; j++) {
            uint64_t draw = random_below(key, i * FEATURES + j, 1600);
            if (i % 9 == 4 || j == 11 || draw >= 16)
                continue;
            double x = ((double)draw - 6.5) / 8;
            s->x[i][j] = x;
            s->value[s->entries] = (float)x;
            s->index[s->entries++] = (int32_t)j;
            score += x * sin((double)j);
        }
        s->pointers[i + 1] = (int32_t)s->entries;
        score += random_uniform(key, (1u << 20) + i) - 0.5;
        s->y[i] = classes == 0 ? score : classes == 2 ? score > 0 : floor(fmod(fabs(score) * 7, (double)classes));
    }
    return s;
}

static inline void put(hid_t at, const char *name, hid_t type, size_t n, const void *values)
{
    hsize_t dims = n;
    hid_t space = H5Screate_simple(1, &dims, NULL);
    hid_t id = H5Dcreate2(at, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(id);
    H5Sclose(space);
}

/* Rows [first, end) of a sample. */
static inline void write_rows(const char *path, const struct sample *s, size_t first, size_t end)
{
    int32_t pointers[ROWS + 1];
    size_t from = (size_t)s->pointers[first], entries = (size_t)s->pointers[end] - from;
    for (size_t i = first; i <= end; i++)
        pointers[i - first] = s->pointers[i] - s->pointers[first];
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t group = H5Gcreate2(file, "X", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const int64_t shape[2] = {(int64_t)(end - first), FEATURES};
    put(group, "data", H5T_NATIVE_FLOAT, entries, s->value + from);
    put(group, "indices", H5T_NATIVE_INT32, entries, s->index + from);
    put(group, "indptr", H5T_NATIVE_INT32, end - first + 1, pointers);
    put(group, "shape", H5T_NATIVE_INT64, 2, shape);
    put(file, "y", H5T_NATIVE_DOUBLE, end - first, s->y + first);
    H5Gclose(group);
    H5Fclose(file);
}

/* dense.h5 and sparse.h5 of one sample. */
static inline void write_both(size_t classes)
{
    struct sample *s = sample(classes);
    lab_write(test_path("dense.h5"), &s->x[0][0], s->y, ROWS, FEATURES);
    write_rows(test_path("sparse.h5"), s, 0, ROWS);
    free(s);
}

typedef void adjust_fn(struct gm_job *job);

static inline void train(const char *data, const char *loss, adjust_fn *adjust, const char *model)
{
    struct lab lab;
    struct gm_error err;
    lab_job(&lab, data, loss, model);
    lab.job.data.standardize = false;
    lab.job.data.validation_fraction = 0.2;
    lab.job.stop.max_epochs = 8;
    adjust(&lab.job);
    enum gm_code code = lab_train(&lab, &err);
    if (code)
        printf("\n    %s", err.text);
    CU_ASSERT_EQUAL_FATAL(code, GM_OK);
}

/* ---- ways to train ---- */

static inline void gd(struct gm_job *job)
{
    job->optimizer.l2 = 1e-3;
}

static inline void lbfgs(struct gm_job *job)
{
    job->optimizer.type = GM_OPTIMIZER_LBFGS;
    job->optimizer.l2 = 1e-3;
}

static inline void few_rows(struct gm_job *job, enum gm_optimizer type)
{
    job->optimizer.type = type;
    job->optimizer.batch_size = 20; /* some 80 entries, 400 columns */
    job->optimizer.learning_rate = 0.3;
    job->optimizer.schedule = GM_SCHEDULE_COSINE; /* another rate in each step */
}

static inline void sgd_l2(struct gm_job *job)
{
    few_rows(job, GM_OPTIMIZER_SGD);
    job->optimizer.l2 = 0.02;
}

static inline void minibatch(struct gm_job *job, enum gm_optimizer type)
{
    job->optimizer.type = type;
    job->optimizer.batch_size = 100;
    job->optimizer.learning_rate = 0.05;
    job->run.precision = GM_FLOAT32;
}

static inline void adagrad(struct gm_job *job)
{
    minibatch(job, GM_OPTIMIZER_ADAGRAD);
    job->optimizer.l2 = 1e-3;
}

static inline void lbfgs_scaled(struct gm_job *job)
{
    lbfgs(job);
    job->data.standardize = true;
    job->run.precision = GM_FLOAT32;
}

static inline void rows_few_features(const char *data, size_t rows, size_t features, size_t nonzeros)
{
    struct gm_error err;
    struct make_options options = {.rows = rows, .features = features, .nonzeros = nonzeros, .seed = 3};
    CU_ASSERT_EQUAL_FATAL(make_sparse(data, &options, &err), GM_OK);
}

#endif
