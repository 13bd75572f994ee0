/*
 * Squared distances of rows to a few centres: out[i][k] = sum_j (z[i][j] - c[k][j])^2.
 *
 * Taken directly: the expansion |z|^2 - 2 z.c + |c|^2 would cost the digits of small distances. Rows and centres are
 * padded with zeros to whole vectors.
 */
#ifndef MODEL_DISTANCE_H
#define MODEL_DISTANCE_H

#include <stddef.h>

#include "base/cpu.h"

#define DISTANCE_PAD 16 /* elements: whole vectors of the widest registers */

struct distance_block {
    const void *z, *centres;    /* [rows x stride], [count x stride] float or double, aligned to an element */
    size_t rows, count, stride; /* stride: a multiple of DISTANCE_PAD */
};

size_t distance_stride(size_t features);

typedef void distance_function(const struct distance_block *b, double *out); /* out [rows x count] */
struct distance_kernels {
    distance_function *f32, *f64;
};
struct distance_kernels distance_kernels_for(enum cpu_isa isa);

#endif
