/* Minibatch steps on sparse rows. */
#include "train/sparse_step.h"

#include <string.h>

#include "base/fetch.h"
#include "base/memory.h"
#include "optim/lazy.h"
#include "train/column_table.h"
#include "train/engine_inside.h"
#include "train/sparse_batch.h"
#include "train/sparse_direct.h"

#define LIST_COLUMNS ((size_t)64)   /* columns updated at a time */
#define ALL_COLUMNS  ((size_t)4096) /* columns caught up at a time */

struct sparse_step {
    struct sparse_batch batch;
    struct sparse_direct *direct; /* the steps of sgd; then nothing below is used but l2 */
    struct engine *engine;
    struct sparse_sweep sweep;
    size_t width, features; /* parameters of a column */
    uint32_t *columns;      /* [entries] lists of the columns that occur, of one range after the other */
    uint32_t *slots;        /* [4 x entries] and of each list a table by hash: where a column is in it; */
    uint32_t *places;       /* [entries] where in the table a column of the list is */
    double *gradients;      /* [entries x width] theirs */
    double *rest;           /* [width] */
    struct lazy lazy;
    uint32_t *caught; /* [features] steps after which a column was caught up; NULL: nothing to make good */
    double l2;
    double divisor; /* of the batch at hand */
};

static enum gm_code take(void **out, size_t count, size_t size, struct gm_error *err)
{
    return memory_alloc(out, count, size, "a batch of sparse rows", err);
}

static enum gm_code open_lists(struct sparse_step *s, uint64_t entries, const struct optim_config *config,
                               struct gm_error *err)
{
    enum gm_code code;
    if ((code = take((void **)&s->slots, 4 * entries, sizeof *s->slots, err)) ||
        (code = take((void **)&s->places, entries, sizeof *s->places, err)) ||
        (code = take((void **)&s->columns, entries, sizeof *s->columns, err)) ||
        (code = take((void **)&s->gradients, entries * s->width, sizeof *s->gradients, err)) ||
        (code = take((void **)&s->rest, s->width, sizeof *s->rest, err)) || !lazy_needed(config))
        return code;
    /* so that catching up all costs no more than the batches in between */
    size_t period = s->engine->problem->model.n_params / (entries ? entries : 1) + 1;
    code = lazy_init(&s->lazy, period, err);
    return code ? code : take((void **)&s->caught, s->features, sizeof *s->caught, err);
}

enum gm_code sparse_step_open(struct sparse_step **out, struct engine *e, const struct optim_config *config,
                              struct gm_error *err)
{
    const struct problem *p = e->problem;
    const struct model *m = &p->model;
    size_t asked = p->job->optimizer.batch_size, all = p->train.schema->rows, rows = asked < all ? asked : all;
    *out = NULL;
    if (!m->spec.sparse || !m->ops->refresh || m->ops->tape || !asked || e->coupled.rows || e->n_theta ||
        config->clip_norm > 0 || config->method == OPTIM_SVRG || p->job->optimizer.average != GM_AVERAGE_NONE ||
        optim_is_full_batch(config->method))
        return GM_OK;
    uint64_t entries = data_entries_most(p->train.set, rows);
    if (entries > m->n_params)
        return GM_OK;
    struct sparse_step *s = NULL;
    enum gm_code code = take((void **)&s, 1, sizeof *s, err);
    if (code)
        return code;
    s->engine = e;
    s->width = m->spec.outputs;
    s->features = m->spec.features;
    s->l2 = config->l2;
    if (!(code = sparse_batch_open(&s->batch, e, rows, entries, err)))
        code = sparse_direct_fits(config) ? sparse_direct_open(&s->direct, &s->batch, entries, err)
                                          : open_lists(s, entries, config, err);
    if (code)
        sparse_step_close(s);
    else
        *out = s;
    return code;
}

void sparse_step_close(struct sparse_step *s)
{
    if (!s)
        return;
    sparse_direct_close(s->direct);
    sparse_batch_close(&s->batch);
    memory_free(s->slots);
    memory_free(s->places);
    memory_free(s->columns);
    memory_free(s->gradients);
    memory_free(s->rest);
    memory_free(s->caught);
    lazy_release(&s->lazy);
    memory_free(s);
}

