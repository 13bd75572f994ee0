/*
 * How much faster shipped losses are than the same loss written row by row with the scalar functions of libm: loss
 * and gradient of 1 M rows, one output, in blocks of 256 rows as the trainer calls them. Two figures: in the cache,
 * each block's predictions and targets put there before the call, as the model and the reader do (the time of that is
 * taken off); and arrays that stream from memory, with the time that reading and writing them alone takes beside it.
 * All rows differ: a processor learns the branches of a block that it sees again and again.
 *
 *     loss_speed [DIRECTORY OF LOSSES]      default: $GRADMILL_LOSSES
 *
 * Both sides run alternately and the best of several rounds counts.
 */
#include <dlfcn.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <gradmill/loss.h>

enum { ROWS = 1 << 20, BLOCK = 256, ROUNDS = 15 };

#if defined(__GNUC__) && !defined(__clang__)
#define SCALAR __attribute__((noinline, optimize("no-tree-vectorize")))
#else
#define SCALAR __attribute__((noinline))
#endif

SCALAR static int scalar_huber(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    const double delta = b->param[0].real;
    double sum = 0;
    for (size_t i = 0; i < b->rows; i++) {
        double w = gm_weight(b, i), d = b->pred[i] - b->target[i];
        if (fabs(d) <= delta) {
            sum += w * 0.5 * d * d;
            r->grad[i] = w * d;
        } else {
            sum += w * delta * (fabs(d) - 0.5 * delta);
            r->grad[i] = d > 0 ? w * delta : -w * delta;
        }
    }
    r->loss = sum;
    return GM_LOSS_OK;
}

SCALAR static int scalar_logistic(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    double sum = 0;
    for (size_t i = 0; i < b->rows; i++) {
        double w = gm_weight(b, i), p = b->pred[i], y = b->target[i];
        sum += w * (fmax(p, 0) + log1p(exp(-fabs(p))) - y * p);
        r->grad[i] = w * (1 / (1 + exp(-p)) - y);
    }
    r->loss = sum;
    return GM_LOSS_OK;
}

SCALAR static int scalar_poisson(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    double sum = 0;
    for (size_t i = 0; i < b->rows; i++) {
        double w = gm_weight(b, i), mu = exp(b->pred[i]);
        sum += w * (mu - b->target[i] * b->pred[i]);
        r->grad[i] = w * (mu - b->target[i]);
    }
    r->loss = sum;
    return GM_LOSS_OK;
}

typedef int evaluate_fn(const struct gm_loss_batch *, struct gm_loss_result *);

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Does nothing, on a block in the cache. */
static int nothing(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    (void)b;
    r->loss = 0;
    return GM_LOSS_OK;
}

/* What every loss reads and writes, and no more. */
static int traffic(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    for (size_t i = 0; i < b->rows; i++)
        r->grad[i] = b->pred[i] + b->target[i];
    r->loss = 0;
    return GM_LOSS_OK;
}

struct data {
    double *pred, *target, *grad; /* [ROWS] */
};

static double near_pred[BLOCK], near_target[BLOCK], near_grad[BLOCK];

/* Seconds for all rows. */
static double run(evaluate_fn *evaluate, const struct data *data, bool streamed, double *sum)
{
    const union gm_loss_value param[1] = {{.real = 1.0}};
    double start = seconds();
    *sum = 0;
    for (size_t at = 0; at < ROWS; at += BLOCK) {
        struct gm_loss_batch b = {.struct_size = sizeof b, .rows = BLOCK, .outputs = 1, .targets = 1, .param = param};
        struct gm_loss_result r = {.struct_size = sizeof r, .grad = streamed ? data->grad + at : near_grad};
        b.pred = streamed ? data->pred + at : near_pred;
        b.target = streamed ? data->target + at : near_target;
        if (!streamed) {
            memcpy(near_pred, data->pred + at, sizeof near_pred);
            memcpy(near_target, data->target + at, sizeof near_target);
        }
        evaluate(&b, &r);
        *sum += r.loss;
    }
    return seconds() - start;
}

static void compare(const char *name, evaluate_fn *plugin, evaluate_fn *scalar, const struct data *data)
{
    double times[2][3] = {{HUGE_VAL, HUGE_VAL, HUGE_VAL}, {HUGE_VAL, HUGE_VAL, HUGE_VAL}}, sums[3];
    for (int round = 0; round < ROUNDS; round++)
        for (int streamed = 0; streamed < 2; streamed++) {
            double *best = times[streamed];
            best[0] = fmin(best[0], run(plugin, data, streamed, &sums[0]));
            best[1] = fmin(best[1], run(scalar, data, streamed, &sums[1]));
            best[2] = fmin(best[2], run(streamed ? traffic : nothing, data, streamed, &sums[2]));
            if (!(fabs(sums[0] - sums[1]) <= 1e-10 * fabs(sums[1])))
                printf("%s: sums differ: %.17g %.17g\n", name, sums[0], sums[1]);
        }
    double near[2] = {times[0][0] - times[0][2], times[0][1] - times[0][2]}, *far = times[1], row = 1e9 / ROWS;
    printf("%-10s %8.2f %8.2f %7.1fx %10.2f %8.2f %7.1fx %9.2f\n", name, near[0] * row, near[1] * row,
           near[1] / near[0], far[0] * row, far[1] * row, far[1] / far[0], far[2] * row);
}

static evaluate_fn *load(const char *directory, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.so", directory, name);
    void *file = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    gm_loss_entry_fn *entry = NULL;
    if (file)
        *(void **)&entry = dlsym(file, "gm_loss_entry_v1");
    if (!entry) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    return entry(0)->evaluate;
}

static double *doubles(void)
{
    double *values = aligned_alloc((size_t)2 << 20, ROWS * sizeof(double));
    if (values)
        madvise(values, ROWS * sizeof(double), MADV_HUGEPAGE);
    return values;
}

int main(int count, char **words)
{
    const char *directory = count > 1 ? words[1] : getenv("GRADMILL_LOSSES");
    struct data data = {doubles(), doubles(), doubles()};
    if (!directory || !data.pred || !data.target || !data.grad) {
        fprintf(stderr, "usage: loss_speed DIRECTORY_OF_LOSSES\n");
        return 64;
    }
    unsigned long long state = 1;
    for (size_t i = 0; i < ROWS; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        data.pred[i] = 6.0 * (double)(state >> 11) * 0x1p-53 - 3.0;
        data.target[i] = (double)(state >> 20 & 1);
        data.grad[i] = 0;
    }
    printf("ns per row, loss and gradient        in cache              streamed from memory\n");
    printf("%-10s %8s %8s %8s %10s %8s %8s %9s\n", "loss", "plugin", "scalar", "ratio", "plugin", "scalar", "ratio",
           "traffic");
    compare("logistic", load(directory, "logistic"), scalar_logistic, &data);
    compare("poisson", load(directory, "poisson"), scalar_poisson, &data);
    compare("huber", load(directory, "huber"), scalar_huber, &data);
    free(data.pred);
    free(data.target);
    free(data.grad);
    return 0;
}
