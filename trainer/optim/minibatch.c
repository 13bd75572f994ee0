/* The minibatch families: what each keeps between steps; their arithmetic is kernels/update.c. */
#include "base/cpu.h"
#include "base/fetch.h"
#include "optim/lazy.h"
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

/* This step's numbers, and the state from parameter `first` on. */
static struct update update_of(const struct optim *o, size_t first)
{
    const struct optim_config *c = &o->config;
    const double rate = o->numbers[NUMBER_RATE];
    bool single = o->family == &optim_adam_single, adam = single || o->family == &optim_adam;
    update_single *singles = single ? (update_single *)o->vectors : NULL;
    double *state = o->family == &optim_sgd ? o->vectors : o->vectors + first; /* sgd has none */
    return (struct update){
        .rate = rate,
        .scale = o->numbers[NUMBER_SCALE],
        .l1 = c->l1,
        .decay = c->method == OPTIM_ADAMW ? rate * c->weight_decay : 0,
        .momentum = c->momentum,
        .beta1 = c->beta1,
        .beta2 = c->beta2,
        .epsilon = c->epsilon,
        .unbias1 = adam ? 1 / (1 - o->numbers[POWER1]) : 1,
        .unbias2 = adam ? 1 / (1 - o->numbers[POWER2]) : 1,
        .penalised = o->penalised + first,
        .first = state,
        .second = adam && !single ? optim_vector(o, 1) + first : state,
        .first_single = single ? singles + first : NULL,
        .second_single = single ? singles + o->n + first : NULL,
    };
}

void optim_step_range(struct optim *o, double *w, const double *g, size_t first, size_t end)
{
    optim_step_part(o, w, g + first, first, end);
}

void optim_step_part(struct optim *o, double *w, const double *g, size_t first, size_t end)
{
    const struct update u = update_of(o, first);
    o->update(&u, w + first, g, 0, end - first);
}

double optim_unbias2(const struct optim *o)
{
    return update_of(o, 0).unbias2;
}

/* Parameters [first, first + count) and their state. */
static void fetch_run(const struct optim *o, const struct update *u, const double *w, size_t first, size_t count)
{
    fetch_to_write(w + first, count * sizeof *w);
    if (u->l1 > 0 || u->decay > 0)
        fetch_to_read(u->penalised + first, count);
    if (u->first_single) {
        fetch_to_write(u->first_single + first, count * sizeof *u->first_single);
        fetch_to_write(u->second_single + first, count * sizeof *u->second_single);
        return;
    }
    if (o->family != &optim_sgd)
        fetch_to_write(u->first + first, count * sizeof *u->first);
    if (u->second != u->first)
        fetch_to_write(u->second + first, count * sizeof *u->second);
}

void optim_fetch_list(const struct optim *o, const double *w, const struct optim_list *list)
{
    const struct update u = update_of(o, 0);
    for (size_t c = 0; c < list->count; c++)
        fetch_run(o, &u, w, list->columns[c] * list->width, list->width);
}

void optim_fetch_range(const struct optim *o, const double *w, size_t first, size_t end)
{
    const struct update u = update_of(o, 0);
    fetch_run(o, &u, w, first, end - first);
}

/* The parameters and their state are laid side by side for the kernels, and put back. */
void optim_step_list(struct optim *o, double *w, const double *g, const struct optim_list *list)
{
    enum { AT_ONCE = 256 };
    double values[AT_ONCE], first[AT_ONCE], second[AT_ONCE];
    update_single singles[2][AT_ONCE];
    uint8_t penalised[AT_ONCE];
    size_t at[AT_ONCE], width = list->width, all = list->count * width;
    const struct update whole = update_of(o, 0);
    struct update part = whole;
    bool single = whole.first_single != NULL, marked = whole.l1 > 0 || whole.decay > 0;
    bool has_first = o->family != &optim_sgd && !single, has_second = whole.second != whole.first;
    part.penalised = penalised;
    part.first = first;
    part.second = has_second ? second : first;
    part.first_single = singles[0];
    part.second_single = singles[1];
    for (size_t begin = 0, n; begin < all; begin += n) {
        n = all - begin < AT_ONCE ? all - begin : AT_ONCE;
        for (size_t i = 0; i < n; i++) {
            size_t p = begin + i;
            at[i] = width == 1 ? list->columns[p] : list->columns[p / width] * width + p % width;
            values[i] = w[at[i]];
            penalised[i] = marked ? whole.penalised[at[i]] : 0;
        }
        for (size_t i = 0; has_first && i < n; i++)
            first[i] = whole.first[at[i]];
        for (size_t i = 0; has_second && i < n; i++)
            second[i] = whole.second[at[i]];
        for (size_t i = 0; single && i < n; i++) {
            singles[0][i] = whole.first_single[at[i]];
            singles[1][i] = whole.second_single[at[i]];
        }
        o->update(&part, values, g + begin, 0, n);
        for (size_t i = 0; i < n; i++)
            w[at[i]] = values[i];
        for (size_t i = 0; has_first && i < n; i++)
            whole.first[at[i]] = first[i];
        for (size_t i = 0; has_second && i < n; i++)
            whole.second[at[i]] = second[i];
        for (size_t i = 0; single && i < n; i++) {
            whole.first_single[at[i]] = singles[0][i];
            whole.second_single[at[i]] = singles[1][i];
        }
    }
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

static update_function pick_adam_single(enum cpu_isa isa)
{
    return KERNEL_PICK(update_adam_single, isa);
}

static const struct optim_vectors none[] = {{0}}, velocity[] = {{"velocity", 1}, {0}};
static const struct optim_vectors squares[] = {{"squares", 1}, {0}};
static const struct optim_vectors moments[] = {{"squares", 1}, {"mean", 1}, {0}};
static const struct optim_vectors singles[] = {{"squares_and_mean", 1}, {0}};

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
/* In single precision, as the gradients are: an update waits for memory, and the state is most of it. */
const struct optim_family optim_adam_single = {
    .vectors = singles,
    .singles = true,
    .numbers = ADAM_END - NUMBER_COMMON,
    .start = adam_start,
    .begin = adam_begin,
    .pick = pick_adam_single,
};
