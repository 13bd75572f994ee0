/* How run.memory is shared out. */
#include "train/budget.h"

#include "base/error.h"
#include "base/text.h"
#include "optim/optim.h"
#include "train/coupled.h"
#include "train/hessian.h"
#include "train/wide.h"

#define VECTORS 4 /* parameters, gradient, best, kept */

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Vectors of the optimiser: none for predict and evaluate. */
static size_t method_vectors(const struct problem *p)
{
    struct optim_config config;
    optim_config_init(&config, (enum optim_method)p->job->optimizer.type);
    config.learning_rate = p->job->optimizer.learning_rate;
    config.single = p->job->run.precision == GM_FLOAT32;
    return optim_vector_count(&config);
}

/* The weights made from the parameters: those of a network lie in whole lines, and some of them twice. */
static enum gm_code size_weights(const struct problem *p, uint64_t *bytes, struct gm_error *err)
{
    struct model m;
    struct model_spec spec = problem_spec(p);
    *bytes = (uint64_t)problem_parameter_count(p) * sizeof(double);
    if (!model_ops_of(spec.type)->tape)
        return GM_OK;
    enum gm_code code = model_sketch(&m, &spec, err);
    if (code)
        return code;
    *bytes = larger(*bytes, m.ops->weights_bytes(&m));
    model_release(&m);
    return GM_OK;
}

static enum gm_code size_model(struct budget *b, const struct problem *p, struct gm_error *err)
{
    uint64_t tape, weights;
    enum gm_code code = wide_bytes(p, &tape, err);
    if (code || (code = size_weights(p, &weights, err)))
        return code;
    uint64_t n = problem_parameter_count(p), features = p->train.schema->features;
    uint64_t lanes = larger(p->train.plan.lanes, p->validation.plan.lanes);
    uint64_t vectors = VECTORS - (tape && !wide_wants_gradient(p)) + method_vectors(p);
    b->model = n * vectors * sizeof(double) + weights;
    uint64_t columns = p->job->data.missing == GM_MISSING_MEAN ? 6 : 5;
    b->tape = tape > 0;
    b->gradients = larger(tape ? tape : lanes * n * sizeof(double), lanes * columns * features * sizeof(double));
    b->loss = coupled_bytes(p) + hessian_bytes(p);
    return GM_OK;
}

/* Text shows a tenth of the unit at most: rounded up to what can be read off, so that giving it is enough. */
static uint64_t up(uint64_t bytes)
{
    uint64_t scale = 1;
    while (bytes / scale >= 1024)
        scale *= 1024;
    uint64_t tenths = bytes / scale * 10 + (bytes % scale * 10 + scale - 1) / scale;
    return (tenths * scale + 9) / 10;
}

static enum gm_code too_little(const struct budget *b, const struct problem *p, uint64_t least, struct gm_error *err)
{
    char given[32], needed[32], model[32], gradients[32], loss[32], data[32];
    return error_set(err, GM_SYSTEM,
                     "%s: run.memory of %s is too little; it needs at least %s: the data %s, the model %s, %s %s%s%s.",
                     p->train.schema->features_at, text_from_bytes(p->memory, given),
                     text_from_bytes(up(least), needed), text_from_bytes(b->train.least + b->validation.least, data),
                     text_from_bytes(b->model, model), b->tape ? "the activations of a batch" : "gradients",
                     text_from_bytes(b->gradients, gradients), b->loss ? ", the loss " : "",
                     b->loss ? text_from_bytes(b->loss, loss) : "");
}

static enum gm_code plan_data(struct data_need *need, const struct problem *p, const struct problem_data *d,
                              uint64_t memory, struct gm_error *err)
{
    bool minibatch = !optim_is_full_batch((enum optim_method)p->job->optimizer.type);
    bool by_group = p->loss.spec.coupling == GM_ROWS_GROUPED; /* whole groups are shuffled, in memory: group_order.c */
    struct data_budget budget = {memory, p->threads, minibatch && !by_group && d == &p->train};
    return d->set ? data_plan(d->set, &d->plan, &budget, need, err) : GM_OK;
}

enum gm_code budget_make(struct budget *b, const struct problem *p, struct gm_error *err)
{
    *b = (struct budget){0};
    enum gm_code code;
    if ((code = plan_data(&b->train, p, &p->train, 0, err)) || /* for the least; then sparse rows are measured */
        (code = plan_data(&b->validation, p, &p->validation, 0, err)) || (code = size_model(b, p, err)))
        return code;
    uint64_t fixed = b->model + b->gradients + b->loss, least = fixed + b->train.least + b->validation.least;
    if (least > p->memory)
        return too_little(b, p, least, err);
    b->train_memory = p->memory - fixed - b->validation.least;
    if ((code = plan_data(&b->train, p, &p->train, b->train_memory, err)))
        return code;
    uint64_t taken = b->train.sides + b->train.features + b->train.buffers;
    b->validation_memory = p->memory - fixed - (taken < b->train_memory ? taken : b->train_memory);
    return plan_data(&b->validation, p, &p->validation, b->validation_memory, err);
}

void budget_note(const struct budget *b, const struct problem *p, const struct gm_watch *watch)
{
    char all[32], given[32], data[32], buffers[32], model[32], gradients[32], loss[32];
    uint64_t data_bytes = b->train.sides + b->train.features + b->validation.sides + b->validation.features;
    uint64_t buffer_bytes = b->train.buffers + b->validation.buffers;
    uint64_t sum = data_bytes + buffer_bytes + b->model + b->gradients + b->loss;
    problem_detail(watch, "memory: %s planned of %s allowed: data %s (%s), buffers %s, model %s, %s %s%s%s",
                   text_from_bytes(sum, all), text_from_bytes(p->memory, given), text_from_bytes(data_bytes, data),
                   b->train.resident ? "in memory" : "streaming", text_from_bytes(buffer_bytes, buffers),
                   text_from_bytes(b->model, model), b->tape ? "activations" : "gradients",
                   text_from_bytes(b->gradients, gradients), b->loss ? ", loss " : "",
                   b->loss ? text_from_bytes(b->loss, loss) : "");
}
