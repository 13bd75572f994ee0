/* A trained factorization put to use. */
#include "train/rated_apply.h"

#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/memory.h"
#include "model/factorization.h"
#include "train/rated.h"
#include "train/strata_measure.h"

#define SLAB  ((size_t)1 << 16) /* predictions given at once */
#define PIECE ((size_t)512)     /* of one thread at a time */

struct application {
    struct problem problem; /* job, loss, threads, and a grid of the model's sizes without any ratings */
    struct factorization model;
    struct ratings ratings;
};

static void release(struct application *a)
{
    rated_release(a->problem.rated);
    factorization_close(&a->model);
    ratings_release(&a->ratings);
}

static struct ratings_ids ids_of(const struct factor_side *side)
{
    return (struct ratings_ids){side->count, (uint64_t *)(uintptr_t)side->ids, (char **)(uintptr_t)side->words};
}

static enum gm_code init(struct application *a, const struct apply_setup *s, struct gm_error *err)
{
    const struct gm_use *use = s->use;
    struct problem *p = &a->problem;
    *a = (struct application){.problem = {.job = s->job, .loss = *s->loss}};
    p->threads = use && use->threads > 0 ? use->threads : cpu_threads();
    p->memory = use && use->memory ? use->memory : memory_limit() / 10 * 6;
    if (!s->data->path || s->data->n_paths > 1)
        return error_set(err, GM_BAD_DATA,
                         "The model %s takes ratings: one FILE.h5 or FILE.h5:/group that holds user_id "
                         "and item_id.",
                         s->path);
    enum gm_code code = factorization_read(&a->model, s->file->archive, s->path, err);
    if (code)
        return code;
    struct ratings_ids users = ids_of(&a->model.side[FACTOR_USERS]), items = ids_of(&a->model.side[FACTOR_ITEMS]);
    const struct ratings_request request = {.path = s->data->path,
                                            .allow_external = use && use->allow_external,
                                            .memory = p->memory,
                                            .users = &users,
                                            .items = &items};
    if ((code = ratings_read(&a->ratings, &request, err)) ||
        (code = memory_alloc((void **)&p->rated, 1, sizeof *p->rated, "the ratings", err)))
        return code;
    p->rated->negatives = a->model.negatives;
    p->rated->grid.count[0] = users.count;
    p->rated->grid.count[1] = items.count;
    return GM_OK;
}

/* ---- predict ---- */

struct slab {
    const struct application *a;
    const struct apply_setup *setup;
    double *pred; /* [SLAB] */
};

static void predict_piece(const struct slab *s, size_t first, size_t n, double *pred)
{
    const struct ratings *r = &s->a->ratings;
    struct factor_step step = factorization_step(&s->a->model, r->user + first, r->item + first, n);
    s->a->model.kernels.predict(&step, pred);
    if (!s->setup->use || !s->setup->use->raw)
        loss_inverse_link(s->setup->loss, pred, n, NULL);
}

static void predict_slab(const struct slab *s, size_t first, size_t rows)
{
#pragma omp parallel for schedule(static) num_threads(s->a->problem.threads)
    for (size_t at = 0; at < rows; at += PIECE)
        predict_piece(s, first + at, rows - at < PIECE ? rows - at : PIECE, s->pred + at);
}

enum gm_code rated_predict(const struct apply_setup *setup, gm_predictions_fn *predictions, void *context,
                           struct gm_error *err)
{
    struct application a;
    struct slab slab = {&a, setup, NULL};
    enum gm_code code = init(&a, setup, err);
    struct ratings *r = &a.ratings;
    if (!code)
        code = memory_alloc((void **)&slab.pred, SLAB, sizeof *slab.pred, "predictions", err);
    for (size_t row = 0; !code && row < r->rows; row++) { /* behind the last row is one for the unknown */
        if (r->user[row] == RATINGS_UNKNOWN)
            r->user[row] = (uint32_t)a.model.side[FACTOR_USERS].count;
        if (r->item[row] == RATINGS_UNKNOWN)
            r->item[row] = (uint32_t)a.model.side[FACTOR_ITEMS].count;
    }
    for (size_t first = 0; !code && first < r->rows; first += SLAB) {
        size_t rows = r->rows - first < SLAB ? r->rows - first : SLAB;
        predict_slab(&slab, first, rows);
        if (!predictions(context, first, rows, slab.pred))
            break;
    }
    memory_free(slab.pred);
    release(&a);
    return code;
}

/* ---- evaluate ---- */

enum gm_code rated_evaluate(const struct apply_setup *setup, struct gm_metrics *metrics, struct gm_error *err)
{
    struct application a;
    struct strata strata = {0};
    struct grid_set set = {0};
    enum gm_code code = init(&a, setup, err);
    if (!code && !a.model.negatives && !a.ratings.rating)
        code = error_set(err, GM_BAD_DATA, "%s: has no ratings to compare the predictions of %s with.",
                         a.ratings.user_at, setup->path);
    if (!code && a.model.negatives) { /* every row is an event */
        memory_free(a.ratings.rating);
        a.ratings.rating = NULL;
    }
    if (!code && !(code = rated_check_targets(setup->loss, &a.ratings, err)) &&
        !(code = grid_place(&set, &a.problem.rated->grid, &a.ratings, err)) &&
        !(code = strata_init_measure(&strata, &a.problem, set.rows, err)))
        code = strata_metrics(&strata, &a.model, &set, metrics, err);
    strata_release(&strata);
    grid_set_release(&set);
    release(&a);
    return code;
}
