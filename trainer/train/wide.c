/* A step of a wide model. */
#include "train/wide.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "optim/optim.h"
#include "train/reduce.h"
#include "train/wide_columns.h"
#include "train/wide_inside.h"

#define TAPE_BYTES_MOST ((size_t)512 << 20)
#define RUN_MOST        ((size_t)1 << 12) /* parameters of a run that are converted at a time */

/* ---- sizes ---- */

/* Of a model of the problem's shape. */
static size_t rows_with(const struct problem *p, const struct model *m)
{
    const struct model_tape_ops *ops = m->ops->tape;
    if (!ops || p->applied || optim_is_full_batch((enum optim_method)p->job->optimizer.type))
        return 0;
    size_t asked = p->job->optimizer.batch_size, all = p->train.schema->rows, coupled = coupled_batch_rows(p);
    size_t rows = asked && asked < all ? asked : all;
    rows = rows > coupled ? rows : coupled;
    if (m->spec.sparse && !wide_columns_fit(p, rows))
        return 0;
    return ops->bytes(m, 1) <= TAPE_BYTES_MOST / rows ? rows : 0;
}

size_t wide_rows(const struct problem *p)
{
    return rows_with(p, &p->model);
}

/* Of the tape, for batches of so many rows. Panels a power of two apart would meet in the same sets of the cache. */
static size_t capacity_for(size_t rows)
{
    return rows % 64 == 0 ? rows + 1 : rows;
}

/* Of one thread: a tile's gradient, or a column's, then a run of it in double. */
static size_t scratch_bytes(const struct model *m)
{
    size_t tile = m->ops->tape->tile_bytes(m), column = m->spec.sparse ? wide_columns_scratch(m) : 0;
    return ((tile > column ? tile : column) + 63) / 64 * 64 + RUN_MOST * sizeof(double);
}

enum gm_code wide_bytes(const struct problem *p, uint64_t *bytes, struct gm_error *err)
{
    struct model m;
    struct model_spec spec = problem_spec(p);
    *bytes = 0;
    if (!model_ops_of(spec.type)->tape)
        return GM_OK;
    enum gm_code code = model_sketch(&m, &spec, err);
    if (code)
        return code;
    size_t rows = rows_with(p, &m);
    if (rows)
        *bytes = (uint64_t)m.ops->tape->bytes(&m, capacity_for(rows)) + (uint64_t)p->threads * scratch_bytes(&m) +
                 (spec.sparse ? wide_columns_bytes(p, rows) : 0);
    model_release(&m);
    return GM_OK;
}

bool wide_wants_gradient(const struct problem *p)
{
    return !p->train.schema->sparse || p->job->optimizer.clip_norm > 0;
}

/* Enough of them to share, each large enough that the weights are worth fetching. */
static size_t piece_rows(size_t rows)
{
    size_t quarter = (rows / 4 + 15) / 16 * 16;
    return quarter < 16 ? 16 : quarter > WIDE_ROWS ? WIDE_ROWS : quarter;
}

size_t wide_pieces(size_t rows)
{
    return (rows + piece_rows(rows) - 1) / piece_rows(rows);
}

enum gm_code wide_init(struct wide *w, const struct problem *p, int threads, struct gm_error *err)
{
    *w = (struct wide){.rows = wide_rows(p)};
    bool drops = p->model.spec.dropout > 0 && !p->applied;
    if (!w->rows && drops && p->model.spec.sparse && wide_columns_refused(p))
        return error_set(err, GM_BAD_JOB,
                         "model.dropout: on sparse rows (%s) optimizer.%s needs steps over all columns, which are made "
                         "without dropout; leave one of them out.",
                         p->train.schema->features_at, wide_columns_refused(p));
    if (!w->rows && drops)
        return error_set(err, GM_BAD_JOB,
                         "model.dropout: needs the activations of a whole batch in memory; optimizer.batch_size is too "
                         "large for that.");
    if (!w->rows)
        return GM_OK;
    const struct model *m = &p->model;
    const struct model_tape_ops *ops = m->ops->tape;
    size_t theta = p->loss.spec.n_theta;
    w->capacity = capacity_for(w->rows);
    size_t pieces = w->rows / 16 + 1; /* a smaller batch may be cut finer */
    w->scratch_bytes = scratch_bytes(m);
    enum gm_code code;
    if ((code = memory_alloc(&w->tape, ops->bytes(m, w->capacity), 1, "the tape of a batch", err)) ||
        (code = memory_alloc((void **)&w->scratch, (size_t)threads, w->scratch_bytes, "gradient tiles", err)) ||
        (code = memory_alloc((void **)&w->theta, pieces * theta, sizeof(double), "the loss's gradient", err)) ||
        (code = memory_alloc((void **)&w->squares, ops->tiles(m), sizeof(double), "gradient norms", err)))
        wide_release(w);
    return code;
}

