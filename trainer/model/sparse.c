/* The products of sparse rows for this processor. */
#include "model/sparse.h"

#include "base/kernel.h"

#define DECLARE(name, real)                                                                                          \
    KERNEL_DECLARE(void, sparse_forward_##name, const struct sparse_rows *, const real *, size_t, real *);           \
    KERNEL_DECLARE(void, sparse_backward_##name, const struct sparse_rows *, const double *, size_t, double *);      \
    KERNEL_DECLARE(void, sparse_descend_##name, const struct sparse_rows *, const double *, double, size_t, real *); \
    KERNEL_DECLARE(void, sparse_multiply_##name, const struct sparse_rows *, const real *, real *);                  \
    KERNEL_DECLARE(void, sparse_add_##name, const struct sparse_products *, real *)
DECLARE(f32, float);
DECLARE(f64, double);

struct sparse_kernels sparse_kernels_for(enum cpu_isa isa)
{
    return (struct sparse_kernels){KERNEL_PICK(sparse_forward_f32, isa),  KERNEL_PICK(sparse_forward_f64, isa),
                                   KERNEL_PICK(sparse_backward_f32, isa), KERNEL_PICK(sparse_backward_f64, isa),
                                   KERNEL_PICK(sparse_descend_f32, isa),  KERNEL_PICK(sparse_descend_f64, isa),
                                   KERNEL_PICK(sparse_multiply_f32, isa), KERNEL_PICK(sparse_multiply_f64, isa),
                                   KERNEL_PICK(sparse_add_f32, isa),      KERNEL_PICK(sparse_add_f64, isa)};
}
