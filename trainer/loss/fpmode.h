/*
 * The floating-point mode of this thread: rounding, flush to zero, trapped exceptions. A plugin linked with -ffast-math
 * changes it when it is loaded, for everybody; so it is compared around loading and calls.
 */
#ifndef LOSS_FPMODE_H
#define LOSS_FPMODE_H

#include <stdint.h>

/* The control bits, without the sticky exception flags. */
uint64_t fpmode_get(void);
/* Set the control bits to what fpmode_get returned; the exception flags are cleared. */
void fpmode_set(uint64_t mode);

#endif
