/*
 * Minibatch methods without memory of the gradient's size: sgd, momentum, nesterov.
 *
 * All with l1 as the proximal step prox(x) = sign(x) max(|x| - rate * l1, 0) of the new point.
 *   sgd       w+ = prox(w - rate g)
 *   momentum  w+ = prox(w - rate g + m v),  v+ = w+ - w                   (Polyak 1964; Ochs et al. 2014)
 *   nesterov  u+ = prox(w - rate g),  v+ = u+ - u,  w+ = u+ + m v+        (Sutskever et al. 2013; Beck and Teboulle
 * 2009) In nesterov, w is the look-ahead point where the gradient is taken, u = w - m v the point behind it (the change
 * of variables of Bengio, Boulanger-Lewandowski, Pascanu 2013): the caller sees one point only. At rest v = 0 and u =
 * w.
 */
#include "optim/method.h"

#include "optim/penalty.h"

enum { VELOCITY };

static void sgd_range(struct optim *o, double *w, const double *g, size_t first, size_t end)
{
    double rate = o->numbers[NUMBER_RATE], scale = o->numbers[NUMBER_SCALE];
    for (size_t i = first; i < end; i++)
        w[i] = penalty_shrink(w[i] - rate * (scale * g[i]), rate * optim_l1_at(o, i));
}

static void momentum_range(struct optim *o, double *w, const double *g, size_t first, size_t end)
{
    double rate = o->numbers[NUMBER_RATE], scale = o->numbers[NUMBER_SCALE], m = o->config.momentum;
    double *v = optim_vector(o, VELOCITY);
    for (size_t i = first; i < end; i++) {
        double l1 = optim_l1_at(o, i), old = w[i];
        v[i] = m * v[i] - rate * (scale * g[i]);
        w[i] = old + v[i];
        if (l1 > 0) {
            w[i] = penalty_shrink(w[i], rate * l1);
            v[i] = w[i] - old;
        }
    }
}

static void nesterov_range(struct optim *o, double *w, const double *g, size_t first, size_t end)
{
    double rate = o->numbers[NUMBER_RATE], scale = o->numbers[NUMBER_SCALE], m = o->config.momentum;
    double *v = optim_vector(o, VELOCITY);
    for (size_t i = first; i < end; i++) {
        double behind = w[i] - m * v[i];
        double ahead = penalty_shrink(w[i] - rate * (scale * g[i]), rate * optim_l1_at(o, i));
        v[i] = ahead - behind;
        w[i] = ahead + m * v[i];
    }
}

const struct optim_family optim_sgd = {.vectors = (const struct optim_vectors[]){{0}}, .range = sgd_range};
const struct optim_family optim_momentum = {.vectors = (const struct optim_vectors[]){{"velocity", 1}, {0}},
                                            .range = momentum_range};
const struct optim_family optim_nesterov = {.vectors = (const struct optim_vectors[]){{"velocity", 1}, {0}},
                                            .range = nesterov_range};
