/* One epoch of stochastic gradient descent over a grid of ratings. */
#include "train/strata.h"

#include <math.h>
#include <omp.h>
#include <sched.h>
#include <string.h>

#include "base/error.h"
#include "base/random.h"

#define PAUSES 4096 /* looks at ranges of users that are not ready, some 0.1 ms */

struct block_work {
    const struct strata *s;
    struct strata_worker *w;
    const struct strata_sweep *sweep;
    size_t tile, first, rows;  /* ratings [first, first + rows) of the grid's training set */
    size_t items_first, items; /* of the tile's range of items */
    double rate;
};

size_t strata_terms(const struct strata *s)
{
    return s->grid->train.rows * (1 + s->negatives);
}

/* Fisher and Yates inside out, four random numbers a call: the ratings are read in order and come out shuffled. */
static void shuffle(const struct block_work *b)
{
    const struct random_key key = {b->s->problem->job->run.seed, RANDOM_SHUFFLE_ROWS, b->sweep->epoch};
    const struct grid_set *set = &b->s->grid->train;
    const float *single = set->rating_type == DATA_F32 ? set->rating : NULL;
    const double *wide = set->rating;
    struct strata_rating *to = b->w->shuffled;
    uint32_t bits[4] = {0};
    for (size_t k = 0; k < b->rows; k++) {
        if (k % 4 == 0)
            random_bits(key, (uint64_t)b->tile << 32 | k / 4, bits);
        size_t j = (size_t)(((uint64_t)bits[k % 4] * (k + 1)) >> 32), from = b->first + k;
        double value = b->s->negatives ? (double)from : single ? (double)single[from] : wide[from];
        to[k] = to[j];
        to[j] = (struct strata_rating){set->pair[from], value};
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

/* Ratings [at, at + rows) of the shuffled tile. */
static void take(const struct block_work *b, size_t at, size_t rows, struct strata_batch *to)
{
    const struct strata_rating *from = b->w->shuffled + at;
    to->ratings = rows;
    to->terms = 0;
    for (size_t k = 0; k < rows; k++) {
        to->user[to->terms] = from[k].pair.user;
        to->item[to->terms] = from[k].pair.item;
        to->target[to->terms++] = b->s->negatives ? 1 : from[k].value;
        if (b->s->negatives)
            add_negatives(b, (size_t)from[k].value, to);
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

static void sweep_tile(struct block_work *b)
{
    const struct strata *s = b->s;
    struct strata_worker *w = b->w;
    const struct factorization *f = &s->now;
    size_t most = s->grid->batch[b->tile] / (1 + s->negatives), at = 0;
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
    s->sums[b->tile] = loss;
    s->status[b->tile] = status;
}

/* Block number i of the stratum whose turn it is: its tiles in order. */
static void visit(const struct strata *s, const struct strata_sweep *sweep, size_t turn, size_t i)
{
    const struct grid *g = s->grid;
    size_t j = (i + s->strata[turn]) % sweep->side;
    double done = (double)turn / (double)sweep->side;
    for (size_t inner = 0; inner < g->inner; inner++) {
        size_t tile = (i * g->inner + inner) * g->side + j;
        struct block_work b = {.s = s,
                               .w = &s->workers[omp_get_thread_num()],
                               .sweep = sweep,
                               .tile = tile,
                               .first = g->start[tile],
                               .rows = g->start[tile + 1] - g->start[tile],
                               .items_first = g->first[1][j],
                               .items = g->first[1][j + 1] - g->first[1][j],
                               .rate = schedule_rate(sweep->config, sweep->rate, sweep->time + done)};
        s->sums[tile] = 0;
        s->status[tile] = GM_LOSS_OK;
        if (b.rows)
            sweep_tile(&b);
    }
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

/* Each range of users has its blocks in the order of the turns, each range of items too, and there is no barrier: a
 * block may start when, in the turn before, the block of the same users and the block of the same items are done.
 * s->state[i] is twice the turns that user range i has behind it, plus one while a thread is at work on it. */
static bool claim(const struct strata *s, const struct strata_sweep *sweep, size_t i, size_t *turn)
{
    size_t side = sweep->side, state = atomic_load_explicit(&s->state[i], memory_order_acquire);
    *turn = state / 2;
    if (state % 2 || *turn == side)
        return false;
    if (*turn > 0) {
        size_t before = (i + s->strata[*turn] + side - s->strata[*turn - 1]) % side;
        if (atomic_load_explicit(&s->state[before], memory_order_acquire) < 2 * *turn)
            return false;
    }
    return atomic_compare_exchange_strong_explicit(&s->state[i], &state, state + 1, memory_order_acquire,
                                                   memory_order_relaxed);
}

/* Waiting is short when all threads run; where others want the processor too, giving it up at once would cost a round
 * of all of them. */
static void wait_a_little(size_t times)
{
    if (times % PAUSES == 0)
        sched_yield();
#if defined(__x86_64__)
    else
        __builtin_ia32_pause();
#endif
}

/* One thread's part of an epoch: whatever block is ready, until all are given out. */
static void take_turns(const struct strata *s, const struct strata_sweep *sweep)
{
    size_t side = sweep->side, turn, i = (size_t)omp_get_thread_num() * side / (size_t)omp_get_num_threads();
    for (size_t waits = 0, given = 0; given < side; i = i + 1 < side ? i + 1 : 0) {
        if (claim(s, sweep, i, &turn)) {
            visit(s, sweep, turn, i);
            atomic_store_explicit(&s->state[i], 2 * (turn + 1), memory_order_release);
            given = 0;
        } else if (turn + 1 >= side && atomic_load_explicit(&s->state[i], memory_order_relaxed) >= 2 * side - 1) {
            given++; /* its last block is done or at work */
        } else {
            given = 0;
            wait_a_little(++waits);
        }
    }
}

enum gm_code strata_sweep(struct strata *s, const struct strata_sweep *sweep, double *loss, struct gm_error *err)
{
    const struct grid *g = s->grid;
    size_t terms = 0;
    double sum = 0;
    order_strata(s, sweep);
    for (size_t i = 0; i < sweep->side; i++)
        atomic_store(&s->state[i], 0);
#pragma omp parallel num_threads(s->problem->threads)
    take_turns(s, sweep);
    for (size_t i = 0; i < sweep->side * g->inner; i++)
        for (size_t j = 0; j < sweep->side; j++) {
            size_t tile = i * g->side + j;
            if (s->status[tile] != GM_LOSS_OK)
                return strata_refused(s, s->status[tile], err);
            sum += s->sums[tile];
            terms += (g->start[tile + 1] - g->start[tile]) * (1 + s->negatives);
        }
    *loss = isfinite(sum) && terms ? sum / (double)terms : NAN;
    return GM_OK;
}

double strata_penalty(const struct strata *s)
{
    const struct grid *g = s->grid;
    if (s->l2 == 0)
        return 0;
    size_t parts = g->ranges[0] + g->ranges[1];
#pragma omp parallel for schedule(static) num_threads(s->problem->threads)
    for (size_t i = 0; i < parts; i++) {
        int which = i >= g->ranges[0];
        size_t range = which ? i - g->ranges[0] : i;
        s->sums[i] =
            factorization_squares(&s->now, which, g->first[which][range], g->first[which][range + 1], s->weight[which]);
    }
    double sum = 0;
    for (size_t i = 0; i < parts; i++)
        sum += s->sums[i];
    return s->l2 / 2 * sum / (double)strata_terms(s);
}
