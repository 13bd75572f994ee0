/*
 * Products of a block of sparse rows with a few weight vectors, the inner loops of models on sparse rows.
 *
 *     forward   z[i][k]     = sum over entries e of row i: value[e] * u[index[e]][k]
 *     backward  grad[j][k] += sum over entries e of column j: r[row of e][k] * value[e]
 *     descend   u[j][k]    -= the same times a rate, row after row, in the type of the values
 *
 * One output: forward may be made in two steps, multiply and add, so that each of several threads reads its own columns
 * only. Sums over a row are in the type of the values, sums over rows in double. A row's z has the same bits wherever
 * the row stands and whichever way it is made: products and sums are not fused here. Chosen at run time for the
 * processor (base/cpu.h).
 */
#ifndef MODEL_SPARSE_H
#define MODEL_SPARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"

/* Row i has the entries first[i] .. first[i] + count[i] - 1. */
struct sparse_rows {
    const void *value;     /* float or double */
    const uint32_t *index; /* columns */
    const uint64_t *first; /* [rows] */
    const uint32_t *count; /* [rows] */
    size_t rows;
    size_t soon; /* rows behind them in first and count whose entries may be fetched */
    bool far;    /* descend: fetch weights too */
};

/* Products of rows whose entries are cut into ranges: those of row i in range r are count[r * stride + i] from
 * product[r * room + at[r * stride + i]] on. Rows [row, row + rows) are to be added. */
struct sparse_products {
    const void *product; /* float or double */
    const uint32_t *at, *count;
    size_t ranges, room, stride, row, rows;
};

struct sparse_kernels {
    /* z [rows x outputs], u [features x outputs] */
    void (*forward_f32)(const struct sparse_rows *b, const float *u, size_t outputs, float *z);
    void (*forward_f64)(const struct sparse_rows *b, const double *u, size_t outputs, double *z);
    /* r [rows x outputs], grad [features x outputs], added into */
    void (*backward_f32)(const struct sparse_rows *b, const double *r, size_t outputs, double *grad);
    void (*backward_f64)(const struct sparse_rows *b, const double *r, size_t outputs, double *grad);
    /* u -= rate * r' value */
    void (*descend_f32)(const struct sparse_rows *b, const double *r, double rate, size_t outputs, float *u);
    void (*descend_f64)(const struct sparse_rows *b, const double *r, double rate, size_t outputs, double *u);
    /* One output. product: value * u of all entries, row after row. z [rows]: their sums. */
    void (*multiply_f32)(const struct sparse_rows *b, const float *u, float *product);
    void (*multiply_f64)(const struct sparse_rows *b, const double *u, double *product);
    void (*add_f32)(const struct sparse_products *p, float *z);
    void (*add_f64)(const struct sparse_products *p, double *z);
};

struct sparse_kernels sparse_kernels_for(enum cpu_isa isa);

#endif
