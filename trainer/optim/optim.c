/* Parameter updates: configuration, memory and state; the methods themselves are one file a family (method.h). */
#include "optim/optim.h"

#include <math.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/memory.h"
#include "optim/method.h"

static const struct method {
    const char *name;
    const struct optim_family *family;
    double rate; /* optim_default_rate */
    bool full_batch;
} methods[] = {
    [OPTIM_GD] = {"gd", &optim_gd, NAN, true},
    [OPTIM_SGD] = {"sgd", &optim_sgd, 0.01, false},
    [OPTIM_MOMENTUM] = {"momentum", &optim_momentum, 0.01, false},
    [OPTIM_NESTEROV] = {"nesterov", &optim_nesterov, 0.01, false},
    [OPTIM_ADAGRAD] = {"adagrad", &optim_adagrad, 0.01, false},
    [OPTIM_RMSPROP] = {"rmsprop", &optim_rmsprop, 0.001, false},
    [OPTIM_ADAM] = {"adam", &optim_adam, 0.001, false},
    [OPTIM_ADAMW] = {"adamw", &optim_adam, 0.001, false},
    [OPTIM_LBFGS] = {"lbfgs", &optim_lbfgs, NAN, true},
    [OPTIM_NEWTON] = {"newton", &optim_newton, NAN, true},
    [OPTIM_SVRG] = {"svrg", &optim_sgd, 0.01, false},
};

void optim_config_init(struct optim_config *config, enum optim_method method)
{
    *config = (struct optim_config){
        .method = method,
        .learning_rate = NAN,
        .schedule = SCHEDULE_CONSTANT,
        .step_factor = 0.1,
        .step_epochs = 30,
        .decay = 0.01,
        .max_epochs = 1000,
        .momentum = 0.9,
        .beta1 = 0.9,
        .beta2 = method == OPTIM_RMSPROP ? 0.9 : 0.999,
        .epsilon = 1e-8,
        .weight_decay = method == OPTIM_ADAMW ? 0.01 : 0,
        .rounding = 1e-10,
        .hessian_stride = 1,
    };
}

bool optim_needs_hessian(enum optim_method method)
{
    return method == OPTIM_NEWTON;
}

bool optim_is_full_batch(enum optim_method method)
{
    return methods[method].full_batch;
}

const char *optim_method_name(enum optim_method method)
{
    return methods[method].name;
}

double optim_default_rate(enum optim_method method)
{
    return methods[method].rate;
}

static enum gm_code check_config(const struct optim_config *c, struct gm_error *err)
{
    const struct {
        const char *name;
        double value, low, below; /* low <= value < below */
    } bounds[] = {
        {"step_factor", c->step_factor, 0, INFINITY},
        {"decay", c->decay, 0, INFINITY},
        {"warmup_epochs", c->warmup_epochs, 0, INFINITY},
        {"momentum", c->momentum, 0, 1},
        {"beta1", c->beta1, 0, 1},
        {"beta2", c->beta2, 0, 1},
        {"epsilon", c->epsilon, 0, INFINITY},
        {"weight_decay", c->weight_decay, 0, INFINITY},
        {"clip_norm", c->clip_norm, 0, INFINITY},
        {"l1", c->l1, 0, INFINITY},
        {"l2", c->l2, 0, INFINITY},
        {"rounding", c->rounding, 0, 1},
        {"hessian_stride", c->hessian_stride, 1, INFINITY},
    };
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
        if (!(bounds[i].value >= bounds[i].low && bounds[i].value < bounds[i].below))
            return error_set(err, GM_BAD_JOB, "Optimizer %s: %s is %g, expected at least %g and below %g.",
                             methods[c->method].name, bounds[i].name, bounds[i].value, bounds[i].low, bounds[i].below);
    if (c->learning_rate <= 0 || isinf(c->learning_rate))
        return error_set(err, GM_BAD_JOB, "Optimizer %s: learning_rate is %g, expected a number above 0, or auto.",
                         methods[c->method].name, c->learning_rate);
    if (c->method == OPTIM_NEWTON && c->l1 > 0)
        return error_set(err, GM_BAD_JOB,
                         "Optimizer newton: l1 is %g, but newton needs a smooth objective; use gd or lbfgs, or l1: 0.",
                         c->l1);
    if (c->schedule == SCHEDULE_STEP && !(c->step_epochs > 0))
        return error_set(err, GM_BAD_JOB, "Optimizer %s: step_epochs is %g, expected a number above 0.",
                         methods[c->method].name, c->step_epochs);
    return GM_OK;
}

