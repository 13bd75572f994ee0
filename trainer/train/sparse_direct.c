/* Steps of sgd on sparse rows. */
#include "train/sparse_direct.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/memory.h"
#include "data/convert.h"
#include "train/engine_inside.h"

#define SHARED_ENTRIES ((uint64_t)1 << 15) /* a batch of more is worth waking other threads */
#define WHOLE_PASSES   16                  /* entries, in passes over the parameters, until the factor is taken in */
#define FACTOR_LEAST   0x1p-20
#define BINS           ((size_t)1024) /* of columns, to find ranges with equally many entries */
#define AHEAD          ((size_t)16)   /* rows that are fetched before they are wanted */
#define COLLECTED      ((size_t)4096) /* parameters at a time */
#define AT_ONCE        ((size_t)256)  /* values converted */

struct sparse_direct {
    struct engine *engine;
    struct sparse_sweep sweep;
    size_t width, features, coefficients;
    size_t block_rows;
    double *slopes;     /* [rows x width] */
    double *step;       /* [threads x stride] a row's slopes times the rate */
    size_t stride;      /* whole cache lines */
    uint32_t *bounds;   /* [threads + 1] columns where the ranges begin */
    bool bounded;       /* they are chosen */
    double l2, factor;  /* the parameters are w / factor */
    size_t steps, room; /* since the factor was 1; until it is again */
    /* of the batch at hand */
    size_t rows, parts, part_rows;
    uint64_t entries;
    double rate; /* on the sums of the batch, of w / factor */
};

bool sparse_direct_fits(const struct optim_config *config)
{
    return config->method == OPTIM_SGD && !(config->l1 > 0);
}

enum gm_code sparse_direct_open(struct sparse_direct **out, struct engine *e, size_t rows, uint64_t entries,
                                struct gm_error *err)
{
    static const char *const what = "a batch of sparse rows";
    const struct model *m = &e->problem->model;
    struct sparse_direct *s = NULL;
    enum gm_code code = memory_alloc((void **)&s, 1, sizeof *s, what, err);
    *out = s;
    if (code)
        return code;
    size_t threads = (size_t)e->threads;
    s->engine = e;
    s->width = m->spec.outputs;
    s->features = m->spec.features;
    s->stride = (s->width + 7) / 8 * 8;
    s->coefficients = s->width * s->features;
    s->block_rows = problem_batch_plan(e->problem, rows).block_rows;
    s->room = WHOLE_PASSES * m->n_params / (entries ? entries : 1) + 1;
    s->factor = 1;
    if ((code = memory_alloc((void **)&s->slopes, rows * s->width, sizeof *s->slopes, what, err)) ||
        (code = memory_alloc((void **)&s->step, threads * s->stride, sizeof *s->step, what, err)))
        return code;
    return memory_alloc((void **)&s->bounds, threads + 1, sizeof *s->bounds, what, err);
}

void sparse_direct_close(struct sparse_direct *s)
{
    if (!s)
        return;
    memory_free(s->slopes);
    memory_free(s->step);
    memory_free(s->bounds);
    memory_free(s);
}

void sparse_direct_begin(struct sparse_direct *s, const struct sparse_sweep *sweep, double l2)
{
    s->sweep = *sweep;
    s->l2 = l2;
    s->steps = 0;
    s->bounded = false;
}

/* ---- forward ---- */

static void plan_batch(struct sparse_direct *s, const struct engine_batch *b)
{
    const uint64_t *start = b->window->start;
    size_t blocks = (b->rows - 1) / s->block_rows + 1;
    size_t parts = blocks < SPARSE_STEP_PARTS ? blocks : SPARSE_STEP_PARTS;
    s->rows = b->rows;
    s->part_rows = ((blocks - 1) / parts + 1) * s->block_rows;
    s->parts = (b->rows - 1) / s->part_rows + 1;
    s->entries = 0;
    for (size_t i = 0; i < b->rows; i++)
        s->entries += start[b->index[i] + 1] - start[b->index[i]];
}

/* The entries of a row that is wanted soon: shuffled rows are no stream that the processor could see. */
static inline void fetch_row(const struct data_window *w, size_t value_bytes, size_t row)
{
    uint64_t from = w->start[row] - w->base, end = w->start[row + 1] - w->base;
    for (uint64_t e = from; e < end; e += 16) {
        __builtin_prefetch(w->index + e);
        __builtin_prefetch((const char *)w->x + e * value_bytes);
    }
}

