/* Loss and gradient over rows, on all threads. */
#include "train/engine_inside.h"
#include "train/sparse_batch.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/share.h"
#include "optim/optim.h"
#include "train/reduce.h"
#include "train/wide_columns.h"

#define RANGE_PARAMS 4096                /* parameters that one thread reduces and updates at a time */
#define CLEAR_BYTES  ((size_t)256 << 10) /* worth the threads */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t count_ranges(size_t n)
{
    return (n + RANGE_PARAMS - 1) / RANGE_PARAMS;
}

static enum gm_code init_workers(struct engine *e, size_t block_rows, struct gm_error *err)
{
    const struct problem *p = e->problem;
    size_t entries = data_entries_most(p->train.set, block_rows);
    if (p->validation.set)
        entries = larger(entries, data_entries_most(p->validation.set, block_rows));
    struct worker_setup setup = {&p->model,
                                 &e->loss,
                                 &p->split,
                                 p->fill,
                                 p->job->run.seed,
                                 block_rows,
                                 coupled_call_rows(p),
                                 entries,
                                 optim_needs_hessian((enum optim_method)p->job->optimizer.type)};
    enum gm_code code = memory_alloc((void **)&e->workers, (size_t)e->threads, sizeof *e->workers, "workers", err);
    for (int t = 0; !code && t < e->threads; t++)
        code = worker_init(&e->workers[t], &setup, err);
    return code;
}

enum gm_code engine_init(struct engine *e, const struct problem *p, struct gm_error *err)
{
    *e = (struct engine){.problem = p, .threads = p->threads, .loss = p->loss};
    e->n = engine_params(p);
    e->n_theta = p->loss.spec.n_theta;
    size_t block_rows = larger(p->train.plan.block_rows, p->validation.plan.block_rows);
    e->n_lanes = larger(p->train.plan.lanes, p->validation.plan.lanes);
    if (p->job->optimizer.batch_size) { /* a batch's own split is never wider than this */
        struct lane_plan plan = problem_batch_plan(p, larger(p->job->optimizer.batch_size, coupled_batch_rows(p)));
        block_rows = larger(block_rows, plan.block_rows);
        e->n_lanes = larger(e->n_lanes, plan.lanes);
    }
    size_t wide = wide_rows(p);
    e->n_sums = larger(e->n_lanes, wide ? wide / 16 + 1 : 0); /* pieces of a batch, each of 16 rows or more */
    e->n_sums = larger(e->n_sums, SPARSE_PARTS);
    block_rows = larger(block_rows, wide ? WIDE_ROWS : 0);
    /* Lanes of gradients are for those who add them up. */
    size_t gradients = !p->applied && !wide ? e->n_lanes : 0;
    enum gm_code code;
    if ((code = memory_alloc((void **)&e->theta, e->n_theta, sizeof *e->theta, "the loss's parameters", err)) ||
        (code = memory_alloc((void **)&e->lanes, gradients, e->n * sizeof(double), "lane gradients", err)) ||
        (code =
             memory_alloc((void **)&e->squares, count_ranges(e->n), sizeof *e->squares, "the gradient's norm", err)) ||
        (code = memory_alloc((void **)&e->sums, e->n_sums, sizeof *e->sums, "lane sums", err)) ||
        (code =
             memory_alloc_walked(&e->weights, p->model.ops->weights_bytes(&p->model), 1, "the model's weights", err)) ||
        (code = coupled_init(&e->coupled, p, err)) || (code = wide_init(&e->wide, p, e->threads, err)) ||
        (code = init_workers(e, block_rows, err))) {
        engine_release(e);
        return code;
    }
    e->loss.theta = e->n_theta ? e->theta : NULL;
    return GM_OK;
}

