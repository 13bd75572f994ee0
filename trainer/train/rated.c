/* A problem over ratings. */
#include "train/rated.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/factorization.h"
#include "train/problem.h"

#define CHECK_ROWS        ((size_t)4096)
#define DEFAULT_NEGATIVES 4

const struct grid_set *rated_held_out(const struct rated *rated)
{
    return rated->validation.rows ? &rated->validation : &rated->grid.held;
}

/* ---- before the loss is bound ---- */

static enum gm_code check_job(const struct gm_job *job, struct gm_error *err)
{
    if (job->optimizer.type != GM_OPTIMIZER_SGD && job->optimizer.type != GM_OPTIMIZER_ADAGRAD)
        return error_set(
            err, GM_BAD_JOB,
            "optimizer.type: a factorization is trained by sgd or adagrad, rating by rating; choose one of "
            "these.");
    if (job->optimizer.batch_size)
        return error_set(err, GM_BAD_JOB,
                         "optimizer.batch_size: a factorization takes its ratings in mini-batches of its "
                         "own; leave it out.");
    if (job->data.split && strcmp(job->data.split, "rows") != 0)
        return error_set(err, GM_BAD_JOB,
                         "data.split: ratings are held out by a hash of their row, or come as a file of their "
                         "own.");
    if (job->optimizer.l1 > 0)
        return error_set(err, GM_BAD_JOB, "optimizer.l1: a factorization is penalised by l2 only.");
    if (job->data.train.features || job->data.validation.features || job->data.train.n_paths > 1 ||
        job->data.validation.n_paths > 1)
        return error_set(err, GM_BAD_JOB,
                         "data: ratings are named as one FILE.h5 or FILE.h5:/group that holds user_id, item_id "
                         "and rating.");
    return GM_OK;
}

/* Events have no ratings, or none that should count. */
static void choose_negatives(struct rated *rated, const struct gm_job *job, const struct gm_watch *watch)
{
    struct ratings *r = &rated->ratings;
    rated->negatives = !job->model.negatives ? (r->rating ? 0 : DEFAULT_NEGATIVES) : job->model.negatives;
    if (r->rating && rated->negatives) {
        problem_note(watch, "%s: not looked at; with model.negatives every row is an event.", r->rating_at);
        memory_free(r->rating);
        r->rating = NULL;
    }
}

static struct ratings_request request_of(const struct problem *p, const char *path)
{
    return (struct ratings_request){.path = path, .allow_external = p->job->data.allow_external, .memory = p->memory};
}

enum gm_code rated_open(struct problem *p, const struct gm_watch *watch, struct gm_error *err)
{
    const struct ratings_request request = request_of(p, p->job->data.train.path);
    enum gm_code code = check_job(p->job, err);
    if (code || (code = memory_alloc((void **)&p->rated, 1, sizeof *p->rated, "the ratings", err)))
        return code;
    struct rated *rated = p->rated;
    struct ratings *r = &rated->ratings;
    if ((code = ratings_read(r, &request, err)))
        return code;
    choose_negatives(rated, p->job, watch);
    rated->rank = p->job->model.rank;
    rated->schema = (struct data_schema){.rows = r->rows,
                                         .features = 2,
                                         .targets = 1,
                                         .type = DATA_U32,
                                         .target_type = r->rating ? r->rating_type : DATA_F32,
                                         .features_at = r->user_at,
                                         .target_at = r->rating_at};
    p->train.schema = &rated->schema;
    problem_note(watch, "%s: %zu %s, %zu users x %zu items", r->user_at, r->rows, r->rating ? "ratings" : "events",
                 r->users.count, r->items.count);
    for (size_t i = 0; i < 2; i++)
        if (r->ignored[i])
            problem_note(watch, "%s: has a %s for each rating, which factorization does not use.", r->user_at,
                         r->ignored[i]);
    return GM_OK;
}

/* ---- once it is bound ---- */

static enum gm_code check_loss(const struct problem *p, struct gm_error *err)
{
    const struct loss *l = &p->loss;
    if (l->outputs != 1 || (l->targets != 1 && l->targets != 0) || l->spec.target_kind == GM_TARGET_CLASS)
        return error_set(
            err, GM_BAD_JOB,
            "loss.name: '%s' works on %zu outputs of a row; a factorization predicts one number for a user "
            "and an item.",
            p->loss.plugin->vtable.id, l->outputs);
    if (l->spec.coupling != GM_ROWS_INDEPENDENT)
        return error_set(err, GM_BAD_JOB,
                         "loss.name: '%s' couples rows; a factorization takes losses of independent ratings.",
                         p->loss.plugin->vtable.id);
    if (l->spec.n_theta)
        return error_set(err, GM_BAD_JOB,
                         "loss.name: '%s' has learned parameters, which a factorization does not train.",
                         p->loss.plugin->vtable.id);
    return GM_OK;
}

