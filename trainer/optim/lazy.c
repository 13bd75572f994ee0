/* What parameters missed that no batch touched. */
#include "optim/lazy.h"

#include <math.h>

#include "base/memory.h"
#include "optim/method.h"
#include "optim/penalty.h"

enum gm_code lazy_init(struct lazy *lazy, size_t room, struct gm_error *err)
{
    enum gm_code code =
        memory_alloc((void **)&lazy->product, 3 * (room + 1), sizeof *lazy->product, "the history of steps", err);
    if (code)
        return code;
    lazy->pull = lazy->product + room + 1;
    lazy->rates = lazy->pull + room + 1;
    lazy->room = room;
    lazy_restart(lazy);
    return GM_OK;
}

void lazy_release(struct lazy *lazy)
{
    memory_free(lazy->product);
    *lazy = (struct lazy){0};
}

void lazy_restart(struct lazy *lazy)
{
    lazy->steps = 0;
    lazy->product[0] = 1;
    lazy->pull[0] = lazy->rates[0] = 0;
}

bool lazy_needed(const struct optim_config *c)
{
    return c->method == OPTIM_MOMENTUM || c->method == OPTIM_NESTEROV || c->l1 > 0 || c->l2 > 0 ||
           (c->method == OPTIM_ADAMW && c->weight_decay > 0);
}

void lazy_step(struct lazy *lazy, const struct optim *o)
{
    size_t t = lazy->steps++;
    double rate = o->numbers[NUMBER_RATE];
    if (o->family == &optim_momentum || o->family == &optim_nesterov)
        rate /= 1 - o->config.momentum;                  /* what a slope comes to in the end, also that of a penalty */
    double factor = fmax(1 - rate * o->config.l2, 1e-6); /* a rate beyond 1 / l2 diverges in any case */
    lazy->product[t + 1] = lazy->product[t] * factor;
    lazy->pull[t + 1] = lazy->pull[t] + rate / lazy->product[t + 1];
    lazy->rates[t + 1] = lazy->rates[t] + rate;
}

/* What a step is divided by at parameter i, the square root of the squares; 1 for the methods that keep none. */
static double metric(const struct optim *o, size_t i)
{
    if (o->family == &optim_adagrad || o->family == &optim_rmsprop)
        return sqrt(o->vectors[i]) + o->config.epsilon;
    if (o->family == &optim_adam_single)
        return sqrt((double)((const update_single *)o->vectors)[i] * optim_unbias2(o)) + o->config.epsilon;
    return sqrt(o->vectors[i] * optim_unbias2(o)) + o->config.epsilon;
}

/* Closed form of the penalties' flow over the time `a`. */
static double flow(const struct optim_config *c, double size, double a, double decay)
{
    double pull = c->l2 * a + decay; /* all that shrinks in proportion */
    if (pull <= 0)
        return fmax(0, size - c->l1 * a);
    double floor = c->l1 * a / pull;
    return fmax(0, (size + floor) * exp(-pull) - floor);
}

/* Products instead of pow: no libm, so the same bits everywhere. */
static double power(double base, size_t exponent)
{
    double result = 1;
    for (; exponent; exponent >>= 1, base *= base)
        if (exponent & 1)
            result *= base;
    return result;
}

/* Velocity without gradient, for some steps. */
static void coast(struct optim *o, double *w, size_t first, size_t count, size_t steps)
{
    double m = o->config.momentum, left = power(m, steps);
    double reach = m * (1 - left) / (1 - m) * (o->family == &optim_nesterov ? m : 1);
    double *velocity = o->vectors;
    for (size_t i = first; i < first + count; i++) {
        w[i] += reach * velocity[i];
        velocity[i] *= left;
    }
}

void lazy_catch_up(const struct lazy *lazy, struct optim *o, double *w, size_t first, size_t count,
                   struct lazy_span span)
{
    const struct optim_config *c = &o->config;
    bool plain = o->family == &optim_sgd || o->family == &optim_momentum || o->family == &optim_nesterov;
    if (span.then == span.now)
        return;
    if (plain && o->family != &optim_sgd)
        coast(o, w, first, count, span.now - span.then);
    double then = lazy->product[span.then], now = lazy->product[span.now];
    double threshold = c->l1 * (lazy->pull[span.now] - lazy->pull[span.then]);
    double rates = lazy->rates[span.now] - lazy->rates[span.then];
    double decay = c->method == OPTIM_ADAMW ? c->weight_decay * rates : 0;
    for (size_t i = first; i < first + count; i++) {
        double size = fabs(w[i]);
        if (!o->penalised[i] || size == 0)
            continue;
        size = plain ? now * fmax(0, size / then - threshold) : flow(c, size, rates / metric(o, i), decay);
        w[i] = copysign(size, w[i]);
    }
}
