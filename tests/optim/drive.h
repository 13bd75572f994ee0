/* The loop around a full-batch method, as short as a caller's can be, and what it saw. */
#ifndef TESTS_OPTIM_DRIVE_H
#define TESTS_OPTIM_DRIVE_H

#include "optim/optim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optim/penalty.h"
#include "support.h"

#define MOST_PARAMETERS 256

/* f and g [n] at w [n]; hessian [n x n] when not NULL. */
typedef double (*objective_function)(const void *self, const double *w, double *g, double *hessian);

struct drive {
    objective_function objective;
    const void *self;
    const uint8_t *penalised;
    size_t n;
    size_t most_evaluations;
    double gradient_norm; /* stop there; 0: go on until stuck */
};

struct outcome {
    double w[MOST_PARAMETERS]; /* the last iterate */
    double f, norm;            /* there */
    size_t evaluations, epochs;
    enum optim_verdict verdict; /* the last one */
    double ridge;               /* newton's last */
};

static inline struct optim *optim_or_die(const struct optim_config *config, size_t n, const uint8_t *penalised)
{
    struct optim *o;
    struct gm_error err;
    if (optim_create(&o, config, n, penalised, &err) != GM_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(99);
    }
    return o;
}

/* From `start` [n]. */
static inline struct outcome drive(const struct drive *d, const struct optim_config *config, const double *start)
{
    struct outcome out = {.norm = INFINITY};
    double w[MOST_PARAMETERS], told[MOST_PARAMETERS], g[MOST_PARAMETERS];
    static double hessian[MOST_PARAMETERS * MOST_PARAMETERS];
    bool newton = optim_needs_hessian(config->method);
    struct optim *o = optim_or_die(config, d->n, d->penalised);
    memcpy(w, start, d->n * sizeof *w);
    while (out.evaluations < d->most_evaluations && (d->gradient_norm == 0 || out.norm > d->gradient_norm)) {
        double f = d->objective(d->self, w, g, newton ? hessian : NULL);
        memcpy(told, w, d->n * sizeof *w);
        out.verdict = newton ? optim_tell_hessian(o, w, f, g, hessian) : optim_tell(o, w, f, g);
        out.evaluations++;
        if (out.verdict == OPTIM_STUCK)
            break;
        if (out.verdict == OPTIM_ACCEPTED) {
            CU_ASSERT_EQUAL(memcmp(told, optim_iterate(o), d->n * sizeof *w), 0);
            out.f = f;
            out.norm = penalty_gradient_norm(config->l1, d->penalised, told, g, d->n);
            out.epochs++;
        }
    }
    memcpy(out.w, optim_iterate(o), d->n * sizeof *w);
    out.ridge = optim_last_ridge(o);
    optim_free(o);
    return out;
}

#endif
