/* Chooses the kernels of sparse rows in panels for a processor. */
#include "model/sparse_panel.h"

#include "base/kernel.h"

#define DECLARE(name)                                                                     \
    KERNEL_DECLARE(void, sparse_panel_rows_##name, const struct sparse_panel_rows *);     \
    KERNEL_DECLARE(void, sparse_panel_column_##name, const struct sparse_panel_column *); \
    KERNEL_DECLARE(void, sparse_panel_sums_##name, const struct sparse_panel_sums *);     \
    KERNEL_DECLARE(void, sparse_panel_weights_##name, const double *, size_t, double, void *)
DECLARE(f32);
DECLARE(f64);

struct sparse_panel_kernels sparse_panel_kernels_for(enum cpu_isa isa)
{
    return (struct sparse_panel_kernels){.rows_f32 = KERNEL_PICK(sparse_panel_rows_f32, isa),
                                         .rows_f64 = KERNEL_PICK(sparse_panel_rows_f64, isa),
                                         .column_f32 = KERNEL_PICK(sparse_panel_column_f32, isa),
                                         .column_f64 = KERNEL_PICK(sparse_panel_column_f64, isa),
                                         .sums_f32 = KERNEL_PICK(sparse_panel_sums_f32, isa),
                                         .sums_f64 = KERNEL_PICK(sparse_panel_sums_f64, isa),
                                         .weights_f32 = KERNEL_PICK(sparse_panel_weights_f32, isa),
                                         .weights_f64 = KERNEL_PICK(sparse_panel_weights_f64, isa)};
}
