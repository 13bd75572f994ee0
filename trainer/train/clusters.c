/* Training of the model centroids: the sample, the start, Lloyd's step. */
#include "train/clusters.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/distance.h"
#include "train/clusters_seed.h"
#include "train/reduce.h"

#define SAMPLE_MOST ((size_t)65536)
#define SAMPLE_WORK ((size_t)1 << 24) /* numbers that one step over the sample touches, about */
#define SAMPLE_EACH 50                /* rows for each centre, at least */

/* ---- the sample: training rows at even distances in the file ---- */

static size_t sample_size(const struct problem *p)
{
    size_t rows = p->train.schema->rows - p->split.held_out, centres = p->loss.outputs;
    size_t most = SAMPLE_WORK / (distance_stride(p->train.schema->features) * centres + 1);
    most = most > SAMPLE_MOST ? SAMPLE_MOST : most;
    most = most < SAMPLE_EACH * centres ? SAMPLE_EACH * centres : most;
    return rows < most ? rows : most;
}

static bool taken(const struct problem *p, size_t row, size_t *seen, size_t wanted)
{
    size_t rows = p->train.schema->rows - p->split.held_out;
    if (split_held_out(&p->split, row))
        return false;
    double share = (double)wanted / (double)rows;
    size_t number = (*seen)++;
    return floor((double)(number + 1) * share) > floor((double)number * share) || wanted == rows;
}

/* The row that the worker holds, on the optimiser's scale. */
static void keep_row(struct clusters *c, const struct worker *w)
{
    const struct model *m = w->setup.model;
    double *to = c->rows + c->count * c->stride;
    for (size_t j = 0; j < m->spec.features; j++) {
        double x =
            m->spec.precision == MODEL_F32 ? (double)((const float *)w->block.x)[j] : ((const double *)w->block.x)[j];
        to[j] = (x - m->center[j]) / m->scale[j];
    }
    c->weights[c->count++] = w->has_weight ? w->all.weight[0] : 1;
}

static enum gm_code take_sample(struct clusters *c, struct engine *e, size_t wanted, struct gm_error *err)
{
    const struct problem *p = e->problem;
    struct data_pass *pass = NULL;
    const struct data_window *window = NULL;
    size_t seen = 0;
    enum gm_code code = data_pass_open(&pass, p->train.set, &(struct data_order){0}, err);
    while (!code && c->count < wanted && !(code = data_pass_next(pass, &window, err)) && window)
        for (size_t i = 0; i < window->rows && c->count < wanted; i++) {
            if (!taken(p, window->first_row + i, &seen, wanted))
                continue;
            worker_gather(&e->workers[0], p->train.schema, window, &i, 1);
            keep_row(c, &e->workers[0]);
        }
    data_pass_close(pass);
    return code;
}

enum gm_code clusters_init(struct clusters *c, struct engine *e, double *params, struct gm_error *err)
{
    const struct problem *p = e->problem;
    size_t features = p->train.schema->features, centres = p->loss.outputs, wanted = sample_size(p);
    *c = (struct clusters){.stride = distance_stride(features)};
    if (wanted < centres)
        return error_set(err, GM_BAD_DATA, "model.count: %zu centres, but there are only %zu rows to train on (%s).",
                         centres, wanted, p->train.schema->features_at);
    double *start = NULL;
    enum gm_code code;
    if ((code = memory_alloc((void **)&c->rows, wanted, c->stride * sizeof(double), "rows to start from", err)) ||
        (code = memory_alloc((void **)&c->weights, wanted, sizeof(double), "rows to start from", err)) ||
        (code = memory_alloc((void **)&c->masses, e->n_lanes, centres * sizeof(double), "the centres' masses", err)) ||
        (code = memory_alloc((void **)&start, centres, c->stride * sizeof(double), "the centres", err)) ||
        (code = take_sample(c, e, wanted, err)))
        goto done;
    struct seed_request q = {.rows = c->rows,
                             .weights = c->weights,
                             .count = c->count,
                             .stride = c->stride,
                             .centres = centres,
                             .restarts = p->job->model.restarts,
                             .seed = p->job->run.seed,
                             .threads = p->threads};
    code = clusters_seed(&q, start, err);
    for (size_t k = 0; !code && k < centres; k++)
        memcpy(params + k * features, start + k * c->stride, features * sizeof *params);
done:
    memory_free(start);
    if (code)
        clusters_release(c);
    return code;
}

void clusters_release(struct clusters *c)
{
    memory_free(c->rows);
    memory_free(c->weights);
    memory_free(c->masses);
    *c = (struct clusters){0};
}

/* ---- Lloyd's step ---- */

struct mass_pass {
    struct clusters *clusters;
    struct engine *engine;
};

static void add_masses(void *context, int thread, size_t lane, const struct walk_block *block)
{
    const struct mass_pass *pass = context;
    const struct worker *w = &pass->engine->workers[thread];
    size_t outputs = w->setup.loss->outputs;
    double *masses = pass->clusters->masses + lane * outputs;
    for (size_t i = 0; i < block->rows; i++)
        for (size_t k = 0; k < outputs; k++)
            masses[k] += w->all.grad[i * outputs + k];
}

enum gm_code clusters_gradient(struct clusters *c, struct engine *e, const double *params, struct engine_totals *totals,
                               double *gradient, struct gm_error *err)
{
    struct mass_pass pass = {c, e};
    size_t lanes = e->problem->train.plan.lanes, outputs = e->problem->loss.outputs;
    memset(c->masses, 0, lanes * outputs * sizeof *c->masses);
    e->extra = (struct engine_extra){.visit = add_masses, .context = &pass};
    enum gm_code code = engine_gradient(e, params, totals, gradient, err);
    e->extra = (struct engine_extra){0};
    if (!code)
        reduce_lanes(c->masses, lanes, outputs, 0, outputs);
    return code;
}

/* The row of the sample that is farthest from all centres, on the optimiser's scale. */
static const double *farthest(const struct clusters *c, const double *params, size_t centres, size_t features)
{
    size_t far = 0;
    double most = -1;
    for (size_t i = 0; i < c->count; i++) {
        double near = INFINITY;
        for (size_t k = 0; k < centres; k++) {
            double d = 0;
            for (size_t j = 0; j < features; j++) {
                double difference = c->rows[i * c->stride + j] - params[k * features + j];
                d += difference * difference;
            }
            near = fmin(near, d);
        }
        if (near > most && c->weights[i] > 0) {
            most = near;
            far = i;
        }
    }
    return c->rows + far * c->stride;
}

bool clusters_step(const struct clusters *c, const struct engine *e, const struct engine_totals *totals,
                   const double *gradient, double *params)
{
    size_t features = e->problem->train.schema->features, centres = e->problem->loss.outputs;
    bool moved = false;
    for (size_t k = 0; k < centres; k++) {
        double mass = c->masses[k] / totals->weight[0];
        for (size_t j = 0; mass > 0 && j < features; j++) {
            double before = params[k * features + j];
            params[k * features + j] -= gradient[k * features + j] / (2 * mass);
            moved = moved || params[k * features + j] != before;
        }
    }
    for (size_t k = 0; k < centres; k++)
        if (!(c->masses[k] > 0)) { /* after the others have moved */
            const double *row = farthest(c, params, centres, features);
            moved = moved || memcmp(params + k * features, row, features * sizeof *row) != 0;
            memcpy(params + k * features, row, features * sizeof *row);
        }
    return moved;
}
