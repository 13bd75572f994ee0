/* Cholesky factorisation: see cholesky.h. Row-oriented, so that every inner product runs along contiguous memory. */
#include "optim/cholesky.h"

#include <float.h>
#include <math.h>

#define ROWS  4 /* rows of the factor made at once: each earlier row is read once for all of them */
#define LANES 4 /* partial sums of an inner product, for the vector units */

/* out[r] = sum over k < n of rows[r][k] * other[k]. */
static void inner_products(const double *const rows[ROWS], const double *other, size_t n, double out[ROWS])
{
    double sums[ROWS][LANES] = {{0}};
    size_t k = 0;
    for (; k + LANES <= n; k += LANES)
        for (size_t r = 0; r < ROWS; r++)
            for (size_t l = 0; l < LANES; l++)
                sums[r][l] += rows[r][k + l] * other[k + l];
    for (size_t r = 0; r < ROWS; r++) {
        out[r] = (sums[r][0] + sums[r][1]) + (sums[r][2] + sums[r][3]);
        for (size_t tail = k; tail < n; tail++)
            out[r] += rows[r][tail] * other[tail];
    }
}

/* Element (i, j) of S A S, from the upper triangle; i >= j. */
static double scaled(const struct cholesky *c, size_t i, size_t j)
{
    return c->matrix[j * c->n + i] * c->scale[i] * c->scale[j];
}

/* Row i of the factor from column `first` on, and its pivot. */
static bool finish_row(const struct cholesky *c, size_t i, size_t first, double ridge)
{
    double *row = c->matrix + i * c->n, pivot = scaled(c, i, i) + ridge;
    for (size_t j = first; j < i; j++) {
        const double *other = c->matrix + j * c->n;
        double sum = scaled(c, i, j);
        for (size_t k = 0; k < j; k++)
            sum -= row[k] * other[k];
        row[j] = sum * c->inverse[j];
    }
    for (size_t k = 0; k < i; k++)
        pivot -= row[k] * row[k];
    if (!(pivot > 16 * DBL_EPSILON * (double)c->n && pivot < INFINITY)) /* what rounding alone leaves of a 1 */
        return false;
    c->inverse[i] = 1 / sqrt(pivot);
    return true;
}

bool cholesky_factor(const struct cholesky *c, double ridge)
{
    const size_t n = c->n;
    for (size_t i = 0; i < n; i++) {
        double size = fabs(c->matrix[i * n + i]);
        c->scale[i] = size > 0 ? 1 / sqrt(size) : 1;
    }
    for (size_t first = 0; first < n; first += ROWS) {
        size_t count = n - first < ROWS ? n - first : ROWS;
        const double *rows[ROWS];
        for (size_t r = 0; r < ROWS; r++)
            rows[r] = c->matrix + (first + (r < count ? r : 0)) * n;
        for (size_t j = 0; j < first; j++) {
            double products[ROWS];
            inner_products(rows, c->matrix + j * n, j, products);
            for (size_t r = 0; r < count; r++)
                c->matrix[(first + r) * n + j] = (scaled(c, first + r, j) - products[r]) * c->inverse[j];
        }
        for (size_t r = 0; r < count; r++)
            if (!finish_row(c, first + r, first, ridge))
                return false;
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
