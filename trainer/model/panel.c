/* Chooses the panel kernels for a processor. */
#include "model/panel.h"

#include "base/kernel.h"

KERNEL_DECLARE(void, panel_rows_f32, const struct panel_rows *);
KERNEL_DECLARE(void, panel_rows_f64, const struct panel_rows *);
KERNEL_DECLARE(void, panel_columns_f32, const struct panel_columns *);
KERNEL_DECLARE(void, panel_columns_f64, const struct panel_columns *);
KERNEL_DECLARE(void, panel_turn_f32, const struct panel_turn *);
KERNEL_DECLARE(void, panel_turn_f64, const struct panel_turn *);
KERNEL_DECLARE(void, panel_mean_f32, const void *, size_t, double, double *);
KERNEL_DECLARE(void, panel_mean_f64, const void *, size_t, double, double *);

struct panel_kernels panel_kernels_for(enum cpu_isa isa)
{
    return (struct panel_kernels){.mean_f32 = KERNEL_PICK(panel_mean_f32, isa),
                                  .mean_f64 = KERNEL_PICK(panel_mean_f64, isa),
                                  .rows_f32 = KERNEL_PICK(panel_rows_f32, isa),
                                  .rows_f64 = KERNEL_PICK(panel_rows_f64, isa),
                                  .columns_f32 = KERNEL_PICK(panel_columns_f32, isa),
                                  .columns_f64 = KERNEL_PICK(panel_columns_f64, isa),
                                  .turn_f32 = KERNEL_PICK(panel_turn_f32, isa),
                                  .turn_f64 = KERNEL_PICK(panel_turn_f64, isa)};
}
