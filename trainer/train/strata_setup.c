/* Memory and start values of a training over strata. */
#include "train/strata.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

#define CANARY_COUNT   8 /* doubles on each side of the gradients that a plugin writes */
#define BASELINE_TERMS ((size_t)1 << 20)
static const uint64_t canary = 0x7FF4DEADC0DEF00Du;

static void set_canaries(double *grad, size_t count)
{
    for (size_t i = 0; i < CANARY_COUNT; i++) {
        memcpy(grad - 1 - i, &canary, sizeof canary);
        memcpy(grad + count + i, &canary, sizeof canary);
    }
}

static bool canaries_live(const double *grad, size_t count)
{
    for (size_t i = 0; i < CANARY_COUNT; i++)
        if (memcmp(grad - 1 - i, &canary, sizeof canary) != 0 || memcmp(grad + count + i, &canary, sizeof canary) != 0)
            return false;
    return true;
}

static enum gm_code init_worker(const struct strata *s, struct strata_worker *w, struct gm_error *err)
{
    size_t n = s->most_terms;
    double *guarded = NULL;
    enum gm_code code = GM_OK;
    loss_host_init(&w->host, &w->error);
    for (int i = 0; !code && i < 2; i++)
        if (!(code = memory_alloc((void **)&w->half[i].user, n, sizeof(uint32_t), "a thread's buffers", err)) &&
            !(code = memory_alloc((void **)&w->half[i].item, n, sizeof(uint32_t), "a thread's buffers", err)))
            code = memory_alloc((void **)&w->half[i].target, n, sizeof(double), "a thread's buffers", err);
    if (code || (code = memory_alloc((void **)&w->pred, n, sizeof(double), "a thread's buffers", err)) ||
        (code =
             memory_alloc((void **)&w->shuffled, s->grid->largest, sizeof *w->shuffled, "a thread's buffers", err)) ||
        (code = memory_alloc(&w->scratch, loss_scratch_bytes(&s->problem->loss, n), 1, "the loss's scratch", err)) ||
        (code = memory_alloc((void **)&guarded, n + 2 * CANARY_COUNT, sizeof(double), "a thread's buffers", err)))
        return code;
    w->grad = guarded + CANARY_COUNT;
    set_canaries(w->grad, n);
    return GM_OK;
}

static void release_worker(struct strata_worker *w)
{
    for (int i = 0; i < 2; i++) {
        memory_free(w->half[i].user);
        memory_free(w->half[i].item);
        memory_free(w->half[i].target);
    }
    memory_free(w->pred);
    memory_free(w->shuffled);
    memory_free(w->scratch);
    if (w->grad)
        memory_free(w->grad - CANARY_COUNT);
}

static enum gm_code init_factors(struct strata *s, struct factorization *f, struct gm_error *err)
{
    const struct rated *rated = s->problem->rated;
    const struct ratings_ids *ids[2] = {&rated->ratings.users, &rated->ratings.items};
    *f = (struct factorization){
        .rank = rated->rank, .negatives = rated->negatives, .single = s->problem->job->run.precision == GM_FLOAT32};
    for (int i = 0; i < 2; i++)
        f->side[i] = (struct factor_side){
            .count = s->grid->count[i], .row_of = s->grid->row_of[i], .ids = ids[i]->ids, .words = ids[i]->words};
    return factorization_alloc(f, err);
}

/* Terms of each row in an epoch. The negatives of an event go to the items of its column of blocks, evenly. */
static enum gm_code weigh_rows(struct strata *s, struct gm_error *err)
{
    const struct grid *g = s->grid;
    enum gm_code code = GM_OK;
    for (int i = 0; !code && i < 2; i++)
        if (!(code = memory_alloc((void **)&s->weight[i], g->count[i], sizeof **s->weight, "weights of rows", err)))
            for (size_t row = 0; row < g->count[i]; row++)
                s->weight[i][row] = (double)g->used[i][row] * (i == 0 ? 1 + (double)s->negatives : 1);
    for (size_t j = 0; !code && s->negatives && j < g->side; j++) {
        size_t first = g->first[1][j], end = g->first[1][j + 1];
        double events = 0;
        for (size_t row = first; row < end; row++)
            events += g->used[1][row];
        for (size_t row = first; row < end; row++)
            s->weight[1][row] += events * (double)s->negatives / (double)(end - first);
    }
    return code;
}

enum gm_code strata_init_measure(struct strata *s, const struct problem *p, size_t rows, struct gm_error *err)
{
    size_t negatives = p->rated->negatives, pieces = rows / STRATA_PIECE + 1;
    *s = (struct strata){.problem = p,
                         .grid = &p->rated->grid,
                         .negatives = negatives,
                         .most_terms = 1 + negatives > GRID_BATCH ? 1 + negatives : GRID_BATCH};
    enum gm_code code;
    if (!(code = memory_alloc((void **)&s->workers, (size_t)p->threads, sizeof *s->workers, "workers", err)) &&
        !(code = memory_alloc((void **)&s->pieces.sums, pieces, STRATA_SUMS * sizeof(double), "metrics", err)))
        code = memory_alloc((void **)&s->pieces.status, pieces, sizeof *s->pieces.status, "metrics", err);
    for (int t = 0; !code && t < p->threads; t++)
        code = init_worker(s, &s->workers[t], err);
    if (code)
        strata_release(s);
    return code;
}

