/*
 * The products of model/panel.h, for float and double; see panel_body.h.
 *
 * A tile of R rows and a whole panel is held in registers while k runs: 6 rows x 2 vectors with AVX2 (12 of 16
 * registers, as Goto and van de Geijn 2008 and BLIS do), 12 rows x 1 with AVX-512, 6 rows x half a panel without.
 */
#include "model/panel.h"

#include "base/kernel.h"

/* M(r) for each row of a tile. */
#define ROWS_1(M)  M(0)
#define ROWS_2(M)  ROWS_1(M) M(1)
#define ROWS_4(M)  ROWS_2(M) M(2) M(3)
#define ROWS_6(M)  ROWS_4(M) M(4) M(5)
#define ROWS_12(M) ROWS_6(M) M(6) M(7) M(8) M(9) M(10) M(11)

#if defined(KERNEL_ISA_avx512)
#define TILE_ROWS    12
#define TILE_VECTORS 1
#else
#define TILE_ROWS    6
#define TILE_VECTORS 2
#endif

#define K_PANELS                                                                                        \
    ((size_t)8) /* of k at a time: with them, 32 rows of the left side fill half of a first-level cache \
                 */
#define K_ROWS ((size_t)256)

#define REAL        float
#define REAL_BYTES  4
#define NAME(part)  KERNEL(panel_##part##_f32)
#define LOCAL(part) part##_f32
#include "model/kernels/panel_body.h"
#undef REAL
#undef REAL_BYTES
#undef NAME
#undef LOCAL

#define REAL        double
#define REAL_BYTES  8
#define NAME(part)  KERNEL(panel_##part##_f64)
#define LOCAL(part) part##_f64
#include "model/kernels/panel_body.h"
