/* The arithmetic of the generators: the same bits on every processor. */
#ifndef DATASETS_KERNELS_MAKE_H
#define DATASETS_KERNELS_MAKE_H

#include <stddef.h>
#include <stdint.h>

#include "base/kernel.h"

struct make_stream { /* one of up to 16 independent sources of random numbers under a seed */
    uint64_t seed;
    uint32_t purpose; /* RANDOM_MAKE */
    uint32_t stream;  /* 0..15 */
};
struct make_tile {
    uint64_t first;
    size_t rows;
};
struct make_truth {
    size_t outputs, features;
    const double *weights; /* [outputs x features] */
    const double *bias;    /* [outputs] */
};

/* out[rows x columns] of standard normals. The number at (row, column) is a function of the stream, the row and the
 * column only: block column / 4 of the row is one call of Philox4x32-10 with the counter {row low, row high, purpose,
 * stream * 2^28 + block}; words 0 and 1 give columns 0 and 1 of the block, words 2 and 3 give 2 and 3, by Box and
 * Muller with radius sqrt(-2 ln((w + 1/2) / 2^32)) and angle 2 pi w / 2^32, cosine first. |out| <= 6.8. columns < 2^30.
 */
KERNEL_DECLARE(void, make_normals, const struct make_stream *stream, const struct make_tile *tile, size_t columns,
               double *out);
/* out[rows x outputs] = x[rows x features] weights^T + bias; column i is summed in lane i mod 8. */
KERNEL_DECLARE(void, make_project, const double *x, const struct make_tile *tile, const struct make_truth *truth,
               double *out);
/* values[i] = e^values[i], arguments held within +-700. */
KERNEL_DECLARE(void, make_exp, double *values, size_t count);

#endif
