/* Steps of sgd on sparse rows. */
#include "train/sparse_direct.h"

#include <math.h>

#include "base/memory.h"
#include "train/engine_inside.h"

#define WHOLE_PASSES 16 /* entries, in passes over the parameters, until the factor is taken in */
#define FACTOR_LEAST 0x1p-20

struct sparse_direct {
    struct sparse_batch *batch;
    struct sparse_sweep sweep;
    double l2, factor;  /* the parameters are w / factor */
    size_t steps, room; /* since the factor was 1; until it is again */
    double rate;        /* on the sums of the batch, of w / factor */
};

bool sparse_direct_fits(const struct optim_config *config)
{
    return config->method == OPTIM_SGD && !(config->l1 > 0);
}

enum gm_code sparse_direct_open(struct sparse_direct **out, struct sparse_batch *batch, uint64_t entries,
                                struct gm_error *err)
{
    struct sparse_direct *s = NULL;
    enum gm_code code = memory_alloc((void **)&s, 1, sizeof *s, "a batch of sparse rows", err);
    *out = s;
    if (code)
        return code;
    s->batch = batch;
    s->room = WHOLE_PASSES * batch->engine->problem->model.n_params / (entries ? entries : 1) + 1;
    s->factor = 1;
    return GM_OK;
}

void sparse_direct_close(struct sparse_direct *s)
{
    memory_free(s);
}

void sparse_direct_begin(struct sparse_direct *s, const struct sparse_sweep *sweep, double l2)
{
    s->sweep = *sweep;
    s->l2 = l2;
    s->steps = 0;
}

static void update_range(void *context, size_t thread, size_t range)
{
    struct sparse_direct *s = context;
    struct engine *e = s->batch->engine;
    struct model_block block = sparse_batch_block(s->batch, range);
    (void)thread;
    e->problem->model.ops->descend(&e->problem->model, &block, s->batch->slopes, s->rate, e->weights);
}

/* The intercepts, which have no penalty: one sum over the rows each. */
static void update_rest(struct sparse_direct *s, double before)
{
    struct engine *e = s->batch->engine;
    const struct model *m = &e->problem->model;
    size_t width = s->batch->width;
    if (!m->spec.intercept)
        return;
    for (size_t k = 0; k < width; k++) {
        double sum = 0, *at = s->sweep.params + width * m->spec.features + k;
        for (size_t i = 0; i < s->batch->rows; i++)
            sum += s->batch->slopes[i * width + k];
        *at = *at * before / s->factor - s->rate * sum;
    }
    m->ops->refresh_rest(m, s->sweep.params, e->weights);
}

/* Some of the parameters, from the weights. */
static void collect(void *context, size_t thread, size_t item)
{
    struct sparse_direct *s = context;
    const struct engine *e = s->batch->engine;
    size_t each = (e->n - 1) / TEAM_ITEMS + 1, first = item * each, end = first + each < e->n ? first + each : e->n;
    (void)thread;
    if (first >= end)
        return;
    e->problem->model.ops->collect(&e->problem->model, e->weights, first, end, s->sweep.params);
    for (size_t i = first; s->l2 > 0 && i < end; i++)
        s->sweep.params[i] *= s->factor;
}

/* The parameters are made from the weights, and these from them, as after a resumed run has read them. */
static void make_whole(struct sparse_direct *s)
{
    if (s->steps == 0)
        return;
    sparse_batch_share(s->batch, collect, s);
    s->factor = 1;
    s->steps = 0;
    engine_prepare(s->batch->engine, s->sweep.params);
}

enum gm_code sparse_direct_batch(struct sparse_direct *s, const struct engine_batch *b, struct engine_totals *totals,
                                 struct gm_error *err)
{
    struct engine_totals own;
    double before = s->factor, rate = optim_last_rate(s->sweep.optim);
    sparse_batch_plan(s->batch, b);
    enum gm_code code = sparse_batch_forward(s->batch, s->factor, &own, err);
    if (code)
        return code;
    s->factor *= fmax(1 - rate * s->l2, FACTOR_LEAST); /* a rate beyond 1 / l2 diverges in any case */
    s->rate = rate / (own.weight[0] > 0 ? own.weight[0] : 1) / s->factor;
    sparse_batch_ranges(s->batch, update_range, s);
    update_rest(s, before);
    if (++s->steps == s->room || s->factor < FACTOR_LEAST)
        make_whole(s);
    engine_add_batch(&own, totals);
    return GM_OK;
}

bool sparse_direct_is_whole(const struct sparse_direct *s)
{
    return s->steps == 0;
}

void sparse_direct_end(struct sparse_direct *s)
{
    make_whole(s);
}
