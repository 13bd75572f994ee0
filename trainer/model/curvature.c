/* Second derivatives of linear models: see curvature.h. */
#include "model/curvature.h"

#include <string.h>

#include "base/memory.h"

#define PANEL_ROWS 256 /* enough to hide the cost of adding a tile to the lane, whose sums fit no first cache */

static size_t real_bytes(const struct model *m)
{
    return m->spec.precision == MODEL_F32 ? sizeof(float) : sizeof(double);
}

bool curvature_shape_of(struct curvature_shape *shape, const struct model_spec *spec, bool full)
{
    size_t k = spec->outputs, total, bytes;
    *shape = (struct curvature_shape){.full = full && k > 1, .columns = spec->features + (spec->intercept ? 1 : 0)};
    if (shape->columns > (size_t)1 << 24 || k > (size_t)1 << 24)
        return false;
    shape->pairs = shape->full ? k * (k + 1) / 2 : k;
    shape->pair_sums = gram_sums(shape->columns);
    shape->panel_rows = PANEL_ROWS;
    return memory_product(shape->pairs, shape->pair_sums, &total) && memory_product(total, sizeof(double), &bytes);
}

size_t curvature_lane(const struct curvature_shape *shape)
{
    return shape->pairs * shape->pair_sums;
}

enum gm_code curvature_init(struct curvature *c, const struct model *m, const struct curvature_shape *shape,
                            struct gm_error *err)
{
    *c = (struct curvature){.model = m, .shape = *shape, .gram = gram_kernels_for(cpu_isa())};
    size_t rows = shape->panel_rows, real = real_bytes(m);
    enum gm_code code;
    if ((code = memory_alloc(&c->x, rows, gram_stride(shape->columns) * real, "rows for the Hessian", err)) ||
        (code = memory_alloc(&c->w, rows, shape->pairs * real, "weights for the Hessian", err)) ||
        (code = memory_alloc(&c->strip, rows, GRAM_COLUMNS * real, "rows for the Hessian", err))) {
        curvature_release(c);
        return code;
    }
    size_t stride = gram_stride(shape->columns), ones = m->spec.features;
    for (size_t i = 0; m->spec.intercept && i < rows; i++)
        if (m->spec.precision == MODEL_F32)
            ((float *)c->x)[i * stride + ones] = 1;
        else
            ((double *)c->x)[i * stride + ones] = 1;
    return GM_OK;
}

void curvature_release(struct curvature *c)
{
    memory_free(c->x);
    memory_free(c->w);
    memory_free(c->strip);
    *c = (struct curvature){0};
}

/* ---- collecting ---- */

/* Rows [first, first + rows) of the block, centred, behind those that wait. */
static void copy_rows(struct curvature *c, const struct model_block *b, size_t first, size_t rows)
{
    const struct model *m = c->model;
    size_t features = m->spec.features, stride = gram_stride(c->shape.columns);
    for (size_t i = 0; i < rows; i++) {
        size_t to = (c->pending + i) * stride, from = (first + i) * b->stride;
        if (m->spec.precision == MODEL_F32) {
            const float *x = (const float *)b->x + from, *center = m->center_real;
            for (size_t j = 0; j < features; j++)
                ((float *)c->x)[to + j] = x[j] - center[j];
        } else {
            const double *x = (const double *)b->x + from, *center = m->center_real;
            for (size_t j = 0; j < features; j++)
                ((double *)c->x)[to + j] = x[j] - center[j];
        }
    }
}

/* second: of the block's row `first`. */
static void copy_weights(struct curvature *c, const double *second, size_t rows)
{
    size_t k = c->model->spec.outputs, width = c->shape.full ? k * k : k;
    for (size_t i = 0; i < rows; i++, second += width)
        for (size_t a = 0, pair = 0; a < k; a++)
            for (size_t b = a; b < (c->shape.full ? k : a + 1); b++, pair++) {
                size_t to = pair * c->shape.panel_rows + c->pending + i;
                double h = c->shape.full ? second[a * k + b] : second[a];
                if (c->model->spec.precision == MODEL_F32)
                    ((float *)c->w)[to] = (float)h;
                else
                    ((double *)c->w)[to] = h;
            }
}

/* Losses that add up over outputs have many pairs of zeros. NaN counts as something. */
static bool all_zero(const struct curvature *c, const void *w)
{
    for (size_t i = 0; i < c->pending; i++)
        if (c->model->spec.precision == MODEL_F32 ? ((const float *)w)[i] != 0 : ((const double *)w)[i] != 0)
            return false;
    return true;
}

void curvature_flush(struct curvature *c, double *lane)
{
    bool single = c->model->spec.precision == MODEL_F32;
    struct gram_panel panel = {.x = c->x,
                               .work = c->strip,
                               .rows = c->pending,
                               .columns = c->shape.columns,
                               .stride = gram_stride(c->shape.columns)};
    for (size_t pair = 0; c->pending && pair < c->shape.pairs; pair++) {
        panel.w = (const char *)c->w + pair * c->shape.panel_rows * real_bytes(c->model);
        if (!all_zero(c, panel.w))
            (single ? c->gram.add_f32 : c->gram.add_f64)(&panel, lane + pair * c->shape.pair_sums);
    }
    c->pending = 0;
}

void curvature_add(struct curvature *c, const struct model_block *block, const double *second, double *lane)
{
    size_t k = c->model->spec.outputs, width = c->shape.full ? k * k : k;
    for (size_t first = 0, rows; first < block->rows; first += rows) {
        size_t room = c->shape.panel_rows - c->pending;
        rows = block->rows - first < room ? block->rows - first : room;
        copy_rows(c, block, first, rows);
        copy_weights(c, second + first * width, rows);
        c->pending += rows;
        if (c->pending == c->shape.panel_rows)
            curvature_flush(c, lane);
    }
}

/* ---- the whole matrix ---- */

struct assembly {
    const struct model *m;
    const struct curvature_shape *shape;
    const double *sum;
    double divisor, *hessian;
};

/* One pair's symmetric block, [columns x columns], into the rows of output k and the columns of output l. */
static void put_pair(const struct assembly *a, size_t pair, size_t k, size_t l)
{
    const struct model *m = a->m;
    size_t n = m->n_params, features = m->spec.features, stride = gram_stride(a->shape->columns);
    size_t bias = m->spec.outputs * features;
    const double *sum = a->sum + pair * a->shape->pair_sums;
    for (size_t i = 0; i < features; i++) {
        double *row = a->hessian + (k * features + i) * n;
        for (size_t j = k == l ? i : 0; j < features; j++) {
            double s = i <= j ? sum[i * stride + j] : sum[j * stride + i];
            row[l * features + j] = s / a->divisor / m->scale[i] / m->scale[j];
        }
        if (!m->spec.intercept)
            continue;
        double s = sum[i * stride + features] / a->divisor / m->scale[i];
        row[bias + l] = s;
        a->hessian[(l * features + i) * n + bias + k] = s;
    }
    if (m->spec.intercept)
        a->hessian[(bias + k) * n + bias + l] = sum[features * stride + features] / a->divisor;
}

void curvature_finish(const struct model *m, const struct curvature_shape *shape, const double *sum, double divisor,
                      double *hessian)
{
    struct assembly a = {m, shape, sum, divisor, hessian};
    if (!shape->full)
        memset(hessian, 0, m->n_params * m->n_params * sizeof *hessian);
    for (size_t k = 0, pair = 0; k < m->spec.outputs; k++)
        for (size_t l = k; l < (shape->full ? m->spec.outputs : k + 1); l++, pair++)
            put_pair(&a, pair, k, l);
}
