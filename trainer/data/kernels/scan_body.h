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

/* Columns that are summed at once: their sums stay in registers over all rows of the block. */
#define STRIP (KERNEL_VECTOR / 4)

/* `width` columns from `column` on; a constant width lets the compiler unroll and vectorise. */
static inline __attribute__((always_inline)) void
LOCAL(strip)(const struct scan_block *block, const struct scan_sums *sums, size_t column, size_t width)
{
    double shift[STRIP], sum[STRIP] = {0}, square[STRIP] = {0};
    REAL low[STRIP], high[STRIP];
    const REAL *x = (const REAL *)block->x + column;
    const REAL *head = x + (block->rows ? block->rows[0] : 0) * block->stride;
    for (size_t j = 0; j < width; j++) {
        shift[j] = sums->shift[column + j];
        low[j] = high[j] = head[j];
    }
    for (size_t i = 0; i < block->n_rows; i++) {
        const REAL *row = x + (block->rows ? block->rows[i] : i) * block->stride;
        double weight = block->weight ? block->weight[i] : 1.0;
        for (size_t j = 0; j < width; j++) {
            double distance = (double)row[j] - shift[j], weighted = weight * distance;
            sum[j] += weighted;
            square[j] += weighted * distance;
            low[j] = row[j] < low[j] ? row[j] : low[j];
            high[j] = row[j] > high[j] ? row[j] : high[j];
        }
    }
    for (size_t j = 0; j < width; j++) {
        size_t at = column + j;
        sums->sum[at] += sum[j];
        sums->square[at] += square[j];
        sums->low[at] = (double)low[j] < sums->low[at] ? (double)low[j] : sums->low[at];
        sums->high[at] = (double)high[j] > sums->high[at] ? (double)high[j] : sums->high[at];
    }
}

void NAME(scan_sums)(const struct scan_block *block, const struct scan_sums *sums)
{
    if (block->n_rows == 0)
        return;
    size_t column = 0;
    for (; column + STRIP <= block->columns; column += STRIP)
        LOCAL(strip)(block, sums, column, STRIP);
    if (column < block->columns)
        LOCAL(strip)(block, sums, column, block->columns - column);
}

#undef STRIP
