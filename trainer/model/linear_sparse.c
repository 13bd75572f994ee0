/*
 * The linear model on sparse rows: as linear.c, without centers, so that what is not stored stays 0.
 *
 * Parameters, weights and lanes keep the outputs of a feature together ([features x outputs], then the intercepts): an
 * entry of a row reads and writes one place. Files are the same as those of dense rows.
 */
#include <string.h>

#include "model/linear.h"
#include "model/sparse.h"

struct weights {  /* u [features x outputs] in the precision of the model stands behind */
    double *bias; /* [outputs] */
    void *u;
};

static size_t real_bytes(const struct model *m)
{
    return m->spec.precision == MODEL_F32 ? sizeof(float) : sizeof(double);
}

static size_t n_coefficients(const struct model *m)
{
    return m->spec.features * m->spec.outputs;
}

static size_t bias_bytes(const struct model *m)
{
    return (m->spec.outputs * sizeof(double) + 63) / 64 * 64;
}

static struct weights weights_at(const struct model *m, const void *weights)
{
    char *base = (char *)(uintptr_t)weights;
    return (struct weights){(double *)(void *)base, base + bias_bytes(m)};
}

static size_t sparse_weights_bytes(const struct model *m)
{
    return bias_bytes(m) + n_coefficients(m) * real_bytes(m);
}

static void set_u(const struct model *m, const double *params, size_t first, size_t end, void *u)
{
    size_t outputs = m->spec.outputs;
    for (size_t i = first; i < end; i++) {
        double value = m->unscaled ? params[i] : params[i] / m->scale[outputs == 1 ? i : i / outputs];
        if (m->spec.precision == MODEL_F32)
            ((float *)u)[i] = (float)value;
        else
            ((double *)u)[i] = value;
    }
}

static void sparse_prepare(const struct model *m, const double *params, void *weights)
{
    struct weights w = weights_at(m, weights);
    size_t n = n_coefficients(m);
    for (size_t k = 0; k < m->spec.outputs; k++)
        w.bias[k] = m->spec.intercept ? params[n + k] : 0;
    set_u(m, params, 0, n, w.u);
}

static void sparse_refresh(const struct model *m, const double *params, const uint32_t *columns, size_t count,
                           void *weights)
{
    struct weights w = weights_at(m, weights);
    size_t outputs = m->spec.outputs;
    for (size_t c = 0; c < count; c++)
        set_u(m, params, columns[c] * outputs, (columns[c] + (size_t)1) * outputs, w.u);
}

static void sparse_refresh_rest(const struct model *m, const double *params, void *weights)
{
    struct weights w = weights_at(m, weights);
    size_t n = n_coefficients(m);
    for (size_t k = 0; m->spec.intercept && k < m->spec.outputs; k++)
        w.bias[k] = params[n + k];
}

/* Scales and weights of a row that is wanted soon: they lie anywhere, and what is computed from them waits long enough.
 */
static inline void fetch_scaled(const struct model *m, const struct sparse_rows *b, size_t row, const void *u)
{
    size_t bytes = m->spec.outputs * real_bytes(m);
    if (row >= b->rows)
        return;
    for (size_t e = b->first[row]; e < b->first[row] + b->count[row]; e++) {
        __builtin_prefetch(m->scale + b->index[e]);
        __builtin_prefetch((const char *)u + b->index[e] * bytes);
    }
}

/* Features that are scaled: the parameter's gradient is divided by the scale, and the weight likewise. */
static void descend_scaled(const struct model *m, const struct sparse_rows *b, const double *grad_pred, double rate,
                           void *u)
{
    size_t outputs = m->spec.outputs;
    bool single = m->spec.precision == MODEL_F32;
    for (size_t i = 0; i < b->rows; i++, grad_pred += outputs) {
        fetch_scaled(m, b, i + 2, u);
        for (size_t e = b->first[i]; e < b->first[i] + b->count[i]; e++) {
            size_t j = b->index[e], at = j * outputs;
            double x = single ? (double)((const float *)b->value)[e] : ((const double *)b->value)[e];
            x *= rate / (m->scale[j] * m->scale[j]);
            for (size_t k = 0; k < outputs; k++)
                if (single)
                    ((float *)u)[at + k] = (float)((double)((float *)u)[at + k] - grad_pred[k] * x);
                else
                    ((double *)u)[at + k] -= grad_pred[k] * x;
        }
    }
}

