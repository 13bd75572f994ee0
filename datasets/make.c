/* The list of generators, and the dense ones: regression, classification, blobs. */
#include "datasets/make_rows.h"

#include <math.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "datasets/rows.h"

#define MOST_FEATURES ((size_t)1 << 30)
#define MOST_CLASSES  ((size_t)1 << 20)
#define SPREAD        3.0 /* of the scores of a classification */
#define BLOB_SPREAD   4.0 /* of the centres */

const struct make_kind make_kinds[] = {
    {"regression", "y = X w + b + noise", make_regression},
    {"classification", "classes drawn from the softmax of linear scores", make_classification},
    {"blobs", "normal clouds around a centre for each class", make_blobs},
    {"ratings", "user, item, rating from a low-rank truth", make_ratings},
    {"sparse", "two classes, rows with few non-zeros (CSR)", make_sparse},
};
const size_t make_kind_count = sizeof make_kinds / sizeof *make_kinds;

/* What the tiles of a dense generator look at. */
struct dense {
    struct make_truth truth;
    double noise;
    double *weights, *bias; /* owned */
};

static void dense_release(struct dense *dense)
{
    memory_free(dense->weights);
    memory_free(dense->bias);
}

/* Weights [outputs x features] and bias [outputs] from the stream of truths; the weights times `scale`. */
static enum gm_code draw_truth(struct dense *dense, size_t outputs, double scale, const struct make_options *options,
                               struct gm_error *err)
{
    size_t features = options->features, count;
    if (!memory_product(outputs, features, &count))
        return error_memory(err, "the truth", SIZE_MAX);
    enum gm_code code = memory_alloc((void **)&dense->weights, count, sizeof(double), "the truth", err);
    if (code == GM_OK)
        code = memory_alloc((void **)&dense->bias, outputs, sizeof(double), "the truth", err);
    if (code)
        return code;
    /* rows 0 .. outputs - 1 of the stream are the weights, rows from 2^32 on the bias */
    struct make_stream stream = make_stream(options->seed, MAKE_TRUTH);
    make_fill_normals(stream, (struct make_tile){0, outputs}, features, dense->weights);
    make_fill_normals(stream, (struct make_tile){(uint64_t)1 << 32, outputs}, 1, dense->bias);
    for (size_t i = 0; i < count; i++)
        dense->weights[i] *= scale;
    dense->truth = (struct make_truth){outputs, features, dense->weights, dense->bias};
    return GM_OK;
}

/* Only `informative` features keep their weights: those that a permutation of the seed puts first. */
static enum gm_code thin_truth(struct dense *dense, const struct make_options *options, struct gm_error *err)
{
    if (options->informative == 0 || options->informative >= options->features)
        return GM_OK;
    uint64_t *place;
    enum gm_code code = memory_alloc((void **)&place, options->features, sizeof *place, "a choice of features", err);
    if (code)
        return code;
    rows_permutation(place, options->features, options->seed);
    for (size_t i = 0; i < options->features; i++)
        for (size_t o = 0; place[i] >= options->informative && o < dense->truth.outputs; o++)
            dense->weights[o * options->features + i] = 0;
    memory_free(place);
    return GM_OK;
}

static enum gm_code write_truth(struct output *out, const struct dense *dense, struct gm_error *err)
{
    const struct output_shape shape = {.rank = 2, .dims = {dense->truth.outputs, dense->truth.features}};
    const struct output_shape bias_shape = {.rank = 1, .dims = {dense->truth.outputs}};
    enum gm_code code = output_whole(out, "/truth/coefficients", DATA_F64, &shape, dense->weights, err);
    return code ? code : output_whole(out, "/truth/intercept", DATA_F64, &bias_shape, dense->bias, err);
}

static enum gm_code check(const char *kind, const struct make_options *options, size_t classes, struct gm_error *err)
{
    if (options->features == 0 || options->features >= MOST_FEATURES)
        return error_set(err, GM_USAGE, "make %s: features: expected 1 to 2^30 - 1, found %zu.", kind,
                         options->features);
    if (options->informative > options->features)
        return error_set(err, GM_USAGE, "make %s: informative: expected at most the %zu features, found %zu.", kind,
                         options->features, options->informative);
    if (classes == 1 || classes > MOST_CLASSES)
        return error_set(err, GM_USAGE, "make %s: classes: expected 2 to %zu, found %zu.", kind, MOST_CLASSES, classes);
    return GM_OK;
}

static void normal_features(const struct make_job *job, struct make_tile tile, double *const values[], double *scratch)
{
    (void)scratch;
    const struct make_stream stream = make_stream(job->options->seed, MAKE_FEATURES);
    KERNEL_PICK(make_normals, job->isa)(&stream, &tile, job->column[0].width, values[0]);
}

/* ---- regression ---------------------------------------------------------------------------------------------------
 */

static void regression_target(const struct make_job *job, struct make_tile tile, double *const values[],
                              double *scratch)
{
    const struct dense *dense = job->truth;
    const struct make_stream stream = make_stream(job->options->seed, MAKE_NOISE);
    KERNEL_PICK(make_project, job->isa)(values[0], &tile, &dense->truth, values[1]);
    if (dense->noise == 0)
        return;
    KERNEL_PICK(make_normals, job->isa)(&stream, &tile, 1, scratch);
    for (size_t i = 0; i < tile.rows; i++)
        values[1][i] += dense->noise * scratch[i];
}

