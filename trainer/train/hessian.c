/* The objective, its gradient and its Hessian in one pass. */
#include "train/hessian.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include "optim/optim.h"
#include "train/reduce.h"

#define RANGE 4096 /* sums that one thread adds up at a time */

/* Rows that a Hessian begins with: an error of about 1/20 in most directions. Below the least a pass takes no time. */
#define ROWS_PER_PARAMETER 512
#define ROWS_LEAST         65536

static bool wanted(const struct problem *p)
{
    return optim_needs_hessian((enum optim_method)p->job->optimizer.type);
}

static bool gives_full(const struct problem *p)
{
    return (p->loss.spec.gives & GM_GIVES_HESS) != 0;
}

static struct model_spec spec_of(const struct problem *p)
{
    return (struct model_spec){
        .features = p->train.schema->features, .outputs = p->loss.outputs, .intercept = p->job->model.intercept};
}

size_t hessian_first_stride(const struct problem *p)
{
    return wanted(p) ? hessian_sample_stride(p) : 1;
}

size_t hessian_sample_stride(const struct problem *p)
{
    size_t n = problem_parameter_count(p), rows = p->train.schema->rows;
    size_t wanted_rows = n > ROWS_LEAST / ROWS_PER_PARAMETER ? n * ROWS_PER_PARAMETER : ROWS_LEAST;
    return rows / wanted_rows > 1 ? rows / wanted_rows : 1;
}

size_t hessian_lane_bytes(const struct problem *p)
{
    struct curvature_shape shape;
    struct model_spec spec = spec_of(p);
    if (!wanted(p) || !curvature_shape_of(&shape, &spec, gives_full(p)))
        return 0;
    return curvature_lane(&shape) * sizeof(double);
}

uint64_t hessian_bytes(const struct problem *p)
{
    if (!wanted(p))
        return 0;
    struct model_spec spec = spec_of(p);
    struct curvature_shape shape;
    size_t n, square, lanes, bytes;
    size_t rows = p->train.schema->rows;
    if (!curvature_shape_of(&shape, &spec, gives_full(p)) ||
        !memory_product(spec.outputs, spec.features + (spec.intercept ? 1 : 0), &n) || !memory_product(n, n, &square) ||
        !memory_product(curvature_lane(&shape), problem_batch_plan(p, rows).lanes, &lanes) ||
        square > SIZE_MAX / 16 - lanes)
        return UINT64_MAX;
    bytes = (square + lanes) * sizeof(double);
    return bytes;
}

enum gm_code hessian_check(const struct problem *p, uint64_t bytes, const struct gm_watch *watch, struct gm_error *err)
{
    if (!wanted(p))
        return GM_OK;
    const struct gm_loss_spec *spec = &p->loss.spec;
    const char *id = p->loss.plugin->vtable.id;
    if (!(spec->gives & (GM_GIVES_HESS | GM_GIVES_HESS_DIAG)))
        return error_set(err, GM_BAD_JOB,
                         "optimizer.type: newton needs second derivatives, which the loss '%s' does not give. lbfgs "
                         "needs none.",
                         id);
    if (spec->coupling != GM_ROWS_INDEPENDENT)
        return error_set(err, GM_BAD_JOB,
                         "optimizer.type: newton takes losses of independent rows, and '%s' couples them. gd and lbfgs "
                         "take it.",
                         id);
    if (spec->n_theta)
        return error_set(err, GM_BAD_JOB,
                         "optimizer.type: newton does not train the parameters that the loss '%s' learns. gd and lbfgs "
                         "do.",
                         id);
    if ((spec->nature & GM_NATURE_NON_SMOOTH) && !(spec->nature & GM_NATURE_HESS_BOUND))
        return error_set(err, GM_BAD_JOB,
                         "optimizer.type: newton needs a smooth loss, and '%s' has kinks, where its second derivative "
                         "says nothing. gd and lbfgs take it.",
                         id);
    uint64_t needed = hessian_bytes(p);
    if (needed > bytes) {
        char need[32], have[32];
        size_t n = p->loss.outputs * (p->train.schema->features + (p->job->model.intercept ? 1 : 0));
        return error_set(err, GM_BAD_JOB,
                         "optimizer.type: newton needs %s for the second derivatives of %zu parameters, and run.memory "
                         "leaves %s. lbfgs needs next to none.",
                         needed == UINT64_MAX ? "more memory than there is" : text_from_bytes(needed, need), n,
                         text_from_bytes(bytes, have));
    }
    if (spec->nature & GM_NATURE_HESS_BOUND)
        problem_note(watch,
                     "newton: the loss '%s' gives a bound of its second derivative: each step is safe, but "
                     "there will be more of them.",
                     id);
    if (!gives_full(p) && p->loss.outputs > 1)
        problem_note(watch,
                     "newton: the loss '%s' gives the second derivative of each output alone: how outputs "
                     "act together is left out.",
                     id);
    return GM_OK;
}

