/* The minibatch families: what each keeps between steps; their arithmetic is kernels/update.c. */
#include "base/cpu.h"
#include "optim/method.h"
#include "optim/update.h"

enum { POWER1 = NUMBER_COMMON, POWER2, ADAM_END }; /* numbers of adam: beta1^step, beta2^step */

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

void optim_step_begin(struct optim *o, double rate)
{
    o->numbers[NUMBER_RATE] = rate;
    o->numbers[NUMBER_SCALE] = 1;
    if (o->family->begin)
        o->family->begin(o);
}

void optim_step_clip(struct optim *o, double norm)
{
    if (o->config.clip_norm > 0 && norm > o->config.clip_norm)
        o->numbers[NUMBER_SCALE] = o->config.clip_norm / norm;
}

void optim_step_range(struct optim *o, double *w, const double *g, size_t first, size_t end)
{
    optim_step_part(o, w, g + first, first, end);
}

void optim_step_part(struct optim *o, double *w, const double *g, size_t first, size_t end)
{
    const struct optim_config *c = &o->config;
    const double rate = o->numbers[NUMBER_RATE];
    bool adam = o->family == &optim_adam;
    double *state = o->family == &optim_sgd ? o->vectors : o->vectors + first; /* sgd has none */
    const struct update u = {
        .rate = rate,
        .scale = o->numbers[NUMBER_SCALE],
        .l1 = c->l1,
        .decay = c->method == OPTIM_ADAMW ? rate * c->weight_decay : 0,
        .momentum = c->momentum,
        .beta1 = c->beta1,
        .beta2 = c->beta2,
        .epsilon = c->epsilon,
        .single = c->single,
        .unbias1 = adam ? 1 / (1 - o->numbers[POWER1]) : 1,
        .unbias2 = adam ? 1 / (1 - o->numbers[POWER2]) : 1,
        .penalised = o->penalised + first,
        .first = state,
        .second = adam ? optim_vector(o, 1) + first : state,
    };
    o->update(&u, w + first, g, 0, end - first);
}

static update_function pick_sgd(enum cpu_isa isa)
{
    return KERNEL_PICK(update_sgd, isa);
}

static update_function pick_momentum(enum cpu_isa isa)
{
    return KERNEL_PICK(update_momentum, isa);
}

static update_function pick_nesterov(enum cpu_isa isa)
{
    return KERNEL_PICK(update_nesterov, isa);
}

static update_function pick_adagrad(enum cpu_isa isa)
{
    return KERNEL_PICK(update_adagrad, isa);
}

static update_function pick_rmsprop(enum cpu_isa isa)
{
    return KERNEL_PICK(update_rmsprop, isa);
}

static update_function pick_adam(enum cpu_isa isa)
{
    return KERNEL_PICK(update_adam, isa);
}

static const struct optim_vectors none[] = {{0}}, velocity[] = {{"velocity", 1}, {0}};
static const struct optim_vectors squares[] = {{"squares", 1}, {0}};
static const struct optim_vectors moments[] = {{"squares", 1}, {"mean", 1}, {0}};

const struct optim_family optim_sgd = {.vectors = none, .pick = pick_sgd};
const struct optim_family optim_momentum = {.vectors = velocity, .pick = pick_momentum};
const struct optim_family optim_nesterov = {.vectors = velocity, .pick = pick_nesterov};
const struct optim_family optim_adagrad = {.vectors = squares, .pick = pick_adagrad};
const struct optim_family optim_rmsprop = {.vectors = squares, .pick = pick_rmsprop};
const struct optim_family optim_adam = {
    .vectors = moments,
    .numbers = ADAM_END - NUMBER_COMMON,
    .start = adam_start,
    .begin = adam_begin,
    .pick = pick_adam,
};