static const struct optim_family *choose_family(const struct optim_config *config)
{
    if (config->method == OPTIM_GD && isnan(config->learning_rate))
        return &optim_spectral;
    if (config->single && methods[config->method].family == &optim_adam)
        return &optim_adam_single;
    return methods[config->method].family;
}

static size_t count_vectors(const struct optim_family *family)
{
    size_t count = 0;
    for (const struct optim_vectors *v = family->vectors; v->name; v++)
        count += v->count;
    return count;
}

size_t optim_vector_count(const struct optim_config *config)
{
    return count_vectors(choose_family(config));
}

enum gm_code optim_create(struct optim **out, const struct optim_config *config, size_t n, const uint8_t *penalised,
                          struct gm_error *err)
{
    struct optim *o = NULL;
    void *memory = NULL;
    size_t doubles;
    *out = NULL;
    enum gm_code code = check_config(config, err);
    if (code)
        return code;
    const struct optim_family *family = choose_family(config);
    if (!memory_product(count_vectors(family), n, &doubles))
        return error_memory(err, "the optimizer's state", SIZE_MAX);

    if ((code = memory_alloc(&memory, 1, sizeof *o, "the optimizer", err)))
        return code;
    o = memory;
    *o = (struct optim){.config = *config, .family = family, .penalised = penalised, .n = n};
    if ((code = memory_alloc_walked(&memory, doubles, sizeof(double), "the optimizer's state", err)))
        goto failed;
    o->vectors = memory;
    if ((code = memory_alloc(&memory, NUMBER_COMMON + family->numbers, sizeof(double), "the optimizer's state", err)))
        goto failed;
    o->numbers = memory;
    o->numbers[NUMBER_SCALE] = 1;
    if (family->pick)
        o->update = family->pick(cpu_isa());
    if (family->start)
        family->start(o);
    *out = o;
    return GM_OK;
failed:
    optim_free(o);
    return code;
}

void optim_free(struct optim *o)
{
    if (!o)
        return;
    memory_free(o->vectors);
    memory_free(o->numbers);
    memory_free(o);
}

enum optim_verdict optim_tell(struct optim *o, double *w, double f, const double *g)
{
    return optim_tell_hessian(o, w, f, g, NULL);
}

enum optim_verdict optim_tell_hessian(struct optim *o, double *w, double f, const double *g, double *hessian)
{
    return optim_descend(o, w, &(struct optim_trial){.w = w, .f = f, .g = g, .hessian = hessian});
}

bool optim_undetermined(const struct optim *o)
{
    return optim_last_ridge(o) > 0 || (o->family == &optim_lbfgs && optim_lbfgs_saw_flatness(o));
}

bool optim_takes_sample(const struct optim *o)
{
    return o->family == &optim_lbfgs && o->numbers[NUMBER_STARTED] == 0 && !optim_lbfgs_learned(o);
}

void optim_restart(struct optim *o, bool learned, double limit)
{
    if (o->family == &optim_lbfgs)
        optim_lbfgs_restart(o, learned, limit);
}

bool optim_misled(const struct optim *o, double objective)
{
    return o->family == &optim_lbfgs && o->numbers[NUMBER_STARTED] == 0 && optim_lbfgs_misled(o, objective);
}

void optim_forget(struct optim *o)
{
    if (o->family == &optim_lbfgs)
        optim_lbfgs_forget(o);
}

const double *optim_iterate(const struct optim *o)
{
    return optim_vector(o, VECTOR_ITERATE);
}

double optim_last_rate(const struct optim *o)
{
    return o->numbers[NUMBER_RATE];
}

size_t optim_state(struct optim *o, struct optim_array *arrays, size_t most)
{
    const struct optim_vectors *v = o->family->vectors;
    size_t found = 0, vector = 0;
    for (; v->name; vector += v->count, v++, found++)
        if (found < most)
            arrays[found] = (struct optim_array){v->name, optim_vector(o, vector), v->count * o->n, o->family->singles};
    if (found < most)
        arrays[found] = (struct optim_array){"numbers", o->numbers, NUMBER_COMMON + o->family->numbers, false};
    return found + 1;
}