void engine_release(struct engine *e)
{
    for (int t = 0; e->workers && t < e->threads; t++)
        worker_release(&e->workers[t]);
    memory_free(e->workers);
    coupled_release(&e->coupled);
    wide_release(&e->wide);
    memory_free(e->theta);
    memory_free(e->lanes);
    memory_free(e->squares);
    memory_free(e->sums);
    memory_free(e->weights);
    *e = (struct engine){0};
}

size_t engine_params(const struct problem *p)
{
    return p->model.n_params + p->loss.spec.n_theta;
}

void engine_prepare(struct engine *e, const double *params)
{
    e->params = params;
    const struct model *m = &e->problem->model;
    if (m->spec.sparse && m->ops->tape)
        wide_columns_prepare(e);
    else
        m->ops->prepare(m, params, e->weights);
    engine_take_theta(e);
}

void engine_take_theta(struct engine *e)
{
    for (size_t i = 0; i < e->n_theta; i++)
        e->theta[i] = e->params[e->problem->model.n_params + i];
}

/* What the plugin said, from whichever worker heard it. */
static enum gm_code plugin_refused(const struct engine *e, const struct lane_sums *at, struct gm_error *err)
{
    static const char *const names[] = {"ok", "bad parameter", "bad target", "out of memory", "numeric", "unsupported"};
    const char *name = at->status > 0 && at->status < 6 ? names[at->status] : "an undefined code";
    const char *words = "";
    for (int t = 0; t < e->threads; t++)
        if (e->workers[t].error.text[0])
            words = e->workers[t].error.text;
    const struct loss_plugin *plugin = e->problem->loss.plugin;
    return error_set(err, GM_PLUGIN_BROKEN,
                     "The loss '%s' (%s) failed in the block at row %zu: evaluate returned %d (%s)%s%s. "
                     "'gradmill check-loss %s' examines it.",
                     plugin->vtable.id, plugin->path, at->row, at->status, name, words[0] ? ": " : "", words,
                     plugin->path);
}

/* Adds the lanes' sums in the fixed tree into totals. */
enum gm_code engine_add_sums(struct engine *e, size_t n_lanes, struct engine_totals *totals, struct gm_error *err)
{
    const struct lane_sums *broken = NULL;
    for (size_t l = 0; l < n_lanes; l++) {
        const struct lane_sums *s = &e->sums[l];
        if (s->code == GM_PLUGIN_BROKEN && (!broken || s->row < broken->row))
            broken = s;
        if (s->code == GM_DIVERGED && (totals->finite || s->row < totals->bad_row)) {
            totals->finite = false;
            totals->bad_row = s->row;
        }
    }
    if (broken)
        return plugin_refused(e, broken, err);
    for (size_t step = 1; step < n_lanes; step *= 2)
        for (size_t l = 0; l + step < n_lanes; l += 2 * step)
            for (int side = 0; side < 2; side++) {
                e->sums[l].loss[side] += e->sums[l + step].loss[side];
                e->sums[l].weight[side] += e->sums[l + step].weight[side];
            }
    for (int side = 0; side < 2; side++) {
        totals->loss[side] += e->sums[0].loss[side];
        totals->weight[side] += e->sums[0].weight[side];
    }
    for (int t = 0; t < e->threads; t++) {
        enum gm_code code = worker_check(&e->workers[t], err);
        if (code)
            return code;
    }
    return GM_OK;
}

/* ---- a pass over all rows ---- */

struct pass {
    struct engine *engine;
    const struct data_schema *schema;
    bool want_gradient;
};

/* Of every `stride` blocks one, drawn, so that no order of the rows is met again and again. */
static bool is_sampled(const struct engine *e, size_t row)
{
    const struct random_key key = {e->problem->job->run.seed, RANDOM_SAMPLE, 0};
    size_t number = row / e->problem->train.plan.block_rows;
    return number % e->sample == (size_t)(random_uniform(key, number / e->sample) * (double)e->sample);
}

