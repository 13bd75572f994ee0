/*
 * The linear model: pred[i][k] = b[k] + sum_j (x[i][j] - center[j]) / scale[j] * w[k][j].
 *
 * The weights hold u[k][j] = w[k][j] / scale[j], so that rows are read as they are stored, and centred while they are
 * read: subtracting the center first keeps the digits that a fold into the intercept would lose when |mean| >>
 * deviation.
 */
#include "model/linear.h"

#include <stdio.h>
#include <string.h>

#include "base/archive.h"
#include "base/error.h"
#include "base/memory.h"

struct weights {  /* u [outputs x features] in the precision of the model stands behind */
    double *bias; /* [outputs] */
    void *u;
};

static size_t real_bytes(const struct model *m)
{
    return m->spec.precision == MODEL_F32 ? sizeof(float) : sizeof(double);
}

static size_t n_coefficients(const struct model_spec *spec)
{
    return spec->outputs * spec->features;
}

size_t linear_n_params(const struct model_spec *spec)
{
    return n_coefficients(spec) + (spec->intercept ? spec->outputs : 0);
}

void linear_mark_penalised(const struct model *m, uint8_t *penalised)
{
    size_t n = n_coefficients(&m->spec);
    memset(penalised, 1, n);
    memset(penalised + n, 0, m->n_params - n);
}

void linear_start(const struct model *m, const double *baseline, double *params)
{
    size_t n = n_coefficients(&m->spec);
    memset(params, 0, n * sizeof *params);
    for (size_t k = 0; m->spec.intercept && k < m->spec.outputs; k++)
        params[n + k] = baseline[k];
}

static size_t bias_bytes(const struct model *m)
{
    return (m->spec.outputs * sizeof(double) + 63) / 64 * 64;
}

static size_t linear_weights_bytes(const struct model *m)
{
    return bias_bytes(m) + n_coefficients(&m->spec) * real_bytes(m);
}

static struct weights weights_at(const struct model *m, const void *weights)
{
    char *base = (char *)(uintptr_t)weights;
    return (struct weights){(double *)(void *)base, base + bias_bytes(m)};
}

static void linear_prepare(const struct model *m, const double *params, void *weights)
{
    struct weights w = weights_at(m, weights);
    size_t n = n_coefficients(&m->spec), features = m->spec.features;
    for (size_t k = 0; k < m->spec.outputs; k++) {
        w.bias[k] = m->spec.intercept ? params[n + k] : 0;
        for (size_t j = 0; j < features; j++) {
            size_t i = k * features + j;
            double u = params[i] / m->scale[j];
            if (m->spec.precision == MODEL_F32)
                ((float *)w.u)[i] = (float)u;
            else
                ((double *)w.u)[i] = u;
            if (m->folded) /* folded only in float: with the very u that the rows meet */
                w.bias[k] -= m->center[j] * (double)(float)u;
        }
    }
}

static size_t linear_scratch_bytes(const struct model *m, size_t rows)
{
    return rows * m->spec.outputs * real_bytes(m);
}

static struct dense_f32 block_f32(const struct model *m, const struct model_block *b)
{
    return (struct dense_f32){b->x, b->stride, b->rows, m->spec.features, m->centered ? m->center_real : NULL, b->next};
}

static struct dense_f64 block_f64(const struct model *m, const struct model_block *b)
{
    return (struct dense_f64){b->x, b->stride, b->rows, m->spec.features, m->centered ? m->center_real : NULL, b->next};
}

static void linear_forward(const struct model *m, const void *weights, const struct model_block *block, void *scratch,
                           double *pred)
{
    struct weights w = weights_at(m, weights);
    if (m->spec.precision == MODEL_F32) {
        struct dense_f32 b = block_f32(m, block);
        m->dense.forward_stored[block->stored](&b, w.u, m->spec.outputs, scratch);
        m->dense.pred_f32(scratch, b.rows, m->spec.outputs, w.bias, pred);
    } else {
        struct dense_f64 b = block_f64(m, block);
        m->dense.forward_f64(&b, w.u, m->spec.outputs, scratch);
        m->dense.pred_f64(scratch, b.rows, m->spec.outputs, w.bias, pred);
    }
}

static void linear_backward(const struct model *m, const void *weights, const struct model_block *block, void *scratch,
                            const double *grad_pred, double *lane)
{
    (void)weights;
    size_t outputs = m->spec.outputs, n = block->rows * outputs;
    if (m->spec.intercept)
        m->dense.add_columns(grad_pred, block->rows, outputs, lane + n_coefficients(&m->spec));
    if (m->spec.precision == MODEL_F32) {
        float *r = scratch;
        m->dense.narrow(grad_pred, n, r);
        struct dense_f32 b = block_f32(m, block);
        m->dense.backward_stored[block->stored](&b, r, outputs, lane);
    } else {
        struct dense_f64 b = block_f64(m, block);
        m->dense.backward_f64(&b, grad_pred, outputs, lane);
    }
}

