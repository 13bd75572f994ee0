/* Picks the distance kernels for a processor. */
#include "model/distance.h"

#include "base/kernel.h"

KERNEL_DECLARE(void, distance_f32, const struct distance_block *, double *);
KERNEL_DECLARE(void, distance_f64, const struct distance_block *, double *);

size_t distance_stride(size_t features)
{
    return (features + DISTANCE_PAD - 1) / DISTANCE_PAD * DISTANCE_PAD;
}

struct distance_kernels distance_kernels_for(enum cpu_isa isa)
{
    return (struct distance_kernels){KERNEL_PICK(distance_f32, isa), KERNEL_PICK(distance_f64, isa)};
}
