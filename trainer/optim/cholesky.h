/*
 * Cholesky factorisation for Newton's method: of a symmetric matrix with a ridge, scaled to a unit diagonal first, so
 * that the units of the parameters do not matter (Golub and Van Loan 2013, section 4.2).
 *
 * Ours instead of LAPACK's: the bits do not depend on a library's thread count or choice of kernels, a process that
 * never needs it does not pay for loading and starting that library, and n^3/3 is small beside rows * n^2 for the
 * matrix itself.
 */
#ifndef OPTIM_CHOLESKY_H
#define OPTIM_CHOLESKY_H

#include <stdbool.h>
#include <stddef.h>

struct cholesky {
    size_t n;
    double *matrix;  /* [n x n] row-major: the upper triangle with the diagonal is the input and stays; the factor is
                        written below it */
    double *scale;   /* [n] out: 1 / sqrt|diagonal| */
    double *inverse; /* [n] out: 1 / diagonal of the factor */
    double least;    /* pivots (of a unit diagonal) up to this are rounding of the input; 0: that of doubles */
};

/* Factor S A S + ridge I, S = diag(scale). False when it is not positive definite beyond rounding; then only a larger
 * ridge can help. */
bool cholesky_factor(const struct cholesky *c, double ridge);

/* x [n] = the solution of (A + ridge S^-2) x = b, b in x on entry. */
void cholesky_solve(const struct cholesky *c, double *x);

#endif
