/* Finite test and column sums over a block that stays in the first-level cache; see scan_body.h. */
#include "data/kernels.h"

#include <string.h>

#define REAL      float
#define BITS      uint32_t
#define EXPONENT  0x7f800000u
#define NAME(fn)  KERNEL(fn##_f32)
#define LOCAL(fn) fn##_f32
#include "data/kernels/scan_body.h"
#undef REAL
#undef BITS
#undef EXPONENT
#undef NAME
#undef LOCAL

#define REAL      double
#define BITS      uint64_t
#define EXPONENT  0x7ff0000000000000u
#define NAME(fn)  KERNEL(fn##_f64)
#define LOCAL(fn) fn##_f64
#include "data/kernels/scan_body.h"
