/*
 * Inner products of rows, for the Cholesky factorisation: 4 rows times 3 rows at once, whose 12 sums of vectors stay in
 * registers (named variables).
 */
#include "optim/dots.h"

#define LANES (KERNEL_VECTOR / 8)

typedef double vec __attribute__((vector_size(KERNEL_VECTOR), aligned(8), may_alias));

#define ROWS(M)   M(0) M(1) M(2) M(3)
#define OTHERS(M) M(0) M(1) M(2)

static inline __attribute__((always_inline)) double total(vec v)
{
    double sum = 0;
    for (size_t l = 0; l < LANES; l++)
        sum += v[l];
    return sum;
}

void KERNEL(optim_dots)(const double *const a[4], const double *const b[3], size_t n, double out[4][3]);
void KERNEL(optim_dots)(const double *const a[4], const double *const b[3], size_t n, double out[4][3])
{
#define DECLARE(i) vec s##i##0 = {0}, s##i##1 = {0}, s##i##2 = {0};
#define LOAD(j)    const vec b##j = *(const vec *)(b[j] + k);
#define ADD(i)                                  \
    {                                           \
        const vec x = *(const vec *)(a[i] + k); \
        s##i##0 += x * b0;                      \
        s##i##1 += x * b1;                      \
        s##i##2 += x * b2;                      \
    }
#define STORE(i)                \
    out[i][0] = total(s##i##0); \
    out[i][1] = total(s##i##1); \
    out[i][2] = total(s##i##2);
    size_t k = 0;
    ROWS(DECLARE)
    for (; k + LANES <= n; k += LANES) {
        OTHERS(LOAD)
        ROWS(ADD)
    }
    ROWS(STORE)
    for (; k < n; k++)
        for (size_t i = 0; i < 4; i++)
            for (size_t j = 0; j < 3; j++)
                out[i][j] += a[i][k] * b[j][k];
}
