/*
 * Inside the optim room: what a family of methods provides, one file each, and what optim.c keeps for it.
 *
 * All state is doubles in two allocations, named for checkpoints: `vectors`, rows of n, and `numbers`, which a family
 * indexes by an enum of its own. A new family is one file with one struct optim_family, and one line in optim.c.
 */
#ifndef OPTIM_METHOD_H
#define OPTIM_METHOD_H

#include "optim/optim.h"

struct optim_family {
    const char *const *vectors;     /* names of the state vectors of n doubles, NULL at the end */
    size_t numbers;                 /* scalars of state */
    void (*start)(struct optim *o); /* numbers that do not start at 0 */
    enum optim_verdict (*tell)(struct optim *o, double *w, double f, const double *g); /* full batch, else NULL */
    const double *(*iterate)(const struct optim *o);                                   /* full batch, else NULL */
    void (*begin)(struct optim *o); /* minibatch: once a step, or NULL */
    void (*range)(struct optim *o, double *w, const double *g, size_t first, size_t end); /* minibatch, else NULL */
};

struct optim {
    struct optim_config config;
    const struct optim_family *family;
    const uint8_t *penalised; /* [n] */
    size_t n;
    double *vectors; /* [family's vectors x n] */
    double *numbers; /* [NUMBER_COMMON + family->numbers] */
};

/* Scalars that every family has; its own follow. */
enum {
    NUMBER_RATE,  /* the step length last used */
    NUMBER_SCALE, /* minibatch: factor on this step's gradient, from clipping */
    NUMBER_COMMON
};

static inline double *optim_vector(const struct optim *o, size_t which)
{
    return o->vectors + which * o->n;
}

/* l1 as it acts on parameter i. */
static inline double optim_l1_at(const struct optim *o, size_t i)
{
    return o->penalised[i] ? o->config.l1 : 0;
}

/* Rate of a whole epoch of full-batch descent: as schedule_rate, but the warm-up of epoch 0 is its first step, not 0.
 */
double schedule_epoch_rate(const struct optim_config *config, double base, double epoch);

extern const struct optim_family optim_gd, optim_spectral;                  /* gd.c, spectral.c */
extern const struct optim_family optim_sgd, optim_momentum, optim_nesterov; /* sgd.c */
extern const struct optim_family optim_adagrad, optim_rmsprop, optim_adam;  /* adaptive.c; adamw is adam */

#endif
