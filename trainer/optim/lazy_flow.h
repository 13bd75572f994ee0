/* What kernels/lazy.c works on: some parameters, their squares, and the steps they missed. */
#ifndef OPTIM_LAZY_FLOW_H
#define OPTIM_LAZY_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/kernel.h"
#include "optim/update.h"

struct lazy_flow {
    size_t count;
    const uint8_t *penalised;            /* [count] 0 or 1 */
    const double *squares;               /* [count], or */
    const update_single *squares_single; /* [count] */
    double unbias2, epsilon;             /* the metric is sqrt(square * unbias2) + epsilon */
    double rates;                        /* sum over the missed steps */
    double l1, l2, decay;                /* decay: weight_decay * rates */
};

/* w [count]. As in loss_math.h, a number has the same bits wherever it stands. */
KERNEL_DECLARE(void, lazy_flow, const struct lazy_flow *, double *);

#endif