void wide_release(struct wide *w)
{
    memory_free(w->tape);
    memory_free(w->scratch);
    memory_free(w->theta);
    memory_free(w->squares);
    wide_columns_close(w->columns);
    *w = (struct wide){0};
}

/* ---- rows ---- */

static struct model_tape piece_of(const struct wide_step *s, size_t piece)
{
    struct model_tape tape = s->tape;
    size_t size = piece_rows(s->batch->rows), left;
    tape.first = piece * size;
    left = s->batch->rows - tape.first;
    tape.rows = left < size ? left : size;
    return tape;
}

static void forward_piece(const struct wide_step *s, struct worker *w, const struct model_tape *tape)
{
    struct engine *e = s->engine;
    const struct model *m = &e->problem->model;
    worker_gather(w, e->problem->train.schema, s->batch->window, s->batch->index + tape->first, tape->rows);
    m->ops->tape->forward(m, e->weights, tape, &w->block, w->all.pred);
}

static void backward_piece(const struct wide_step *s, const struct worker *w, const struct model_tape *tape)
{
    struct engine *e = s->engine;
    const struct model *m = &e->problem->model;
    m->ops->tape->backward(m, e->weights, tape, w->all.grad);
}

/* Forward, loss and backward of every piece; by all threads of the region. */
static void all_rows(const struct wide_step *s)
{
    struct engine *e = s->engine;
    size_t pieces = wide_pieces(s->batch->rows);
#pragma omp for schedule(dynamic, 1)
    for (size_t piece = 0; piece < pieces; piece++) {
        struct worker *w = &e->workers[omp_get_thread_num()];
        struct model_tape tape = piece_of(s, piece);
        forward_piece(s, w, &tape);
        worker_loss(w, 0, s->batch->step, s->batch->index[tape.first], &e->sums[piece]);
        backward_piece(s, w, &tape);
    }
}

/* The same for a loss that couples rows: forward of all, then the loss, then backward. */
static void forward_rows(const struct wide_step *s)
{
    struct engine *e = s->engine;
    size_t pieces = wide_pieces(s->batch->rows);
#pragma omp parallel for num_threads(e->threads) schedule(static) if (pieces > 1)
    for (size_t piece = 0; piece < pieces; piece++) {
        struct worker *w = &e->workers[omp_get_thread_num()];
        struct model_tape tape = piece_of(s, piece);
        forward_piece(s, w, &tape);
        coupled_store(&e->coupled, w, tape.first);
    }
}

static void backward_rows(const struct wide_step *s)
{
    struct engine *e = s->engine;
    size_t pieces = wide_pieces(s->batch->rows);
#pragma omp for schedule(static)
    for (size_t piece = 0; piece < pieces; piece++) {
        struct worker *w = &e->workers[omp_get_thread_num()];
        struct model_tape tape = piece_of(s, piece);
        w->all.rows = tape.rows;
        coupled_take(&e->coupled, w, tape.first);
        backward_piece(s, w, &tape);
    }
}

/* ---- tiles ---- */

/* Numbers [0, count) of a run, divided. */
static void mean_of(const struct model *m, const void *sum, size_t count, double divisor, double *mean)
{
    if (m->spec.precision == MODEL_F32)
        m->panel.mean_f32(sum, count, 1 / divisor, mean);
    else
        m->panel.mean_f64(sum, count, 1 / divisor, mean);
}

/* A piece of a run: amended, then either stepped, or kept for the step that waits for the norm. */
static double use_part(const struct wide_step *s, double *mean, size_t first, size_t end)
{
    const struct engine_update *u = s->update;
    double squares = 0;
    u->amend(u->context, mean, first, end);
    if (!u->norm) {
        u->step(u->context, mean, first, end);
        return 0;
    }
    for (size_t i = 0; i < end - first; i++)
        squares += mean[i] * mean[i];
    memcpy(u->gradient + first, mean, (end - first) * sizeof *mean);
    return squares;
}

char *wide_scratch(const struct engine *e)
{
    return e->wide.scratch + (size_t)omp_get_thread_num() * e->wide.scratch_bytes;
}

double wide_use_run(const struct wide_step *s, const struct model_run *run, double divisor)
{
    const struct model *m = &s->engine->problem->model;
    double *mean = (double *)(void *)(wide_scratch(s->engine) + s->engine->wide.scratch_bytes) - RUN_MOST;
    size_t real = m->spec.precision == MODEL_F32 ? sizeof(float) : sizeof(double);
    double squares = 0;
    for (size_t i = run->first; i < run->end; i += RUN_MOST) {
        size_t end = run->end - i < RUN_MOST ? run->end : i + RUN_MOST;
        mean_of(m, (const char *)run->gradient + (i - run->first) * real, end - i, divisor, mean);
        squares += use_part(s, mean, i, end);
    }
    return squares;
}

