/* The ends of a linear model's block, between the products in the model's precision and the loss in double. */
#include "model/dense.h"

#include "base/kernel.h"

/* One output, as most models have, goes in whole vectors. */
#define PRED(type, suffix)                                                                                          \
    void KERNEL(dense_pred_##suffix)(const type *z, size_t rows, size_t outputs, const double *bias, double *pred); \
    void KERNEL(dense_pred_##suffix)(const type *z, size_t rows, size_t outputs, const double *bias, double *pred)  \
    {                                                                                                               \
        if (outputs == 1)                                                                                           \
            for (size_t i = 0; i < rows; i++)                                                                       \
                pred[i] = (double)z[i] + bias[0];                                                                   \
        else                                                                                                        \
            for (size_t i = 0; i < rows; i++)                                                                       \
                for (size_t k = 0; k < outputs; k++)                                                                \
                    pred[i * outputs + k] = (double)z[i * outputs + k] + bias[k];                                   \
    }
PRED(float, f32)
PRED(double, f64)

void KERNEL(dense_narrow)(const double *grad, size_t n, float *r);
void KERNEL(dense_narrow)(const double *grad, size_t n, float *r)
{
    for (size_t i = 0; i < n; i++)
        r[i] = (float)grad[i];
}

typedef double vec __attribute__((vector_size(KERNEL_VECTOR), aligned(sizeof(double)), may_alias));
#define LANES (KERNEL_VECTOR / sizeof(double))

/* By four vectors of partial sums: no chain of additions. */
static double sum_of(const double *a, size_t n)
{
    vec part[4] = {{0}, {0}, {0}, {0}};
    size_t i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES) {
        part[0] += *(const vec *)(a + i);
        part[1] += *(const vec *)(a + i + LANES);
        part[2] += *(const vec *)(a + i + 2 * LANES);
        part[3] += *(const vec *)(a + i + 3 * LANES);
    }
    part[0] = (part[0] + part[1]) + (part[2] + part[3]);
    double sum = 0;
    for (; i < n; i++)
        sum += a[i];
    for (size_t l = 0; l < LANES; l++)
        sum += part[0][l];
    return sum;
}

void KERNEL(dense_add_columns)(const double *a, size_t rows, size_t columns, double *sums);
void KERNEL(dense_add_columns)(const double *a, size_t rows, size_t columns, double *sums)
{
    if (columns > 1) {
        for (size_t i = 0; i < rows; i++)
            for (size_t k = 0; k < columns; k++)
                sums[k] += a[i * columns + k];
        return;
    }
    sums[0] += sum_of(a, rows);
}
