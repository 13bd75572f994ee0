/*
 * Inside the optim room: what a family of methods provides, one file each, and what optim.c keeps for it.
 *
 * All state is doubles in two allocations, named for checkpoints: `vectors`, rows of n, and `numbers`, which a family
 * indexes by an enum of its own. A new family is one struct optim_family in a file of its own (a minibatch method: a
 * kernel and a line in minibatch.c), and one line in optim.c.
 */
#ifndef OPTIM_METHOD_H
#define OPTIM_METHOD_H

#include "base/cpu.h"
#include "optim/line.h"
#include "optim/optim.h"
#include "optim/update.h"

struct optim_vectors {
    const char *name;
    size_t count; /* vectors of n doubles, one behind the other */
};

/* What the caller told: the trial point, full batch. */
struct optim_trial {
    const double *w; /* [n] */
    double f;
    double objective; /* f + l1 */
    const double *g;  /* [n] */
    double *hessian;  /* [n x n], newton only */
    bool finite;      /* all of it */
    bool first;       /* the start: there is nothing to compare it with */
};

enum optim_judgement { OPTIM_TAKE, OPTIM_RETRY, OPTIM_GIVE_UP };

struct optim_family {
    const struct optim_vectors *vectors; /* name NULL at the end */
    size_t numbers;                      /* scalars of state */
    bool singles;                        /* vectors hold two floats in each place of a double */
    void (*start)(struct optim *o);      /* numbers that do not start at 0, or NULL */

    /* Full batch: descent.c drives these; else NULL. The iterate and its gradient are the family's first two vectors.
     * judge: TAKE makes the trial the iterate, and what propose needs next must be ready; RETRY likewise, from the old
     * iterate. The first trial is taken. propose: w = the next trial; false when it equals the iterate. */
    enum optim_judgement (*judge)(struct optim *o, const struct optim_trial *trial);
    bool (*propose)(struct optim *o, double *w);
    double patience; /* epochs without a smaller gradient, with F constant within rounding, that mean converged */

    /* Minibatch, else NULL; begin: once a step, or NULL; pick: the kernel for this processor. */
    void (*begin)(struct optim *o);
    update_function (*pick)(enum cpu_isa isa);
};

struct optim {
    struct optim_config config;
    const struct optim_family *family;
    const uint8_t *penalised; /* [n] */
    size_t n;
    double *vectors;        /* [family's vectors x n] */
    double *numbers;        /* [NUMBER_COMMON + family->numbers] */
    update_function update; /* minibatch */
};

/* Scalars that every family has; its own follow. */
enum {
    NUMBER_RATE,      /* the step length last used */
    NUMBER_SCALE,     /* minibatch: factor on this step's gradient, from clipping */
    NUMBER_STARTED,   /* full batch, from here on: there is an iterate */
    NUMBER_DONE,      /* no further step: the next tell says STUCK */
    NUMBER_EPOCHS,    /* iterates so far, the start included */
    NUMBER_REJECTED,  /* trials since the iterate */
    NUMBER_OBJECTIVE, /* F at the iterate */
    NUMBER_LOWEST,    /* F so far */
    NUMBER_LEAST,     /* norm of the gradient so far */
    NUMBER_SINCE,     /* epochs since then, */
    NUMBER_LOW,       /* and the least and the greatest F in them */
    NUMBER_HIGH,
    NUMBER_COMMON
};

enum { VECTOR_ITERATE, VECTOR_GRADIENT, VECTOR_OWN }; /* of full-batch families */

/* State vector number `which`, counted through all of the family's. */
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

/* adam: 1 / (1 - beta2^step) of this step; 1 for the others (minibatch.c). */
double optim_unbias2(const struct optim *o);

/* ---- descent.c: what the full-batch families share ---- */

enum optim_verdict optim_descend(struct optim *o, double *w, struct optim_trial *trial);

/*
 * F at the trial minus F at the iterate. Near the minimum f no longer resolves a step while g still does: as in Hager
 * and Zhang 2005 ("approximate Wolfe"), a change below rounding * |F| is replaced by what the gradients say, the
 * trapezoid (g + g')/2 . s, exact for a quadratic, as long as F stays within that of its lowest value. This is what
 * reaches 1e-9 in the coefficients, where f alone stops at the square root of its rounding.
 */
double optim_change(const struct optim *o, const struct optim_trial *trial);

/* line_tell for a trial along `direction` [n] from the iterate. */
enum line_answer optim_search(struct optim *o, double *line, const double *direction, const struct optim_trial *trial);

/* |f| / |g|^2: Polyak's step for a least value of 0: covariant in the units of f and of w, and for f >= 0 never below
 * 1/(2L). A first step where nothing is known. */
double optim_first_rate(double f, const double *g, size_t n);

double optim_dot(const double *a, const double *b, size_t n);
double optim_norm(const double *a, size_t n); /* neither overflows nor vanishes before it must */

bool optim_lbfgs_saw_flatness(const struct optim *o);
bool optim_lbfgs_learned(const struct optim *o);
bool optim_lbfgs_misled(const struct optim *o, double objective);
void optim_lbfgs_forget(struct optim *o);
void optim_lbfgs_restart(struct optim *o, bool learned, double limit);

extern const struct optim_family optim_gd, optim_spectral, optim_lbfgs, optim_newton; /* one file each */
extern const struct optim_family optim_sgd, optim_momentum, optim_nesterov, optim_adagrad, optim_rmsprop, optim_adam,
    optim_adam_single; /* minibatch.c; adamw is adam */

#endif
