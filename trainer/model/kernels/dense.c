/* The dense kernels of model/dense.h, for float and double; see dense_body.h. */
#include "model/dense.h"

#include "model/kernels/dense_parts.h"

#define REAL         float
#define REAL_BYTES   4
#define MASK         int32_t
#define STORED       REAL
#define STORED_BYTES REAL_BYTES
#define BLOCK        struct dense_f32
#define NAME(part)   KERNEL(dense_##part##_f32)
#define LOCAL(part)  part##_f32
#include "model/kernels/dense_body.h"
#undef REAL
#undef REAL_BYTES
#undef MASK
#undef BLOCK
#undef NAME
#undef LOCAL

#define REAL        double
#define REAL_BYTES  8
#define MASK        int64_t
#define BLOCK       struct dense_f64
#define NAME(part)  KERNEL(dense_##part##_f64)
#define LOCAL(part) part##_f64
#include "model/kernels/dense_body.h"
