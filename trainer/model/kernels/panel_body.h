/* Body of the panel kernels for one element type REAL of REAL_BYTES. Included by panel.c once a type. */

#define P      (PANEL_BYTES / REAL_BYTES)
#define LANES  (KERNEL_VECTOR / REAL_BYTES) /* of a vector */
#define WIDTH  (LANES * TILE_VECTORS)       /* columns of a tile */
#define INLINE static inline __attribute__((always_inline))

typedef REAL LOCAL(vec) __attribute__((vector_size(KERNEL_VECTOR), may_alias));
#define VEC LOCAL(vec)

/* How the left side runs: `outer` times P steps of k with `jump` numbers from one to the next, or `inner` steps. */
struct LOCAL(left) {
    const REAL *a;
    size_t outer, inner, jump;
};

/* Where a tile's sums start and where they go; strides in numbers. */
struct LOCAL(tile) {
    const REAL *start;
    size_t start_stride;
    REAL *c;
    size_t c_stride;
};

#if TILE_VECTORS == 2
#define START(r)                                                  \
    VEC s##r##0 = *(const VEC *)(t->start + (r)*t->start_stride), \
        s##r##1 = *(const VEC *)(t->start + (r)*t->start_stride + LANES);
#define STORE(r)                                \
    *(VEC *)(t->c + (r)*t->c_stride) = s##r##0; \
    *(VEC *)(t->c + (r)*t->c_stride + LANES) = s##r##1;
#define RIGHT(b) const VEC b0 = *(const VEC *)(b), b1 = *(const VEC *)((b) + LANES);
#define ADD(r, at)         \
    {                      \
        const REAL x = at; \
        s##r##0 += x * b0; \
        s##r##1 += x * b1; \
    }
#else
#define START(r)   VEC s##r##0 = *(const VEC *)(t->start + (r)*t->start_stride);
#define STORE(r)   *(VEC *)(t->c + (r)*t->c_stride) = s##r##0;
#define RIGHT(b)   const VEC b0 = *(const VEC *)(b);
#define ADD(r, at) s##r##0 += (at)*b0;
#endif

