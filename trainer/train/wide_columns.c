/* The first layer of a wide model on sparse rows. */
#include "train/wide_columns.h"

#include "base/memory.h"
#include "optim/lazy.h"
#include "train/columns.h"
#include "train/wide_inside.h"

#define ALL_COLUMNS  ((size_t)1024) /* columns caught up at a time */
#define SOON         ((size_t)4)    /* columns: their parameters lie anywhere, and take longer than the work on one */
#define WHOLE_PASSES ((uint64_t)4)  /* over the columns, in entries, until all are caught up */

struct wide_columns {
    struct columns found;
    struct optim *optim; /* of the sweep */
    double *params;
    size_t units, features;
    struct lazy lazy;
    uint32_t *caught; /* [features] steps after which a column was caught up; NULL: nothing to make good */
    double squares[COLUMN_PARTS];
};

/* ---- before the first epoch ---- */

const char *wide_columns_refused(const struct problem *p)
{
    const struct gm_job *job = p->job;
    if (job->optimizer.average != GM_AVERAGE_NONE)
        return "average";
    /* l2 belongs to the norm of the gradient, and has all columns in it */
    return job->optimizer.clip_norm > 0 && job->optimizer.l2 > 0 ? "clip_norm with l2" : NULL;
}

bool wide_columns_fit(const struct problem *p, size_t rows)
{
    return !wide_columns_refused(p) && data_entries_most(p->train.set, rows) <= COLUMNS_ENTRIES_MOST;
}

static enum model_precision precision_of(const struct problem *p)
{
    return p->job->run.precision == GM_FLOAT32 ? MODEL_F32 : MODEL_F64;
}

/* Steps until all columns are caught up: that costs no more than a share of the batches in between. */
static size_t period(const struct problem *p, size_t rows)
{
    const struct data_schema *s = p->train.schema;
    uint64_t entries = (s->entries / s->rows + 1) * rows; /* of most batches */
    return (size_t)(WHOLE_PASSES * s->features / entries + 1);
}

uint64_t wide_columns_bytes(const struct problem *p, size_t rows)
{
    uint64_t entries = data_entries_most(p->train.set, rows), features = p->train.schema->features;
    return columns_bytes(entries, precision_of(p)) + features * sizeof(uint32_t) +
           3 * sizeof(double) * (period(p, rows) + 1);
}

size_t wide_columns_scratch(const struct model *m)
{
    return m->ops->tape->column_units(m) * sizeof(double) + 64; /* whole lines */
}

static enum gm_code open_lazy(struct wide_columns *c, size_t period, struct gm_error *err)
{
    enum gm_code code = lazy_init(&c->lazy, period, err);
    return code ? code : memory_alloc((void **)&c->caught, c->features, sizeof *c->caught, "steps of the columns", err);
}

enum gm_code wide_columns_open(struct engine *e, const struct optim_config *config, struct gm_error *err)
{
    const struct problem *p = e->problem;
    const struct model *m = &p->model;
    if (!m->spec.sparse || !e->wide.rows)
        return GM_OK;
    uint64_t entries = data_entries_most(p->train.set, e->wide.rows);
    enum gm_code code =
        memory_alloc((void **)&e->wide.columns, 1, sizeof *e->wide.columns, "the columns of a batch", err);
    if (code)
        return code;
    struct wide_columns *c = e->wide.columns;
    c->units = m->ops->tape->column_units(m);
    c->features = m->spec.features;
    if ((code = columns_init(&c->found, entries, m->spec.precision, err)) || !lazy_needed(config))
        return code;
    return open_lazy(c, period(p, e->wide.rows), err);
}

void wide_columns_close(struct wide_columns *c)
{
    if (!c)
        return;
    columns_release(&c->found);
    lazy_release(&c->lazy);
    memory_free(c->caught);
    memory_free(c);
}

/* ---- columns that waited ---- */

static void catch_up(const struct engine *e, uint32_t column, size_t now)
{
    struct wide_columns *c = e->wide.columns;
    const struct model *m = &e->problem->model;
    struct lazy_span span = {c->caught[column], now};
    lazy_catch_up(&c->lazy, c->optim, c->params, column * c->units, c->units, span);
    m->ops->refresh(m, c->params, &column, 1, e->weights);
    c->caught[column] = (uint32_t)now;
}

/* The columns of a part, as they are after the steps before this one. */
static void catch_up_part(const struct engine *e, size_t part)
{
    const struct wide_columns *c = e->wide.columns;
    const uint32_t *list = c->found.list + c->found.first[part];
    size_t now = c->lazy.steps - 1, count = c->found.count[part];
    for (size_t k = 0; k < count; k++) {
        if (k + SOON < count)
            optim_fetch_range(c->optim, c->params, list[k + SOON] * c->units, (list[k + SOON] + (size_t)1) * c->units);
        if (c->caught[list[k]] != now)
            catch_up(e, list[k], now);
    }
}

static void catch_up_all(struct engine *e)
{
    struct wide_columns *c = e->wide.columns;
    if (!c->caught || c->lazy.steps == 0)
        return;
#pragma omp parallel for num_threads(e->threads) schedule(static)
    for (size_t first = 0; first < c->features; first += ALL_COLUMNS)
        for (size_t j = first; j < first + ALL_COLUMNS && j < c->features; j++) {
            if (c->caught[j] != c->lazy.steps)
                catch_up(e, (uint32_t)j, c->lazy.steps);
            c->caught[j] = 0;
        }
    lazy_restart(&c->lazy);
}