static void training_block(void *context, int thread, size_t lane, const struct walk_block *block)
{
    const struct pass *pass = context;
    struct engine *e = pass->engine;
    struct worker *w = &e->workers[thread];
    if (e->sample > 1 && !is_sampled(e, block->row))
        return;
    worker_fill(w, pass->schema, block);
    worker_forward(w, e->weights);
    w->wants_second = w->setup.second && (!e->extra.wants_second || e->extra.wants_second(e->extra.context, block));
    worker_loss_split(w, block->row, &e->sums[lane]);
    if (pass->want_gradient)
        worker_backward(w, e->weights, e->lanes + lane * e->n);
    if (e->extra.visit)
        e->extra.visit(e->extra.context, thread, lane, block);
}

static void validation_block(void *context, int thread, size_t lane, const struct walk_block *block)
{
    const struct pass *pass = context;
    struct engine *e = pass->engine;
    struct worker *w = &e->workers[thread];
    worker_fill(w, pass->schema, block);
    worker_forward(w, e->weights);
    worker_loss(w, 1, 0, block->row, &e->sums[lane]);
}

/* By the threads that begin with them. */
static void clear_gradients(struct engine *e, size_t n_lanes)
{
#pragma omp parallel num_threads(e->threads) if (n_lanes * e->n * sizeof *e->lanes >= CLEAR_BYTES)
    {
        struct row_range own = share_own(n_lanes, omp_get_num_threads(), omp_get_thread_num());
        memset(e->lanes + own.first * e->n, 0, (own.end - own.first) * e->n * sizeof *e->lanes);
    }
}

static void clear_lanes(struct engine *e, size_t n_lanes, bool gradient)
{
    memset(e->sums, 0, n_lanes * sizeof *e->sums);
    if (gradient)
        clear_gradients(e, n_lanes);
    for (size_t l = 0; gradient && e->n_theta && l < n_lanes; l++)
        e->sums[l].theta_grad = e->lanes + (l + 1) * e->n - e->n_theta;
}

/* Parameters [first, end) of range number `range`. */
static struct row_range params_range(size_t range, size_t n)
{
    size_t first = range * RANGE_PARAMS;
    return (struct row_range){first, first + RANGE_PARAMS < n ? first + RANGE_PARAMS : n};
}

/* The gradient in a range that may hold parameters of the model and of the loss. */
static void finish_range(struct engine *e, double divisor, struct row_range r, double *gradient)
{
    const struct model *m = &e->problem->model;
    size_t end = r.end < m->n_params ? r.end : m->n_params;
    if (r.first < end)
        m->ops->finish(m, e->lanes, divisor, r.first, end, gradient);
    for (size_t i = r.first > end ? r.first : end; i < r.end; i++)
        gradient[i] = e->lanes[i] / divisor;
}

/* Amended, and stepped unless the norm is waited for. */
static void use_range(const struct engine_update *u, struct row_range r)
{
    u->amend(u->context, u->gradient + r.first, r.first, r.end);
    if (!u->norm)
        u->step(u->context, u->gradient + r.first, r.first, r.end);
}

/* The lanes become the mean gradient; update NULL: that is all. A model's finish may look at sums outside of its range,
 * so all are added up first. */
static void finish_gradient(struct engine *e, size_t n_lanes, double divisor, double *gradient,
                            const struct engine_update *update)
{
    size_t n = e->n, ranges = count_ranges(n);
    struct share reducing, finishing;
    share_init(&reducing, ranges, e->threads);
    share_init(&finishing, ranges, e->threads);
#pragma omp parallel num_threads(e->threads) if (ranges > 1)
    {
        struct row_range some;
        struct share_turn turn = share_turn(&reducing, omp_get_thread_num());
        while (share_take(&turn, &some))
            for (size_t range = some.first; range < some.end; range++) {
                struct row_range r = params_range(range, n);
                reduce_lanes(e->lanes, n_lanes, n, r.first, r.end);
            }
#pragma omp barrier
        turn = share_turn(&finishing, omp_get_thread_num());
        while (share_take(&turn, &some))
            for (size_t range = some.first; range < some.end; range++) {
                struct row_range r = params_range(range, n);
                finish_range(e, divisor, r, gradient);
                if (update && update->amend)
                    use_range(update, r);
            }
    }
}

