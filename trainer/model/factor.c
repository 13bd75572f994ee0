/* Picks the kernels of factorization for a processor. */
#include "model/factor.h"

#include "base/kernel.h"

KERNEL_DECLARE(void, factor_predict_f32, const struct factor_step *, double *);
KERNEL_DECLARE(void, factor_predict_f64, const struct factor_step *, double *);
KERNEL_DECLARE(void, factor_sgd_f32, const struct factor_step *, const double *);
KERNEL_DECLARE(void, factor_sgd_f64, const struct factor_step *, const double *);
KERNEL_DECLARE(void, factor_adagrad_f32, const struct factor_step *, const double *);
KERNEL_DECLARE(void, factor_adagrad_f64, const struct factor_step *, const double *);

struct factor_kernels factor_kernels_for(enum cpu_isa isa, bool single)
{
    if (single)
        return (struct factor_kernels){KERNEL_PICK(factor_predict_f32, isa), KERNEL_PICK(factor_sgd_f32, isa),
                                       KERNEL_PICK(factor_adagrad_f32, isa)};
    return (struct factor_kernels){KERNEL_PICK(factor_predict_f64, isa), KERNEL_PICK(factor_sgd_f64, isa),
                                   KERNEL_PICK(factor_adagrad_f64, isa)};
}