static void fetch_block(const struct sparse_direct *s, const struct engine_batch *b, size_t first, size_t rows)
{
    size_t value_bytes = data_type_size(s->engine->problem->train.schema->type), known = b->rows + b->ahead;
    for (size_t i = first + AHEAD; i < first + AHEAD + rows && i < known; i++)
        fetch_row(b->window, value_bytes, b->index[i]);
    for (size_t i = first + 2 * AHEAD; i < first + 2 * AHEAD + rows && i < known; i++)
        __builtin_prefetch(b->window->start + b->index[i]);
}

static void take_part(struct sparse_direct *s, const struct engine_batch *b, size_t part)
{
    struct engine *e = s->engine;
    struct worker *w = &e->workers[omp_get_thread_num()];
    size_t first = part * s->part_rows, end = first + s->part_rows < s->rows ? first + s->part_rows : s->rows;
    for (size_t i = first, rows; i < end; i += rows) {
        rows = end - i < s->block_rows ? end - i : s->block_rows;
        fetch_block(s, b, i, rows);
        worker_gather(w, e->problem->train.schema, b->window, b->index + i, rows);
        worker_forward(w, e->weights);
        for (size_t k = 0; s->l2 > 0 && k < rows * s->width; k++)
            w->all.pred[k] *= s->factor;
        worker_loss(w, 0, b->step, b->index[i], &e->sums[part]);
        memcpy(s->slopes + i * s->width, w->all.grad, rows * s->width * sizeof *s->slopes);
    }
}

/* ---- update ---- */

/* Ranges of columns with about equally many of the batch's entries. */
static void choose_bounds(struct sparse_direct *s, const struct engine_batch *b)
{
    const struct data_window *w = b->window;
    uint64_t counts[BINS] = {0}, seen = 0;
    size_t threads = (size_t)s->engine->threads, bin = 0;
    size_t columns = (s->features - 1) / BINS + 1;
    for (size_t i = 0; i < b->rows; i++)
        for (uint64_t e = w->start[b->index[i]]; e < w->start[b->index[i] + 1]; e++)
            counts[w->index[e - w->base] / columns]++;
    for (size_t t = 1; t < threads; t++) {
        while (bin < BINS && seen < s->entries * t / threads)
            seen += counts[bin++];
        s->bounds[t] = (uint32_t)(bin * columns < s->features ? bin * columns : s->features);
    }
    s->bounds[0] = 0;
    s->bounds[threads] = (uint32_t)s->features;
    s->bounded = true;
}

/* The first entry from `from` on in column `bound` or behind; columns ascend. */
static uint64_t find(const uint32_t *index, uint64_t from, uint64_t end, uint32_t bound)
{
    while (from < end) {
        uint64_t middle = from + (end - from) / 2;
        if (index[middle] < bound)
            from = middle + 1;
        else
            end = middle;
    }
    return from;
}

/* Entries r of a row move their coefficients; those of `soon` follow. */
static void descend(const struct sparse_direct *s, const struct data_window *w, struct row_range r,
                    struct row_range soon, const double *step)
{
    const struct problem *p = s->engine->problem;
    const struct model *m = &p->model;
    enum data_type type = p->train.schema->type, real = m->spec.precision == MODEL_F32 ? DATA_F32 : DATA_F64;
    size_t bytes = data_type_size(type);
    double converted[AT_ONCE]; /* doubles or floats */
    struct model_entries row = {w->index + r.first, (const char *)w->x + r.first * bytes, r.end - r.first,
                                w->index + soon.first, soon.end - soon.first};
    if (type == real) {
        m->ops->descend(m, &row, step, s->engine->weights);
        return;
    }
    for (size_t e = r.first; e < r.end; e += row.count) {
        row.index = w->index + e;
        row.value = converted;
        row.count = r.end - e < AT_ONCE ? r.end - e : AT_ONCE;
        if (real == DATA_F32)
            convert_to_f32(type, (const char *)w->x + e * bytes, row.count, (float *)(void *)converted);
        else
            convert_to_f64(type, (const char *)w->x + e * bytes, row.count, converted);
        m->ops->descend(m, &row, step, s->engine->weights);
        row.soon_count = 0;
    }
}