enum gm_code rated_check_targets(const struct loss *loss, const struct ratings *r, struct gm_error *err)
{
    double target[CHECK_ROWS];
    enum gm_code code = GM_OK;
    for (size_t row = 0; !code && r->rating && loss->targets && row < r->rows; row += CHECK_ROWS) {
        size_t n = r->rows - row < CHECK_ROWS ? r->rows - row : CHECK_ROWS;
        for (size_t i = 0; i < n; i++)
            target[i] = ratings_value(r, row + i);
        code = loss_check_targets(loss, target, n, row, r->rating_at, err);
    }
    return code;
}

static enum gm_code check_memory(const struct problem *p, struct gm_error *err)
{
    const struct ratings *r = &p->rated->ratings;
    bool single = p->job->run.precision == GM_FLOAT32;
    size_t real = single ? sizeof(float) : sizeof(double);
    uint64_t row = (factor_stride(p->rated->rank, single) + FACTOR_SIDE) * real * 2; /* now and the best */
    uint64_t rating = 2 * (2 * sizeof(uint32_t) + (r->rating ? data_type_size(r->rating_type) : 0)); /* while sorted */
    uint64_t need = (r->users.count + r->items.count) * (row + 32) + r->rows * rating;
    char need_text[32], have_text[32];
    if (need <= p->memory)
        return GM_OK;
    return error_set(
        err, GM_SYSTEM,
        "%s: %zu ratings of %zu users and %zu items at rank %zu need %s of memory, but run.memory allows %s; "
        "ratings do not stream.",
        r->user_at, r->rows, r->users.count, r->items.count, p->rated->rank, text_from_bytes(need, need_text),
        text_from_bytes(p->memory, have_text));
}

static enum gm_code load_validation(struct problem *p, const struct gm_watch *watch, struct gm_error *err)
{
    struct rated *rated = p->rated;
    struct ratings_request request = request_of(p, p->job->data.validation.path);
    struct ratings r;
    request.users = &rated->ratings.users;
    request.items = &rated->ratings.items;
    enum gm_code code = ratings_read(&r, &request, err);
    if (code)
        return code;
    if (!rated->negatives && !r.rating)
        code = error_set(err, GM_BAD_DATA, "%s: has no ratings, but the training data %s have.", r.user_at,
                         rated->ratings.user_at);
    if (rated->negatives) {
        memory_free(r.rating);
        r.rating = NULL;
    }
    if (!code && !(code = rated_check_targets(&p->loss, &r, err)))
        code = grid_place(&rated->validation, &rated->grid, &r, err);
    memcpy(p->validation_fingerprint, r.fingerprint, sizeof r.fingerprint);
    if (!code)
        problem_note(watch, "%s: %zu for validation", r.user_at, r.rows);
    ratings_release(&r);
    return code;
}

enum gm_code rated_load(struct problem *p, const struct gm_watch *watch, struct gm_error *err)
{
    const struct gm_job *job = p->job;
    struct rated *rated = p->rated;
    struct ratings *r = &rated->ratings;
    size_t real = job->run.precision == GM_FLOAT32 ? sizeof(float) : sizeof(double);
    size_t row_bytes = (factor_stride(rated->rank, real == sizeof(float)) + FACTOR_SIDE) * real;
    const struct model_spec spec = {.type = MODEL_FACTORIZATION,
                                    .features = 2,
                                    .outputs = 1,
                                    .precision = real == sizeof(float) ? MODEL_F32 : MODEL_F64};
    enum gm_code code;
    if ((code = check_loss(p, err)) || (code = rated_check_targets(&p->loss, r, err)) || (code = check_memory(p, err)))
        return code;
    if (!job->data.validation.path &&
        (code = split_init(&p->split, r->rows, job->data.validation_fraction, job->run.seed, NULL, err)))
        return code;
    if ((code = grid_init(&rated->grid, r, &p->split, row_bytes, job->run.seed, err)))
        return code;
    memory_free(r->user);
    memory_free(r->item);
    memory_free(r->rating);
    r->user = r->item = NULL;
    r->rating = NULL;
    if (job->data.validation.path && (code = load_validation(p, watch, err)))
        return code;
    p->has_validation = rated_held_out(rated)->rows > 0;
    memcpy(p->stats.fingerprint, r->fingerprint, sizeof r->fingerprint);
    return model_init(&p->model, &spec, NULL, NULL, err);
}

void rated_release(struct rated *rated)
{
    if (!rated)
        return;
    ratings_release(&rated->ratings);
    grid_release(&rated->grid);
    grid_set_release(&rated->validation);
    memory_free(rated);
}
