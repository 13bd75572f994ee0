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
 * (penalty.h adds it). l1 is handled by the proximal operator of the step (soft threshold), so weights become exactly
 * 0.
 *
 *     full batch                                          minibatch, one step
 *     do {                                                optim_step_begin(o, schedule_rate(&config, rate, epoch));
 *         evaluate f, g at w;                             evaluate g at w;
 *         verdict = optim_tell(o, w, f, g);               optim_step_clip(o, norm of g);         (if wanted)
 *     } while (verdict != OPTIM_STUCK && !stop);          optim_step_range(o, w, g, 0, n);       (or in pieces)
 *     the model is optim_iterate(o), not w
 */
#ifndef OPTIM_OPTIM_H
#define OPTIM_OPTIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

enum optim_method {
    OPTIM_GD, /* full batch. Fixed step (schedules apply), or automatic: the spectral projected gradient family, see
                 spectral.c: Barzilai-Borwein steps with nonmonotone backtracking, needs no tuning */
    OPTIM_SGD,
    OPTIM_MOMENTUM, /* Polyak 1964; with l1 iPiano: Ochs, Chen, Brox, Pock 2014 */
    OPTIM_NESTEROV, /* Sutskever et al. 2013; with l1 as FISTA, Beck and Teboulle 2009, with a constant momentum */
    OPTIM_ADAGRAD,  /* Duchi, Hazan, Singer 2011 */
    OPTIM_RMSPROP,  /* Tieleman and Hinton 2012 */
    OPTIM_ADAM,     /* Kingma and Ba 2015 */
    OPTIM_ADAMW,    /* Loshchilov and Hutter 2019 */
    OPTIM_LBFGS,    /* Liu and Nocedal 1989, strong Wolfe search; with l1 OWL-QN: Andrew and Gao 2007 */
    OPTIM_NEWTON,   /* damped, exact Hessian from the caller */
    OPTIM_SVRG      /* sgd whose gradients the caller has corrected: Johnson and Zhang 2013 */
};

enum optim_schedule { SCHEDULE_CONSTANT, SCHEDULE_STEP, SCHEDULE_COSINE, SCHEDULE_INVERSE };

struct optim_config {
    enum optim_method method;
    double learning_rate; /* > 0; NaN: automatic */
    enum optim_schedule schedule;
    double step_factor; /* step: rate * factor^(epoch / step_epochs) */
    double step_epochs;
    double decay;                 /* inverse: rate / (1 + decay * epoch) */
    double warmup_epochs;         /* linear from 0 over these first epochs, on top of any schedule */
    double max_epochs;            /* cosine: falls to 0 at this epoch */
    double momentum;              /* momentum, nesterov: 0.9 */
    double beta1, beta2, epsilon; /* adam: 0.9, 0.999, 1e-8; rmsprop: beta2 = 0.9 */
    double weight_decay;          /* adamw, decoupled */
    double clip_norm; /* > 0: minibatch gradients longer than this are scaled to it (Pascanu et al. 2013); 0: off */
    double rounding;  /* relative error of the f that is told: differences of f below rounding * |f| are judged by
                         gradients instead. 1e-10; about 1e-6 when the model computes in float32 */
    double hessian_stride; /* newton: >= 1; Hessians begin with one of so many blocks of rows (optim_hessian_stride) */
    bool single;           /* gradients come in single precision: what follows from them need not be better */
    double l1, l2;         /* l2 is in f and g already; kept here for the record */
};

void optim_config_init(struct optim_config *config, enum optim_method method); /* the published defaults */
bool optim_is_full_batch(enum optim_method method);
const char *optim_method_name(enum optim_method method); /* "gd" ... as in job files */
/* The rate that the method's authors or common practice start from on standardised features; NaN for full-batch
 * methods, which find their own. A start for a search, not a promise. */
double optim_default_rate(enum optim_method method);

/* The rate at a moment, a pure function; epoch may be fractional (epoch + batch / batches). `base` is the resolved
 * learning rate. step falls at whole multiples of step_epochs; cosine is Loshchilov and Hutter 2017 without restarts.
 * Full-batch gd with a fixed rate applies it itself, and counts its first epoch as the first of the warm-up, not as 0.
 */
double schedule_rate(const struct optim_config *config, double base, double epoch);

struct optim; /* state of a method */

/* n parameters; penalised [n] (borrowed until optim_free): 1 where l1 and l2 apply, 0 for intercepts. All memory is
 * allocated here. GM_SYSTEM; GM_BAD_JOB when a number of the configuration is out of its range. */
/* How many vectors of n doubles optim_create will allocate for this method. */
size_t optim_vector_count(const struct optim_config *config);
enum gm_code optim_create(struct optim **out, const struct optim_config *config, size_t n, const uint8_t *penalised,
                          struct gm_error *err);
void optim_free(struct optim *o); /* NULL is fine */

