/* Picks the Gram kernels for a processor; and the sizes that all of them agree on. */
#include "model/gram.h"

#include "base/kernel.h"

KERNEL_DECLARE(void, gram_add_f32, const struct gram_panel *, double *);
KERNEL_DECLARE(void, gram_add_f64, const struct gram_panel *, double *);

/* Whole tiles in both directions; never a large power of two, which would put all rows into the same cache sets. */
size_t gram_stride(size_t columns)
{
    size_t stride = (columns + GRAM_TILE + GRAM_COLUMNS - 1) / GRAM_COLUMNS * GRAM_COLUMNS;
    return stride % 128 == 0 ? stride + GRAM_COLUMNS : stride;
}

size_t gram_sums(size_t columns)
{
    return (columns + GRAM_TILE - 1) / GRAM_TILE * GRAM_TILE * gram_stride(columns);
}

struct gram_kernels gram_kernels_for(enum cpu_isa isa)
{
    return (struct gram_kernels){KERNEL_PICK(gram_add_f32, isa), KERNEL_PICK(gram_add_f64, isa)};
}
