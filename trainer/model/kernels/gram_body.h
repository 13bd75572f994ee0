/*
 * Body of the Gram kernels for one element type REAL of REAL_BYTES. Included by gram.c once a type.
 *
 * A tile of 6 rows x 2 vectors of the result is summed over all rows of the panel in 12 of AVX2's 16 registers (named
 * variables, so that they stay there). Its columns, times the weights, are copied into a strip that stays in the first
 * cache while all tiles above the diagonal use it.
 */

#define LANES (KERNEL_VECTOR / REAL_BYTES) /* elements of a vector */
#define WIDTH (2 * LANES)                  /* columns of a tile */

typedef REAL LOCAL(gram_vec) __attribute__((vector_size(KERNEL_VECTOR), aligned(REAL_BYTES), may_alias));
typedef double LOCAL(gram_wide) __attribute__((vector_size(8 * LANES), aligned(8), may_alias));
#define VEC    LOCAL(gram_vec)
#define WIDE   LOCAL(gram_wide)
#define INLINE static inline __attribute__((always_inline))

INLINE void LOCAL(gram_flush)(VEC sum, double *to)
{
    *(WIDE *)to += __builtin_convertvector(sum, WIDE);
}

/* strip [rows x WIDTH] = columns [column, column + WIDTH) times the weights. */
INLINE void LOCAL(gram_strip)(const struct gram_panel *p, size_t column, REAL *strip)
{
    const REAL *x = (const REAL *)p->x + column, *w = p->w;
    for (size_t r = 0; r < p->rows; r++, x += p->stride, strip += WIDTH) {
        *(VEC *)strip = *(const VEC *)x * w[r];
        *(VEC *)(strip + LANES) = *(const VEC *)(x + LANES) * w[r];
    }
}

/* Rows [0, 6) at `to` of the sums, columns of the strip; x points at the first of six columns of the panel. */
INLINE void LOCAL(gram_tile)(const struct gram_panel *p, const REAL *x, const REAL *strip, double *to)
{
    size_t stride = p->stride;
#define DECLARE(i) VEC s##i##0 = {0}, s##i##1 = {0};
#define ADD(i)            \
    s##i##0 += b0 * x[i]; \
    s##i##1 += b1 * x[i];
#define FLUSH(i)                                 \
    LOCAL(gram_flush)(s##i##0, to + i * stride); \
    LOCAL(gram_flush)(s##i##1, to + i * stride + LANES);
    TILE_ROWS(DECLARE)
    for (size_t r = 0; r < p->rows; r++, x += stride, strip += WIDTH) {
        const VEC b0 = *(const VEC *)strip, b1 = *(const VEC *)(strip + LANES);
        TILE_ROWS(ADD)
    }
    TILE_ROWS(FLUSH)
#undef DECLARE
#undef ADD
#undef FLUSH
}

void NAME(const struct gram_panel *p, double *sums);
void NAME(const struct gram_panel *p, double *sums)
{
    REAL *strip = p->work;
    for (size_t column = 0; column < p->columns; column += WIDTH) {
        size_t end = column + WIDTH < p->columns ? column + WIDTH : p->columns;
        LOCAL(gram_strip)(p, column, strip);
        for (size_t row = 0; row < end; row += GRAM_TILE)
            LOCAL(gram_tile)(p, (const REAL *)p->x + row, strip, sums + row * p->stride + column);
    }
}

#undef LANES
#undef WIDTH
#undef VEC
#undef WIDE
#undef INLINE