void wide_columns_prepare(struct engine *e)
{
    const struct model *m = &e->problem->model;
    size_t tiles = m->ops->tape->tiles(m), features = m->spec.features;
    for (size_t tile = 0; tile < tiles; tile++)
        m->ops->tape->refresh(m, tile, e->params, e->weights);
#pragma omp parallel for num_threads(e->threads) schedule(static) if (features > ALL_COLUMNS)
    for (size_t first = 0; first < features; first += ALL_COLUMNS)
        for (size_t j = first; j < first + ALL_COLUMNS && j < features; j++) {
            uint32_t column = (uint32_t)j;
            m->ops->refresh(m, e->params, &column, 1, e->weights);
        }
}

/* ---- a sweep ---- */

void wide_columns_begin(struct engine *e, struct optim *optim, double *params)
{
    e->wide.columns->optim = optim;
    e->wide.columns->params = params;
    engine_prepare(e, params);
}

bool wide_columns_are_whole(const struct engine *e)
{
    return !e->wide.columns->caught || e->wide.columns->lazy.steps == 0;
}

void wide_columns_end(struct engine *e)
{
    catch_up_all(e);
}

/* ---- a step ---- */

void wide_columns_begin_step(struct engine *e)
{
    if (e->wide.columns->caught)
        lazy_step(&e->wide.columns->lazy, e->wide.columns->optim);
}

void wide_columns_find(const struct wide_step *s)
{
    struct engine *e = s->engine;
    struct wide_columns *c = e->wide.columns;
    const struct columns_batch batch = {s->batch->window, e->problem->train.schema->type, s->batch->index,
                                        s->batch->rows};
    columns_find(&c->found, &batch);
    if (!c->caught)
        return;
#pragma omp for schedule(dynamic, 1)
    for (size_t part = 0; part < c->found.parts; part++)
        catch_up_part(e, part);
}

void wide_columns_find_alone(const struct wide_step *s)
{
#pragma omp parallel num_threads(s->engine->threads) if (s->engine->threads > 1)
    wide_columns_find(s);
}

/* The column's parameters were stepped. */
static void refresh(const struct engine *e, uint32_t column)
{
    struct wide_columns *c = e->wide.columns;
    const struct model *m = &e->problem->model;
    m->ops->refresh(m, e->params, &column, 1, e->weights);
    if (c->caught)
        c->caught[column] = (uint32_t)c->lazy.steps;
}

/* What using it will read. */
static void fetch_column(const struct wide_step *s, uint32_t column)
{
    const struct engine_update *u = s->update;
    size_t units = s->engine->wide.columns->units;
    const struct model *m = &s->engine->problem->model;
    m->ops->tape->column_fetch(m, column, s->engine->weights);
    if (u->soon && !u->norm)
        u->soon(u->context, column * units, (column + (size_t)1) * units);
}

static void use_part(const struct wide_step *s, size_t part)
{
    struct engine *e = s->engine;
    struct wide_columns *c = e->wide.columns;
    const struct model *m = &e->problem->model;
    const struct engine_update *u = s->update;
    const uint32_t *list = c->found.list + c->found.first[part];
    void *gradient = wide_scratch(e);
    double squares = 0;
    for (size_t k = 0; k < c->found.count[part]; k++) {
        const struct model_column column = columns_at(&c->found, part, k);
        struct model_run run = {column.column * c->units, (column.column + 1) * c->units, gradient};
        if (k + SOON < c->found.count[part])
            fetch_column(s, list[k + SOON]);
        m->ops->tape->column_gradient(m, &s->tape, &column, gradient);
        squares += wide_use_run(s, &run, m->unscaled ? s->divisor : s->divisor * m->scale[column.column]);
        if (!u->norm)
            refresh(e, list[k]);
    }
    c->squares[part] = squares;
}

void wide_columns_use(const struct wide_step *s)
{
    size_t parts = s->engine->wide.columns->found.parts;
#pragma omp for schedule(dynamic, 1)
    for (size_t part = 0; part < parts; part++)
        use_part(s, part);
}

double wide_columns_squares(const struct engine *e)
{
    const struct wide_columns *c = e->wide.columns;
    double sum = 0;
    for (size_t part = 0; part < c->found.parts; part++)
        sum += c->squares[part];
    return sum;
}

void wide_columns_step(const struct wide_step *s)
{
    struct engine *e = s->engine;
    struct wide_columns *c = e->wide.columns;
    const struct engine_update *u = s->update;
#pragma omp for schedule(dynamic, 1)
    for (size_t part = 0; part < c->found.parts; part++)
        for (size_t k = 0; k < c->found.count[part]; k++) {
            uint32_t column = c->found.list[c->found.first[part] + k];
            size_t first = column * c->units, end = first + c->units;
            u->step(u->context, u->gradient + first, first, end);
            refresh(e, column);
        }
}

void wide_columns_end_step(struct engine *e)
{
    struct wide_columns *c = e->wide.columns;
    if (c->caught && lazy_is_full(&c->lazy))
        catch_up_all(e);
}
