/*
 * Cholesky factorisation: see cholesky.h.
 *
 * Row-oriented, by blocks: every inner product runs along contiguous memory, over the columns left of a block for 4 x 3
 * elements at a time (kernels/cholesky.c), so that a block of rows is read from the cache once for all rows of another.
 */
#include "optim/cholesky.h"

#include <float.h>
#include <math.h>

#include "base/cpu.h"
#include "base/size.h"
#include "optim/dots.h"

#define BLOCK 48 /* rows of a block, whole tiles of 4 and of 3 */

typedef void dots_function(const double *const a[4], const double *const b[3], size_t n, double out[4][3]);

/* Element (i, j) of S A S, from the upper triangle; i >= j. */
static double scaled(const struct cholesky *c, size_t i, size_t j)
{
    return c->matrix[j * c->n + i] * c->scale[i] * c->scale[j];
}

/* Elements (rows, columns) of the block at (row, column): S A S minus what the columns left of the block explain. On
 * the diagonal those above it are left alone. */
static void explain(const struct cholesky *c, dots_function *dots, size_t row, size_t column)
{
    size_t n = c->n, row_end = size_least(row + BLOCK, n), column_end = size_least(column + BLOCK, n);
    for (size_t i = row; i < row_end; i += 4)
        for (size_t j = column; j < column_end && j < i + 4; j += 3) {
            const double *a[4], *b[3];
            double products[4][3];
            for (size_t r = 0; r < 4; r++)
                a[r] = c->matrix + size_least(i + r, n - 1) * n;
            for (size_t s = 0; s < 3; s++)
                b[s] = c->matrix + size_least(j + s, n - 1) * n;
            dots(a, b, column, products);
            for (size_t r = i; r < size_least(i + 4, row_end); r++)
                for (size_t s = j; s < size_least(j + 3, column_end) && s < r; s++)
                    c->matrix[r * n + s] = scaled(c, r, s) - products[r - i][s - j];
        }
}

/* Columns [column, end) of row i, its earlier columns done: forward substitution within the block. */
static void substitute(const struct cholesky *c, size_t i, size_t column, size_t end)
{
    double *row = c->matrix + i * c->n;
    for (size_t j = column; j < end; j++) {
        const double *other = c->matrix + j * c->n;
        double sum = row[j];
        for (size_t k = column; k < j; k++)
            sum -= row[k] * other[k];
        row[j] = sum * c->inverse[j];
    }
}

/* The pivot of row i, whose other elements are done. */
static bool pivot_row(const struct cholesky *c, size_t i, double ridge)
{
    const double *row = c->matrix + i * c->n;
    double pivot = scaled(c, i, i) + ridge;
    for (size_t k = 0; k < i; k++)
        pivot -= row[k] * row[k];
    /* what rounding alone leaves of a 1 */
    if (!(pivot > fmax(c->least, 16 * DBL_EPSILON * (double)c->n) && pivot < INFINITY))
        return false;
    c->inverse[i] = 1 / sqrt(pivot);
    return true;
}

bool cholesky_factor(const struct cholesky *c, double ridge)
{
    const size_t n = c->n;
    dots_function *dots = KERNEL_PICK(optim_dots, cpu_isa());
    for (size_t i = 0; i < n; i++) {
        double size = fabs(c->matrix[i * n + i]);
        c->scale[i] = size > 0 ? 1 / sqrt(size) : 1;
    }
    for (size_t row = 0; row < n; row += BLOCK) {
        size_t end = size_least(row + BLOCK, n);
        for (size_t column = 0; column < row; column += BLOCK) {
            explain(c, dots, row, column);
            for (size_t i = row; i < end; i++)
                substitute(c, i, column, column + BLOCK);
        }
        explain(c, dots, row, row);
        for (size_t i = row; i < end; i++) {
            substitute(c, i, row, i);
            if (!pivot_row(c, i, ridge))
                return false;
        }
    }
    return true;
}

void cholesky_solve(const struct cholesky *c, double *x)
{
    const size_t n = c->n;
    for (size_t i = 0; i < n; i++) { /* L z = S b */
        const double *row = c->matrix + i * n;
        double sum = c->scale[i] * x[i];
        for (size_t k = 0; k < i; k++)
            sum -= row[k] * x[k];
        x[i] = sum * c->inverse[i];
    }
    for (size_t i = n; i-- > 0;) { /* L' y = z */
        const double *row = c->matrix + i * n;
        x[i] *= c->inverse[i];
        for (size_t k = 0; k < i; k++)
            x[k] -= row[k] * x[i];
        x[i] *= c->scale[i];
    }
}