enum gm_code make_regression(const char *to, const struct make_options *options, struct gm_error *err)
{
    struct output *out = NULL;
    struct dense dense = {.noise = options->noise};
    enum data_type type = options->float64 ? DATA_F64 : DATA_F32;
    const struct make_job job = {
        .options = options,
        .isa = cpu_isa(),
        .columns = 2,
        .column = {{"X", type, options->features, false}, {"y", type, 0, false}},
        .scratch = 1,
        .features = normal_features,
        .rest = regression_target,
        .truth = &dense,
    };
    enum gm_code code = check("regression", options, 0, err);
    if (code == GM_OK)
        code = make_open(&out, to, "regression", options, err);
    if (code == GM_OK && (code = draw_truth(&dense, 1, 1, options, err)) == GM_OK &&
        (code = thin_truth(&dense, options, err)) == GM_OK && (code = make_rows(out, &job, err)) == GM_OK)
        code = write_truth(out, &dense, err);
    dense_release(&dense);
    return make_finish(out, code, err);
}

/* ---- classification -----------------------------------------------------------------------------------------------
 */

/* The class where the running sum of weights passes u times their sum. */
static size_t draw_class(const double *weights, size_t classes, double u)
{
    double sum = 0, running = 0;
    for (size_t k = 0; k < classes; k++)
        sum += weights[k];
    for (size_t k = 0; k + 1 < classes; k++) {
        running += weights[k];
        if (u * sum < running)
            return k;
    }
    return classes - 1;
}

static void classification_target(const struct make_job *job, struct make_tile tile, double *const values[],
                                  double *scratch)
{
    const struct dense *dense = job->truth;
    const size_t classes = dense->truth.outputs;
    const struct random_key key = {job->options->seed, RANDOM_MAKE, (uint32_t)MAKE_LABELS << 28};
    KERNEL_PICK(make_project, job->isa)(values[0], &tile, &dense->truth, scratch);
    for (size_t row = 0; row < tile.rows; row++) { /* less the largest, so that nothing overflows */
        double *score = scratch + row * classes, most = score[0];
        for (size_t k = 1; k < classes; k++)
            most = score[k] > most ? score[k] : most;
        for (size_t k = 0; k < classes; k++)
            score[k] -= most;
    }
    KERNEL_PICK(make_exp, job->isa)(scratch, tile.rows * classes);
    for (size_t row = 0; row < tile.rows; row++) {
        uint32_t bits[4]; /* word 0 draws the class; word 1 decides on noise, word 2 draws its class */
        random_bits(key, tile.first + row, bits);
        size_t label = draw_class(scratch + row * classes, classes, (double)bits[0] * 0x1p-32);
        if ((double)bits[1] * 0x1p-32 < dense->noise)
            label = (size_t)((uint64_t)bits[2] * classes >> 32);
        values[1][row] = (double)label;
    }
}

enum gm_code make_classification(const char *to, const struct make_options *options, struct gm_error *err)
{
    struct output *out = NULL;
    struct dense dense = {.noise = options->noise};
    size_t classes = options->classes ? options->classes : 2;
    size_t informative = options->informative ? options->informative : options->features;
    const struct make_job job = {
        .options = options,
        .isa = cpu_isa(),
        .columns = 2,
        .column = {{"X", options->float64 ? DATA_F64 : DATA_F32, options->features, false},
                   {"y", make_index_type(classes), 0, false}},
        .scratch = classes,
        .features = normal_features,
        .rest = classification_target,
        .truth = &dense,
    };
    enum gm_code code = check("classification", options, classes, err);
    if (code == GM_OK && options->noise > 1)
        code =
            error_set(err, GM_USAGE, "make classification: noise: expected a share, 0 to 1, found %g.", options->noise);
    if (code == GM_OK)
        code = make_open(&out, to, "classification", options, err);
    if (code == GM_OK &&
        (code = draw_truth(&dense, classes, SPREAD / sqrt((double)informative), options, err)) == GM_OK &&
        (code = thin_truth(&dense, options, err)) == GM_OK && (code = make_rows(out, &job, err)) == GM_OK)
        code = write_truth(out, &dense, err);
    dense_release(&dense);
    return make_finish(out, code, err);
}

/* ---- blobs --------------------------------------------------------------------------------------------------------
 */

static void blob_rows(const struct make_job *job, struct make_tile tile, double *const values[], double *scratch)
{
    const struct dense *dense = job->truth;
    const size_t features = dense->truth.features;
    const struct random_key key = {job->options->seed, RANDOM_MAKE, (uint32_t)MAKE_LABELS << 28};
    normal_features(job, tile, values, scratch);
    for (size_t row = 0; row < tile.rows; row++) {
        size_t label = (size_t)random_below(key, tile.first + row, dense->truth.outputs);
        const double *centre = dense->weights + label * features;
        double *x = values[0] + row * features;
        for (size_t i = 0; i < features; i++)
            x[i] = centre[i] + dense->noise * x[i];
        values[1][row] = (double)label;
    }
}

enum gm_code make_blobs(const char *to, const struct make_options *options, struct gm_error *err)
{
    struct output *out = NULL;
    struct dense dense = {.noise = options->noise};
    size_t classes = options->classes ? options->classes : 3;
    const struct make_job job = {
        .options = options,
        .isa = cpu_isa(),
        .columns = 2,
        .column = {{"X", options->float64 ? DATA_F64 : DATA_F32, options->features, false},
                   {"y", make_index_type(classes), 0, false}},
        .features = blob_rows,
        .truth = &dense,
    };
    const struct output_shape shape = {.rank = 2, .dims = {classes, options->features}};
    enum gm_code code = check("blobs", options, classes, err);
    if (code == GM_OK)
        code = make_open(&out, to, "blobs", options, err);
    if (code == GM_OK && (code = draw_truth(&dense, classes, BLOB_SPREAD, options, err)) == GM_OK &&
        (code = make_rows(out, &job, err)) == GM_OK)
        code = output_whole(out, "/truth/centroids", DATA_F64, &shape, dense.weights, err);
    dense_release(&dense);
    return make_finish(out, code, err);
}
