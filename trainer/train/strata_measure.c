/*
 * Loss and metrics of a factorization. Sums are kept for each piece of the ratings and added in order of the pieces.
 */
#include "train/strata_measure.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/error.h"
#include "base/random.h"

#define FIRST 10 /* places that count for hit_rate and ndcg */

enum { RANDOM_EPOCH_LOSS = -1, RANDOM_EPOCH_RANKS = -2 }; /* epochs of random numbers that training does not reach */
enum { LOSS, TERMS, SQUARE, ABSOLUTE, SUM, SUM2, CORRECT, LOG_LOSS, NOT_BINARY, HITS, GAIN, AREA };
_Static_assert(AREA < STRATA_SUMS, "a row of sums");

struct measuring {
    const struct strata *s;
    const struct factorization *f;
    const struct grid_set *set;
    bool metrics;
};

static size_t items_of(const struct measuring *m)
{
    return m->s->grid->count[FACTOR_ITEMS];
}

/* Terms of ratings from `at` on, as many as fit. */
static void take(const struct measuring *m, size_t at, size_t end, struct strata_batch *to)
{
    const struct random_key key = {m->s->problem->job->run.seed, RANDOM_NEGATIVE, (uint32_t)RANDOM_EPOCH_LOSS};
    size_t negatives = m->s->negatives;
    to->ratings = to->terms = 0;
    for (; at < end && to->terms + 1 + negatives <= m->s->most_terms; at++, to->ratings++) {
        struct grid_pair pair = m->set->pair[at];
        to->user[to->terms] = pair.user;
        to->item[to->terms] = pair.item;
        to->target[to->terms++] = negatives ? 1 : grid_rating(m->set, at);
        for (size_t j = 0; j < negatives; j++, to->terms++) {
            to->user[to->terms] = pair.user;
            to->item[to->terms] = (uint32_t)random_below(key, at * negatives + j, items_of(m));
            to->target[to->terms] = 0;
        }
    }
}

static void add_metrics(const struct measuring *m, const struct strata_batch *batch, double *pred, double *sums)
{
    const struct loss *l = &m->s->problem->loss;
    bool binary = loss_is_binary(l);
    if (!binary)
        loss_inverse_link(l, pred, batch->terms, NULL);
    for (size_t i = 0; i < batch->terms; i++) {
        double y = batch->target[i], d = pred[i] - y;
        if (binary) {
            sums[CORRECT] += (pred[i] > 0) == (y > 0.5);
            sums[LOG_LOSS] += fmax(pred[i], 0) + log1p(exp(-fabs(pred[i]))) - y * pred[i];
            sums[NOT_BINARY] += y != 0 && y != 1;
            continue;
        }
        sums[SQUARE] += d * d;
        sums[ABSOLUTE] += fabs(d);
        sums[SUM] += y;
        sums[SUM2] += y * y;
    }
}

/* The event's place among items drawn evenly. */
static void add_ranks(const struct measuring *m, size_t at, struct strata_worker *w, double *sums)
{
    const struct random_key key = {m->s->problem->job->run.seed, RANDOM_NEGATIVE, (uint32_t)RANDOM_EPOCH_RANKS};
    struct strata_batch *batch = &w->half[0];
    const struct grid_pair pair = m->set->pair[at];
    double own = 0, above = 0;
    for (size_t done = 0; done <= STRATA_CANDIDATES; done += batch->terms) {
        batch->terms = 0;
        for (size_t c = done; c <= STRATA_CANDIDATES && batch->terms < m->s->most_terms; c++, batch->terms++) {
            batch->user[batch->terms] = pair.user;
            batch->item[batch->terms] =
                c == 0 ? pair.item : (uint32_t)random_below(key, at * STRATA_CANDIDATES + c - 1, items_of(m));
        }
        const struct factor_step step = factorization_step(m->f, batch->user, batch->item, batch->terms);
        m->f->kernels.predict(&step, w->pred);
        for (size_t i = 0; i < batch->terms; i++) {
            own = done + i == 0 ? w->pred[0] : own;
            above += done + i == 0 ? 0 : w->pred[i] > own ? 1 : w->pred[i] == own ? 0.5 : 0;
        }
    }
    sums[AREA] += 1 - above / STRATA_CANDIDATES;
    if (above < FIRST) {
        sums[HITS] += 1;
        sums[GAIN] += 1 / log2(2 + above);
    }
}

