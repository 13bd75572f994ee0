/*
 * What stands between two layers, number by number: the activation with its slope, and standardisation on the way in.
 *
 *     relu     max(z, 0), slope 0 at 0
 *     tanh     error < 3 ulp
 *     sigmoid  1 / (1 + e^-z), error < 4 ulp
 *     gelu     z Phi(z), Phi the normal distribution function, exact up to an absolute error below 2 units in the last
 *              place of max(|z|, 1) (Hendrycks and Gimpel 2016; not their tanh approximation)
 *
 * In units in the last place of the precision; slopes are within 3 units of 1. NaN comes through. A number has the same
 * bits wherever it stands.
 */
#ifndef MODEL_ACTIVATION_H
#define MODEL_ACTIVATION_H

#include <stddef.h>

#include "base/cpu.h"

enum activation { ACTIVATION_RELU, ACTIVATION_TANH, ACTIVATION_GELU, ACTIVATION_SIGMOID };

/* Rows to panels (model/panel.h), standardised: (x - center) * factor. */
struct activation_entry {
    const void *x; /* [rows x columns], rows `x_stride` numbers apart */
    size_t x_stride, rows, columns;
    const size_t *at;            /* [rows] which rows of x; NULL: the first */
    const void *center, *factor; /* [columns] */
    void *out;                   /* panels `out_stride` numbers apart; columns beyond the last become 0 */
    size_t out_stride;
};

struct activation_kernels {
    /* z [n] becomes the activation, slope [n] its derivative at z. */
    void (*apply_f32)(enum activation kind, void *z, size_t n, void *slope);
    void (*apply_f64)(enum activation kind, void *z, size_t n, void *slope);
    void (*enter_f32)(const struct activation_entry *e);
    void (*enter_f64)(const struct activation_entry *e);
    /* a [n] *= b [n] */
    void (*times_f32)(void *a, const void *b, size_t n);
    void (*times_f64)(void *a, const void *b, size_t n);
};

struct activation_kernels activation_kernels_for(enum cpu_isa isa);

#endif
