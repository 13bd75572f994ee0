/*
 * Centroids: pred[i][k] = sum_j ((x[i][j] - center[j]) / scale[j] - c[k][j])^2, the squared distance of a row to centre
 * k on the scale the optimiser sees. With the loss kmeans (or soft_kmeans) this is clustering.
 *
 * A file holds /centroids on the raw scale, and /scale, what distances are divided by: column j of a distance is
 * ((x[j] - centroids[k][j]) / scale[j])^2.
 */
#include <stdio.h>
#include <string.h>

#include "base/archive.h"
#include "base/error.h"
#include "base/memory.h"
#include "model/distance.h"
#include "model/model.h"

static size_t real_bytes(const struct model *m)
{
    return m->spec.precision == MODEL_F32 ? sizeof(float) : sizeof(double);
}

static size_t centroids_n_params(const struct model_spec *spec)
{
    return spec->outputs * spec->features;
}

static void centroids_mark_penalised(const struct model *m, uint8_t *penalised)
{
    memset(penalised, 0, m->n_params); /* a penalty would pull towards the origin, which means nothing here */
}

/* The trainer chooses rows to start from (train/clusters.h). */
static void centroids_start(const struct model *m, const double *baseline, double *params)
{
    (void)baseline;
    memset(params, 0, m->n_params * sizeof *params);
}

/* The weights: centres in the precision, [outputs x stride]. */
static size_t centroids_weights_bytes(const struct model *m)
{
    return m->spec.outputs * distance_stride(m->spec.features) * real_bytes(m);
}

static void put(const struct model *m, void *array, size_t at, double value)
{
    if (m->spec.precision == MODEL_F32)
        ((float *)array)[at] = (float)value;
    else
        ((double *)array)[at] = value;
}

static void centroids_prepare(const struct model *m, const double *params, void *weights)
{
    size_t features = m->spec.features, stride = distance_stride(features);
    for (size_t k = 0; k < m->spec.outputs; k++)
        for (size_t j = 0; j < stride; j++)
            put(m, weights, k * stride + j, j < features ? params[k * features + j] : 0);
}

/* Scratch: the block's rows on the optimiser's scale, padded; it stays for backward. */
static size_t centroids_scratch_bytes(const struct model *m, size_t rows)
{
    return rows * distance_stride(m->spec.features) * real_bytes(m);
}

static void scale_rows(const struct model *m, const struct model_block *b, void *z)
{
    size_t features = m->spec.features, stride = distance_stride(features);
    for (size_t i = 0; i < b->rows; i++)
        for (size_t j = 0; j < stride; j++) {
            double x = 0;
            if (j < features && m->spec.precision == MODEL_F32)
                x = (double)(((const float *)b->x)[i * b->stride + j] - (float)m->center[j]) / m->scale[j];
            else if (j < features)
                x = (((const double *)b->x)[i * b->stride + j] - m->center[j]) / m->scale[j];
            put(m, z, i * stride + j, x);
        }
}

static void centroids_forward(const struct model *m, const void *weights, const struct model_block *block,
                              void *scratch, double *pred)
{
    const struct distance_block b = {scratch, weights, block->rows, m->spec.outputs, distance_stride(m->spec.features)};
    const struct distance_kernels kernels = distance_kernels_for(cpu_isa());
    scale_rows(m, block, scratch);
    (m->spec.precision == MODEL_F32 ? kernels.f32 : kernels.f64)(&b, pred);
}

/* d pred_k / d c_k = 2 (c_k - z); hard clusters leave all but one centre of a row alone. */
static void centroids_backward(const struct model *m, const void *weights, const struct model_block *block,
                               void *scratch, const double *grad_pred, double *lane)
{
    size_t features = m->spec.features, stride = distance_stride(features), outputs = m->spec.outputs;
    for (size_t i = 0; i < block->rows; i++)
        for (size_t k = 0; k < outputs; k++) {
            double g = 2 * grad_pred[i * outputs + k], *to = lane + k * features;
            if (g == 0)
                continue;
            if (m->spec.precision == MODEL_F32) {
                const float *z = (const float *)scratch + i * stride, *c = (const float *)weights + k * stride;
                for (size_t j = 0; j < features; j++)
                    to[j] += g * ((double)c[j] - (double)z[j]);
            } else {
                const double *z = (const double *)scratch + i * stride, *c = (const double *)weights + k * stride;
                for (size_t j = 0; j < features; j++)
                    to[j] += g * (c[j] - z[j]);
            }
        }
}

