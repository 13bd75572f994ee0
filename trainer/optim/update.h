/* What the minibatch kernels (kernels/update.c) work on: one step's numbers, and the state of the parameters. */
#ifndef OPTIM_UPDATE_H
#define OPTIM_UPDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/kernel.h"

/* State in single precision stands in places of doubles. */
typedef float update_single __attribute__((may_alias));

struct update {
    double rate;
    double scale; /* on the gradient, from clipping */
    double l1;
    double decay; /* rate * weight_decay */
    double momentum, beta1, beta2, epsilon;
    double unbias1, unbias2;                     /* 1 / (1 - beta^step) */
    const uint8_t *penalised;                    /* [n] 0 or 1 */
    double *first, *second;                      /* [n] state: velocity or squares; mean */
    update_single *first_single, *second_single; /* [n] of adam_single */
};

/* Parameters [first, end) of w [n] from g [n]. */
typedef void (*update_function)(const struct update *u, double *w, const double *g, size_t first, size_t end);

KERNEL_DECLARE(void, update_sgd, const struct update *, double *, const double *, size_t, size_t);
KERNEL_DECLARE(void, update_momentum, const struct update *, double *, const double *, size_t, size_t);
KERNEL_DECLARE(void, update_nesterov, const struct update *, double *, const double *, size_t, size_t);
KERNEL_DECLARE(void, update_adagrad, const struct update *, double *, const double *, size_t, size_t);
KERNEL_DECLARE(void, update_rmsprop, const struct update *, double *, const double *, size_t, size_t);
KERNEL_DECLARE(void, update_adam_single, const struct update *, double *, const double *, size_t, size_t);
KERNEL_DECLARE(void, update_adam, const struct update *, double *, const double *, size_t, size_t);

#endif
