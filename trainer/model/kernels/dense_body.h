/*
 * Body of the dense kernels for one element type REAL of REAL_BYTES, and rows that hold STORED elements of
 * STORED_BYTES; READ makes a vector of REAL of those, when they differ (then rows have a whole vector of features or
 * more). Included once a type.
 *
 * Sums live in named variables, so that the compiler keeps them in registers: 12 of AVX2's 16. forward holds 4 rows x 3
 * outputs, or 8 partial sums of one long row; backward 3 outputs x 4 vectors of columns, or 1 x 8. Every sum is flushed
 * to memory once a block. Columns that fill no vector are read as the row's last whole vector, masked.
 */

#define LANES (KERNEL_VECTOR / REAL_BYTES) /* elements of a vector */

typedef REAL LOCAL(vec) __attribute__((vector_size(KERNEL_VECTOR)));
typedef REAL LOCAL(vec_unaligned) __attribute__((vector_size(KERNEL_VECTOR), aligned(REAL_BYTES), may_alias));
typedef MASK LOCAL(mask) __attribute__((vector_size(KERNEL_VECTOR)));
typedef MASK LOCAL(mask_unaligned) __attribute__((vector_size(KERNEL_VECTOR), aligned(REAL_BYTES), may_alias));
typedef REAL LOCAL(quad) __attribute__((vector_size(4 * REAL_BYTES)));
typedef double LOCAL(doubles) __attribute__((vector_size(KERNEL_VECTOR), aligned(8), may_alias));

#define VEC    LOCAL(vec)
#define QUAD   LOCAL(quad)
#define INLINE static inline __attribute__((always_inline))

INLINE VEC LOCAL(load)(const REAL *from)
{
    return *(const LOCAL(vec_unaligned) *)from;
}

/* Stored elements as REAL. */
INLINE VEC LOCAL(read)(const STORED *from)
{
#ifdef READ
    return (VEC)READ(from);
#else
    return LOCAL(load)(from);
#endif
}

/* x - center, with the choice made by the compiler. */
INLINE VEC LOCAL(load_centered)(const STORED *x, const REAL *center, bool centered)
{
    return centered ? LOCAL(read)(x) - LOCAL(load)(center) : LOCAL(read)(x);
}

/* Row i. */
INLINE const STORED *LOCAL(row_of)(const BLOCK *b, size_t i)
{
    return (const STORED *)b->x + i * b->stride;
}

/* Keep the last `rest` lanes, zero the others. */
INLINE VEC LOCAL(keep_last)(VEC v, size_t rest)
{
    static const MASK table[2 * LANES] = {[LANES... 2 * LANES - 1] = -1};
    return (VEC)((LOCAL(mask))v & *(const LOCAL(mask_unaligned) *)(table + rest));
}

/* The lanes of a vector added down to four: lane l of the result is the sum of lanes l, l + 4, l + 8 ... */
INLINE QUAD LOCAL(fold)(VEC v)
{
#if LANES == 2
    return __builtin_shufflevector(v, (VEC){0}, 0, 1, 2, 3);
#elif LANES == 4
    return v;
#elif LANES == 8
    return __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
#else
    return (__builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7)) +
           (__builtin_shufflevector(v, v, 8, 9, 10, 11) + __builtin_shufflevector(v, v, 12, 13, 14, 15));
#endif
}

/* The sums of four quads, in order. */
INLINE QUAD LOCAL(sum_four)(QUAD a, QUAD b, QUAD c, QUAD d)
{
    QUAD ab = __builtin_shufflevector(a, b, 0, 4, 2, 6) + __builtin_shufflevector(a, b, 1, 5, 3, 7);
    QUAD cd = __builtin_shufflevector(c, d, 0, 4, 2, 6) + __builtin_shufflevector(c, d, 1, 5, 3, 7);
    return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) + __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

/* grad[0 .. LANES-1] += sum, in double. */
INLINE void LOCAL(flush)(VEC sum, double *grad)
{
    LOCAL(doubles) *to = (LOCAL(doubles) *)grad;
#if REAL_BYTES == 4
    to[0] += WIDEN_LOW(sum);
    to[1] += WIDEN_HIGH(sum);
#else
    to[0] += sum;
#endif
}

/* ---- forward ---- */

