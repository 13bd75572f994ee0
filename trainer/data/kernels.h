/* The loops of this room that are compiled once for each instruction set (data/kernels/). */
#ifndef DATA_KERNELS_H
#define DATA_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"
#include "base/kernel.h"
#include "data/convert.h"

/* cpu_isa(), asked once. */
enum cpu_isa kernels_isa(void);

/* As convert_to_f32 and convert_to_f64. What lies `ahead` bytes behind what is read may be prefetched; 0: nothing. */
#define CONVERT_AHEAD ((size_t)2048)
KERNEL_DECLARE(void, convert_f32, enum data_type type, const void *from, size_t n, float *to, size_t ahead);
KERNEL_DECLARE(void, convert_f64, enum data_type type, const void *from, size_t n, double *to);

/* Sums of columns, shifted by `shift`: low, high, sum of w (x - shift) and of w (x - shift)^2 are updated with rows of
 * a small block [.. x columns], rows `stride` values apart. */
struct scan_sums {
    const double *shift;  /* [columns] */
    double *sum, *square; /* [columns] */
    double *low, *high;   /* [columns] */
};
struct scan_block {
    const void *x; /* float or double */
    size_t stride, columns;
    const uint32_t *rows; /* [n_rows] which rows take part; NULL: 0 .. n_rows-1 */
    size_t n_rows;
    const double *weight; /* [n_rows] of those rows, or NULL: all 1 */
};
KERNEL_DECLARE(void, scan_sums_f32, const struct scan_block *block, const struct scan_sums *sums);
KERNEL_DECLARE(void, scan_sums_f64, const struct scan_block *block, const struct scan_sums *sums);

/* Are n values all finite? */
KERNEL_DECLARE(bool, scan_finite_f32, const float *x, size_t n);
KERNEL_DECLARE(bool, scan_finite_f64, const double *x, size_t n);

/* XXH3-128 of a run of bytes, low half first. */
KERNEL_DECLARE(void, scan_hash, const void *bytes, size_t n, uint64_t out[2]);

/* Undo HDF5's shuffle filter: n values of `size` bytes whose first bytes come first, then all second bytes ... */
KERNEL_DECLARE(void, decode_unshuffle, size_t size, const unsigned char *from, size_t n, unsigned char *to);
/* Reverse the bytes of n values of `size` bytes, in place. */
KERNEL_DECLARE(void, decode_swap, size_t size, unsigned char *values, size_t n);

/* Chunks side by side, each [rows x run] bytes, `from_step` bytes from one to the next, joined to rows of `bytes` bytes
 * that are `to_step` apart; of the last chunk only what is left of a row is used. */
struct bytes_join {
    const unsigned char *from;
    size_t from_step, run, rows;
    unsigned char *to;
    size_t to_step, bytes;
};
KERNEL_DECLARE(void, bytes_join, const struct bytes_join *join);

#endif
