/* What parameters missed that no batch touched. */
#include "optim/lazy.h"

#include <math.h>

#include "base/memory.h"
#include "optim/lazy_flow.h"
#include "optim/method.h"
#include "optim/penalty.h"

#define PRODUCT_LEAST                                                                                  \
    0x1p-500 /* its inverse, the sum of those, and a weight over it are finite: of two steps late in a \
                product that became 0 nobody could tell what lay between */

enum gm_code lazy_init(struct lazy *lazy, size_t room, struct gm_error *err)
{
    enum gm_code code =
        memory_alloc((void **)&lazy->product, 3 * (room + 1), sizeof *lazy->product, "the history of steps", err);
    if (code)
        return code;
    lazy->pull = lazy->product + room + 1;
    lazy->rates = lazy->pull + room + 1;
    lazy->room = room;
    lazy->flow = KERNEL_PICK(lazy_flow, cpu_isa());
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

bool lazy_is_full(const struct lazy *lazy)
{
    return lazy->steps == lazy->room || lazy->product[lazy->steps] < PRODUCT_LEAST;
}

/* Some parameters, and the steps they missed. */
struct lazy_part {
    size_t first, count, then, now;
};

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

/* sgd, momentum, nesterov: the penalties in the metric of the parameters. */
static void shrink(const struct lazy *lazy, const struct optim *o, double *w, struct lazy_part part)
{
    double then = lazy->product[part.then], now = lazy->product[part.now];
    double threshold = o->config.l1 * (lazy->pull[part.now] - lazy->pull[part.then]);
    for (size_t i = part.first; i < part.first + part.count; i++) {
        double left = fabs(w[i]) / then - threshold, size = left <= 0 ? 0 : now * left; /* NaN stays NaN */
        w[i] = o->penalised[i] ? copysign(size, w[i]) : w[i];
    }
}

/* The others: in the metric of their last step. */
static void flow(const struct lazy *lazy, const struct optim *o, double *w, struct lazy_part part)
{
    const struct optim_config *c = &o->config;
    bool adam = o->family == &optim_adam || o->family == &optim_adam_single;
    double rates = lazy->rates[part.now] - lazy->rates[part.then];
    if (rates == 0) /* over a metric that may be 0 too */
        return;
    struct lazy_flow f = {.count = part.count,
                          .penalised = o->penalised + part.first,
                          .squares = o->vectors + part.first,
                          .unbias2 = adam ? optim_unbias2(o) : 1,
                          .epsilon = c->epsilon,
                          .rates = rates,
                          .l1 = c->l1,
                          .l2 = c->l2,
                          .decay = c->method == OPTIM_ADAMW ? c->weight_decay * rates : 0};
    if (o->family == &optim_adam_single)
        f.squares_single = (const update_single *)o->vectors + part.first;
    lazy->flow(&f, w + part.first);
}

void lazy_catch_up(const struct lazy *lazy, struct optim *o, double *w, size_t first, size_t count,
                   struct lazy_span span)
{
    const struct optim_config *c = &o->config;
    bool rolls = o->family == &optim_momentum || o->family == &optim_nesterov;
    struct lazy_part part = {first, count, span.then, span.now};
    if (span.then == span.now)
        return;
    if (rolls)
        coast(o, w, first, count, span.now - span.then);
    if (o->family != &optim_sgd && !rolls)
        flow(lazy, o, w, part);
    else if (c->l1 > 0 || c->l2 > 0)
        shrink(lazy, o, w, part);
}
