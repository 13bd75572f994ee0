/*
 * The minibatch methods' inner loops, one pass over the parameters each.
 *
 *   sgd       w+ = prox(w - rate g)
 *   momentum  w+ = prox(w - rate g + m v),  v+ = w+ - w                   (Polyak 1964; Ochs et al. 2014)
 *   nesterov  u+ = prox(w - rate g),  v+ = u+ - u,  w+ = u+ + m v+        (Sutskever et al. 2013; Beck and Teboulle
 * 2009) w is the look-ahead point where the gradient is taken, u = w - m v the point behind it (the change of variables
 * of Bengio, Boulanger-Lewandowski, Pascanu 2013): the caller sees one point. At rest v = 0, u = w. adagrad   s = s +
 * g^2,                  d = sqrt(s) + epsilon,  w+ = prox(w - rate/d g)   (Duchi, Hazan, Singer 2011) rmsprop   s = b2
 * s + (1 - b2) g^2,      d = sqrt(s) + epsilon,  w+ = prox(w - rate/d g)   (Tieleman and Hinton 2012) adam      and m =
 * b1 m + (1 - b1) g, both divided by 1 - b^step, w+ = prox(w - rate/d m)  (Kingma and Ba 2015) adamw     as adam, and
 * w+ also loses rate * weight_decay * w, penalised only              (Loshchilov and Hutter 2019)
 *
 * prox is the soft threshold of l1 times the factor on the gradient: rate, or rate/d, the proximal operator in the
 * metric of the step. A common threshold for the adaptive methods would move the point of rest away from the minimum of
 * F (Yun, Lozano, Yang, "Adaptive proximal gradient methods for structured neural networks", 2021).
 *
 * No sum crosses parameters, so the bits do not depend on where a range begins.
 */
#include "optim/update.h"

#include <math.h>
#include <string.h>

#include "optim/penalty.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* What follows is made twice, plain: without l1, so that the marks of the parameters are not read. */
#define EITHER_WAY(name)                                                                                           \
    void KERNEL(update_##name)(const struct update *u, double *restrict w, const double *restrict g, size_t first, \
                               size_t end)                                                                         \
    {                                                                                                              \
        if (u->l1 == 0)                                                                                            \
            name(u, w, g, (struct run){first, end}, true);                                                         \
        else                                                                                                       \
            name(u, w, g, (struct run){first, end}, false);                                                        \
    }

struct run {
    size_t first, end;
};

ALWAYS_INLINE void sgd(const struct update *u, double *restrict w, const double *restrict g, struct run run, bool plain)
{
    const double rate = u->rate, scale = u->scale, l1 = u->rate * u->l1;
    const uint8_t *penalised = u->penalised;
    for (size_t i = run.first; i < run.end; i++) {
        double moved = w[i] - rate * (scale * g[i]);
        w[i] = plain ? moved : penalty_shrink(moved, l1 * penalised[i]);
    }
}
EITHER_WAY(sgd)

ALWAYS_INLINE void momentum(const struct update *u, double *restrict w, const double *restrict g, struct run run,
                            bool plain)
{
    const double rate = u->rate, scale = u->scale, m = u->momentum, l1 = u->rate * u->l1;
    const uint8_t *penalised = u->penalised;
    double *restrict v = u->first;
    for (size_t i = run.first; i < run.end; i++) {
        double threshold = plain ? 0 : l1 * penalised[i], moved = m * v[i] - rate * (scale * g[i]);
        double next = plain ? w[i] + moved : penalty_shrink(w[i] + moved, threshold);
        v[i] = threshold > 0 ? next - w[i] : moved; /* without l1 the difference would only lose digits */
        w[i] = next;
    }
}
EITHER_WAY(momentum)

ALWAYS_INLINE void nesterov(const struct update *u, double *restrict w, const double *restrict g, struct run run,
                            bool plain)
{
    const double rate = u->rate, scale = u->scale, m = u->momentum, l1 = u->rate * u->l1;
    const uint8_t *penalised = u->penalised;
    double *restrict v = u->first;
    for (size_t i = run.first; i < run.end; i++) {
        double behind = w[i] - m * v[i], moved = w[i] - rate * (scale * g[i]);
        double ahead = plain ? moved : penalty_shrink(moved, l1 * penalised[i]);
        v[i] = ahead - behind;
        w[i] = ahead + m * v[i];
    }
}
EITHER_WAY(nesterov)

ALWAYS_INLINE void adagrad(const struct update *u, double *restrict w, const double *restrict g, struct run run,
                           bool plain)
{
    const double rate = u->rate, scale = u->scale, l1 = u->l1, epsilon = u->epsilon;
    const uint8_t *penalised = u->penalised;
    double *restrict s = u->first;
    for (size_t i = run.first; i < run.end; i++) {
        double slope = scale * g[i];
        s[i] += slope * slope;
        double step = rate / (sqrt(s[i]) + epsilon), moved = w[i] - step * slope;
        w[i] = plain ? moved : penalty_shrink(moved, step * l1 * penalised[i]);
    }
}
EITHER_WAY(adagrad)

ALWAYS_INLINE void rmsprop(const struct update *u, double *restrict w, const double *restrict g, struct run run,
                           bool plain)
{
    const double rate = u->rate, scale = u->scale, l1 = u->l1, epsilon = u->epsilon, keep = u->beta2;
    const uint8_t *penalised = u->penalised;
    double *restrict s = u->first;
    for (size_t i = run.first; i < run.end; i++) {
        double slope = scale * g[i];
        s[i] = keep * s[i] + (1 - keep) * (slope * slope);
        double step = rate / (sqrt(s[i]) + epsilon), moved = w[i] - step * slope;
        w[i] = plain ? moved : penalty_shrink(moved, step * l1 * penalised[i]);
    }
}
EITHER_WAY(rmsprop)

