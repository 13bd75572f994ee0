/* The scan's loops for one type, REAL: included twice by scan.c. No include guard on purpose. */

bool NAME(scan_finite)(const REAL *x, size_t n)
{
    BITS worst = 0; /* the largest exponent field: all ones means Inf or NaN */
    for (size_t i = 0; i < n; i++) {
        BITS bits;
        memcpy(&bits, &x[i], sizeof bits);
        bits &= EXPONENT;
        worst = bits > worst ? bits : worst;
    }
    return worst != EXPONENT;
}

/* A strip is summed over all rows of the block at once, in registers: STRIP columns, as two vectors of REAL for the
 * range and as PARTS vectors of double for the sums. */
#define STRIP (2 * (sizeof(VECTOR) / sizeof(REAL)))
#define PARTS (STRIP / WIDTH)

static inline __attribute__((always_inline)) void
LOCAL(strip)(const struct scan_block *block, const struct scan_sums *sums, size_t column, bool weighted)
{
    const REAL *x = (const REAL *)block->x + column;
    vector_d shift[PARTS], sum[PARTS], square[PARTS];
    VECTOR low[2], high[2];
    memcpy(shift, sums->shift + column, sizeof shift);
    memcpy(sum, sums->sum + column, sizeof sum);
    memcpy(square, sums->square + column, sizeof square);
    memcpy(low, x + (block->rows ? block->rows[0] : 0) * block->stride, sizeof low);
    memcpy(high, low, sizeof high);
    for (size_t i = 0; i < block->n_rows; i++) {
        const REAL *row = x + (block->rows ? block->rows[i] : i) * block->stride;
#pragma GCC unroll 2
        for (size_t k = 0; k < 2; k++) {
            VECTOR value;
            memcpy(&value, row + k * (STRIP / 2), sizeof value);
            low[k] = LEAST(value, low[k]);
            high[k] = MOST(value, high[k]);
        }
#pragma GCC unroll 4
        for (size_t k = 0; k < PARTS; k++) {
            vector_d distance = WIDEN(row + k * WIDTH) - shift[k];
            vector_d part = weighted ? distance * block->weight[i] : distance;
            sum[k] += part;
            square[k] += part * distance;
        }
    }
    memcpy(sums->sum + column, sum, sizeof sum);
    memcpy(sums->square + column, square, sizeof square);
    for (size_t j = 0; j < STRIP; j++) {
        double least = (double)low[j / (STRIP / 2)][j % (STRIP / 2)],
               most = (double)high[j / (STRIP / 2)][j % (STRIP / 2)];
        sums->low[column + j] = least < sums->low[column + j] ? least : sums->low[column + j];
        sums->high[column + j] = most > sums->high[column + j] ? most : sums->high[column + j];
    }
}

/* The columns behind the last whole strip. */
static void LOCAL(rest)(const struct scan_block *block, const struct scan_sums *sums, size_t column)
{
    for (size_t i = 0; i < block->n_rows; i++) {
        const REAL *row = (const REAL *)block->x + (block->rows ? block->rows[i] : i) * block->stride;
        double weight = block->weight ? block->weight[i] : 1.0;
        for (size_t j = column; j < block->columns; j++) {
            double value = (double)row[j], distance = value - sums->shift[j], part = weight * distance;
            sums->sum[j] += part;
            sums->square[j] += part * distance;
            sums->low[j] = value < sums->low[j] ? value : sums->low[j];
            sums->high[j] = value > sums->high[j] ? value : sums->high[j];
        }
    }
}

void NAME(scan_sums)(const struct scan_block *block, const struct scan_sums *sums)
{
    if (block->n_rows == 0)
        return;
    size_t column = 0;
    if (block->weight)
        for (; column + STRIP <= block->columns; column += STRIP)
            LOCAL(strip)(block, sums, column, true);
    else
        for (; column + STRIP <= block->columns; column += STRIP)
            LOCAL(strip)(block, sums, column, false);
    if (column < block->columns)
        LOCAL(rest)(block, sums, column);
}

#undef STRIP
#undef PARTS
