/* Losses that couple rows. */
#include "train/coupled.h"

#include <omp.h>
#include <string.h>

#include "base/memory.h"
#include "optim/optim.h"
#include "train/engine.h"

/* ---- sizes ---- */

static bool couples(const struct problem *p)
{
    return p->train.pieces.count > 0;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

size_t coupled_batch_rows(const struct problem *p)
{
    size_t asked = p->job->optimizer.batch_size, rows = p->train.pieces.rows;
    if (!couples(p) || (!asked && optim_is_full_batch((enum optim_method)p->job->optimizer.type)))
        return 0;
    asked = larger(asked ? asked : rows, p->train.pieces.largest_group);
    return asked < rows ? asked : rows;
}

size_t coupled_call_rows(const struct problem *p)
{
    size_t most = larger(p->train.pieces.most, p->validation.pieces.most);
    return couples(p) ? larger(most, coupled_batch_rows(p)) : 0;
}

static size_t room(const struct problem *p)
{
    return larger(larger(p->train.pieces.rows, p->validation.pieces.rows), coupled_batch_rows(p));
}

uint64_t coupled_bytes(const struct problem *p)
{
    if (p->loss.spec.coupling == GM_ROWS_INDEPENDENT)
        return 0;
    size_t train = p->train.schema->rows, other = p->validation.set ? p->validation.schema->rows : 0;
    return (uint64_t)larger(train, other) * (p->loss.outputs + p->loss.targets + 2) * sizeof(double) +
           ((uint64_t)train + other) * 2 * sizeof(size_t);
}

enum gm_code coupled_init(struct coupled *c, const struct problem *p, struct gm_error *err)
{
    *c = (struct coupled){0};
    if (!couples(p))
        return GM_OK;
    size_t rows = room(p), batch = coupled_batch_rows(p);
    enum gm_code code;
    if ((code = memory_alloc((void **)&c->pred, rows, p->loss.outputs * sizeof(double), "predictions", err)) ||
        (code = memory_alloc((void **)&c->target, rows, p->loss.targets * sizeof(double), "targets", err)) ||
        (code = memory_alloc((void **)&c->weight, rows, sizeof(double), "weights", err)) ||
        (code = memory_alloc((void **)&c->group, rows, sizeof(int64_t), "groups", err)) ||
        (code = memory_alloc((void **)&c->batch.index, batch, sizeof(size_t), "the rows of a batch", err)) ||
        (code = memory_alloc((void **)&c->batch.first, batch + 1, sizeof(size_t), "the calls of a batch", err))) {
        coupled_release(c);
        return code;
    }
    c->rows = rows;
    for (size_t i = 0; i < batch; i++)
        c->batch.index[i] = i;
    return GM_OK;
}

void coupled_release(struct coupled *c)
{
    memory_free(c->pred);
    memory_free(c->target);
    memory_free(c->weight);
    memory_free(c->group);
    pieces_release(&c->batch);
    *c = (struct coupled){0};
}

/* ---- the block of a worker, to the buffer and back ---- */

void coupled_store(struct coupled *c, const struct worker *w, size_t at)
{
    size_t outputs = w->setup.loss->outputs, targets = w->setup.loss->targets, rows = w->all.rows;
    memcpy(c->pred + at * outputs, w->all.pred, rows * outputs * sizeof(double));
    if (w->has_target)
        memcpy(c->target + at * targets, w->all.target, rows * targets * sizeof(double));
    for (size_t i = 0; i < rows; i++)
        c->weight[at + i] = w->has_weight ? w->all.weight[i] : 1;
    if (w->has_group)
        memcpy(c->group + at, w->all.group, rows * sizeof(int64_t));
}

void coupled_take(const struct coupled *c, struct worker *w, size_t at)
{
    size_t outputs = w->setup.loss->outputs;
    memcpy(w->all.grad, c->pred + at * outputs, w->all.rows * outputs * sizeof(double));
}

/* ---- the loss of the buffer ---- */

struct loss_pass {
    const struct pieces *pieces;
    size_t begin, end, lanes; /* pieces; lanes that they are dealt to, in order */
    enum coupled_use use;
    uint64_t step;
    const size_t *row_of; /* of the buffer's rows, for messages; NULL: themselves */
};

static void piece_loss(struct engine *e, struct worker *w, const struct loss_pass *pass, size_t piece,
                       struct lane_sums *sums)
{
    struct coupled *c = &e->coupled;
    const struct pieces *p = pass->pieces;
    const size_t *index = p->index + p->first[piece];
    struct worker_rows rows = {.rows = p->first[piece + 1] - p->first[piece],
                               .index = index,
                               .pred = c->pred,
                               .target = e->loss.targets ? c->target : NULL,
                               .weight = c->weight,
                               .group = e->loss.spec.coupling == GM_ROWS_GROUPED ? c->group : NULL,
                               .grad = pass->use == COUPLED_GRADIENT ? c->pred : NULL,
                               .row = pass->row_of ? pass->row_of[index[0]] : index[0],
                               .step = pass->step};
    int side = pass->use == COUPLED_VALIDATION || piece >= p->n_train;
    worker_loss_rows(w, &rows, side, sums);
}

static void all_pieces(struct engine *e, const struct loss_pass *pass)
{
    size_t count = pass->end - pass->begin;
#pragma omp parallel for num_threads(e->threads) schedule(dynamic, 1) if (count > 1)
    for (size_t lane = 0; lane < pass->lanes; lane++)
        for (size_t i = count * lane / pass->lanes; i < count * (lane + 1) / pass->lanes; i++)
            piece_loss(e, &e->workers[omp_get_thread_num()], pass, pass->begin + i, &e->sums[lane]);
}

/* ---- all rows of a dataset ---- */

struct rows_pass {
    struct engine *engine;
    const struct data_schema *schema;
};

static void forward_block(void *context, int thread, size_t lane, const struct walk_block *block)
{
    const struct rows_pass *pass = context;
    struct worker *w = &pass->engine->workers[thread];
    (void)lane;
    worker_fill(w, pass->schema, block);
    worker_forward(w, pass->engine->weights);
    coupled_store(&pass->engine->coupled, w, block->row);
}

static void backward_block(void *context, int thread, size_t lane, const struct walk_block *block)
{
    const struct rows_pass *pass = context;
    struct engine *e = pass->engine;
    struct worker *w = &e->workers[thread];
    worker_fill(w, pass->schema, block);
    worker_forward(w, e->weights); /* what the model remembers of the block */
    coupled_take(&e->coupled, w, block->row);
    worker_backward(w, e->weights, e->lanes + lane * e->n);
}

enum gm_code coupled_walk(struct engine *e, const struct problem_data *data, enum coupled_use use, struct gm_error *err)
{
    const struct pieces *pieces = &data->pieces;
    struct rows_pass rows = {e, data->schema};
    struct loss_pass pass = {.pieces = pieces, .end = pieces->count, .lanes = data->plan.lanes, .use = use};
    if (use == COUPLED_HELD_OUT)
        pass.begin = pieces->n_train;
    struct walk walk = {.set = data->set,
                        .plan = &data->plan,
                        .threads = e->threads,
                        .visit = forward_block,
                        .context = &rows,
                        .stop = &e->stop};
    enum gm_code code = walk_rows(&walk, err);
    if (code)
        return code;
    all_pieces(e, &pass);
    for (size_t lane = 0; lane < data->plan.lanes; lane++)
        if (e->sums[lane].code == GM_PLUGIN_BROKEN) /* there is no gradient */
            return GM_OK;
    walk.visit = backward_block;
    return use == COUPLED_GRADIENT ? walk_rows(&walk, err) : GM_OK;
}

/* ---- a batch ---- */

enum direction { FORWARD, BACKWARD };

static void batch_blocks(struct engine *e, const struct engine_batch *batch, const struct lane_plan *plan,
                         enum direction direction)
{
    const struct data_schema *schema = e->problem->train.schema;
#pragma omp parallel for num_threads(e->threads) schedule(dynamic, 1) if (plan->lanes > 1)
    for (size_t lane = 0; lane < plan->lanes; lane++) {
        struct worker *w = &e->workers[omp_get_thread_num()];
        for (size_t slab = 0; slab < plan->slabs; slab++) {
            struct row_range run = lane_run(plan, slab, lane);
            for (size_t i = run.first; i < run.end; i += plan->block_rows) {
                size_t rows = run.end - i < plan->block_rows ? run.end - i : plan->block_rows;
                worker_gather(w, schema, batch->window, batch->index + i, rows);
                worker_forward(w, e->weights);
                if (direction == FORWARD) {
                    coupled_store(&e->coupled, w, i);
                } else {
                    coupled_take(&e->coupled, w, i);
                    worker_backward(w, e->weights, e->lanes + lane * e->n);
                }
            }
        }
    }
}

void coupled_batch_loss(struct engine *e, const struct engine_batch *batch, size_t lanes)
{
    struct pieces *pieces = &e->coupled.batch;
    pieces->rows = batch->rows;
    pieces->first[0] = 0;
    pieces->first[1] = batch->rows;
    pieces->count = 1;
    if (e->loss.spec.coupling == GM_ROWS_GROUPED)
        pieces->count = pieces_cut_groups(e->coupled.group, batch->rows, pieces->first);
    pieces->n_train = pieces->count;
    struct loss_pass pass = {.pieces = pieces,
                             .end = pieces->count,
                             .lanes = lanes,
                             .use = COUPLED_GRADIENT,
                             .step = batch->step,
                             .row_of = batch->index};
    all_pieces(e, &pass);
}

void coupled_batch(struct engine *e, const struct engine_batch *batch, const struct lane_plan *plan)
{
    batch_blocks(e, batch, plan, FORWARD);
    coupled_batch_loss(e, batch, plan->lanes);
    batch_blocks(e, batch, plan, BACKWARD);
}
