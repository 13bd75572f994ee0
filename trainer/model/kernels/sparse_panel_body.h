/* Body of the kernels of sparse rows in panels for one element type REAL of REAL_BYTES. Included by sparse_panel.c once
 * a type. Up to four panels at a time are held in registers while the entries of a row, or of a column, pass by. */

#define P      (PANEL_BYTES / REAL_BYTES)
#define VECS   (PANEL_BYTES / KERNEL_VECTOR) /* of a panel's line */
#define LANES  (KERNEL_VECTOR / REAL_BYTES)
#define MOST   4 /* panels at a time */
#define SOON   8 /* entries: weights of one feature lie anywhere, and a few must be on their way at a time */
#define INLINE static inline __attribute__((always_inline))

typedef REAL LOCAL(vec) __attribute__((vector_size(KERNEL_VECTOR), may_alias));
#define VEC LOCAL(vec)

/* s[panel] += x * line[panel], lines `stride` numbers apart. */
INLINE void LOCAL(add_lines)(VEC *s, REAL x, const REAL *line, size_t stride, size_t panels)
{
    for (size_t p = 0; p < panels; p++)
        for (size_t v = 0; v < VECS; v++)
            s[p * VECS + v] += x * *(const VEC *)(line + p * stride + v * LANES);
}

INLINE void LOCAL(load_lines)(VEC *s, const REAL *line, size_t stride, size_t panels)
{
    for (size_t p = 0; p < panels; p++)
        for (size_t v = 0; v < VECS; v++)
            s[p * VECS + v] = line ? *(const VEC *)(line + p * stride + v * LANES) : (VEC){0};
}

INLINE void LOCAL(store_lines)(const VEC *s, REAL *line, size_t stride, size_t panels)
{
    for (size_t p = 0; p < panels; p++)
        for (size_t v = 0; v < VECS; v++)
            *(VEC *)(line + p * stride + v * LANES) = s[p * VECS + v];
}

/* How many of `left` panels go together. */
INLINE size_t LOCAL(together)(size_t left)
{
    return left >= MOST ? MOST : left >= 2 ? 2 : 1;
}

/* ---- rows ---- */

INLINE void LOCAL(fetch_row)(const struct sparse_panel_rows *p, size_t row)
{
    size_t bytes = p->panels * PANEL_BYTES;
    if (row >= p->rows.rows)
        return;
    const uint32_t *index = p->rows.index + p->rows.first[row];
    for (size_t e = 0; e < p->rows.count[row] && e < SOON; e++)
        fetch_to_read((const char *)p->u + index[e] * bytes, bytes);
}

INLINE void LOCAL(row_part)(const struct sparse_panel_rows *p, size_t row, size_t panel, size_t panels)
{
    const uint32_t *index = p->rows.index + p->rows.first[row];
    const REAL *value = (const REAL *)p->rows.value + p->rows.first[row];
    const REAL *u = (const REAL *)p->u + panel * P;
    size_t count = p->rows.count[row], stride = p->panels * P;
    VEC s[MOST * VECS];
    LOCAL(load_lines)(s, (const REAL *)p->start + panel * P, P, panels);
    for (size_t e = 0; e < count; e++) {
        if (e + SOON < count)
            fetch_to_read(u + index[e + SOON] * stride, panels * PANEL_BYTES);
        LOCAL(add_lines)(s, value[e], u + index[e] * stride, P, panels);
    }
    LOCAL(store_lines)(s, (REAL *)p->c + panel * p->c_stride + row * P, p->c_stride, panels);
}

void NAME(rows)(const struct sparse_panel_rows *p);
void NAME(rows)(const struct sparse_panel_rows *p)
{
    LOCAL(fetch_row)(p, 0);
    for (size_t row = 0; row < p->rows.rows; row++) {
        LOCAL(fetch_row)(p, row + 1);
        for (size_t panel = 0, n; panel < p->panels; panel += n) {
            n = LOCAL(together)(p->panels - panel);
            if (n == MOST)
                LOCAL(row_part)(p, row, panel, MOST);
            else if (n == 2)
                LOCAL(row_part)(p, row, panel, 2);
            else
                LOCAL(row_part)(p, row, panel, 1);
        }
    }
}

/* ---- a column ---- */

INLINE void LOCAL(column_part)(const struct sparse_panel_column *p, size_t panel, size_t panels)
{
    const REAL *d = (const REAL *)p->d + panel * p->d_stride, *value = p->value;
    VEC s[MOST * VECS];
    LOCAL(load_lines)(s, NULL, 0, panels);
    for (size_t e = 0; e < p->count; e++)
        LOCAL(add_lines)(s, value[e], d + p->row[e] * P, p->d_stride, panels);
    LOCAL(store_lines)(s, (REAL *)p->c + panel * P, P, panels);
}

void NAME(column)(const struct sparse_panel_column *p);
void NAME(column)(const struct sparse_panel_column *p)
{
    for (size_t panel = 0, n; panel < p->panels; panel += n) {
        n = LOCAL(together)(p->panels - panel);
        if (n == MOST)
            LOCAL(column_part)(p, panel, MOST);
        else if (n == 2)
            LOCAL(column_part)(p, panel, 2);
        else
            LOCAL(column_part)(p, panel, 1);
    }
}

/* ---- sums of all columns ---- */

void NAME(sums)(const struct sparse_panel_sums *p);
void NAME(sums)(const struct sparse_panel_sums *p)
{
    for (size_t row = 0; row < p->rows.rows; row++)
        for (size_t e = p->rows.first[row]; e < p->rows.first[row] + p->rows.count[row]; e++) {
            double x = (double)((const REAL *)p->rows.value)[e], *to = p->sum + p->rows.index[e] * p->units;
            const REAL *d = (const REAL *)p->d + row * P;
            for (size_t unit = 0; unit < p->units; unit += P, d += p->d_stride) {
                size_t n = p->units - unit < P ? p->units - unit : P;
                for (size_t j = 0; j < n; j++)
                    to[unit + j] += x * (double)d[j];
            }
        }
}

/* ---- weights ---- */

void NAME(weights)(const double *w, size_t units, double factor, void *u);
void NAME(weights)(const double *w, size_t units, double factor, void *u)
{
    REAL *restrict to = u;
    for (size_t j = 0; j < units; j++)
        to[j] = (REAL)(w[j] * factor);
}

#undef P
#undef VECS
#undef LANES
#undef MOST
#undef SOON
#undef INLINE
#undef VEC