/* One long row (features >= 8 * LANES), one output: eight partial sums. */
INLINE REAL LOCAL(dot)(const BLOCK *b, const STORED *x, const REAL *u, bool centered)
{
    const REAL *c = b->center;
    size_t n = b->features, j = 0;
    OUTS_1(VECS_8, DECLARE)
    for (; j + 8 * LANES <= n; j += 8 * LANES) {
#define STEP(k, v) \
    s##k##v += LOCAL(load_centered)(x + j + v * LANES, c + j + v * LANES, centered) * LOCAL(load)(u + j + v * LANES);
        OUTS_1(VECS_8, STEP)
    }
    for (; j + LANES <= n; j += LANES) {
        OUTS_1(VECS_1, STEP)
    }
#undef STEP
    if (j < n) {
        j = n - LANES;
        s01 += LOCAL(load_centered)(x + j, c + j, centered) * LOCAL(keep_last)(LOCAL(load)(u + j), n % LANES);
    }
    QUAD all = LOCAL(fold)(((s00 + s01) + (s02 + s03)) + ((s04 + s05) + (s06 + s07)));
    return (all[0] + all[1]) + (all[2] + all[3]);
}

/* Four rows, one output, n >= LANES features: two partial sums a row, so that they do not wait for each other. */
INLINE QUAD LOCAL(forward_four)(const STORED *const x[4], const REAL *u, const REAL *c, size_t n, bool centered)
{
    size_t j = 0;
    OUTS_2(VECS_4, DECLARE)
    for (; j + 2 * LANES <= n; j += 2 * LANES) {
        const VEC w0 = LOCAL(load)(u + j), w1 = LOCAL(load)(u + j + LANES);
#define STEP(h, i) s##h##i += LOCAL(load_centered)(x[i] + j + h * LANES, c + j + h * LANES, centered) * w##h;
        OUTS_2(VECS_4, STEP)
    }
    if (j + LANES <= n) {
        const VEC w0 = LOCAL(load)(u + j);
        OUTS_1(VECS_4, STEP)
        j += LANES;
    }
#undef STEP
    if (j < n) {
        j = n - LANES;
        const VEC w1 = LOCAL(keep_last)(LOCAL(load)(u + j), n % LANES);
#define LAST(h, i) s##h##i += LOCAL(load_centered)(x[i] + j, c + j, centered) * w##h;
        VECS_4(LAST, 1)
#undef LAST
    }
    return LOCAL(sum_four)(LOCAL(fold)(s00 + s10), LOCAL(fold)(s01 + s11), LOCAL(fold)(s02 + s12),
                           LOCAL(fold)(s03 + s13));
}

/* One output. The last rows go with copies of themselves through the very same instructions: a compiler that fuses
 * products and sums may do so differently in a second copy of the code. */
INLINE void LOCAL(forward_single)(const BLOCK *b, const REAL *u, REAL *z, bool centered)
{
    const STORED *row = LOCAL(row_of)(b, 0);
    size_t stride = b->stride, rows = b->rows;
    for (size_t i = 0; i < rows; i += 4, row += 4 * stride) {
        const size_t last = rows - i < 4 ? rows - i - 1 : 3;
        const STORED *const x[4] = {row, row + (last < 1 ? last : 1) * stride, row + (last < 2 ? last : 2) * stride,
                                    row + last * stride};
        QUAD four = LOCAL(forward_four)(x, u, b->center, b->features, centered);
        if (last == 3)
            memcpy(z + i, &four, sizeof four);
        else
            for (size_t k = 0; k <= last; k++)
                z[i + k] = four[k];
    }
}