/* The steps that waited for the norm of the gradient: squares are added range by range. */
static void step_by_norm(struct engine *e, const struct engine_update *u)
{
    size_t n = e->n, ranges = count_ranges(n);
    double sum = 0;
#pragma omp parallel for num_threads(e->threads) schedule(static) if (ranges > 1)
    for (size_t range = 0; range < ranges; range++) {
        struct row_range r = params_range(range, n);
        e->squares[range] = 0;
        for (size_t i = r.first; i < r.end; i++)
            e->squares[range] += u->gradient[i] * u->gradient[i];
    }
    for (size_t range = 0; range < ranges; range++)
        sum += e->squares[range];
    u->norm(u->context, sqrt(sum));
#pragma omp parallel for num_threads(e->threads) schedule(static) if (ranges > 1)
    for (size_t range = 0; range < ranges; range++) {
        struct row_range r = params_range(range, n);
        u->step(u->context, u->gradient + r.first, r.first, r.end);
    }
}

enum gm_code engine_walk(struct engine *e, const struct problem_data *data, const struct walk *walk,
                         struct gm_error *err)
{
    struct engine_totals totals = {.finite = true};
    clear_lanes(e, walk->plan->lanes, false);
    enum gm_code code = e->coupled.rows ? coupled_walk(e, data, COUPLED_LOSS, err) : GM_OK;
    if (!code)
        code = walk_rows(walk, err);
    return code ? code : engine_add_sums(e, walk->plan->lanes, &totals, err);
}

enum gm_code engine_gradient(struct engine *e, const double *params, struct engine_totals *totals, double *gradient,
                             struct gm_error *err)
{
    const struct problem_data *data = &e->problem->train;
    struct pass pass = {e, data->schema, gradient != NULL};
    *totals = (struct engine_totals){.finite = true};
    engine_prepare(e, params);
    clear_lanes(e, data->plan.lanes, gradient != NULL);
    struct walk walk = {.set = data->set,
                        .plan = &data->plan,
                        .threads = e->threads,
                        .visit = training_block,
                        .context = &pass,
                        .stop = &e->stop};
    enum gm_code code = e->coupled.rows ? coupled_walk(e, data, gradient ? COUPLED_GRADIENT : COUPLED_LOSS, err)
                                        : walk_rows(&walk, err);
    e->passes += code == GM_OK && e->sample <= 1;
    if (code || (code = engine_add_sums(e, data->plan.lanes, totals, err)))
        return code;
    if (gradient)
        finish_gradient(e, data->plan.lanes, totals->weight[0], gradient, NULL);
    return GM_OK;
}

/* Loss of the separate validation dataset at the prepared weights. */
static enum gm_code validation_dataset(struct engine *e, struct engine_totals *totals, struct gm_error *err)
{
    const struct problem_data *data = &e->problem->validation;
    struct pass pass = {e, data->schema, false};
    clear_lanes(e, data->plan.lanes, false);
    struct walk walk = {.set = data->set,
                        .plan = &data->plan,
                        .threads = e->threads,
                        .visit = validation_block,
                        .context = &pass,
                        .stop = &e->stop};
    enum gm_code code = e->coupled.rows ? coupled_walk(e, data, COUPLED_VALIDATION, err) : walk_rows(&walk, err);
    return code ? code : engine_add_sums(e, data->plan.lanes, totals, err);
}

enum gm_code engine_validate(struct engine *e, const double *params, struct engine_totals *totals, struct gm_error *err)
{
    engine_prepare(e, params);
    return validation_dataset(e, totals, err);
}

/* ---- a batch of scattered rows ---- */