static void linear_finish(const struct model *m, const double *sum, double divisor, size_t first, size_t end,
                          double *gradient)
{
    size_t n = n_coefficients(&m->spec), features = m->spec.features;
    for (size_t i = first; i < end; i++) {
        double total = sum[i];
        if (m->folded && i < n)
            total -= m->center[i % features] * sum[n + i / features];
        gradient[i] = i < n ? total / divisor / m->scale[i % features] : total / divisor;
    }
}

void linear_to_raw(const struct model *m, const double *params, double *raw, double *intercept)
{
    size_t n = n_coefficients(&m->spec), features = m->spec.features;
    for (size_t k = 0; k < m->spec.outputs; k++) {
        long double shift = m->spec.intercept ? params[n + k] : 0; /* large terms cancel here: keep the digits */
        for (size_t j = 0; j < features; j++) {
            long double w = (long double)params[linear_at(&m->spec, k, j)] / m->scale[j];
            raw[k * features + j] = (double)w;
            shift -= w * m->center[j];
        }
        intercept[k] = (double)shift;
    }
}

/* ---- files: /coefficients [outputs x features], /intercept [outputs] ---- */

enum gm_code linear_save(const struct model *m, const double *params, struct archive *a, struct gm_error *err)
{
    size_t outputs = m->spec.outputs, features = m->spec.features;
    const struct archive_shape matrix = {2, {outputs, features}}, column = {1, {outputs}};
    double *coefficients = NULL, *intercept = NULL;
    enum gm_code code;
    if (!(code = memory_alloc((void **)&coefficients, outputs * features, sizeof(double), "the model", err)) &&
        !(code = memory_alloc((void **)&intercept, outputs, sizeof(double), "the model", err))) {
        linear_to_raw(m, params, coefficients, intercept);
        if (!(code = archive_put(a, "/coefficients", ARCHIVE_F64, &matrix, coefficients, err)) &&
            !(code = archive_put(a, "/intercept", ARCHIVE_F64, &column, intercept, err)))
            code = archive_put_integer(a, "has_intercept", m->spec.intercept, err);
    }
    memory_free(coefficients);
    memory_free(intercept);
    return code;
}

static enum gm_code read_arrays(const struct archive *a, double **coefficients, double **intercept,
                                struct archive_shape shapes[2], struct gm_error *err)
{
    shapes[0] = (struct archive_shape){.rank = 2};
    shapes[1] = (struct archive_shape){.rank = 1};
    enum gm_code code = archive_get(a, "/coefficients", ARCHIVE_F64, &shapes[0], (void **)coefficients, err);
    return code ? code : archive_get(a, "/intercept", ARCHIVE_F64, &shapes[1], (void **)intercept, err);
}

enum gm_code linear_open(const struct archive *a, const char *path, struct model_spec *spec, struct gm_error *err)
{
    double *coefficients = NULL, *intercept = NULL;
    int64_t has_intercept = 0;
    struct archive_shape shapes[2];
    enum gm_code code = read_arrays(a, &coefficients, &intercept, shapes, err);
    memory_free(coefficients);
    memory_free(intercept);
    if (code || (code = archive_get_integer(a, "has_intercept", &has_intercept, err)))
        return code;
    spec->outputs = shapes[0].dims[0];
    spec->features = shapes[0].dims[1];
    spec->intercept = has_intercept != 0;
    if (shapes[1].dims[0] == spec->outputs && spec->outputs && spec->features)
        return GM_OK;
    return error_set(err, GM_BAD_DATA, "%s: /coefficients is %zu x %zu, but /intercept holds %zu values.", path,
                     spec->outputs, spec->features, shapes[1].dims[0]);
}

enum gm_code linear_load(const struct model *m, const struct archive *a, double *params, struct gm_error *err)
{
    double *coefficients = NULL, *intercept = NULL;
    struct archive_shape shapes[2];
    enum gm_code code = read_arrays(a, &coefficients, &intercept, shapes, err);
    size_t n = n_coefficients(&m->spec);
    if (!code) {
        for (size_t k = 0; k < m->spec.outputs; k++)
            for (size_t j = 0; j < m->spec.features; j++)
                params[linear_at(&m->spec, k, j)] = coefficients[k * m->spec.features + j];
        memcpy(params + n, intercept, (m->n_params - n) * sizeof *params);
    }
    memory_free(coefficients);
    memory_free(intercept);
    return code;
}

void linear_describe(const struct model_spec *spec, char *text, size_t room)
{
    snprintf(text, room, "%s intercept", spec->intercept ? "with" : "without");
}

const struct model_ops model_linear = {
    .name = "linear",
    .reads_stored = true,
    .n_params = linear_n_params,
    .mark_penalised = linear_mark_penalised,
    .start = linear_start,
    .weights_bytes = linear_weights_bytes,
    .prepare = linear_prepare,
    .scratch_bytes = linear_scratch_bytes,
    .forward = linear_forward,
    .backward = linear_backward,
    .finish = linear_finish,
    .save = linear_save,
    .open = linear_open,
    .load = linear_load,
    .describe = linear_describe,
};