static void visit(const struct measuring *m, size_t piece)
{
    struct strata_worker *w = &m->s->workers[omp_get_thread_num()];
    struct strata_batch *batch = &w->half[0], *next = &w->half[1];
    size_t at = piece * STRATA_PIECE, end = at + STRATA_PIECE < m->set->rows ? at + STRATA_PIECE : m->set->rows;
    double *sums = m->s->pieces.sums + piece * STRATA_SUMS, loss = 0;
    for (size_t row = at; m->metrics && m->s->negatives && row < end; row++)
        add_ranks(m, row, w, sums);
    take(m, at, end, batch);
    while (at < end && m->s->pieces.status[piece] == GM_LOSS_OK) {
        take(m, at + batch->ratings, end, next);
        struct factor_step step = factorization_step(m->f, batch->user, batch->item, batch->terms);
        step.next_user = next->user;
        step.next_item = next->item;
        step.n_next = next->terms;
        m->f->kernels.predict(&step, w->pred);
        m->s->pieces.status[piece] = strata_evaluate(m->s, w, batch, NULL, &loss);
        if (m->metrics && !m->s->negatives)
            add_metrics(m, batch, w->pred, sums);
        sums[TERMS] += (double)batch->terms;
        at += batch->ratings;
        struct strata_batch *swap = batch;
        batch = next;
        next = swap;
    }
    sums[LOSS] = loss;
}

/* total [STRATA_SUMS] of all pieces. */
static enum gm_code measure(const struct measuring *m, double *total, struct gm_error *err)
{
    const struct strata_pieces *p = &m->s->pieces;
    size_t pieces = (m->set->rows + STRATA_PIECE - 1) / STRATA_PIECE;
    enum gm_code code = GM_OK;
    memset(p->sums, 0, pieces * STRATA_SUMS * sizeof *p->sums);
    memset(p->status, 0, pieces * sizeof *p->status);
    memset(total, 0, STRATA_SUMS * sizeof *total);
#pragma omp parallel for schedule(dynamic, 1) num_threads(m->s->problem->threads)
    for (size_t piece = 0; piece < pieces; piece++)
        visit(m, piece);
    for (size_t piece = 0; !code && piece < pieces; piece++) {
        if (p->status[piece] != GM_LOSS_OK)
            code = strata_refused(m->s, p->status[piece], err);
        for (size_t i = 0; i < STRATA_SUMS; i++)
            total[i] += p->sums[piece * STRATA_SUMS + i];
    }
    return code;
}

enum gm_code strata_loss(const struct strata *s, const struct factorization *f, const struct grid_set *set,
                         double *loss, struct gm_error *err)
{
    struct measuring m = {.s = s, .f = f, .set = set};
    double total[STRATA_SUMS];
    enum gm_code code = measure(&m, total, err);
    *loss = total[LOSS] / total[TERMS];
    return code;
}

static void finish_ratings(const struct loss *l, const double *t, double n, struct gm_metrics *m)
{
    if (loss_is_binary(l)) {
        if (t[NOT_BINARY] > 0)
            return;
        m->task = GM_TASK_IS_CLASSIFICATION;
        m->classes = 2;
        m->accuracy = t[CORRECT] / n;
        m->log_loss = l->spec.link == GM_LINK_LOGIT ? t[LOG_LOSS] / n : NAN;
        return;
    }
    double spread = t[SUM2] - t[SUM] * t[SUM] / n;
    m->task = GM_TASK_IS_REGRESSION;
    m->mse = t[SQUARE] / n;
    m->rmse = sqrt(m->mse);
    m->mae = t[ABSOLUTE] / n;
    m->r2 = spread > 1e-14 * t[SUM2] ? 1 - t[SQUARE] / spread : NAN;
}

enum gm_code strata_metrics(const struct strata *s, const struct factorization *f, const struct grid_set *set,
                            struct gm_metrics *metrics, struct gm_error *err)
{
    struct measuring m = {.s = s, .f = f, .set = set, .metrics = true};
    double total[STRATA_SUMS];
    enum gm_code code = measure(&m, total, err);
    *metrics = (struct gm_metrics){.task = GM_TASK_IS_OTHER,
                                   .rows = set->rows,
                                   .outputs = 1,
                                   .weight_sum = (double)set->rows,
                                   .loss = total[LOSS] / total[TERMS],
                                   .mse = NAN,
                                   .rmse = NAN,
                                   .mae = NAN,
                                   .r2 = NAN,
                                   .accuracy = NAN,
                                   .log_loss = NAN,
                                   .top5_accuracy = NAN,
                                   .inertia = NAN,
                                   .hit_rate = NAN,
                                   .ndcg = NAN,
                                   .auc = NAN};
    if (code || set->rows == 0)
        return code;
    double n = (double)set->rows;
    if (!s->negatives) {
        finish_ratings(&s->problem->loss, total, n, metrics);
        return GM_OK;
    }
    metrics->hit_rate = total[HITS] / n;
    metrics->ndcg = total[GAIN] / n;
    metrics->auc = total[AREA] / n;
    return GM_OK;
}