static void batch_lane(struct engine *e, const struct engine_batch *batch, const struct lane_plan *plan, size_t lane,
                       struct worker *w)
{
    for (size_t slab = 0; slab < plan->slabs; slab++) {
        struct row_range run = lane_run(plan, slab, lane);
        for (size_t i = run.first; i < run.end; i += plan->block_rows) {
            size_t rows = run.end - i < plan->block_rows ? run.end - i : plan->block_rows;
            worker_gather(w, e->problem->train.schema, batch->window, batch->index + i, rows);
            worker_forward(w, e->weights);
            worker_loss(w, 0, batch->step, batch->index[i], &e->sums[lane]);
            worker_backward(w, e->weights, e->lanes + lane * e->n);
        }
    }
}

static void batch_rows(struct engine *e, const struct engine_batch *batch, const struct lane_plan *plan)
{
    struct share share;
    share_init(&share, plan->lanes, e->threads);
#pragma omp parallel num_threads(e->threads) if (plan->lanes > 1)
    {
        struct share_turn turn = share_turn(&share, omp_get_thread_num());
        struct worker *w = &e->workers[omp_get_thread_num()];
        for (struct row_range lanes; share_take(&turn, &lanes);)
            for (size_t lane = lanes.first; lane < lanes.end; lane++)
                batch_lane(e, batch, plan, lane, w);
    }
}

void engine_add_batch(const struct engine_totals *own, struct engine_totals *totals)
{
    totals->loss[0] += own->loss[0];
    totals->weight[0] += own->weight[0];
    if (!own->finite && totals->finite) {
        totals->finite = false;
        totals->bad_row = own->bad_row;
    }
}

enum gm_code engine_step(struct engine *e, const struct engine_batch *batch, const struct engine_update *update,
                         struct engine_totals *totals, struct gm_error *err)
{
    if (e->wide.rows)
        return wide_step(e, batch, update, totals, err);
    struct lane_plan plan = problem_batch_plan(e->problem, batch->rows);
    clear_lanes(e, plan.lanes, true);
    if (e->coupled.rows)
        coupled_batch(e, batch, &plan);
    else
        batch_rows(e, batch, &plan);
    struct engine_totals own = {.finite = true};
    enum gm_code code = engine_add_sums(e, plan.lanes, &own, err);
    if (code)
        return code;
    finish_gradient(e, plan.lanes, own.weight[0] > 0 ? own.weight[0] : 1, update->gradient, update);
    if (update->norm)
        step_by_norm(e, update);
    if (update->amend)
        engine_prepare(e, e->params);
    engine_add_batch(&own, totals);
    return GM_OK;
}

/* ---- validation between minibatch epochs ---- */

static void held_out_block(void *context, int thread, size_t lane, const struct walk_block *block)
{
    const struct pass *pass = context;
    struct engine *e = pass->engine;
    const struct data_split *split = &e->problem->split;
    size_t held = 0;
    for (size_t i = 0; i < block->rows; i++)
        held += split_held_out(split, block->row + i);
    if (!held)
        return;
    struct worker *w = &e->workers[thread];
    worker_fill(w, pass->schema, block);
    worker_forward(w, e->weights);
    worker_loss_split(w, block->row, &e->sums[lane]);
}

enum gm_code engine_validation_loss(struct engine *e, struct engine_totals *totals, struct gm_error *err)
{
    *totals = (struct engine_totals){.finite = true};
    if (e->problem->validation.set)
        return validation_dataset(e, totals, err);
    const struct problem_data *data = &e->problem->train;
    struct pass pass = {e, data->schema, false};
    clear_lanes(e, data->plan.lanes, false);
    struct walk walk = {.set = data->set,
                        .plan = &data->plan,
                        .threads = e->threads,
                        .visit = held_out_block,
                        .context = &pass,
                        .stop = &e->stop};
    enum gm_code code = e->coupled.rows ? coupled_walk(e, data, COUPLED_HELD_OUT, err) : walk_rows(&walk, err);
    return code ? code : engine_add_sums(e, data->plan.lanes, totals, err);
}