void sparse_step_begin(struct sparse_step *s, const struct sparse_sweep *sweep)
{
    s->sweep = *sweep;
    if (s->direct)
        sparse_direct_begin(s->direct, sweep, s->l2);
    engine_prepare(s->engine, sweep->params);
}

/* ---- columns that waited ---- */

static void catch_up(struct sparse_step *s, uint32_t column, size_t now)
{
    const struct model *m = &s->engine->problem->model;
    struct lazy_span span = {s->caught[column], now};
    lazy_catch_up(&s->lazy, s->sweep.optim, s->sweep.params, column * s->width, s->width, span);
    m->ops->refresh(m, s->sweep.params, &column, 1, s->engine->weights);
    s->caught[column] = (uint32_t)now;
}

static void fetch_places(const uint32_t *places, const struct model_block *b, size_t i)
{
    fetch_is_wanted();
    for (size_t e = 0; i < b->rows && e < b->count[i]; e++)
        __builtin_prefetch(places + b->index[b->first[i] + e], 1);
}

/* The columns that occur in a range, as they are after the steps before this one. */
static void catch_up_range(void *context, size_t thread, size_t range)
{
    struct sparse_step *s = context;
    struct model_block b = sparse_batch_block(&s->batch, range);
    size_t now = s->lazy.steps - 1;
    (void)thread;
    for (size_t i = 0; i < b.rows; i++) {
        fetch_places(s->caught, &b, i + 2);
        if (i + 1 < b.rows)
            optim_fetch_list(s->sweep.optim, s->sweep.params,
                             &(struct optim_list){b.index + b.first[i + 1], b.count[i + 1], s->width});
        for (size_t e = b.first[i]; e < b.first[i] + b.count[i]; e++)
            if (s->caught[b.index[e]] != now)
                catch_up(s, b.index[e], now);
    }
}

static void catch_up_all(struct sparse_step *s)
{
    if (!s->caught || s->lazy.steps == 0)
        return;
#pragma omp parallel for num_threads(s->engine->threads) schedule(static)
    for (size_t first = 0; first < s->features; first += ALL_COLUMNS)
        for (size_t c = first; c < first + ALL_COLUMNS && c < s->features; c++) {
            if (s->caught[c] != s->lazy.steps)
                catch_up(s, (uint32_t)c, s->lazy.steps);
            s->caught[c] = 0;
        }
    lazy_restart(&s->lazy);
}

/* ---- the columns of a range ---- */

/* The columns of a range that occur. */
struct list {
    struct column_table table;
    double *gradients; /* [count x width] sums */
};

static struct list begin_list(const struct sparse_step *s, size_t range)
{
    size_t offset = sparse_batch_offset(&s->batch, range);
    struct list list = {
        .table = {.columns = s->columns + offset, .places = s->places + offset, .slots = s->slots + 4 * offset},
        .gradients = s->gradients + offset * s->width};
    column_table_begin(&list.table, s->batch.sizes[range]);
    return list;
}

/* Sums of a column, which is added to the list with sums of 0 if need be. */
static inline double *sums_of(struct list *list, uint32_t column, size_t width)
{
    size_t known = list->table.count, slot = column_table_slot(&list->table, column);
    double *sums = list->gradients + slot * width;
    for (size_t k = 0; slot == known && k < width; k++)
        sums[k] = 0;
    return sums;
}

/* The columns that occur in a block, in the order in which they do, and their sums. */
static void sum_range(const struct sparse_step *s, const struct model_block *b, struct list *list)
{
    size_t width = s->width;
    bool single = s->engine->problem->model.spec.precision == MODEL_F32;
    for (size_t i = 0; i < b->rows; i++) {
        const double *slope = s->batch.slopes + i * width;
        for (size_t e = b->first[i]; e < b->first[i] + b->count[i]; e++) {
            double x = single ? (double)((const float *)b->x)[e] : ((const double *)b->x)[e];
            double *to = sums_of(list, b->index[e], width);
            for (size_t k = 0; k < width; k++)
                to[k] += slope[k] * x;
        }
    }
}

