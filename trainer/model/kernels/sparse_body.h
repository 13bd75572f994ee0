/* The products of sparse rows for one type: REAL and SUFFIX are defined by who includes this. */

#define PASTE2(name, suffix) name##_##suffix
#define PASTE(name, suffix)  PASTE2(name, suffix)

/* Weights of a row that is wanted soon: the loads of one row alone do not keep memory busy. Inlined, because gcc leaves
 * out calls of a function that does nothing but this. */
static inline __attribute__((always_inline)) void PASTE(fetch, SUFFIX)(const struct sparse_rows *b, size_t row,
                                                                       const REAL *u, size_t outputs)
{
    if (row >= b->rows)
        return;
    const uint32_t *index = b->index + b->first[row];
    for (size_t e = 0; e < b->count[row]; e++)
        __builtin_prefetch(u + (size_t)index[e] * outputs);
}

/* One output: four sums, so that no addition waits for the one before. */
static REAL PASTE(row_dot, SUFFIX)(const REAL *restrict value, const uint32_t *restrict index, size_t count,
                                   const REAL *restrict u)
{
    REAL part[4] = {0};
    size_t e = 0;
    for (; e + 4 <= count; e += 4)
        for (size_t p = 0; p < 4; p++)
            part[p] += value[e + p] * u[index[e + p]];
    for (; e < count; e++)
        part[0] += value[e] * u[index[e]];
    return (part[0] + part[1]) + (part[2] + part[3]);
}

static void PASTE(forward, SUFFIX)(const struct sparse_rows *b, const REAL *restrict u, size_t outputs,
                                   REAL *restrict z)
{
    const REAL *value = b->value;
    for (size_t i = 0; i < b->rows; i++) {
        const REAL *v = value + b->first[i];
        const uint32_t *index = b->index + b->first[i];
        PASTE(fetch, SUFFIX)(b, i + 2, u, outputs);
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

#undef PASTE
#undef PASTE2
#undef REAL
#undef SUFFIX
