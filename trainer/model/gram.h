/*
 * Weighted Gram matrices of rows, the inner loop of Newton's method: sums[i][j] += sum_r w[r] * x[r][i] * x[r][j].
 *
 * Rows are copied into a panel first, so that some hundred of them are summed in the type of x while a tile of the
 * result is in registers; sums over panels are in double. Only tiles that touch the upper triangle are computed.
 * Chosen at run time for the processor (base/cpu.h).
 */
#ifndef MODEL_GRAM_H
#define MODEL_GRAM_H

#include <stddef.h>

#include "base/cpu.h"

#define GRAM_TILE    6  /* rows of a tile */
#define GRAM_COLUMNS 32 /* columns of a tile, of the widest vectors: what strides are rounded up to */

/* A panel of rows and its weights. */
struct gram_panel {
    const void *x; /* [rows x stride] float or double; columns beyond `columns` are 0 */
    const void *w; /* [rows] of the same type */
    void *work;    /* [rows x GRAM_COLUMNS] of the same type */
    size_t rows, columns;
    size_t stride; /* gram_stride(columns) */
};

/* Elements between rows of a panel, and between rows of the sums. */
size_t gram_stride(size_t columns);
/* Doubles that the sums take. */
size_t gram_sums(size_t columns);

typedef void gram_function(const struct gram_panel *panel, double *sums);
struct gram_kernels {
    gram_function *add_f32, *add_f64; /* sums [gram_sums(columns)]: the upper triangle is added into */
};
struct gram_kernels gram_kernels_for(enum cpu_isa isa);

#endif