/* Sums become the mean gradient, on the optimiser's scale and with l2. */
static void finish_columns(const struct sparse_step *s, const struct optim_list *list, double *gradient)
{
    const struct model *m = &s->engine->problem->model;
    for (size_t c = 0; c < list->count; c++) {
        size_t column = list->columns[c];
        for (size_t k = 0; k < s->width; k++, gradient++) {
            *gradient /= s->divisor;
            if (!m->unscaled)
                *gradient /= m->scale[column];
            if (s->l2 > 0)
                *gradient += s->l2 * s->sweep.params[column * s->width + k];
        }
    }
}

static void update_range(void *context, size_t thread, size_t range)
{
    struct sparse_step *s = context;
    const struct model *m = &s->engine->problem->model;
    struct model_block b = sparse_batch_block(&s->batch, range);
    struct list all = begin_list(s, range);
    sum_range(s, &b, &all);
    size_t count = all.table.count;
    uint32_t *columns = all.table.columns;
    double *gradients = all.gradients;
    (void)thread;
    for (size_t c = 0, n; c < count; c += n) {
        n = count - c < LIST_COLUMNS ? count - c : LIST_COLUMNS;
        size_t left = count - c - n;
        struct optim_list list = {columns + c, n, s->width};
        struct optim_list next = {columns + c + n, left < LIST_COLUMNS ? left : LIST_COLUMNS, s->width};
        optim_fetch_list(s->sweep.optim, s->sweep.params, &next);
        finish_columns(s, &list, gradients + c * s->width);
        optim_step_list(s->sweep.optim, s->sweep.params, gradients + c * s->width, &list);
        m->ops->refresh(m, s->sweep.params, list.columns, list.count, s->engine->weights);
        for (size_t i = 0; s->caught && i < n; i++)
            s->caught[list.columns[i]] = (uint32_t)s->lazy.steps;
    }
}

/* The parameters that belong to no column: the intercepts, one sum over the rows each. */
static void update_rest(struct sparse_step *s)
{
    const struct model *m = &s->engine->problem->model;
    uint32_t behind = (uint32_t)s->features; /* they are like one more column */
    struct optim_list list = {&behind, 1, s->width};
    if (!m->spec.intercept)
        return;
    memset(s->rest, 0, s->width * sizeof *s->rest);
    for (size_t i = 0; i < s->batch.rows; i++)
        for (size_t k = 0; k < s->width; k++)
            s->rest[k] += s->batch.slopes[i * s->width + k];
    for (size_t k = 0; k < s->width; k++)
        s->rest[k] /= s->divisor;
    optim_step_list(s->sweep.optim, s->sweep.params, s->rest, &list);
    m->ops->refresh_rest(m, s->sweep.params, s->engine->weights);
}

/* ---- the step ---- */

enum gm_code sparse_step_batch(struct sparse_step *s, const struct engine_batch *b, struct engine_totals *totals,
                               struct gm_error *err)
{
    struct engine_totals own;
    if (s->direct)
        return sparse_direct_batch(s->direct, b, totals, err);
    sparse_batch_plan(&s->batch, b);
    if (s->caught)
        lazy_step(&s->lazy, s->sweep.optim);
    sparse_batch_ranges(&s->batch, s->caught ? catch_up_range : NULL, s);
    enum gm_code code = sparse_batch_forward(&s->batch, 1, &own, err);
    if (code)
        return code;
    s->divisor = own.weight[0] > 0 ? own.weight[0] : 1;
    sparse_batch_ranges(&s->batch, update_range, s);
    update_rest(s);
    if (s->caught && lazy_is_full(&s->lazy))
        catch_up_all(s);
    engine_add_batch(&own, totals);
    return GM_OK;
}

bool sparse_step_is_whole(const struct sparse_step *s)
{
    if (s->direct)
        return sparse_direct_is_whole(s->direct);
    return !s->caught || s->lazy.steps == 0;
}

void sparse_step_end(struct sparse_step *s)
{
    if (s->direct)
        sparse_direct_end(s->direct);
    else
        catch_up_all(s);
}
