/*
 * Products of a block of dense rows with a few weight vectors, the inner loops of linear models.
 *
 *     forward   z[i][k]    = sum_j (x[i][j] - center[j]) * u[k][j]
 *     backward  grad[k][j] += sum_i r[i][k] * (x[i][j] - center[j])
 *
 * One sequential read of the block from memory, in forward; backward finds it in the cache and, while it computes,
 * prefetches the start of the block that comes next. Sums over a block are in the type of x, sums over blocks in
 * double. A row's z has the same bits wherever the row stands in a block. Chosen at run time for the processor
 * (base/cpu.h).
 */
#ifndef MODEL_DENSE_H
#define MODEL_DENSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cpu.h"

/* How a float model's rows are stored. */
enum dense_stored { DENSE_REAL, DENSE_U8, DENSE_I16, DENSE_F16, DENSE_STORED };

struct dense_f32 {
    const void *x; /* [rows x features], rows `stride` elements apart: float, or as the kernel's name says */
    size_t stride, rows, features;
    const float *center; /* [features]; NULL: zeros */
    const void *next;    /* the block of the same shape that comes next, to prefetch; NULL: none */
};

struct dense_f64 {
    const void *x; /* double */
    size_t stride, rows, features;
    const double *center;
    const void *next;
};

struct dense_kernels {
    /* z [rows x outputs], u [outputs x features] */
    void (*forward_f32)(const struct dense_f32 *block, const float *u, size_t outputs, float *z);
    void (*forward_f64)(const struct dense_f64 *block, const double *u, size_t outputs, double *z);
    /* r [rows x outputs], grad [outputs x features], added into */
    void (*backward_f32)(const struct dense_f32 *block, const float *r, size_t outputs, double *grad);
    void (*backward_f64)(const struct dense_f64 *block, const double *r, size_t outputs, double *grad);
    /* The same on rows as they are stored, with the same bits; DENSE_REAL: forward_f32 and backward_f32. NULL: rows
     * must be converted. Rows have DENSE_STORED_LEAST features or more. */
    void (*forward_stored[DENSE_STORED])(const struct dense_f32 *block, const float *u, size_t outputs, float *z);
    void (*backward_stored[DENSE_STORED])(const struct dense_f32 *block, const float *r, size_t outputs, double *grad);
    /* pred [rows x outputs] = z + bias [outputs] */
    void (*pred_f32)(const float *z, size_t rows, size_t outputs, const double *bias, double *pred);
    void (*pred_f64)(const double *z, size_t rows, size_t outputs, const double *bias, double *pred);
    /* r [n] = grad, rounded */
    void (*narrow)(const double *grad, size_t n, float *r);
    /* sums [columns] += the columns of a [rows x columns] */
    void (*add_columns)(const double *a, size_t rows, size_t columns, double *sums);
};

#define DENSE_STORED_LEAST 16

struct dense_kernels dense_kernels_for(enum cpu_isa isa);

/* The simple version, triple loops in double: what tests compare with. */
struct dense_kernels dense_reference(void);

#endif