enum gm_code strata_init(struct strata *s, const struct problem *p, struct gm_error *err)
{
    const struct grid *g = &p->rated->grid;
    size_t held = rated_held_out(p->rated)->rows;
    enum gm_code code = strata_init_measure(s, p, g->train.rows > held ? g->train.rows : held, err);
    void *state = NULL;
    if (code)
        return code;
    s->adagrad = p->job->optimizer.type == GM_OPTIMIZER_ADAGRAD;
    s->l2 = p->job->optimizer.l2;
    if ((code = init_factors(s, &s->now, err)) || (code = init_factors(s, &s->best, err)) ||
        (code = memory_alloc((void **)&s->sums, g->tiles + g->ranges[0] + g->ranges[1], sizeof *s->sums,
                             "sums of tiles", err)) ||
        (code = memory_alloc((void **)&s->status, g->tiles, sizeof *s->status, "sums of tiles", err)) ||
        (code = memory_alloc((void **)&s->strata, g->side, sizeof *s->strata, "the order of strata", err)) ||
        (code = memory_alloc(&state, g->side, sizeof *s->state, "the order of strata", err)) ||
        (s->state = state, code = weigh_rows(s, err)))
        strata_release(s);
    return code;
}

void strata_release(struct strata *s)
{
    for (int t = 0; s->workers && t < s->problem->threads; t++)
        release_worker(&s->workers[t]);
    factorization_free(&s->now);
    factorization_free(&s->best);
    memory_free(s->weight[0]);
    memory_free(s->weight[1]);
    memory_free(s->workers);
    memory_free(s->sums);
    memory_free(s->status);
    memory_free(s->strata);
    memory_free((void *)(uintptr_t)s->state);
    memory_free(s->pieces.sums);
    memory_free(s->pieces.status);
    *s = (struct strata){0};
}

/* The loss's best constant on the ratings (every so many when there are very many), or on events and their negatives.
 */
static enum gm_code baseline(const struct strata *s, double *mean, struct gm_error *err)
{
    const struct grid_set *set = &s->grid->train;
    const struct loss *l = &s->problem->loss;
    size_t stride = strata_terms(s) / BASELINE_TERMS + 1, n = 0;
    double *target = NULL;
    struct loss_call call;
    *mean = 0;
    if (!l->plugin->vtable.baseline || !l->targets)
        return GM_OK;
    size_t most = (set->rows + stride - 1) / stride * (1 + s->negatives);
    enum gm_code code = memory_alloc((void **)&target, most, sizeof *target, "targets", err);
    for (size_t i = 0; !code && i < set->rows; i += stride) {
        target[n++] = s->negatives ? 1 : grid_rating(set, i);
        n += s->negatives; /* zeros */
    }
    if (!code && !(code = loss_call_open(&call, l, n, err))) {
        call.batch.target = target;
        if (l->plugin->vtable.baseline(&call.batch, mean) != GM_LOSS_OK || !isfinite(*mean))
            *mean = 0; /* a start, not a result */
        loss_call_close(&call);
    }
    memory_free(target);
    return code;
}

enum gm_code strata_start(struct strata *s, struct gm_error *err)
{
    const uint32_t *const used[2] = {s->grid->used[0], s->grid->used[1]};
    factorization_start(&s->now, s->problem->job->run.seed, used);
    enum gm_code code = baseline(s, &s->now.mean, err);
    factorization_copy(&s->best, &s->now);
    s->kept = &s->now;
    return code;
}

enum gm_code strata_refused(const struct strata *s, int status, struct gm_error *err)
{
    static const char *const names[] = {"ok", "bad parameter", "bad target", "out of memory", "numeric", "unsupported"};
    const struct loss_plugin *plugin = s->problem->loss.plugin;
    const char *name = status > 0 && status < 6 ? names[status] : "an undefined code", *words = "";
    for (int t = 0; t < s->problem->threads; t++)
        if (s->workers[t].error.text[0])
            words = s->workers[t].error.text;
    return error_set(err, GM_PLUGIN_BROKEN,
                     "The loss '%s' (%s) failed on a block of ratings: evaluate returned %d (%s)%s%s. "
                     "'gradmill check-loss %s' examines it.",
                     plugin->vtable.id, plugin->path, status, name, words[0] ? ": " : "", words, plugin->path);
}

enum gm_code strata_check(const struct strata *s, struct gm_error *err)
{
    const struct loss_plugin *plugin = s->problem->loss.plugin;
    for (int t = 0; t < s->problem->threads; t++)
        if (!canaries_live(s->workers[t].grad, s->most_terms))
            return error_set(
                err, GM_PLUGIN_BROKEN,
                "The loss '%s' (%s) wrote outside its gradient buffer. 'gradmill check-loss %s' tells where.",
                plugin->vtable.id, plugin->path, plugin->path);
    return GM_OK;
}

size_t strata_state(struct strata *s, struct strata_array *arrays, size_t most)
{
    static const char *const names[2][4] = {
        {"user_factors", "user_sides", "item_factors", "item_sides"},
        {"best_user_factors", "best_user_sides", "best_item_factors", "best_item_sides"}};
    struct factorization *models[2] = {&s->now, &s->best};
    size_t n = 0;
    for (int m = 0; m < 2; m++)
        for (int i = 0; i < 2; i++) {
            const struct factor_side *side = &models[m]->side[i];
            const struct strata_array pair[2] = {
                {names[m][2 * i], side->rows.factors, (side->count + 1) * models[m]->stride, models[m]->single},
                {names[m][2 * i + 1], side->rows.side, (side->count + 1) * FACTOR_SIDE, models[m]->single}};
            for (int k = 0; k < 2; k++, n++)
                if (n < most)
                    arrays[n] = pair[k];
        }
    return n;
}
