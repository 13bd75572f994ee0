/* Chooses the activation kernels for a processor. */
#include "model/activation.h"

#include "base/kernel.h"

KERNEL_DECLARE(void, activation_apply_f32, enum activation, void *, size_t, void *);
KERNEL_DECLARE(void, activation_apply_f64, enum activation, void *, size_t, void *);
KERNEL_DECLARE(void, activation_enter_f32, const struct activation_entry *);
KERNEL_DECLARE(void, activation_enter_f64, const struct activation_entry *);
KERNEL_DECLARE(void, activation_times_f32, void *, const void *, size_t);
KERNEL_DECLARE(void, activation_times_f64, void *, const void *, size_t);

struct activation_kernels activation_kernels_for(enum cpu_isa isa)
{
    return (struct activation_kernels){.apply_f32 = KERNEL_PICK(activation_apply_f32, isa),
                                       .apply_f64 = KERNEL_PICK(activation_apply_f64, isa),
                                       .enter_f32 = KERNEL_PICK(activation_enter_f32, isa),
                                       .enter_f64 = KERNEL_PICK(activation_enter_f64, isa),
                                       .times_f32 = KERNEL_PICK(activation_times_f32, isa),
                                       .times_f64 = KERNEL_PICK(activation_times_f64, isa)};
}
