/*
 * Matrices in panels, and the two products that networks are made of.
 *
 * A matrix [rows x columns] in panels: element (i, j) stands at panel j / P, row i, place j % P, where P numbers fill a
 * cache line: PANEL_F32 or PANEL_F64. Columns beyond the last are zeros. What one layer writes so, the next reads
 * without packing: as the left side of a product it is read row by row, as the right side panel by panel.
 *
 * A number of a product is one sum in the order of k, begun anew at whole blocks of k alone. So a row of a product has
 * the same bits whichever rows stand beside it and whichever thread has it. Chosen at run time for the processor.
 */
#ifndef MODEL_PANEL_H
#define MODEL_PANEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cpu.h"

#define PANEL_BYTES 64
#define PANEL_F32   (PANEL_BYTES / sizeof(float))
#define PANEL_F64   (PANEL_BYTES / sizeof(double))

/* c[i][j] = start[j] + sum_k a[i][k] * b[k][j] for some panels of columns j. All pointers at whole panels' lines. */
struct panel_rows {
    const void *a;   /* [rows x k], panels `a_stride` numbers apart */
    size_t a_stride; /* numbers */
    size_t rows, k_panels, panels;
    const void *b;     /* [panels x k_panels * P x P] */
    const void *start; /* [panels x P] */
    void *c;           /* [rows x P], panels `c_stride` numbers apart */
    size_t c_stride;
};

/* c[u][j] = sum_i a[i][u] * b[i][j] for one panel of columns u and some panels of columns j. */
struct panel_columns {
    const void *a;   /* [rows x P] */
    const void *b;   /* [rows x b_panels * P], panels `b_stride` numbers apart */
    size_t b_stride; /* numbers */
    size_t rows, b_panels;
    bool add; /* to what c holds, instead of to 0 */
    void *c;  /* [P x c_stride], row-major */
    size_t c_stride;
};

/* Some rows of a matrix of doubles, turned into a panel: c[j][u] = a[u][j], 0 for u beyond the last. */
struct panel_turn {
    const double *a; /* [rows x columns], rows `a_stride` numbers apart */
    size_t a_stride, rows, columns;
    void *c; /* [columns x P] */
};

struct panel_kernels {
    /* mean[i] = sum[i] * factor, n numbers of the type to double. */
    void (*mean_f32)(const void *sum, size_t n, double factor, double *mean);
    void (*mean_f64)(const void *sum, size_t n, double factor, double *mean);
    void (*turn_f32)(const struct panel_turn *p);
    void (*turn_f64)(const struct panel_turn *p);
    void (*rows_f32)(const struct panel_rows *p);
    void (*rows_f64)(const struct panel_rows *p);
    void (*columns_f32)(const struct panel_columns *p);
    void (*columns_f64)(const struct panel_columns *p);
};

struct panel_kernels panel_kernels_for(enum cpu_isa isa);

#endif
