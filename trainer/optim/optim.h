/*
 * Parameter updates. Pure numerics: no data, no loss, no threads, no clock.
 *
 * Two families share one struct:
 *  - full-batch methods (gd; later lbfgs, newton) are driven by ask and tell: the caller evaluates the objective where
 *    optim_point says and tells the answer; the method accepts or rejects and names the next point;
 *  - minibatch methods (sgd, momentum, nesterov, adam ...) update in place from one gradient, over any range of
 *    parameters, so that ranges may be updated by different threads with the same bits.
 *
 * The objective is F(w) = f(w) + l1 * sum over penalised |w_i|, f smooth and including l2/2 * sum over penalised w_i^2
 * (penalty.h adds it). l1 is handled by the proximal operator of the step (soft threshold).
 */
#ifndef OPTIM_OPTIM_H
#define OPTIM_OPTIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

enum optim_method {
    OPTIM_GD,       /* full batch: fixed step, or automatic: SpaRSA (Wright, Nowak, Figueiredo 2009), Barzilai-Borwein
                       steps with nonmonotone backtracking */
    OPTIM_SGD,
    OPTIM_MOMENTUM, /* Polyak 1964 */
    OPTIM_NESTEROV, /* Sutskever et al. 2013 */
    OPTIM_ADAGRAD,  /* Duchi, Hazan, Singer 2011 */
    OPTIM_RMSPROP,  /* Tieleman and Hinton 2012 */
    OPTIM_ADAM,     /* Kingma and Ba 2015 */
    OPTIM_ADAMW,    /* Loshchilov and Hutter 2019 */
    OPTIM_LBFGS,    /* Liu and Nocedal 1989; Nocedal and Wright 2006, algorithms 3.5, 3.6 */
    OPTIM_NEWTON
};

enum optim_schedule { SCHEDULE_CONSTANT, SCHEDULE_STEP, SCHEDULE_COSINE, SCHEDULE_INVERSE };

struct optim_config {
    enum optim_method method;
    double learning_rate;    /* > 0; NaN: automatic */
    enum optim_schedule schedule;
    double step_factor;      /* step: rate * factor^(epoch / step_epochs) */
    double step_epochs;
    double decay;            /* inverse: rate / (1 + decay * epoch) */
    double warmup_epochs;    /* linear from 0 over these first epochs, on top of any schedule */
    double max_epochs;       /* cosine: falls to 0 at this epoch */
    double momentum;         /* momentum, nesterov: 0.9 */
    double beta1, beta2, epsilon; /* adam: 0.9, 0.999, 1e-8; rmsprop: beta2 = 0.9 */
    double weight_decay;     /* adamw, decoupled */
    double l1, l2;
};

void optim_config_init(struct optim_config *config, enum optim_method method); /* the published defaults */
bool optim_is_full_batch(enum optim_method method);
const char *optim_method_name(enum optim_method method);

/* The rate at a moment, a pure function; epoch may be fractional (epoch + batch / batches). `base` is the resolved
 * learning rate. */
double schedule_rate(const struct optim_config *config, double base, double epoch);

struct optim; /* state of a method */

/* n parameters; penalised [n] (borrowed): 1 where l1 and l2 apply, 0 for intercepts. All memory is allocated here. */
enum gm_code optim_create(struct optim **out, const struct optim_config *config, size_t n, const uint8_t *penalised,
                          struct gm_error *err);
void optim_free(struct optim *o); /* NULL is fine */

/* ---- full batch: ask and tell ---- */

enum optim_verdict {
    OPTIM_ACCEPTED, /* the point told is the new iterate: an epoch is complete */
    OPTIM_REJECTED, /* it was a trial too far: evaluate the new point, same epoch */
    OPTIM_STUCK     /* no step makes progress any more: w holds the last iterate (converged to rounding, or not descent) */
};

/* Tell the smooth objective f and its gradient g [n] at the point w [n] that was asked for (the first call: the start).
 * Returns the verdict and overwrites w with the next point to evaluate. f or g not finite counts as a rejected trial. On
 * ACCEPTED, `iterate` of optim_iterate() is the point told. */
enum optim_verdict optim_tell(struct optim *o, double *w, double f, const double *g);

/* ---- minibatch ---- */

/* Before the ranges of one step are updated: advances the step count and sets this step's rate. */
void optim_step_begin(struct optim *o, double rate);
/* Update parameters [first, end) of w from g, the gradient of f. Ranges are independent. */
void optim_step_range(struct optim *o, double *w, const double *g, size_t first, size_t end);

/* ---- both ---- */

double optim_last_rate(const struct optim *o); /* the step length last used */

/* Everything a checkpoint must keep, as named arrays of doubles, [count] of them, borrowed; writing through `values`
 * restores. */
struct optim_array {
    const char *name;
    double *values;
    size_t count;
};
size_t optim_state(struct optim *o, struct optim_array *arrays, size_t most);

#endif
