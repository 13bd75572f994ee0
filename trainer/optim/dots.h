/* Inner products of rows (kernels/cholesky.c). */
#ifndef OPTIM_DOTS_H
#define OPTIM_DOTS_H

#include <stddef.h>

#include "base/kernel.h"

/* out[i][j] = sum over k < n of a[i][k] * b[j][k]. */
KERNEL_DECLARE(void, optim_dots, const double *const[4], const double *const[3], size_t, double[4][3]);

#endif
