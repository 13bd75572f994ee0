/* The kernels of model/sparse_panel.h, for float and double; see sparse_panel_body.h. */
#include "model/sparse_panel.h"

#include "base/fetch.h"
#include "base/kernel.h"

#define REAL        float
#define REAL_BYTES  4
#define NAME(part)  KERNEL(sparse_panel_##part##_f32)
#define LOCAL(part) part##_f32
#include "model/kernels/sparse_panel_body.h"
#undef REAL
#undef REAL_BYTES
#undef NAME
#undef LOCAL

#define REAL        double
#define REAL_BYTES  8
#define NAME(part)  KERNEL(sparse_panel_##part##_f64)
#define LOCAL(part) part##_f64
#include "model/kernels/sparse_panel_body.h"
