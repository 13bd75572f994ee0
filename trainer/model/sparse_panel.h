/*
 * Sparse rows times a matrix whose rows lie in whole lines: the first layer of a network on sparse rows.
 *
 * Weights u [features x panels x P] keep the units of a feature together, P numbers a line (model/panel.h), so that an
 * entry of a row reads one run of memory; results and slopes are in panels [panel][row][P]. A number of a result is one
 * sum in the order of the entries, in the type of the values: a row has the same bits wherever it stands. Chosen at run
 * time for the processor.
 */
#ifndef MODEL_SPARSE_PANEL_H
#define MODEL_SPARSE_PANEL_H

#include "model/panel.h"
#include "model/sparse.h"

/* c[i][j] = start[j] + sum over the entries e of row i: value[e] * u[index[e]][j]. */
struct sparse_panel_rows {
    struct sparse_rows rows;
    const void *u;
    size_t panels;
    const void *start; /* [panels x P] */
    void *c;           /* [rows x P], panels `c_stride` numbers apart */
    size_t c_stride;
};

/* c[j] = sum over the entries e of one column: value[e] * d[row[e]][j]. */
struct sparse_panel_column {
    const uint32_t *row; /* [count] */
    const void *value;   /* [count] */
    size_t count;
    const void *d; /* [rows x P], panels `d_stride` numbers apart */
    size_t d_stride, panels;
    void *c; /* [panels x P] */
};

/* sum[index[e]][j] += value[e] * d[i][j] for the entries e of all rows i, in double. */
struct sparse_panel_sums {
    struct sparse_rows rows;
    const void *d; /* [rows x P], panels `d_stride` numbers apart */
    size_t d_stride, units;
    double *sum; /* [features x units] */
};

struct sparse_panel_kernels {
    void (*rows_f32)(const struct sparse_panel_rows *p);
    void (*rows_f64)(const struct sparse_panel_rows *p);
    void (*column_f32)(const struct sparse_panel_column *p);
    void (*column_f64)(const struct sparse_panel_column *p);
    void (*sums_f32)(const struct sparse_panel_sums *p);
    void (*sums_f64)(const struct sparse_panel_sums *p);
    /* u[j] = w[j] * factor: the weights of one feature [units]. */
    void (*weights_f32)(const double *w, size_t units, double factor, void *u);
    void (*weights_f64)(const double *w, size_t units, double factor, void *u);
};

struct sparse_panel_kernels sparse_panel_kernels_for(enum cpu_isa isa);

#endif
