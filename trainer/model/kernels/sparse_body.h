/* The products of sparse rows for one type: REAL and SUFFIX are defined by who includes this. */

#define PASTE2(name, suffix) name##_##suffix
#define PASTE(name, suffix)  PASTE2(name, suffix)

/* Entries of a row that is wanted later: shuffled rows are no stream that the processor could see. Inlined, because gcc
 * leaves out calls of a function that does nothing but this. */
static inline __attribute__((always_inline)) void PASTE(fetch_entries, SUFFIX)(const struct sparse_rows *b, size_t row)
{
    if (row >= b->rows + b->soon)
        return;
    const uint32_t *index = b->index + b->first[row];
    const REAL *value = (const REAL *)b->value + b->first[row];
    for (size_t e = 0; e < b->count[row]; e += 64 / sizeof *index)
        __builtin_prefetch(index + e);
    for (size_t e = 0; e < b->count[row]; e += 64 / sizeof *value)
        __builtin_prefetch(value + e);
}

/* Weights of a row that is wanted soon: the loads of one row alone do not keep memory busy. */
static inline __attribute__((always_inline)) void PASTE(fetch, SUFFIX)(const struct sparse_rows *b, size_t row,
                                                                       const REAL *u, size_t outputs)
{
    if (row >= b->rows)
        return;
    const uint32_t *index = b->index + b->first[row];
    if (outputs == 1)
        for (size_t e = 0; e < b->count[row]; e++)
            __builtin_prefetch(u + index[e]);
    else
        for (size_t e = 0; e < b->count[row]; e++)
            __builtin_prefetch(u + (size_t)index[e] * outputs);
}

/* One output: four sums, so that no addition waits for the one before. */
static inline REAL PASTE(row_dot, SUFFIX)(const REAL *restrict value, const uint32_t *restrict index, size_t count,
                                          const REAL *restrict u)
{
    REAL sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
    size_t e = 0;
    for (; e + 4 <= count; e += 4) {
        sum0 += value[e] * u[index[e]];
        sum1 += value[e + 1] * u[index[e + 1]];
        sum2 += value[e + 2] * u[index[e + 2]];
        sum3 += value[e + 3] * u[index[e + 3]];
    }
    for (; e < count; e++)
        sum0 += value[e] * u[index[e]];
    return (sum0 + sum1) + (sum2 + sum3);
}

static void PASTE(forward, SUFFIX)(const struct sparse_rows *b, const REAL *restrict u, size_t outputs,
                                   REAL *restrict z)
{
    enum { SOON = 2, LATER = 64 }; /* rows */
    const REAL *value = b->value;
    for (size_t i = 0; i < b->rows; i++) {
        const REAL *v = value + b->first[i];
        const uint32_t *index = b->index + b->first[i];
        PASTE(fetch_entries, SUFFIX)(b, i + LATER);
        PASTE(fetch, SUFFIX)(b, i + SOON, u, outputs);
        if (outputs == 1) {
            z[i] = PASTE(row_dot, SUFFIX)(v, index, b->count[i], u);
            continue;
        }
        REAL *restrict to = z + i * outputs;
        for (size_t k = 0; k < outputs; k++)
            to[k] = 0;
        for (size_t e = 0; e < b->count[i]; e++) {
            const REAL *restrict from = u + (size_t)index[e] * outputs;
            REAL x = v[e];
            for (size_t k = 0; k < outputs; k++)
                to[k] += x * from[k];
        }
    }
}

/* One output: what row_dot adds, row after row. */
static void PASTE(multiply, SUFFIX)(const struct sparse_rows *b, const REAL *restrict u, REAL *restrict to)
{
    enum { SOON = 2, LATER = 64 }; /* rows */
    const REAL *value = b->value;
    for (size_t i = 0; i < b->rows; i++) {
        const REAL *v = value + b->first[i];
        const uint32_t *index = b->index + b->first[i];
        PASTE(fetch_entries, SUFFIX)(b, i + LATER);
        PASTE(fetch, SUFFIX)(b, i + SOON, u, 1);
        for (size_t e = 0; e < b->count[i]; e++)
            to[e] = v[e] * u[index[e]];
        to += b->count[i];
    }
}

/* The sums of row_dot, with its bits: entry e of the row is in sum e % 4, the last ones are in the first. */
static void PASTE(add, SUFFIX)(const struct sparse_products *p, REAL *restrict z)
{
    for (size_t i = p->row; i < p->row + p->rows; i++, z++) {
        REAL sum[4] = {0, 0, 0, 0};
        size_t count = 0, e = 0;
        for (size_t r = 0; r < p->ranges; r++)
            count += p->count[r * p->stride + i];
        for (size_t r = 0, whole = count / 4 * 4; r < p->ranges; r++) {
            const REAL *v = (const REAL *)p->product + r * p->room + p->at[r * p->stride + i];
            const REAL *end = v + p->count[r * p->stride + i];
            for (; v < end && e % 4 != 0; v++, e++)
                sum[e < whole ? e % 4 : 0] += *v;
            for (; end - v >= 4; v += 4, e += 4)
                for (size_t k = 0; k < 4; k++)
                    sum[k] += v[k];
            for (; v < end; v++, e++)
                sum[e < whole ? e % 4 : 0] += *v;
        }
        *z = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
}

static void PASTE(backward, SUFFIX)(const struct sparse_rows *b, const double *restrict r, size_t outputs,
                                    double *restrict grad)
{
    const REAL *value = b->value;
    for (size_t i = 0; i < b->rows; i++) {
        const REAL *v = value + b->first[i];
        const uint32_t *index = b->index + b->first[i];
        const double *restrict slope = r + i * outputs;
        if (outputs == 1) {
            for (size_t e = 0; e < b->count[i]; e++)
                grad[index[e]] += slope[0] * (double)v[e];
            continue;
        }
        for (size_t e = 0; e < b->count[i]; e++) {
            double *restrict to = grad + (size_t)index[e] * outputs, x = (double)v[e];
            for (size_t k = 0; k < outputs; k++)
                to[k] += slope[k] * x;
        }
    }
}

static void PASTE(descend, SUFFIX)(const struct sparse_rows *b, const double *restrict r, double rate, size_t outputs,
                                   REAL *restrict u)
{
    const REAL *value = b->value;
    for (size_t i = 0; i < b->rows; i++) {
        const REAL *v = value + b->first[i];
        const uint32_t *index = b->index + b->first[i];
        if (b->far)
            PASTE(fetch, SUFFIX)(b, i + 2, u, outputs);
        if (outputs == 1) {
            REAL step = (REAL)(rate * r[i]);
            for (size_t e = 0; e < b->count[i]; e++)
                u[index[e]] -= step * v[e];
            continue;
        }
        for (size_t e = 0; e < b->count[i]; e++) {
            REAL *restrict to = u + (size_t)index[e] * outputs, x = v[e];
            for (size_t k = 0; k < outputs; k++)
                to[k] -= (REAL)(rate * r[i * outputs + k]) * x;
        }
    }
}

#undef PASTE
#undef PASTE2
#undef REAL
#undef SUFFIX