/* plain: neither l1 nor decay. */
ALWAYS_INLINE void adam(const struct update *u, double *restrict w, const double *restrict g, size_t count, bool plain)
{
    const double rate = u->rate, epsilon = u->epsilon, scale = u->scale, l1 = u->l1, decay = u->decay;
    const double keep1 = u->beta1, keep2 = u->beta2, add1 = 1 - keep1, add2 = 1 - keep2;
    const double unbias1 = u->unbias1, unbias2 = u->unbias2;
    const uint8_t *penalised = u->penalised;
    double *restrict s = u->first, *restrict m = u->second;
    for (size_t i = 0; i < count; i++) {
        double slope = scale * g[i];
        m[i] = keep1 * m[i] + add1 * slope;
        s[i] = keep2 * s[i] + add2 * (slope * slope);
        double step = rate / (sqrt(s[i] * unbias2) + epsilon);
        double moved = w[i] - step * (m[i] * unbias1);
        w[i] = plain ? moved : penalty_shrink(moved - decay * penalised[i] * w[i], step * l1 * penalised[i]);
    }
}

void KERNEL(update_adam)(const struct update *u, double *restrict w, const double *restrict g, size_t first, size_t end)
{
    struct update from = *u;
    from.penalised += first;
    from.first += first;
    from.second += first;
    if (u->l1 == 0 && u->decay == 0)
        adam(&from, w + first, g + first, end - first, true);
    else
        adam(&from, w + first, g + first, end - first, false);
}

/* A mean this small moves nothing; smaller ones would never reach 0, and denormal numbers are slow. */
#define LEAST_MEAN 1e-30F

/* Parameters at a time; runs of parameters are short, and what is left of one goes through copies: a run of whole
 * panels leaves nothing. */
#define STRIP 16

struct strip {
    double *w;
    const double *g;
    update_single *s, *m; /* squares and means */
    const uint8_t *penalised;
};

/* The step's numbers in single precision. */
struct singles {
    float rate, scale, epsilon, keep1, keep2, add1, add2, unbias1, unbias2;
    double l1, decay;
};

/* Squares and means take the slopes in, and say how far the parameters move. */
ALWAYS_INLINE void adam_moments(struct singles u, const double *restrict g, update_single *restrict s,
                                update_single *restrict m, float *restrict step, float *restrict moved)
{
    for (size_t i = 0; i < STRIP; i++) {
        float slope = u.scale * (float)g[i], mean = u.keep1 * m[i] + u.add1 * slope;
        float square = u.keep2 * s[i] + u.add2 * (slope * slope);
        mean = fabsf(mean) < LEAST_MEAN ? 0 : mean;
        s[i] = square;
        m[i] = mean;
        step[i] = u.rate / (sqrtf(square * u.unbias2) + u.epsilon);
        moved[i] = step[i] * (mean * u.unbias1);
    }
}

/* The same in single precision. Where a square leaves the range of a float, epsilon or divergence rules. */
ALWAYS_INLINE void adam_strip(struct singles u, struct strip at, bool plain)
{
    float step[STRIP], moved[STRIP];
    double *restrict w = at.w;
    adam_moments(u, at.g, at.s, at.m, step, moved);
    if (plain) {
        for (size_t i = 0; i < STRIP; i++)
            w[i] -= (double)moved[i];
        return;
    }
    for (size_t i = 0; i < STRIP; i++) {
        double size = at.penalised[i], next = w[i] - (double)moved[i] - u.decay * size * w[i];
        w[i] = penalty_shrink(next, (double)step[i] * u.l1 * size);
    }
}

ALWAYS_INLINE void adam_single(struct singles u, struct strip at, size_t count, bool plain)
{
    for (; count >= STRIP; count -= STRIP) {
        adam_strip(u, at, plain);
        at = (struct strip){at.w + STRIP, at.g + STRIP, at.s + STRIP, at.m + STRIP, at.penalised + STRIP};
    }
    if (count == 0)
        return;
    double w[STRIP] = {0}, g[STRIP] = {0};
    float s[STRIP] = {0}, m[STRIP] = {0};
    uint8_t penalised[STRIP] = {0};
    memcpy(w, at.w, count * sizeof *w);
    memcpy(g, at.g, count * sizeof *g);
    memcpy(s, at.s, count * sizeof *s);
    memcpy(m, at.m, count * sizeof *m);
    memcpy(penalised, at.penalised, count);
    adam_strip(u, (struct strip){w, g, s, m, penalised}, plain);
    memcpy(at.w, w, count * sizeof *w);
    memcpy(at.s, s, count * sizeof *s);
    memcpy(at.m, m, count * sizeof *m);
}

void KERNEL(update_adam_single)(const struct update *u, double *restrict w, const double *restrict g, size_t first,
                                size_t end)
{
    const struct strip at = {w + first, g + first, u->first_single + first, u->second_single + first,
                             u->penalised + first};
    const struct singles numbers = {.rate = (float)u->rate,
                                    .scale = (float)u->scale,
                                    .epsilon = (float)u->epsilon,
                                    .keep1 = (float)u->beta1,
                                    .keep2 = (float)u->beta2,
                                    .add1 = (float)(1 - u->beta1),
                                    .add2 = (float)(1 - u->beta2),
                                    .unbias1 = (float)u->unbias1,
                                    .unbias2 = (float)u->unbias2,
                                    .l1 = u->l1,
                                    .decay = u->decay};
    if (u->l1 == 0 && u->decay == 0)
        adam_single(numbers, at, end - first, true);
    else
        adam_single(numbers, at, end - first, false);
}
