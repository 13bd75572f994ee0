/* Minibatch steps on sparse rows. */
#include "train/sparse_step.h"

#include <omp.h>
#include <string.h>

#include "base/memory.h"
#include "optim/lazy.h"
#include "train/engine_inside.h"
#include "train/sparse_direct.h"

#define PART_BYTES   ((size_t)128 << 10) /* of the gradient of a range of columns: stays in the second-level cache */
#define RANGES_MOST  ((size_t)1024)
#define PARTS_MOST   ((size_t)SPARSE_STEP_PARTS)
#define LIST_COLUMNS ((size_t)64) /* columns updated at a time */

struct entry {
    uint32_t column, row; /* row of the batch */
    double value;
};

/* What one thread needs for a range of columns. */
struct range_scratch {
    double *gradient;  /* [range_columns x width] zeros between ranges */
    uint8_t *seen;     /* [range_columns] likewise */
    uint32_t *columns; /* [range_columns + 1] those that occur */
    double *compact;   /* [LIST_COLUMNS x width] */
};

struct sparse_step {
    struct sparse_direct *direct; /* the steps of sgd; then nothing below is used but l2 */
    struct engine *engine;
    struct sparse_sweep sweep;
    size_t width, features; /* parameters of a column */
    unsigned shift;         /* range of a column */
    size_t ranges, range_columns;
    size_t block_rows;
    struct entry *entries; /* of the batch: those of a part one after the other, sorted by range */
    uint64_t *starts;      /* [rows + 1] where a row's entries would begin: bounds of the parts */
    uint64_t *ends;        /* [PARTS_MOST x ranges] end of each range in each part */
    double *slopes;        /* [rows x width] */
    struct range_scratch *scratch;
    struct lazy lazy;
    uint32_t *caught; /* [features] steps after which a column was caught up; NULL: nothing to make good */
    double l2;
    /* of the batch at hand */
    size_t rows, parts, part_rows;
    double divisor;
};

static enum gm_code take(void **out, size_t count, size_t size, struct gm_error *err)
{
    return memory_alloc(out, count, size, "a batch of sparse rows", err);
}

static enum gm_code open_scratch(struct sparse_step *s, struct gm_error *err)
{
    enum gm_code code = take((void **)&s->scratch, (size_t)s->engine->threads, sizeof *s->scratch, err);
    for (int t = 0; !code && t < s->engine->threads; t++) {
        struct range_scratch *r = &s->scratch[t];
        if ((code = take((void **)&r->gradient, s->range_columns * s->width, sizeof *r->gradient, err)) ||
            (code = take((void **)&r->seen, s->range_columns, 1, err)) ||
            (code = take((void **)&r->columns, s->range_columns + 1, sizeof *r->columns, err)))
            break;
        code = take((void **)&r->compact, LIST_COLUMNS * s->width, sizeof *r->compact, err);
    }
    return code;
}

/* Ranges of 2^shift columns. */
static void choose_ranges(struct sparse_step *s)
{
    s->shift = 3;
    while (((size_t)2 << s->shift) * s->width * sizeof(double) <= PART_BYTES)
        s->shift++;
    while (((s->features - 1) >> s->shift) + 1 > RANGES_MOST)
        s->shift++;
    s->ranges = ((s->features - 1) >> s->shift) + 1;
    s->range_columns = (size_t)1 << s->shift;
}