/* R rows of the left side, read along its rows, times WIDTH columns of the right. */
#define ROWS_STEP(r) ADD(r, a[(r)*P + k])
#define ROWS_TILE(R)                                                                                              \
    INLINE void LOCAL(rows_##R)(struct LOCAL(left) left, const REAL *b, const struct LOCAL(tile) * t)             \
    {                                                                                                             \
        const REAL *a = left.a;                                                                                   \
        ROWS_##R(START) for (size_t o = 0; o < left.outer;                                                        \
                             o++, a += left.jump) for (size_t k = 0; k < P;                                       \
                                                       k++, b += P){RIGHT(b) ROWS_##R(ROWS_STEP)} ROWS_##R(STORE) \
    }

/* R columns of the left side, read down its rows. */
#define COLUMNS_STEP(r) ADD(r, a[k * P + (r)])
#define COLUMNS_TILE(R)                                                                                  \
    INLINE void LOCAL(columns_##R)(struct LOCAL(left) left, const REAL *b, const struct LOCAL(tile) * t) \
    {                                                                                                    \
        const REAL *a = left.a;                                                                          \
        ROWS_##R(START) for (size_t k = 0; k < left.inner;                                               \
                             k++, b += P){RIGHT(b) ROWS_##R(COLUMNS_STEP)} ROWS_##R(STORE)               \
    }

ROWS_TILE(1)
ROWS_TILE(2)
ROWS_TILE(4)
ROWS_TILE(6)
COLUMNS_TILE(2)
COLUMNS_TILE(4)
COLUMNS_TILE(6)
#if TILE_ROWS == 12
ROWS_TILE(12)
COLUMNS_TILE(12)
#endif

/* How many of `rest` rows go together. Fewer than 4 would wait for their own sums: 8 are 4 and 4, not 6 and 2. */
INLINE size_t LOCAL(rows_together)(size_t rest)
{
    if (TILE_ROWS == 12 && rest >= 12)
        return 12;
    if (rest >= 6 && rest != 8)
        return 6;
    return rest >= 4 ? 4 : rest >= 2 ? 2 : 1;
}

/* Rows [0, rows) of the left side, some panels of k, one panel of the result. */
INLINE void LOCAL(rows_block)(struct LOCAL(left) left, size_t rows, const REAL *b, struct LOCAL(tile) tile)
{
    for (size_t i = 0, n; i < rows; i += n, left.a += n * P) {
        n = LOCAL(rows_together)(rows - i);
        for (size_t j = 0; j < P; j += WIDTH) {
            struct LOCAL(tile) t = {tile.start + i * tile.start_stride + j, tile.start_stride,
                                    tile.c + i * tile.c_stride + j, tile.c_stride};
            switch (n) {
#if TILE_ROWS == 12
            case 12:
                LOCAL(rows_12)(left, b + j, &t);
                break;
#endif
            case 6:
                LOCAL(rows_6)(left, b + j, &t);
                break;
            case 4:
                LOCAL(rows_4)(left, b + j, &t);
                break;
            case 2:
                LOCAL(rows_2)(left, b + j, &t);
                break;
            default:
                LOCAL(rows_1)(left, b + j, &t);
            }
        }
    }
}

/* A few panels of k at a time, whose rows of the left side stay in the first-level cache for all panels of columns. */
void NAME(rows)(const struct panel_rows *p)
{
    const REAL *a = p->a, *start = p->start;
    for (size_t k = 0; k < p->k_panels || k == 0; k += K_PANELS) {
        size_t panels = p->k_panels - k < K_PANELS ? p->k_panels - k : K_PANELS;
        for (size_t panel = 0; panel < p->panels; panel++) {
            const REAL *b = (const REAL *)p->b + (panel * p->k_panels + k) * P * P;
            REAL *c = (REAL *)p->c + panel * p->c_stride;
            struct LOCAL(left) left = {.a = a + k * p->a_stride, .outer = panels, .jump = p->a_stride};
            struct LOCAL(tile) tile = {k ? c : start + panel * P, k ? P : 0, c, P};
            LOCAL(rows_block)(left, p->rows, b, tile);
        }
    }
}

/* All columns of a panel of the left side, some rows, one panel of the right. */
INLINE void LOCAL(columns_block)(struct LOCAL(left) left, const REAL *b, struct LOCAL(tile) tile)
{
    for (size_t j = 0; j < P; j += WIDTH) {
#define TILE_AT(u)                                                                                                   \
    &(struct LOCAL(tile)){tile.start + (u)*tile.start_stride + j, tile.start_stride, tile.c + (u)*tile.c_stride + j, \
                          tile.c_stride}
#define LEFT_AT(u)                             \
    (struct LOCAL(left))                       \
    {                                          \
        .a = left.a + (u), .inner = left.inner \
    }
#if P == 16 && TILE_ROWS == 12
        LOCAL(columns_12)(LEFT_AT(0), b + j, TILE_AT(0));
        LOCAL(columns_4)(LEFT_AT(12), b + j, TILE_AT(12));
#elif P == 16
        LOCAL(columns_6)(LEFT_AT(0), b + j, TILE_AT(0));
        LOCAL(columns_6)(LEFT_AT(6), b + j, TILE_AT(6));
        LOCAL(columns_4)(LEFT_AT(12), b + j, TILE_AT(12));
#else
        LOCAL(columns_4)(LEFT_AT(0), b + j, TILE_AT(0));
        LOCAL(columns_4)(LEFT_AT(4), b + j, TILE_AT(4));
#endif
    }
}

void NAME(columns)(const struct panel_columns *p)
{
    static const REAL zeros[P] __attribute__((aligned(PANEL_BYTES))) = {0};
    const REAL *a = p->a, *b = p->b;
    REAL *c = p->c;
    for (size_t i = 0; i < p->rows || i == 0; i += K_ROWS) {
        size_t rows = p->rows - i < K_ROWS ? p->rows - i : K_ROWS;
        bool add = p->add || i;
        for (size_t panel = 0; panel < p->b_panels; panel++) {
            struct LOCAL(left) left = {.a = a + i * P, .inner = rows};
            REAL *at = c + panel * P;
            struct LOCAL(tile) tile = {add ? at : zeros, add ? p->c_stride : 0, at, p->c_stride};
            LOCAL(columns_block)(left, b + panel * p->b_stride + i * P, tile);
        }
    }
}

/* ---- turned ---- */

#define QUAD    (16 / REAL_BYTES)         /* numbers of the small vectors that are turned in squares */
#define AT_ONCE ((size_t)PANEL_BYTES / 8) /* columns: a line of each row, read once */
typedef REAL LOCAL(quad) __attribute__((vector_size(16), may_alias));

/* QUAD rows of `from`, `stride` apart, become columns of `to`. */
INLINE void LOCAL(turn_square)(const REAL *from, size_t stride, REAL *to)
{
    typedef LOCAL(quad) quad;
#if REAL_BYTES == 4
    quad a = *(const quad *)from, b = *(const quad *)(from + stride), c = *(const quad *)(from + 2 * stride),
         d = *(const quad *)(from + 3 * stride);
    quad ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    quad ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7), cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    *(quad *)to = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
    *(quad *)(to + P) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
    *(quad *)(to + 2 * P) = __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5);
    *(quad *)(to + 3 * P) = __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7);
#else
    quad a = *(const quad *)from, b = *(const quad *)(from + stride);
    *(quad *)to = __builtin_shufflevector(a, b, 0, 2);
    *(quad *)(to + P) = __builtin_shufflevector(a, b, 1, 3);
#endif
}

void NAME(turn)(const struct panel_turn *p)
{
    REAL lines[P * AT_ONCE] __attribute__((aligned(PANEL_BYTES))) = {0};
    REAL *c = p->c;
    size_t j = 0;
    for (; j + AT_ONCE <= p->columns; j += AT_ONCE) {
        for (size_t u = 0; u < p->rows; u++) {
            const double *from = p->a + u * p->a_stride + j;
            for (size_t k = 0; k < AT_ONCE; k++)
                lines[u * AT_ONCE + k] = (REAL)from[k];
        }
        for (size_t k = 0; k < AT_ONCE; k += QUAD)
            for (size_t u = 0; u < P; u += QUAD)
                LOCAL(turn_square)(lines + u * AT_ONCE + k, AT_ONCE, c + (j + k) * P + u);
    }
    for (; j < p->columns; j++)
        for (size_t u = 0; u < P; u++)
            c[j * P + u] = u < p->rows ? (REAL)p->a[u * p->a_stride + j] : 0;
}

/* ---- means: written as the updates read them, by whole vectors, or these would wait for stores ---- */

void NAME(mean)(const void *sum, size_t n, double factor, double *mean)
{
    const REAL *from = sum;
    double *restrict to = mean;
    for (size_t i = 0; i < n; i++)
        to[i] = (double)from[i] * factor;
}
