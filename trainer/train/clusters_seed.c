/* The best of some restarts of k-means++ and Lloyd's iteration on rows in memory. */
#include "train/clusters_seed.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "model/distance.h"

#define MOST_STEPS 300

/* What one restart works on. */
struct restart {
    const struct seed_request *q;
    distance_function *distances;
    struct random_key key;
    uint64_t drawn;
    double *centres; /* [centres x stride] */
    double *all;     /* [count x centres] distances */
    double *near;    /* [count] to the nearest centre, weighted */
    double *trial;   /* [count] the same with one more centre */
    double *better;  /* [count] the best trial's */
    double *masses;  /* [centres] */
    double inertia;
};

static double total(const double *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return sum;
}

/* A row drawn with probability proportional to `share` [count], of sum `sum`. */
static size_t draw(struct restart *r, const double *share, double sum)
{
    double left = random_uniform(r->key, r->drawn++) * sum;
    size_t last = 0;
    for (size_t i = 0; i < r->q->count; i++) {
        if (!(share[i] > 0))
            continue;
        last = i;
        left -= share[i];
        if (left < 0)
            break;
    }
    return last;
}

/* trial = what `near` becomes with row `row` as a centre; its sum. */
static double with_centre(const struct restart *r, size_t row, bool first)
{
    const struct seed_request *q = r->q;
    const struct distance_block b = {q->rows, q->rows + row * q->stride, q->count, 1, q->stride};
    r->distances(&b, r->trial);
    for (size_t i = 0; i < q->count; i++) {
        double d = q->weights[i] * r->trial[i];
        r->trial[i] = first || d < r->near[i] ? d : r->near[i];
    }
    return total(r->trial, q->count);
}

static void swap(double **a, double **b)
{
    double *c = *a;
    *a = *b;
    *b = c;
}

/* Greedy k-means++: of a few candidates drawn by squared distance, the one that leaves the least. */
static void plus_plus(struct restart *r)
{
    const struct seed_request *q = r->q;
    size_t trials = 2 + (size_t)log((double)q->centres), row = draw(r, q->weights, total(q->weights, q->count));
    r->inertia = with_centre(r, row, true);
    swap(&r->near, &r->trial);
    memcpy(r->centres, q->rows + row * q->stride, q->stride * sizeof *r->centres);
    for (size_t k = 1; k < q->centres; k++) {
        double least = INFINITY, sum = r->inertia;
        for (size_t t = 0; t < trials; t++) {
            size_t candidate = sum > 0 ? draw(r, r->near, sum) : draw(r, q->weights, total(q->weights, q->count));
            double left = with_centre(r, candidate, false);
            if (left < least) {
                least = left;
                row = candidate;
                swap(&r->better, &r->trial);
            }
        }
        r->inertia = least;
        swap(&r->near, &r->better);
        memcpy(r->centres + k * q->stride, q->rows + row * q->stride, q->stride * sizeof *r->centres);
    }
}

/* The row farthest from its centre becomes centre k. */
static void reseed(struct restart *r, size_t k)
{
    const struct seed_request *q = r->q;
    size_t far = 0;
    for (size_t i = 1; i < q->count; i++)
        far = r->near[i] > r->near[far] ? i : far;
    memcpy(r->centres + k * q->stride, q->rows + far * q->stride, q->stride * sizeof *r->centres);
    r->near[far] = 0;
}

/* One step of Lloyd's iteration; the inertia before it. */
static double lloyd(struct restart *r)
{
    const struct seed_request *q = r->q;
    size_t stride = q->stride, n = q->centres;
    const struct distance_block b = {q->rows, r->centres, q->count, n, stride};
    r->distances(&b, r->all);
    memset(r->centres, 0, n * stride * sizeof *r->centres);
    memset(r->masses, 0, n * sizeof *r->masses);
    for (size_t i = 0; i < q->count; i++) {
        size_t nearest = 0;
        for (size_t k = 1; k < n; k++)
            nearest = r->all[i * n + k] < r->all[i * n + nearest] ? k : nearest;
        r->near[i] = q->weights[i] * r->all[i * n + nearest];
        r->masses[nearest] += q->weights[i];
        for (size_t j = 0; j < stride; j++)
            r->centres[nearest * stride + j] += q->weights[i] * q->rows[i * stride + j];
    }
    double inertia = total(r->near, q->count);
    for (size_t k = 0; k < n; k++) {
        if (!(r->masses[k] > 0))
            reseed(r, k);
        else
            for (size_t j = 0; j < stride; j++)
                r->centres[k * stride + j] /= r->masses[k];
    }
    return inertia;
}

static void run_restart(struct restart *r)
{
    plus_plus(r);
    double before = INFINITY;
    for (int step = 0; step < MOST_STEPS; step++) {
        r->inertia = lloyd(r);
        if (!(r->inertia < before))
            break;
        before = r->inertia;
    }
}

static enum gm_code restart_init(struct restart *r, const struct seed_request *q, uint32_t number, struct gm_error *err)
{
    *r = (struct restart){
        .q = q, .distances = distance_kernels_for(cpu_isa()).f64, .key = {q->seed, RANDOM_INIT, number}};
    const size_t counts[] = {q->centres * q->stride, q->count * q->centres, q->count, q->count, q->count, q->centres};
    double **const arrays[] = {&r->centres, &r->all, &r->near, &r->trial, &r->better, &r->masses};
    enum gm_code code = GM_OK;
    for (size_t i = 0; !code && i < sizeof counts / sizeof *counts; i++)
        code = memory_alloc((void **)arrays[i], counts[i], sizeof(double), "the start of the centres", err);
    return code;
}

static void restart_release(struct restart *r)
{
    double *const arrays[] = {r->centres, r->all, r->near, r->trial, r->better, r->masses};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        memory_free(arrays[i]);
    *r = (struct restart){0};
}

enum gm_code clusters_seed(const struct seed_request *q, double *centres_out, struct gm_error *err)
{
    struct restart *restarts = NULL;
    enum gm_code code = memory_alloc((void **)&restarts, q->restarts, sizeof *restarts, "restarts", err);
    for (size_t i = 0; !code && i < q->restarts; i++)
        code = restart_init(&restarts[i], q, (uint32_t)i, err);
    if (!code) {
        size_t best = 0;
#pragma omp parallel for num_threads(q->threads) schedule(dynamic, 1)
        for (size_t i = 0; i < q->restarts; i++)
            run_restart(&restarts[i]);
        for (size_t i = 1; i < q->restarts; i++)
            best = restarts[i].inertia < restarts[best].inertia ? i : best;
        memcpy(centres_out, restarts[best].centres, q->centres * q->stride * sizeof *centres_out);
    }
    for (size_t i = 0; restarts && i < q->restarts; i++)
        restart_release(&restarts[i]);
    memory_free(restarts);
    return code;
}
