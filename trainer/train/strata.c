/* One epoch of stochastic gradient descent over a grid of ratings. */
#include "train/strata.h"

#include <math.h>
#include <omp.h>
#include <sched.h>
#include <string.h>

#include "base/error.h"
#include "base/random.h"

struct block_work {
    const struct strata *s;
    struct strata_worker *w;
    const struct strata_sweep *sweep;
    size_t block, first, rows; /* ratings [first, first + rows) of the grid's training set */
    size_t items_first, items; /* of the block's range of items */
    double rate;
};

size_t strata_terms(const struct strata *s)
{
    return s->grid->train.rows * (1 + s->negatives);
}

/* Fisher and Yates, four numbers a call. */
static void shuffle(const struct block_work *b)
{
    const struct random_key key = {b->s->problem->job->run.seed, RANDOM_SHUFFLE_ROWS, b->sweep->epoch};
    uint32_t *order = b->w->order, bits[4] = {0};
    for (size_t k = 0; k < b->rows; k++) {
        if (k % 4 == 0)
            random_bits(key, (uint64_t)b->block << 32 | k / 4, bits);
        size_t j = (size_t)(((uint64_t)bits[k % 4] * (k + 1)) >> 32);
        order[k] = order[j];
        order[j] = (uint32_t)k;
    }
}

/* Behind an event, its negatives: same user, items drawn. */
static void add_negatives(const struct block_work *b, size_t event, struct strata_batch *to)
{
    const struct random_key key = {b->s->problem->job->run.seed, RANDOM_NEGATIVE, b->sweep->epoch};
    uint32_t user = to->user[to->terms - 1];
    for (size_t j = 0; j < b->s->negatives; j++, to->terms++) {
        to->user[to->terms] = user;
        to->item[to->terms] = (uint32_t)(b->items_first + random_below(key, event * b->s->negatives + j, b->items));
        to->target[to->terms] = 0;
    }
}

/* Ratings [at, at + rows) of the block's order. */
static void take(const struct block_work *b, size_t at, size_t rows, struct strata_batch *to)
{
    const struct grid_set *set = &b->s->grid->train;
    const uint32_t *order = b->w->order + at;
    to->ratings = rows;
    to->terms = 0;
    for (size_t k = 0; k < rows; k++) {
        size_t from = b->first + order[k];
        to->user[to->terms] = set->pair[from].user;
        to->item[to->terms] = set->pair[from].item;
        to->target[to->terms++] = b->s->negatives ? 1 : grid_rating(set, from);
        if (b->s->negatives)
            add_negatives(b, from, to);
    }
}

int strata_evaluate(const struct strata *s, struct strata_worker *w, const struct strata_batch *batch, double *grad,
                    double *loss)
{
    const struct loss *l = &s->problem->loss;
    struct gm_loss_batch in = loss_batch(l);
    in.purpose = grad ? GM_PURPOSE_TRAINING : GM_PURPOSE_VALIDATION;
    in.rows = batch->terms;
    in.pred = w->pred;
    in.target = l->targets ? batch->target : NULL;
    in.scratch = w->scratch;
    in.seed = s->problem->job->run.seed;
    in.host = &w->host;
    struct gm_loss_result out = {.struct_size = sizeof out, .grad = grad};
    int status = l->plugin->vtable.evaluate(&in, &out);
    *loss += out.loss;
    return status;
}

static void sweep_block(struct block_work *b)
{
    const struct strata *s = b->s;
    struct strata_worker *w = b->w;
    const struct factorization *f = &s->now;
    size_t most = s->grid->batch[b->block] / (1 + s->negatives), at = 0;
    most = most ? most : 1;
    struct strata_batch *batch = &w->half[0], *next = &w->half[1];
    double loss = 0;
    int status = GM_LOSS_OK;
    shuffle(b);
    take(b, 0, b->rows < most ? b->rows : most, batch);
    while (at < b->rows && status == GM_LOSS_OK) {
        size_t left = b->rows - at - batch->ratings;
        take(b, at + batch->ratings, left < most ? left : most, next);
        struct factor_step step = factorization_step(f, batch->user, batch->item, batch->terms);
        step.next_user = next->user;
        step.next_item = next->item;
        step.n_next = next->terms;
        step.rate = b->rate;
        step.l2 = s->l2;
        f->kernels.predict(&step, w->pred);
        status = strata_evaluate(s, w, batch, w->grad, &loss);
        if (status == GM_LOSS_OK)
            (s->adagrad ? f->kernels.adagrad : f->kernels.sgd)(&step, w->grad);
        at += batch->ratings;
        struct strata_batch *swap = batch;
        batch = next;
        next = swap;
    }
    s->sums[b->block] = loss;
    s->status[b->block] = status;
}