enum gm_code sparse_step_open(struct sparse_step **out, struct engine *e, const struct optim_config *config,
                              struct gm_error *err)
{
    const struct problem *p = e->problem;
    const struct model *m = &p->model;
    size_t asked = p->job->optimizer.batch_size, all = p->train.schema->rows, rows = asked < all ? asked : all;
    *out = NULL;
    if (!m->spec.sparse || !m->ops->refresh || !asked || e->coupled.rows || e->n_theta || config->clip_norm > 0 ||
        config->method == OPTIM_SVRG || p->job->optimizer.average != GM_AVERAGE_NONE ||
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
    if (sparse_direct_fits(config)) {
        code = sparse_direct_open(&s->direct, e, rows, entries, err);
        *out = s;
        return code;
    }
    s->block_rows = problem_batch_plan(p, rows).block_rows;
    choose_ranges(s);
    if ((code = take((void **)&s->entries, entries, sizeof *s->entries, err)) ||
        (code = take((void **)&s->starts, rows + 1, sizeof *s->starts, err)) ||
        (code = take((void **)&s->ends, PARTS_MOST * s->ranges, sizeof *s->ends, err)) ||
        (code = take((void **)&s->slopes, rows * s->width, sizeof *s->slopes, err)) || (code = open_scratch(s, err)))
        goto failed;
    if (lazy_needed(config)) { /* so that catching up all costs no more than the batches in between */
        size_t period = m->n_params / (entries ? entries : 1) + 1;
        if ((code = lazy_init(&s->lazy, period, err)) ||
            (code = take((void **)&s->caught, s->features, sizeof *s->caught, err)))
            goto failed;
    }
    *out = s;
    return GM_OK;
failed:
    sparse_step_close(s);
    return code;
}

void sparse_step_close(struct sparse_step *s)
{
    if (!s)
        return;
    sparse_direct_close(s->direct);
    for (int t = 0; s->scratch && t < s->engine->threads; t++) {
        memory_free(s->scratch[t].gradient);
        memory_free(s->scratch[t].seen);
        memory_free(s->scratch[t].columns);
        memory_free(s->scratch[t].compact);
    }
    memory_free(s->scratch);
    memory_free(s->entries);
    memory_free(s->starts);
    memory_free(s->ends);
    memory_free(s->slopes);
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

/* ---- the batch's entries, by parts of rows, sorted into ranges ---- */

static void plan_batch(struct sparse_step *s, const struct engine_batch *b)
{
    const uint64_t *start = b->window->start;
    size_t blocks = (b->rows - 1) / s->block_rows + 1, parts = blocks < PARTS_MOST ? blocks : PARTS_MOST;
    s->rows = b->rows;
    s->part_rows = ((blocks - 1) / parts + 1) * s->block_rows;
    s->parts = (b->rows - 1) / s->part_rows + 1;
    s->starts[0] = 0;
    for (size_t i = 0; i < b->rows; i++)
        s->starts[i + 1] = s->starts[i] + (start[b->index[i] + 1] - start[b->index[i]]);
}

/* ends[range] of the part: where the range begins, to be moved to its end by placing. */
static void count_part(struct sparse_step *s, const struct engine_batch *b, size_t part)
{
    const struct data_window *w = b->window;
    uint64_t *ends = s->ends + part * s->ranges, at;
    size_t first = part * s->part_rows, end = first + s->part_rows < s->rows ? first + s->part_rows : s->rows;
    size_t value_bytes = data_type_size(s->engine->problem->train.schema->type);
    memset(ends, 0, s->ranges * sizeof *ends);
    for (size_t i = first; i < end; i++) {
        uint64_t from = w->start[b->index[i]] - w->base, count = s->starts[i + 1] - s->starts[i];
        for (uint64_t e = 0; e < count; e += 16) /* the values are wanted next */
            __builtin_prefetch((const char *)w->x + (from + e) * value_bytes);
        for (uint64_t e = from; e < from + count; e++)
            ends[w->index[e] >> s->shift]++;
    }
    at = s->starts[first];
    for (size_t range = 0; range < s->ranges; range++) {
        uint64_t count = ends[range];
        ends[range] = at;
        at += count;
    }
}

static void place_block(struct sparse_step *s, const struct model_block *b, bool single, size_t first, size_t part)
{
    uint64_t *ends = s->ends + part * s->ranges;
    for (size_t i = 0; i < b->rows; i++)
        for (uint64_t e = b->first[i]; e < b->first[i] + b->count[i]; e++) {
            double value = single ? (double)((const float *)b->x)[e] : ((const double *)b->x)[e];
            s->entries[ends[b->index[e] >> s->shift]++] = (struct entry){b->index[e], (uint32_t)(first + i), value};
        }
}

/* Sort the entries of a part, and with `forward` take its rows through model and loss. */
static void take_part(struct sparse_step *s, const struct engine_batch *b, size_t part, bool place, bool forward)
{
    struct engine *e = s->engine;
    struct worker *w = &e->workers[omp_get_thread_num()];
    bool single = e->problem->model.spec.precision == MODEL_F32;
    size_t first = part * s->part_rows, end = first + s->part_rows < s->rows ? first + s->part_rows : s->rows;
    if (place)
        count_part(s, b, part);
    for (size_t i = first; i < end; i += s->block_rows) {
        size_t rows = end - i < s->block_rows ? end - i : s->block_rows;
        worker_gather(w, e->problem->train.schema, b->window, b->index + i, rows);
        if (place)
            place_block(s, &w->block, single, i, part);
        if (!forward)
            continue;
        worker_forward(w, e->weights);
        worker_loss(w, 0, b->step, b->index[i], &e->sums[part]);
        memcpy(s->slopes + i * s->width, w->all.grad, rows * s->width * sizeof *s->slopes);
    }
}

/* ---- a range of columns ---- */

static struct row_range entries_of(const struct sparse_step *s, size_t part, size_t range)
{
    const uint64_t *ends = s->ends + part * s->ranges;
    uint64_t first = range ? ends[range - 1] : s->starts[part * s->part_rows];
    return (struct row_range){(size_t)first, (size_t)ends[range]};
}

static void catch_up(struct sparse_step *s, size_t column, size_t now)
{
    struct lazy_span span = {s->caught[column], now};
    lazy_catch_up(&s->lazy, s->sweep.optim, s->sweep.params, column * s->width, s->width, span);
    s->caught[column] = (uint32_t)now;
}

/* The columns that occur, as they are after the steps before this one. */
static void catch_up_range(struct sparse_step *s, size_t range)
{
    const struct model *m = &s->engine->problem->model;
    size_t now = s->lazy.steps - 1;
    for (size_t part = 0; part < s->parts; part++) {
        struct row_range r = entries_of(s, part, range);
        for (size_t e = r.first; e < r.end; e++) {
            uint32_t column = s->entries[e].column;
            if (s->caught[column] == now)
                continue;
            catch_up(s, column, now);
            m->ops->refresh(m, s->sweep.params, &column, 1, s->engine->weights);
        }
    }
}

/* The columns that occur, ascending: what is kept of them is then read and written in one direction. */
static size_t list_seen(const struct sparse_step *s, uint32_t base, struct range_scratch *t)
{
    size_t count = 0;
    for (size_t c = 0; c < s->range_columns; c += 8) { /* a power of two, 8 at least */
        uint64_t eight;
        memcpy(&eight, t->seen + c, sizeof eight);
        for (size_t i = c; eight && i < c + 8; i++) {
            t->columns[count] = base + (uint32_t)i;
            count += t->seen[i];
        }
    }
    memset(t->seen, 0, s->range_columns);
    return count;
}

/* Sums of the range's columns; the number of columns that occur. */
static size_t sum_range(const struct sparse_step *s, size_t range, struct range_scratch *t)
{
    size_t width = s->width;
    uint32_t base = (uint32_t)(range << s->shift);
    for (size_t part = 0; part < s->parts; part++) {
        struct row_range r = entries_of(s, part, range);
        for (size_t e = r.first; e < r.end; e++) {
            const struct entry *entry = &s->entries[e];
            uint32_t local = entry->column - base;
            t->seen[local] = 1;
            const double *slope = s->slopes + (size_t)entry->row * width;
            double *to = t->gradient + (size_t)local * width;
            for (size_t k = 0; k < width; k++)
                to[k] += slope[k] * entry->value;
        }
    }
    return list_seen(s, base, t);
}

/* The mean gradient of some columns, on the optimiser's scale and with l2; the sums are cleared. */
static void finish_columns(const struct sparse_step *s, const struct optim_list *list, size_t base,
                           struct range_scratch *t)
{
    const struct model *m = &s->engine->problem->model;
    for (size_t c = 0; c < list->count; c++) {
        size_t column = list->columns[c];
        double *sum = t->gradient + (column - base) * s->width;
        for (size_t k = 0; k < s->width; k++) {
            size_t param = column * s->width + k;
            t->compact[c * s->width + k] =
                sum[k] / s->divisor / m->scale[column] + (s->l2 > 0 ? s->l2 * s->sweep.params[param] : 0);
            sum[k] = 0;
        }
    }
}

static void update_range(struct sparse_step *s, size_t range)
{
    const struct model *m = &s->engine->problem->model;
    struct range_scratch *t = &s->scratch[omp_get_thread_num()];
    size_t count = sum_range(s, range, t), base = range << s->shift;
    for (size_t c = 0; c < count; c += LIST_COLUMNS) {
        struct optim_list list = {t->columns + c, count - c < LIST_COLUMNS ? count - c : LIST_COLUMNS, s->width};
        finish_columns(s, &list, base, t);
        optim_step_list(s->sweep.optim, s->sweep.params, t->compact, &list);
        m->ops->refresh(m, s->sweep.params, list.columns, list.count, s->engine->weights);
        for (size_t i = 0; s->caught && i < list.count; i++)
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
    double *sum = s->scratch[0].compact;
    memset(sum, 0, s->width * sizeof *sum);
    for (size_t i = 0; i < s->rows; i++)
        for (size_t k = 0; k < s->width; k++)
            sum[k] += s->slopes[i * s->width + k];
    for (size_t k = 0; k < s->width; k++)
        sum[k] /= s->divisor;
    optim_step_list(s->sweep.optim, s->sweep.params, sum, &list);
    m->ops->refresh_rest(m, s->sweep.params, s->engine->weights);
}

/* ---- the step ---- */

static void each_part(struct sparse_step *s, const struct engine_batch *b, bool place, bool forward)
{
#pragma omp parallel for num_threads(s->engine->threads) schedule(dynamic, 1) if (s->parts > 1)
    for (size_t part = 0; part < s->parts; part++)
        take_part(s, b, part, place, forward);
}

static void catch_up_all(struct sparse_step *s)
{
    const struct model *m = &s->engine->problem->model;
    if (!s->caught || s->lazy.steps == 0)
        return;
#pragma omp parallel for num_threads(s->engine->threads) schedule(dynamic, 1)
    for (size_t range = 0; range < s->ranges; range++)
        for (size_t c = range << s->shift; c < (range + 1) << s->shift && c < s->features; c++) {
            uint32_t column = (uint32_t)c;
            if (s->caught[c] != s->lazy.steps) {
                catch_up(s, c, s->lazy.steps);
                m->ops->refresh(m, s->sweep.params, &column, 1, s->engine->weights);
            }
            s->caught[c] = 0;
        }
    lazy_restart(&s->lazy);
}

enum gm_code sparse_step_batch(struct sparse_step *s, const struct engine_batch *b, struct engine_totals *totals,
                               struct gm_error *err)
{
    struct engine *e = s->engine;
    struct engine_totals own = {.finite = true};
    if (s->direct)
        return sparse_direct_batch(s->direct, b, totals, err);
    plan_batch(s, b);
    memset(e->sums, 0, s->parts * sizeof *e->sums);
    if (s->caught) {
        lazy_step(&s->lazy, s->sweep.optim);
        each_part(s, b, true, false);
#pragma omp parallel for num_threads(e->threads) schedule(dynamic, 1) if (s->parts > 1)
        for (size_t range = 0; range < s->ranges; range++)
            catch_up_range(s, range);
    }
    each_part(s, b, !s->caught, true);
    enum gm_code code = engine_add_sums(e, s->parts, &own, err);
    if (code)
        return code;
    s->divisor = own.weight[0] > 0 ? own.weight[0] : 1;
#pragma omp parallel for num_threads(e->threads) schedule(dynamic, 1) if (s->parts > 1)
    for (size_t range = 0; range < s->ranges; range++)
        update_range(s, range);
    update_rest(s);
    if (s->caught && s->lazy.steps == s->lazy.room)
        catch_up_all(s);
    totals->loss[0] += own.loss[0];
    totals->weight[0] += own.weight[0];
    if (!own.finite && totals->finite) {
        totals->finite = false;
        totals->bad_row = own.bad_row;
    }
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
