/* The kernels of model/factor.h, for float and double; see factor_body.h. */
#include "model/factor.h"

#include <math.h>

#include "base/kernel.h"

#define REAL        float
#define REAL_BYTES  4
#define ROOT        sqrtf
#define NAME(part)  KERNEL(factor_##part##_f32)
#define LOCAL(part) factor_##part##_f32
#include "model/kernels/factor_body.h"
#undef REAL
#undef REAL_BYTES
#undef ROOT
#undef NAME
#undef LOCAL

#define REAL        double
#define REAL_BYTES  8
#define ROOT        sqrt
#define NAME(part)  KERNEL(factor_##part##_f64)
#define LOCAL(part) factor_##part##_f64
#include "model/kernels/factor_body.h"