/* ---- full batch: ask and tell ---- */

enum optim_verdict {
    OPTIM_ACCEPTED, /* the point told is the new iterate: an epoch is complete */
    OPTIM_REJECTED, /* it was a trial too far: evaluate the new point, same epoch */
    OPTIM_STUCK /* no step makes progress any more (converged to rounding, or g is no descent): the point told was not
                   a new iterate, w holds the last one again. Also when the very start is not finite */
};

/* Tell the smooth objective f and its gradient g [n] at the point w [n] that was asked for (the first call: the start,
 * ACCEPTED if finite). Returns the verdict and overwrites w with the next point to evaluate. f, g or the Hessian not
 * finite counts as a rejected trial; with a fixed rate every point is accepted, also one that is not finite. */
enum optim_verdict optim_tell(struct optim *o, double *w, double f, const double *g);

/* The same for newton, which also needs the second derivatives of f at w (l2 included: penalty_l2_hessian). hessian [n
 * x n], row-major; the upper triangle with the diagonal is read and kept, the rest is overwritten (scratch). */
bool optim_needs_hessian(enum optim_method method);
enum optim_verdict optim_tell_hessian(struct optim *o, double *w, double f, const double *g, double *hessian);
/* newton: the multiple of its diagonal that had to be added to the last Hessian of all rows to solve with it. 0: it was
 * safely positive definite. Above 0: the parameters are not determined by the data to working precision (collinear
 * features, softmax without l2), or f is not convex there. */
double optim_last_ridge(const struct optim *o);
/* newton: the next Hessian may be that of one of so many blocks of rows, times as many; 1: of all rows. Sub-sampled
 * Newton (Byrd, Chin, Neveitt, Nocedal 2011; Roosta-Khorasani and Mahoney 2019, "Sub-sampled Newton methods"): with
 * exact gradients the error falls by about sqrt(parameters / sampled rows) a step. When it does not fall fast, when a
 * step is too long, or when the sample is singular, the next one is larger, and in the end it is all rows. */
size_t optim_hessian_stride(const struct optim *o); /* >= 1 */
/* lbfgs, before its first trial: a sample of the rows may be minimised first, after which optim_restart. */
bool optim_takes_sample(const struct optim *o);
/* As after optim_create; `learned`: what earlier trials told of the curvature is kept for the next, of another function
 * much like the one before, and optim_takes_sample says no. `limit`: see optim_misled. */
void optim_restart(struct optim *o, bool learned, double limit);
/* Before the first trial after optim_restart is told: is its objective above `limit` or no number? Then optim_forget:
 * as after optim_create, but optim_takes_sample says no. */
bool optim_misled(const struct optim *o, double objective);
void optim_forget(struct optim *o);
/* newton (a ridge) and lbfgs (curvatures that differ by more than 1e10) notice that the parameters are not determined
 * to working precision, so that the point where they end is one of many with nearly the same f. */
bool optim_undetermined(const struct optim *o);

/* The last accepted point [n], borrowed, valid until the next optim_tell. Zeros before the first. */
const double *optim_iterate(const struct optim *o);

/* ---- minibatch ---- */

/* Before the ranges of one step are updated: advances the step count and sets this step's rate. */
void optim_step_begin(struct optim *o, double rate);
/* Optional, after begin: `norm` is the Euclidean norm of this step's whole gradient; when above clip_norm, the ranges
 * of this step see g * clip_norm / norm. */
void optim_step_clip(struct optim *o, double norm);
/* Update parameters [first, end) of w [n] from g [n], the gradient of f. Ranges are independent: any partition, by any
 * threads, gives the same bits. l1 is a proximal step in the metric of the method (the adaptive ones shrink by
 * l1 * rate / denominator, Yun, Lozano, Yang 2021), so a point at rest is a minimum of F for every method. */
void optim_step_range(struct optim *o, double *w, const double *g, size_t first, size_t end);
/* The same, where g [end - first] begins with the derivative of parameter `first`. */
void optim_step_part(struct optim *o, double *w, const double *g, size_t first, size_t end);
/* Parameters [first, end) will be stepped next: they and their state may come to the cache meanwhile. */
void optim_fetch_range(const struct optim *o, const double *w, size_t first, size_t end);

/* ---- both ---- */

double optim_last_rate(const struct optim *o); /* the step length last used */

/* Everything a checkpoint must keep beside w, as named arrays of doubles, borrowed; writing through `values` restores
 * (into a fresh optim of the same configuration and n). Returns how many arrays there are, at most OPTIM_ARRAYS, and
 * fills the first `most`. */
#define OPTIM_ARRAYS 8
struct optim_array {
    const char *name;
    double *values;
    size_t count;
    bool singles; /* each place of a double holds two floats */
};
size_t optim_state(struct optim *o, struct optim_array *arrays, size_t most);

#endif
