/* The Gram kernels of model/gram.h, for float and double; see gram_body.h. */
#include "model/gram.h"

#include "base/kernel.h"

#define TILE_ROWS(M) M(0) M(1) M(2) M(3) M(4) M(5)

#define REAL        float
#define REAL_BYTES  4
#define NAME        KERNEL(gram_add_f32)
#define LOCAL(part) part##_f32
#include "model/kernels/gram_body.h"
#undef REAL
#undef REAL_BYTES
#undef NAME
#undef LOCAL

#define REAL        double
#define REAL_BYTES  8
#define NAME        KERNEL(gram_add_f64)
#define LOCAL(part) part##_f64
#include "model/kernels/gram_body.h"
