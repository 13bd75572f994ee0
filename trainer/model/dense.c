/* Picks the dense kernels for a processor, and holds the simple version that tests compare with. */
#include "model/dense.h"

#include "base/kernel.h"

KERNEL_DECLARE(void, dense_forward_f32, const struct dense_f32 *, const float *, size_t, float *);
KERNEL_DECLARE(void, dense_forward_f64, const struct dense_f64 *, const double *, size_t, double *);
KERNEL_DECLARE(void, dense_backward_f32, const struct dense_f32 *, const float *, size_t, double *);
KERNEL_DECLARE(void, dense_backward_f64, const struct dense_f64 *, const double *, size_t, double *);
KERNEL_DECLARE(void, dense_pred_f32, const float *, size_t, size_t, const double *, double *);
KERNEL_DECLARE(void, dense_pred_f64, const double *, size_t, size_t, const double *, double *);
KERNEL_DECLARE(void, dense_narrow, const double *, size_t, float *);
KERNEL_DECLARE(void, dense_add_columns, const double *, size_t, size_t, double *);

#if defined(__x86_64__)
#define STORED_DECLARE(type)                                                                              \
    KERNEL_DECLARE(void, dense_forward_##type, const struct dense_f32 *, const float *, size_t, float *); \
    KERNEL_DECLARE(void, dense_backward_##type, const struct dense_f32 *, const float *, size_t, double *);
STORED_DECLARE(u8)
STORED_DECLARE(i16)
STORED_DECLARE(f16)
#define STORED_PICK(name, isa) ((isa) == CPU_AVX512 ? name##_avx512 : (isa) == CPU_AVX2 ? name##_avx2 : NULL)
#else
#define STORED_PICK(name, isa) NULL
#endif

struct dense_kernels dense_kernels_for(enum cpu_isa isa)
{
    return (struct dense_kernels){
        .forward_stored = {KERNEL_PICK(dense_forward_f32, isa), STORED_PICK(dense_forward_u8, isa),
                           STORED_PICK(dense_forward_i16, isa), STORED_PICK(dense_forward_f16, isa)},
        .backward_stored = {KERNEL_PICK(dense_backward_f32, isa), STORED_PICK(dense_backward_u8, isa),
                            STORED_PICK(dense_backward_i16, isa), STORED_PICK(dense_backward_f16, isa)},
        .forward_f32 = KERNEL_PICK(dense_forward_f32, isa),
        .forward_f64 = KERNEL_PICK(dense_forward_f64, isa),
        .backward_f32 = KERNEL_PICK(dense_backward_f32, isa),
        .backward_f64 = KERNEL_PICK(dense_backward_f64, isa),
        .pred_f32 = KERNEL_PICK(dense_pred_f32, isa),
        .pred_f64 = KERNEL_PICK(dense_pred_f64, isa),
        .narrow = KERNEL_PICK(dense_narrow, isa),
        .add_columns = KERNEL_PICK(dense_add_columns, isa),
    };
}

#define REFERENCE(type, block_type, suffix)                                                                           \
    static void reference_forward_##suffix(const struct block_type *b, const type *u, size_t outputs, type *z)        \
    {                                                                                                                 \
        for (size_t i = 0; i < b->rows; i++)                                                                          \
            for (size_t k = 0; k < outputs; k++) {                                                                    \
                double sum = 0;                                                                                       \
                for (size_t j = 0; j < b->features; j++)                                                              \
                    sum +=                                                                                            \
                        ((double)((const type *)b->x)[i * b->stride + j] - (b->center ? (double)b->center[j] : 0)) *  \
                        (double)u[k * b->features + j];                                                               \
                z[i * outputs + k] = (type)sum;                                                                       \
            }                                                                                                         \
    }                                                                                                                 \
    static void reference_backward_##suffix(const struct block_type *b, const type *r, size_t outputs, double *grad)  \
    {                                                                                                                 \
        for (size_t i = 0; i < b->rows; i++)                                                                          \
            for (size_t k = 0; k < outputs; k++)                                                                      \
                for (size_t j = 0; j < b->features; j++)                                                              \
                    grad[k * b->features + j] +=                                                                      \
                        (double)r[i * outputs + k] *                                                                  \
                        ((double)((const type *)b->x)[i * b->stride + j] - (b->center ? (double)b->center[j] : 0));   \
    }                                                                                                                 \
    static void reference_pred_##suffix(const type *z, size_t rows, size_t outputs, const double *bias, double *pred) \
    {                                                                                                                 \
        for (size_t i = 0; i < rows * outputs; i++)                                                                   \
            pred[i] = (double)z[i] + bias[i % outputs];                                                               \
    }

REFERENCE(float, dense_f32, f32)
REFERENCE(double, dense_f64, f64)

static void reference_narrow(const double *grad, size_t n, float *r)
{
    for (size_t i = 0; i < n; i++)
        r[i] = (float)grad[i];
}

static void reference_add_columns(const double *a, size_t rows, size_t columns, double *sums)
{
    for (size_t i = 0; i < rows * columns; i++)
        sums[i % columns] += a[i];
}

struct dense_kernels dense_reference(void)
{
    return (struct dense_kernels){.forward_f32 = reference_forward_f32,
                                  .forward_f64 = reference_forward_f64,
                                  .backward_f32 = reference_backward_f32,
                                  .backward_f64 = reference_backward_f64,
                                  .pred_f32 = reference_pred_f32,
                                  .pred_f64 = reference_pred_f64,
                                  .narrow = reference_narrow,
                                  .add_columns = reference_add_columns};
}