static void use_tile(const struct wide_step *s, size_t tile)
{
    struct engine *e = s->engine;
    const struct model *m = &e->problem->model;
    const struct model_tape_ops *ops = m->ops->tape;
    const struct engine_update *u = s->update;
    char *scratch = wide_scratch(e);
    double squares = 0;
    struct model_run run, next = {0};
    ops->gradient(m, &s->tape, tile, scratch);
    bool more = ops->run(m, tile, 0, scratch, &run);
    for (size_t r = 0; more; r++, run = next) {
        more = ops->run(m, tile, r + 1, scratch, &next);
        if (more && u->soon && !u->norm)
            u->soon(u->context, next.first, next.end);
        squares += wide_use_run(s, &run, s->divisor);
    }
    e->wide.squares[tile] = squares;
    if (!u->norm)
        ops->refresh(m, tile, e->params, e->weights);
}

/* The step of a tile whose gradient was kept. */
static void step_tile(const struct wide_step *s, size_t tile)
{
    struct engine *e = s->engine;
    const struct model *m = &e->problem->model;
    const struct engine_update *u = s->update;
    struct model_run run;
    char *scratch = wide_scratch(e);
    for (size_t r = 0; m->ops->tape->run(m, tile, r, scratch, &run); r++)
        u->step(u->context, u->gradient + run.first, run.first, run.end);
    m->ops->tape->refresh(m, tile, e->params, e->weights);
}

/* What the loss learns, behind the model's parameters: by one thread. Returns its part of the squared norm. */
static double use_theta(const struct wide_step *s)
{
    struct engine *e = s->engine;
    if (!e->n_theta)
        return 0;
    size_t first = e->problem->model.n_params;
    reduce_lanes(e->wide.theta, wide_pieces(s->batch->rows), e->n_theta, 0, e->n_theta);
    for (size_t i = 0; i < e->n_theta; i++)
        e->wide.theta[i] /= s->divisor;
    return use_part(s, e->wide.theta, first, e->n);
}

static void all_tiles(struct wide_step *s)
{
    struct engine *e = s->engine;
    const struct engine_update *u = s->update;
    size_t tiles = e->problem->model.ops->tape->tiles(&e->problem->model);
#pragma omp for schedule(dynamic, 1)
    for (size_t tile = 0; tile < tiles; tile++)
        use_tile(s, tile);
    if (e->wide.columns)
        wide_columns_use(s);
#pragma omp single
    {
        double squares = use_theta(s) + (e->wide.columns ? wide_columns_squares(e) : 0);
        for (size_t tile = 0; tile < tiles; tile++)
            squares += e->wide.squares[tile];
        if (u->norm)
            u->norm(u->context, sqrt(squares));
    }
    if (!u->norm)
        return;
#pragma omp for schedule(dynamic, 1)
    for (size_t tile = 0; tile < tiles; tile++)
        step_tile(s, tile);
    if (e->wide.columns)
        wide_columns_step(s);
#pragma omp single
    if (e->n_theta)
        u->step(u->context, u->gradient + e->problem->model.n_params, e->problem->model.n_params, e->n);
}

/* ---- the step ---- */

static void clear(struct engine *e, size_t pieces)
{
    memset(e->sums, 0, pieces * sizeof *e->sums);
    memset(e->wide.theta, 0, pieces * e->n_theta * sizeof *e->wide.theta);
    for (size_t p = 0; e->n_theta && p < pieces; p++)
        e->sums[p].theta_grad = e->wide.theta + p * e->n_theta;
}

enum gm_code wide_step(struct engine *e, const struct engine_batch *batch, const struct engine_update *update,
                       struct engine_totals *totals, struct gm_error *err)
{
    size_t pieces = wide_pieces(batch->rows);
    struct engine_totals own = {.finite = true};
    enum gm_code code = GM_OK;
    struct wide_step s = {.engine = e, .batch = batch, .update = update};
    s.tape = (struct model_tape){.memory = e->wide.tape,
                                 .capacity = e->wide.capacity,
                                 .rows = batch->rows,
                                 .training = true,
                                 .seed = e->problem->job->run.seed,
                                 .step = batch->step};
    bool coupled = e->coupled.rows > 0;
    clear(e, pieces);
    if (e->wide.columns)
        wide_columns_begin_step(e);
    if (coupled) {
        if (e->wide.columns)
            wide_columns_find_alone(&s);
        forward_rows(&s);
        coupled_batch_loss(e, batch, pieces);
    }
#pragma omp parallel num_threads(e->threads) if (e->threads > 1)
    {
        if (coupled)
            backward_rows(&s);
        else {
            if (e->wide.columns)
                wide_columns_find(&s);
            all_rows(&s);
        }
#pragma omp single
        {
            code = engine_add_sums(e, pieces, &own, err);
            s.divisor = own.weight[0] > 0 ? own.weight[0] : 1;
        }
        if (!code)
            all_tiles(&s);
    }
    if (code)
        return code;
    if (e->wide.columns)
        wide_columns_end_step(e);
    engine_add_batch(&own, totals);
    engine_take_theta(e);
    return GM_OK;
}
