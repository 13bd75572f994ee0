/*
 * Minibatch methods with a rate for every parameter: adagrad, rmsprop, adam, adamw.
 *
 *   adagrad  d = sqrt(sum g^2) + epsilon                      w+ = prox(w - rate/d g)         Duchi, Hazan, Singer 2011
 *   rmsprop  s = b2 s + (1 - b2) g^2,  d = sqrt(s) + epsilon  w+ = prox(w - rate/d g)         Tieleman and Hinton 2012
 *   adam     m = b1 m + (1 - b1) g,  s as above, both divided by 1 - b^step
 *            d = sqrt(s) + epsilon                            w+ = prox(w - rate/d m)         Kingma and Ba 2015
 *   adamw    the same, and w+ also loses rate * weight_decay * w (penalised only)            Loshchilov and Hutter 2019
 *
 * prox is the soft threshold of rate/d * l1, the proximal operator in the metric of the step: a common threshold would
 * move the point of rest away from the minimum of F (Yun, Lozano, Yang, "Adaptive proximal gradient methods for
 * structured neural networks", 2021).
 */
#include "optim/method.h"

#include <math.h>

#include "optim/penalty.h"

enum { SQUARES, MEAN };                            /* vectors; MEAN: adam */
enum { POWER1 = NUMBER_COMMON, POWER2, ADAM_END }; /* numbers of adam: beta1^step, beta2^step */

static void adagrad_range(struct optim *o, double *w, const double *g, size_t first, size_t end)
{
    double rate = o->numbers[NUMBER_RATE], scale = o->numbers[NUMBER_SCALE];
    double *s = optim_vector(o, SQUARES);
    for (size_t i = first; i < end; i++) {
        double slope = scale * g[i];
        s[i] += slope * slope;
        double step = rate / (sqrt(s[i]) + o->config.epsilon);
        w[i] = penalty_shrink(w[i] - step * slope, step * optim_l1_at(o, i));
    }
}

static void rmsprop_range(struct optim *o, double *w, const double *g, size_t first, size_t end)
{
    double rate = o->numbers[NUMBER_RATE], scale = o->numbers[NUMBER_SCALE], b2 = o->config.beta2;
    double *s = optim_vector(o, SQUARES);
    for (size_t i = first; i < end; i++) {
        double slope = scale * g[i];
        s[i] = b2 * s[i] + (1 - b2) * (slope * slope);
        double step = rate / (sqrt(s[i]) + o->config.epsilon);
        w[i] = penalty_shrink(w[i] - step * slope, step * optim_l1_at(o, i));
    }
}

static void adam_start(struct optim *o)
{
    o->numbers[POWER1] = o->numbers[POWER2] = 1;
}

/* Products instead of pow: no libm, so the same bits everywhere. */
static void adam_begin(struct optim *o)
{
    o->numbers[POWER1] *= o->config.beta1;
    o->numbers[POWER2] *= o->config.beta2;
}

static void adam_range(struct optim *o, double *w, const double *g, size_t first, size_t end)
{
    double rate = o->numbers[NUMBER_RATE], scale = o->numbers[NUMBER_SCALE];
    double b1 = o->config.beta1, b2 = o->config.beta2;
    double unbias1 = 1 / (1 - o->numbers[POWER1]), unbias2 = 1 / (1 - o->numbers[POWER2]);
    double decay = o->config.method == OPTIM_ADAMW ? rate * o->config.weight_decay : 0;
    double *m = optim_vector(o, MEAN), *s = optim_vector(o, SQUARES);
    for (size_t i = first; i < end; i++) {
        double slope = scale * g[i];
        m[i] = b1 * m[i] + (1 - b1) * slope;
        s[i] = b2 * s[i] + (1 - b2) * (slope * slope);
        double step = rate / (sqrt(s[i] * unbias2) + o->config.epsilon);
        double lost = o->penalised[i] ? decay : 0;
        w[i] = penalty_shrink(w[i] - step * (m[i] * unbias1) - lost * w[i], step * optim_l1_at(o, i));
    }
}

const struct optim_family optim_adagrad = {.vectors = (const struct optim_vectors[]){{"squares", 1}, {0}},
                                           .range = adagrad_range};
const struct optim_family optim_rmsprop = {.vectors = (const struct optim_vectors[]){{"squares", 1}, {0}},
                                           .range = rmsprop_range};
const struct optim_family optim_adam = {
    .vectors = (const struct optim_vectors[]){{"squares", 1}, {"mean", 1}, {0}},
    .numbers = ADAM_END - NUMBER_COMMON,
    .start = adam_start,
    .begin = adam_begin,
    .range = adam_range,
};