/* Block number i of the stratum whose turn it is. */
static void visit(const struct strata *s, const struct strata_sweep *sweep, size_t turn, size_t i)
{
    const struct grid *g = s->grid;
    size_t j = (i + s->strata[turn]) % sweep->side, block = i * g->side + j;
    double done = (double)turn / (double)sweep->side;
    struct block_work b = {.s = s,
                           .w = &s->workers[omp_get_thread_num()],
                           .sweep = sweep,
                           .block = block,
                           .first = g->start[block],
                           .rows = g->start[block + 1] - g->start[block],
                           .items_first = g->first[1][j],
                           .items = g->first[1][j + 1] - g->first[1][j],
                           .rate = schedule_rate(sweep->config, sweep->rate, sweep->time + done)};
    s->sums[block] = 0;
    s->status[block] = GM_LOSS_OK;
    if (b.rows)
        sweep_block(&b);
}

static void order_strata(const struct strata *s, const struct strata_sweep *sweep)
{
    const struct random_key key = {s->problem->job->run.seed, RANDOM_SHUFFLE_SLABS, sweep->epoch};
    for (size_t i = 0; i < sweep->side; i++) {
        size_t j = (size_t)random_below(key, i, i + 1);
        s->strata[i] = s->strata[j];
        s->strata[j] = i;
    }
}

/* Blocks are given out stratum by stratum, without a barrier between them: block i of a turn may start when, in the
 * turn before, block i and the block that held its range of items are done. Both were given out earlier, so whoever
 * waits, waits for a thread at work. */
static void take_turns(struct strata *s, const struct strata_sweep *sweep)
{
    size_t side = sweep->side, task;
    while ((task = atomic_fetch_add(&s->next, 1)) < side * side) {
        size_t turn = task / side, i = task % side;
        if (turn > 0) {
            size_t before = (i + s->strata[turn] + side - s->strata[turn - 1]) % side;
            while (atomic_load_explicit(&s->done[i], memory_order_acquire) < turn ||
                   atomic_load_explicit(&s->done[before], memory_order_acquire) < turn)
                sched_yield();
        }
        visit(s, sweep, turn, i);
        atomic_store_explicit(&s->done[i], turn + 1, memory_order_release);
    }
}

enum gm_code strata_sweep(struct strata *s, const struct strata_sweep *sweep, double *loss, struct gm_error *err)
{
    const struct grid *g = s->grid;
    size_t terms = 0;
    double sum = 0;
    order_strata(s, sweep);
    atomic_store(&s->next, 0);
    for (size_t i = 0; i < sweep->side; i++)
        atomic_store(&s->done[i], 0);
#pragma omp parallel num_threads(s->problem->threads)
    take_turns(s, sweep);
    for (size_t i = 0; i < sweep->side; i++)
        for (size_t j = 0; j < sweep->side; j++) {
            size_t block = i * g->side + j;
            if (s->status[block] != GM_LOSS_OK)
                return strata_refused(s, s->status[block], err);
            sum += s->sums[block];
            terms += (g->start[block + 1] - g->start[block]) * (1 + s->negatives);
        }
    *loss = isfinite(sum) && terms ? sum / (double)terms : NAN;
    return GM_OK;
}

double strata_penalty(const struct strata *s)
{
    const struct grid *g = s->grid;
    if (s->l2 == 0)
        return 0;
#pragma omp parallel for schedule(static) num_threads(s->problem->threads)
    for (size_t i = 0; i < 2 * g->side; i++) {
        int which = i >= g->side;
        size_t range = i % g->side;
        s->sums[i] =
            factorization_squares(&s->now, which, g->first[which][range], g->first[which][range + 1], s->weight[which]);
    }
    double sum = 0;
    for (size_t i = 0; i < 2 * g->side; i++)
        sum += s->sums[i];
    return s->l2 / 2 * sum / (double)strata_terms(s);
}