static void centroids_finish(const struct model *m, const double *sum, double divisor, size_t first, size_t end,
                             double *gradient)
{
    (void)m;
    for (size_t i = first; i < end; i++)
        gradient[i] = sum[i] / divisor;
}

/* ---- files ---- */

static enum gm_code centroids_save(const struct model *m, const double *params, struct archive *a, struct gm_error *err)
{
    size_t features = m->spec.features;
    const struct archive_shape matrix = {2, {m->spec.outputs, features}}, row = {1, {features}};
    double *raw = NULL;
    enum gm_code code = memory_alloc((void **)&raw, m->n_params, sizeof *raw, "the model", err);
    for (size_t i = 0; !code && i < m->n_params; i++)
        raw[i] = params[i] * m->scale[i % features] + m->center[i % features];
    if (!code && !(code = archive_put(a, "/centroids", ARCHIVE_F64, &matrix, raw, err)))
        code = archive_put(a, "/scale", ARCHIVE_F64, &row, m->scale, err);
    memory_free(raw);
    return code;
}

static enum gm_code read_arrays(const struct archive *a, double **raw, double **scale, struct archive_shape shapes[2],
                                struct gm_error *err)
{
    shapes[0] = (struct archive_shape){.rank = 2};
    shapes[1] = (struct archive_shape){.rank = 1};
    enum gm_code code = archive_get(a, "/centroids", ARCHIVE_F64, &shapes[0], (void **)raw, err);
    return code ? code : archive_get(a, "/scale", ARCHIVE_F64, &shapes[1], (void **)scale, err);
}

static enum gm_code centroids_open(const struct archive *a, const char *path, struct model_spec *spec,
                                   struct gm_error *err)
{
    double *raw = NULL, *scale = NULL;
    struct archive_shape shapes[2];
    enum gm_code code = read_arrays(a, &raw, &scale, shapes, err);
    bool good = !code && shapes[0].dims[0] && shapes[0].dims[1] && shapes[1].dims[0] == shapes[0].dims[1];
    for (size_t j = 0; good && j < shapes[1].dims[0]; j++)
        good = scale[j] > 0;
    memory_free(raw);
    memory_free(scale);
    if (code)
        return code;
    spec->outputs = shapes[0].dims[0];
    spec->features = shapes[0].dims[1];
    if (good)
        return GM_OK;
    return error_set(err, GM_BAD_DATA, "%s: /centroids is %zu x %zu, and /scale holds %zu values, all to be above 0.",
                     path, spec->outputs, spec->features, shapes[1].dims[0]);
}

/* Distances need the scale: it becomes the model's, whose rows are then scaled and not centred. */
static enum gm_code centroids_load(const struct model *m, const struct archive *a, double *params, struct gm_error *err)
{
    double *raw = NULL, *scale = NULL;
    struct archive_shape shapes[2];
    size_t features = m->spec.features;
    enum gm_code code = read_arrays(a, &raw, &scale, shapes, err);
    if (!code)
        memcpy(m->scale, scale, features * sizeof *scale);
    for (size_t i = 0; !code && i < m->n_params; i++)
        params[i] = raw[i] / scale[i % features];
    memory_free(raw);
    memory_free(scale);
    return code;
}

static void centroids_describe(const struct model_spec *spec, char *text, size_t room)
{
    snprintf(text, room, "%zu centres", spec->outputs);
}

const struct model_ops model_centroids = {
    .name = "centroids",
    .n_params = centroids_n_params,
    .mark_penalised = centroids_mark_penalised,
    .start = centroids_start,
    .weights_bytes = centroids_weights_bytes,
    .prepare = centroids_prepare,
    .scratch_bytes = centroids_scratch_bytes,
    .forward = centroids_forward,
    .backward = centroids_backward,
    .finish = centroids_finish,
    .save = centroids_save,
    .open = centroids_open,
    .load = centroids_load,
    .describe = centroids_describe,
};