enum gm_code hessian_init(struct hessian *h, const struct engine *e, struct gm_error *err)
{
    const struct problem *p = e->problem;
    const struct model *m = &p->model;
    *h = (struct hessian){.stride = 1};
    if (!wanted(p))
        return GM_OK;
    curvature_shape_of(&h->shape, &m->spec, gives_full(p));
    enum gm_code code;
    if ((code = memory_alloc((void **)&h->lanes, p->train.plan.lanes, curvature_lane(&h->shape) * sizeof(double),
                             "the Hessian of each lane", err)) ||
        (code = memory_alloc((void **)&h->matrix, m->n_params, m->n_params * sizeof(double), "the Hessian", err)) ||
        (code = memory_alloc((void **)&h->threads, (size_t)e->threads, sizeof *h->threads, "threads", err)))
        goto failed;
    for (; h->n_threads < e->threads; h->n_threads++)
        if ((code = curvature_init(&h->threads[h->n_threads], m, &h->shape, err)))
            goto failed;
    return GM_OK;
failed:
    hessian_release(h);
    return code;
}

void hessian_release(struct hessian *h)
{
    for (int t = 0; t < h->n_threads; t++)
        curvature_release(&h->threads[t]);
    memory_free(h->threads);
    memory_free(h->lanes);
    memory_free(h->matrix);
    *h = (struct hessian){0};
}

/* ---- the pass ---- */

struct hessian_pass {
    struct hessian *hessian;
    struct engine *engine;
};

/* Of every `stride` pieces that fill a panel one, drawn anew in each epoch, so that no order of the rows is met again
 * and again. */
static bool takes_block(void *context, const struct walk_block *block)
{
    const struct hessian_pass *pass = context;
    const struct hessian *h = pass->hessian;
    const struct problem *p = pass->engine->problem;
    size_t block_rows = p->train.plan.block_rows, blocks = (h->shape.panel_rows + block_rows - 1) / block_rows;
    size_t number = block->row / block_rows / blocks;
    if (h->stride <= 1)
        return true;
    const struct random_key key = {p->job->run.seed, RANDOM_HESSIAN, h->epoch};
    return number % h->stride == (size_t)(random_uniform(key, number / h->stride) * (double)h->stride);
}

/* After the block's gradient: its second derivatives. A thread stays with a lane to the end of the lane's run. */
static void add_block(void *context, int thread, size_t lane, const struct walk_block *block)
{
    const struct hessian_pass *pass = context;
    struct hessian *h = pass->hessian;
    const struct worker *w = &pass->engine->workers[thread];
    const struct lane_plan *plan = &pass->engine->problem->train.plan;
    double *sums = h->lanes + lane * curvature_lane(&h->shape);
    if (w->wants_second)
        curvature_add(&h->threads[thread], &w->block, w->all.second, sums);
    size_t end = lane_run(plan, block->row / plan->slab_rows, lane).end;
    if (block->row + block->rows == end)
        curvature_flush(&h->threads[thread], sums);
}

enum gm_code hessian_gradient(struct hessian *h, struct engine *e, const double *params, struct engine_totals *totals,
                              double *gradient, struct gm_error *err)
{
    struct hessian_pass pass = {h, e};
    const struct model *m = &e->problem->model;
    size_t n_lanes = e->problem->train.plan.lanes, width = curvature_lane(&h->shape);
#pragma omp parallel for num_threads(e->threads) schedule(static)
    for (size_t lane = 0; lane < n_lanes; lane++)
        memset(h->lanes + lane * width, 0, width * sizeof(double));
    e->extra = (struct engine_extra){add_block, takes_block, &pass};
    enum gm_code code = engine_gradient(e, params, totals, gradient, err);
    e->extra = (struct engine_extra){0};
    if (code)
        return code;
    size_t ranges = (width + RANGE - 1) / RANGE;
#pragma omp parallel for num_threads(e->threads) schedule(dynamic, 1)
    for (size_t range = 0; range < ranges; range++) {
        size_t first = range * RANGE, end = first + RANGE < width ? first + RANGE : width;
        reduce_lanes(h->lanes, n_lanes, width, first, end);
    }
    curvature_finish(m, &h->shape, h->lanes, totals->weight[0] / (double)h->stride, h->matrix);
    return GM_OK;
}