/* Four rows times OUTS outputs, features >= LANES: z[out][row]. */
#define FORWARD_TILE(OUTS)                                                                                             \
    INLINE void LOCAL(forward_##OUTS)(const BLOCK *b, const STORED *const x[4], const REAL *u, QUAD *z, bool centered) \
    {                                                                                                                  \
        const REAL *c = b->center;                                                                                     \
        size_t n = b->features, j = 0;                                                                                 \
        OUTS_##OUTS(VECS_4, DECLARE) for (; j + LANES <= n; j += LANES)                                                \
        {                                                                                                              \
            OUTS_1(VECS_4, ROW_VALUE) OUTS_##OUTS(VECS_1, WEIGHT) OUTS_##OUTS(VECS_4, ROW_ADD)                         \
        }                                                                                                              \
        if (j < n) {                                                                                                   \
            j = n - LANES;                                                                                             \
            OUTS_1(VECS_4, ROW_VALUE) OUTS_##OUTS(VECS_1, WEIGHT_LAST) OUTS_##OUTS(VECS_4, ROW_ADD)                    \
        }                                                                                                              \
        OUTS_##OUTS(VECS_1, ROW_SUM)                                                                                   \
    }
#define ROW_VALUE(k, i)   const VEC x##i = LOCAL(load_centered)(x[i] + j, c + j, centered);
#define WEIGHT(k, i)      const VEC w##k = LOCAL(load)(u + k * n + j);
#define WEIGHT_LAST(k, i) const VEC w##k = LOCAL(keep_last)(LOCAL(load)(u + k * n + j), n % LANES);
#define ROW_ADD(k, i)     s##k##i += x##i * w##k;
#define ROW_SUM(k, i) \
    z[k] = LOCAL(sum_four)(LOCAL(fold)(s##k##0), LOCAL(fold)(s##k##1), LOCAL(fold)(s##k##2), LOCAL(fold)(s##k##3));
FORWARD_TILE(1)
FORWARD_TILE(2)
FORWARD_TILE(3)
#undef ROW_VALUE
#undef WEIGHT
#undef WEIGHT_LAST
#undef ROW_ADD
#undef ROW_SUM

#ifndef READ
INLINE REAL LOCAL(element)(const BLOCK *b, const STORED *row, size_t j, bool centered)
{
    return centered ? row[j] - b->center[j] : row[j];
}

/* Fewer features than a vector has lanes. */
INLINE void LOCAL(forward_narrow)(const BLOCK *b, const REAL *u, size_t outputs, REAL *z, bool centered)
{
    for (size_t i = 0; i < b->rows; i++)
        for (size_t k = 0; k < outputs; k++) {
            REAL sum = 0;
            for (size_t j = 0; j < b->features; j++)
                sum += LOCAL(element)(b, LOCAL(row_of)(b, i), j, centered) * u[k * b->features + j];
            z[i * outputs + k] = sum;
        }
}
#endif

/* Four rows a time; at the end of the block rows repeat, so that every row is computed in the same way. */
INLINE void LOCAL(forward_rows)(const BLOCK *b, const REAL *u, size_t outputs, REAL *z, bool centered)
{
    for (size_t row = 0; row < b->rows; row += 4) {
        size_t rows = b->rows - row < 4 ? b->rows - row : 4;
        const STORED *x[4];
        for (size_t i = 0; i < 4; i++)
            x[i] = LOCAL(row_of)(b, row + (i < rows ? i : 0));
        for (size_t k = 0, outs; k < outputs; k += outs) {
            outs = outputs - k >= 3 ? 3 : outputs - k;
            QUAD tile[3];
            if (outs == 3)
                LOCAL(forward_3)(b, x, u + k * b->features, tile, centered);
            else if (outs == 2)
                LOCAL(forward_2)(b, x, u + k * b->features, tile, centered);
            else
                LOCAL(forward_1)(b, x, u + k * b->features, tile, centered);
            for (size_t i = 0; i < rows; i++)
                for (size_t o = 0; o < outs; o++)
                    z[(row + i) * outputs + k + o] = tile[o][i];
        }
    }
}

INLINE void LOCAL(forward)(const BLOCK *b, const REAL *u, size_t outputs, REAL *z, bool centered)
{
#ifndef READ
    if (b->features < LANES) {
        LOCAL(forward_narrow)(b, u, outputs, z, centered);
        return;
    }
#endif
    if (outputs > 1)
        LOCAL(forward_rows)(b, u, outputs, z, centered);
    else if (b->features < 16 * LANES)
        LOCAL(forward_single)(b, u, z, centered);
    else
        for (size_t i = 0; i < b->rows; i++)
            z[i] = LOCAL(dot)(b, LOCAL(row_of)(b, i), u, centered);
}

void NAME(forward)(const BLOCK *b, const REAL *u, size_t outputs, REAL *z);
void NAME(forward)(const BLOCK *b, const REAL *u, size_t outputs, REAL *z)
{
    if (b->center)
        LOCAL(forward)(b, u, outputs, z, true);
    else
        LOCAL(forward)(b, u, outputs, z, false);
}

/* ---- backward ---- */

/* While backward computes on rows in the cache, memory must not idle: the start of the next block is fetched, a cache
 * line for every FETCH_SHARE lines worked on. For rows read as they are, fetching more made it slower on every machine
 * tried: prefetches wait for each other, and the processor's own prefetcher, which is faster, only follows the stream
 * that forward reads. Rows that are converted take longer than memory needs for them: more is fetched. */
#define FETCH_SHARE     (STORED_BYTES < 4 ? STORED_BYTES : 4)
#define ROW_BYTES(vecs) ((vecs)*LANES * STORED_BYTES)
#define FETCH_EVERY(vecs) \
    (ROW_BYTES(vecs) < FETCH_SHARE * 64 ? FETCH_SHARE * 64 / ROW_BYTES(vecs) : 1) /* rows for a line */

INLINE const char *LOCAL(fetch_from)(const BLOCK *b, size_t column)
{
    return b->next ? (const char *)b->next + column * b->rows * STORED_BYTES / FETCH_SHARE : NULL;
}

/* OUTS outputs times VECS vectors of columns from `column`, over all rows; of the sums only the last `keep` lanes count
 * (LANES: all; else VECS is 1). */
#define BACKWARD_TILE(OUTS, VECS)                                                                             \
    INLINE void LOCAL(backward_##OUTS##x##VECS)(const BLOCK *b, const REAL *r, size_t outputs, size_t column, \
                                                size_t keep, double *grad, bool centered)                     \
    {                                                                                                         \
        const REAL *c = b->center + column;                                                                   \
        const STORED *x = LOCAL(row_of)(b, 0) + column;                                                       \
        const char *ahead = LOCAL(fetch_from)(b, column);                                                     \
        size_t n = b->features;                                                                               \
        OUTS_##OUTS(VECS_##VECS, DECLARE) for (size_t i = 0; i < b->rows; i++, x += b->stride, r += outputs)  \
        {                                                                                                     \
            if (ahead && i % FETCH_EVERY(VECS) == 0)                                                          \
                __builtin_prefetch(ahead + i / FETCH_EVERY(VECS) * 64, 0, 3);                                 \
            OUTS_1(VECS_##VECS, VALUE) OUTS_##OUTS(VECS_##VECS, ADD)                                          \
        }                                                                                                     \
        if (VECS == 1 && keep < LANES) {                                                                      \
            OUTS_##OUTS(VECS_1, MASK_SUM)                                                                     \
        }                                                                                                     \
        OUTS_##OUTS(VECS_##VECS, FLUSH)                                                                       \
    }
#define VALUE(k, v)    const VEC x##v = LOCAL(load_centered)(x + v * LANES, c + v * LANES, centered);
#define ADD(k, v)      s##k##v += x##v * r[k];
#define MASK_SUM(k, v) s##k##v = LOCAL(keep_last)(s##k##v, keep);
#define FLUSH(k, v)    LOCAL(flush)(s##k##v, grad + k * n + column + v * LANES);
BACKWARD_TILE(1, 8)
BACKWARD_TILE(2, 4)
BACKWARD_TILE(2, 1)
BACKWARD_TILE(3, 4)
BACKWARD_TILE(3, 1)
#undef VALUE
#undef ADD

/* One output times few vectors: PHASES rows at once, so that the sums do not wait for each other. */
#define BACKWARD_FEW(PHASES, VECS)                                                                                    \
    INLINE void LOCAL(backward_1x##VECS)(const BLOCK *b, const REAL *r, size_t outputs, size_t column, size_t keep,   \
                                         double *grad, bool centered)                                                 \
    {                                                                                                                 \
        const REAL *c = b->center + column;                                                                           \
        const STORED *x = LOCAL(row_of)(b, 0) + column;                                                               \
        const char *ahead = LOCAL(fetch_from)(b, column);                                                             \
        size_t n = b->features, stride = b->stride, i = 0;                                                            \
        OUTS_##PHASES(VECS_##VECS, DECLARE) for (; i + PHASES <= b->rows; i += PHASES)                                \
        {                                                                                                             \
            if (ahead && i % FETCH_EVERY(VECS) == 0)                                                                  \
                __builtin_prefetch(ahead + i / FETCH_EVERY(VECS) * 64, 0, 3);                                         \
            OUTS_##PHASES(VECS_##VECS, ADD) x += PHASES * stride;                                                     \
            r += PHASES * outputs;                                                                                    \
        }                                                                                                             \
        for (; i < b->rows; i++, x += stride, r += outputs) {                                                         \
            OUTS_1(VECS_##VECS, ADD)                                                                                  \
        }                                                                                                             \
        OUTS_##PHASES(VECS_##VECS, JOIN) if (VECS == 1 && keep < LANES){OUTS_1(VECS_1, MASK_SUM)} OUTS_1(VECS_##VECS, \
                                                                                                         FLUSH)       \
    }
#define ADD(p, v)  s##p##v += LOCAL(load_centered)(x + p * stride + v * LANES, c + v * LANES, centered) * r[p * outputs];
#define JOIN(p, v) s0##v += p ? s##p##v : (VEC){0};
BACKWARD_FEW(2, 4)
BACKWARD_FEW(4, 2)
BACKWARD_FEW(4, 1)
#undef ADD
#undef JOIN
#undef MASK_SUM
#undef FLUSH
#undef FETCH_EVERY
#undef ROW_BYTES
#undef FETCH_SHARE

#ifndef READ
INLINE void LOCAL(backward_narrow)(const BLOCK *b, const REAL *r, size_t outputs, double *grad, bool centered)
{
    for (size_t k = 0; k < outputs; k++)
        for (size_t j = 0; j < b->features; j++) {
            REAL sum = 0;
            for (size_t i = 0; i < b->rows; i++)
                sum += r[i * outputs + k] * LOCAL(element)(b, LOCAL(row_of)(b, i), j, centered);
            grad[k * b->features + j] += (double)sum;
        }
}
#endif

INLINE void LOCAL(backward_single)(const BLOCK *b, const REAL *r, size_t outputs, double *grad, bool centered)
{
    size_t column = 0, n = b->features;
    for (; column + 8 * LANES <= n; column += 8 * LANES)
        LOCAL(backward_1x8)(b, r, outputs, column, LANES, grad, centered);
    for (; column + 4 * LANES <= n; column += 4 * LANES)
        LOCAL(backward_1x4)(b, r, outputs, column, LANES, grad, centered);
    for (; column + 2 * LANES <= n; column += 2 * LANES)
        LOCAL(backward_1x2)(b, r, outputs, column, LANES, grad, centered);
    for (; column + LANES <= n; column += LANES)
        LOCAL(backward_1x1)(b, r, outputs, column, LANES, grad, centered);
    if (column < n)
        LOCAL(backward_1x1)(b, r, outputs, n - LANES, n % LANES, grad, centered);
}

#define BACKWARD_SEVERAL(OUTS)                                                                              \
    INLINE void LOCAL(backward_several_##OUTS)(const BLOCK *b, const REAL *r, size_t outputs, double *grad, \
                                               bool centered)                                               \
    {                                                                                                       \
        size_t column = 0, n = b->features;                                                                 \
        for (; column + 4 * LANES <= n; column += 4 * LANES)                                                \
            LOCAL(backward_##OUTS##x4)(b, r, outputs, column, LANES, grad, centered);                       \
        for (; column + LANES <= n; column += LANES)                                                        \
            LOCAL(backward_##OUTS##x1)(b, r, outputs, column, LANES, grad, centered);                       \
        if (column < n)                                                                                     \
            LOCAL(backward_##OUTS##x1)(b, r, outputs, n - LANES, n % LANES, grad, centered);                \
    }
BACKWARD_SEVERAL(2)
BACKWARD_SEVERAL(3)

INLINE void LOCAL(backward)(const BLOCK *b, const REAL *r, size_t outputs, double *grad, bool centered)
{
#ifndef READ
    if (b->features < LANES) {
        LOCAL(backward_narrow)(b, r, outputs, grad, centered);
        return;
    }
#endif
    BLOCK alone = *b; /* what is ahead is fetched once */
    alone.next = NULL;
    size_t k = 0, n = b->features;
    for (; k + 3 <= outputs; k += 3)
        LOCAL(backward_several_3)(k ? &alone : b, r + k, outputs, grad + k * n, centered);
    if (outputs - k == 2)
        LOCAL(backward_several_2)(k ? &alone : b, r + k, outputs, grad + k * n, centered);
    else if (outputs - k == 1)
        LOCAL(backward_single)(k ? &alone : b, r + k, outputs, grad + k * n, centered);
}

void NAME(backward)(const BLOCK *b, const REAL *r, size_t outputs, double *grad);
void NAME(backward)(const BLOCK *b, const REAL *r, size_t outputs, double *grad)
{
    if (b->center)
        LOCAL(backward)(b, r, outputs, grad, true);
    else
        LOCAL(backward)(b, r, outputs, grad, false);
}

#undef LANES
#undef VEC
#undef QUAD
#undef INLINE
#undef FORWARD_TILE
#undef BACKWARD_TILE
#undef BACKWARD_FEW
#undef BACKWARD_SEVERAL