static void sparse_descend(const struct model *m, const struct model_block *block, const double *grad_pred, double rate,
                           void *weights)
{
    void *u = weights_at(m, weights).u;
    struct sparse_rows b = model_sparse_rows(block);
    if (!m->unscaled)
        descend_scaled(m, &b, grad_pred, rate, u);
    else if (m->spec.precision == MODEL_F32)
        m->sparse.descend_f32(&b, grad_pred, rate, m->spec.outputs, u);
    else
        m->sparse.descend_f64(&b, grad_pred, rate, m->spec.outputs, u);
}

static void sparse_collect(const struct model *m, const void *weights, size_t first, size_t end, double *params)
{
    const void *u = weights_at(m, weights).u;
    size_t outputs = m->spec.outputs, n = n_coefficients(m);
    for (size_t i = first; i < end && i < n; i++)
        params[i] = m->scale[i / outputs] *
                    (m->spec.precision == MODEL_F32 ? (double)((const float *)u)[i] : ((const double *)u)[i]);
}

static size_t sparse_scratch_bytes(const struct model *m, size_t rows)
{
    return rows * m->spec.outputs * real_bytes(m);
}

/* z, with the intercepts */
static void to_predictions(const struct model *m, const double *bias, size_t rows, const void *z, double *pred)
{
    size_t outputs = m->spec.outputs, n = rows * outputs;
    for (size_t i = 0; i < n; i++)
        pred[i] = m->spec.precision == MODEL_F32 ? (double)((const float *)z)[i] : ((const double *)z)[i];
    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; k < outputs; k++)
            pred[i * outputs + k] += bias[k];
}

static void sparse_forward(const struct model *m, const void *weights, const struct model_block *block, void *scratch,
                           double *pred)
{
    struct weights w = weights_at(m, weights);
    struct sparse_rows b = model_sparse_rows(block);
    if (m->spec.precision == MODEL_F32)
        m->sparse.forward_f32(&b, w.u, m->spec.outputs, scratch);
    else
        m->sparse.forward_f64(&b, w.u, m->spec.outputs, scratch);
    to_predictions(m, w.bias, block->rows, scratch, pred);
}

static void sparse_multiply(const struct model *m, const void *weights, const struct model_block *block, void *product)
{
    const void *u = weights_at(m, weights).u;
    struct sparse_rows b = model_sparse_rows(block);
    if (m->spec.precision == MODEL_F32)
        m->sparse.multiply_f32(&b, u, product);
    else
        m->sparse.multiply_f64(&b, u, product);
}

static void sparse_add(const struct model *m, const void *weights, const struct sparse_products *products,
                       void *scratch, double *pred)
{
    if (m->spec.precision == MODEL_F32)
        m->sparse.add_f32(products, scratch);
    else
        m->sparse.add_f64(products, scratch);
    to_predictions(m, weights_at(m, weights).bias, products->rows, scratch, pred);
}

static void sparse_backward(const struct model *m, const void *weights, const struct model_block *block, void *scratch,
                            const double *grad_pred, double *lane)
{
    (void)weights;
    (void)scratch;
    struct sparse_rows b = model_sparse_rows(block);
    if (m->spec.intercept)
        m->dense.add_columns(grad_pred, block->rows, m->spec.outputs, lane + n_coefficients(m));
    if (m->spec.precision == MODEL_F32)
        m->sparse.backward_f32(&b, grad_pred, m->spec.outputs, lane);
    else
        m->sparse.backward_f64(&b, grad_pred, m->spec.outputs, lane);
}

static void sparse_finish(const struct model *m, const double *sum, double divisor, size_t first, size_t end,
                          double *gradient)
{
    size_t n = n_coefficients(m), outputs = m->spec.outputs;
    for (size_t i = first; i < end; i++)
        gradient[i] = i < n ? sum[i] / divisor / m->scale[i / outputs] : sum[i] / divisor;
}

const struct model_ops model_linear_sparse = {
    .name = "linear",
    .n_params = linear_n_params,
    .mark_penalised = linear_mark_penalised,
    .start = linear_start,
    .weights_bytes = sparse_weights_bytes,
    .prepare = sparse_prepare,
    .multiply = sparse_multiply,
    .add = sparse_add,
    .refresh = sparse_refresh,
    .refresh_rest = sparse_refresh_rest,
    .descend = sparse_descend,
    .collect = sparse_collect,
    .scratch_bytes = sparse_scratch_bytes,
    .forward = sparse_forward,
    .backward = sparse_backward,
    .finish = sparse_finish,
    .save = linear_save,
    .open = linear_open,
    .load = linear_load,
    .describe = linear_describe,
};