static struct row_range entries_of(const struct sparse_direct *s, const struct engine_batch *b, size_t i, size_t t)
{
    const struct data_window *w = b->window;
    uint64_t from = w->start[b->index[i]] - w->base, end = w->start[b->index[i] + 1] - w->base;
    if (t == SIZE_MAX) /* all columns */
        return (struct row_range){(size_t)from, (size_t)end};
    from = find(w->index, from, end, s->bounds[t]);
    return (struct row_range){(size_t)from, (size_t)find(w->index, from, end, s->bounds[t + 1])};
}

/* All rows of the batch, in the columns of range t; SIZE_MAX: in all. */
static void update_range(const struct sparse_direct *s, const struct engine_batch *b, size_t t)
{
    enum { NEAR = 4 };
    struct row_range near[NEAR]; /* row i in place i % NEAR */
    double *step = s->step + (t == SIZE_MAX ? 0 : t * s->stride);
    for (size_t i = 0; i < NEAR - 1 && i < s->rows; i++)
        near[i] = entries_of(s, b, i, t);
    for (size_t i = 0; i < s->rows; i++) {
        struct row_range *soon = &near[(i + NEAR - 1) % NEAR];
        *soon = i + NEAR - 1 < s->rows ? entries_of(s, b, i + NEAR - 1, t) : (struct row_range){0, 0};
        for (size_t k = 0; k < s->width; k++)
            step[k] = s->rate * s->slopes[i * s->width + k];
        descend(s, b->window, near[i % NEAR], t == SIZE_MAX ? (struct row_range){0, 0} : *soon, step);
    }
}

/* The intercepts, which have no penalty: one sum over the rows each. */
static void update_rest(struct sparse_direct *s, double before)
{
    const struct model *m = &s->engine->problem->model;
    if (!m->spec.intercept)
        return;
    for (size_t k = 0; k < s->width; k++) {
        double sum = 0, *at = s->sweep.params + s->coefficients + k;
        for (size_t i = 0; i < s->rows; i++)
            sum += s->slopes[i * s->width + k];
        *at = *at * before / s->factor - s->rate * sum;
    }
    m->ops->refresh_rest(m, s->sweep.params, s->engine->weights);
}

/* ---- the step ---- */

/* The parameters are made from the weights, and these from them, as after a resumed run has read them. */
static void make_whole(struct sparse_direct *s)
{
    struct engine *e = s->engine;
    const struct model *m = &e->problem->model;
    if (s->steps == 0)
        return;
#pragma omp parallel for num_threads(e->threads) schedule(static)
    for (size_t first = 0; first < e->n; first += COLLECTED) {
        size_t end = first + COLLECTED < e->n ? first + COLLECTED : e->n;
        m->ops->collect(m, e->weights, first, end, s->sweep.params);
        for (size_t i = first; s->l2 > 0 && i < end; i++)
            s->sweep.params[i] *= s->factor;
    }
    s->factor = 1;
    s->steps = 0;
    engine_prepare(e, s->sweep.params);
}

enum gm_code sparse_direct_batch(struct sparse_direct *s, const struct engine_batch *b, struct engine_totals *totals,
                                 struct gm_error *err)
{
    struct engine *e = s->engine;
    struct engine_totals own = {.finite = true};
    double before = s->factor, rate = optim_last_rate(s->sweep.optim);
    plan_batch(s, b);
    bool shared = e->threads > 1 && s->entries >= SHARED_ENTRIES;
    memset(e->sums, 0, s->parts * sizeof *e->sums);
#pragma omp parallel for num_threads(e->threads) schedule(dynamic, 1) if (shared)
    for (size_t part = 0; part < s->parts; part++)
        take_part(s, b, part);
    enum gm_code code = engine_add_sums(e, s->parts, &own, err);
    if (code)
        return code;
    s->factor *= fmax(1 - rate * s->l2, FACTOR_LEAST); /* a rate beyond 1 / l2 diverges in any case */
    s->rate = rate / (own.weight[0] > 0 ? own.weight[0] : 1) / s->factor;
    if (shared && !s->bounded)
        choose_bounds(s, b);
    if (shared) {
#pragma omp parallel for num_threads(e->threads) schedule(static, 1)
        for (size_t t = 0; t < (size_t)e->threads; t++)
            update_range(s, b, t);
    } else
        update_range(s, b, SIZE_MAX);
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
