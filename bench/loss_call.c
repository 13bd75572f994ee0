/*
 * What a call of the loss through the plugin's vtable costs against the same loss compiled into the training loop:
 * forward, loss and backward of a linear model with 64 features over rows in blocks as the trainer cuts them, one
 * thread. Both loops take turns of 16 blocks (50 us), so that what else happens on the machine meets both; the rows of
 * the one are the other's in the next round. The median over the ratios of such pairs of rounds counts.
 *
 *     loss_call [DIRECTORY OF LOSSES]      default: $GRADMILL_LOSSES
 */
#include <dlfcn.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gradmill/loss_rows.h>

#include "base/clock.h"
#include "model/dense.h"

enum { FEATURES = 64, BLOCK = 128, BLOCKS = 1 << 9, TURN = 16, ROUNDS = 401 };

struct arena {
    struct dense_kernels kernels;
    const float *x;       /* [BLOCKS x BLOCK x FEATURES] */
    const double *target; /* [BLOCKS x BLOCK] */
    size_t rows;          /* of a block: BLOCK, which the compiler must not know */
    float u[FEATURES], z[BLOCK];
    double bias[1], pred[BLOCK], grad[BLOCK], lane[FEATURES + 1];
};

static struct arena arena;

typedef int evaluate_fn(const struct gm_loss_batch *, struct gm_loss_result *);

static struct dense_f32 forward(struct arena *a, size_t block)
{
    struct dense_f32 b = {a->x + block * BLOCK * FEATURES, FEATURES, a->rows, FEATURES, NULL, NULL};
    if (block + 1 < BLOCKS)
        b.next = a->x + (block + 1) * BLOCK * FEATURES;
    a->kernels.forward_f32(&b, a->u, 1, a->z);
    a->kernels.pred_f32(a->z, a->rows, 1, a->bias, a->pred);
    return b;
}

static void backward(struct arena *a, const struct dense_f32 *b)
{
    a->kernels.add_columns(a->grad, a->rows, 1, a->lane + FEATURES);
    a->kernels.narrow(a->grad, a->rows, a->z);
    a->kernels.backward_f32(b, a->z, 1, a->lane);
}

static double turn_by_call(struct arena *a, evaluate_fn *evaluate, size_t from)
{
    struct gm_loss_batch batch = {.struct_size = sizeof batch, .rows = a->rows, .outputs = 1, .targets = 1};
    struct gm_loss_result result = {.struct_size = sizeof result, .grad = a->grad};
    double sum = 0;
    batch.pred = a->pred;
    for (size_t block = from; block < from + TURN; block++) {
        struct dense_f32 b = forward(a, block);
        batch.target = a->target + block * BLOCK;
        evaluate(&batch, &result);
        sum += result.loss;
        backward(a, &b);
    }
    return sum;
}

/* The formulas of plugins/mse.c and plugins/logistic.c. */
static inline struct gm_point mse(double pred, double target, const double *constant)
{
    (void)constant;
    const double d = pred - target;
    return (struct gm_point){d * d, 2.0 * d, 2.0};
}

static inline struct gm_point logistic(double pred, double target, const double *constant)
{
    (void)constant;
    const double e = gm_exp(-gm_abs(pred)), inverse = 1.0 / (1.0 + e);
    const double high = inverse, low = e * inverse;
    const double wrong = pred < 0.0 ? target : 1.0 - target;
    const double size = wrong * high - (1.0 - wrong) * low;
    return (struct gm_point){wrong * gm_abs(pred) + gm_log1p_unit(e), pred < 0.0 ? -size : size, low * high};
}

/* The loop with the loss inside: no batch, no weights, nothing but the formula. */
#define TURN_INLINE(point)                                                  \
    GM_LOSS_KERNEL static double turn_##point(struct arena *a, size_t from) \
    {                                                                       \
        double total = 0;                                                   \
        for (size_t block = from; block < from + TURN; block++) {           \
            struct dense_f32 b = forward(a, block);                         \
            const double *target = a->target + block * BLOCK;               \
            double loss[BLOCK];                                             \
            for (size_t i = 0; i < a->rows; i++) {                          \
                struct gm_point p = point(a->pred[i], target[i], NULL);     \
                loss[i] = p.loss;                                           \
                a->grad[i] = p.slope;                                       \
            }                                                               \
            total += gm_sum(loss, a->rows);                                 \
            backward(a, &b);                                                \
        }                                                                   \
        return total;                                                       \
    }
TURN_INLINE(mse)
TURN_INLINE(logistic)

/* The plugin's own loops inside, in which logistic takes two steps: what is left is the call alone. */
static inline double logistic_via(double pred, double target, const double *constant)
{
    (void)target, (void)constant;
    return gm_exp(-gm_abs(pred));
}

static inline struct gm_point logistic_from(double pred, double target, double e, const double *constant)
{
    (void)constant;
    const double inverse = 1.0 / (1.0 + e), high = inverse, low = e * inverse;
    const double wrong = pred < 0.0 ? target : 1.0 - target;
    const double size = wrong * high - (1.0 - wrong) * low;
    return (struct gm_point){wrong * gm_abs(pred) + gm_log1p_unit(e), pred < 0.0 ? -size : size, low * high};
}

#define TURN_LOOPS(name, ...)                                                                   \
    GM_LOSS_KERNEL static double turn_##name(struct arena *a, size_t from)                      \
    {                                                                                           \
        struct gm_loss_batch batch = {.struct_size = sizeof batch, .outputs = 1, .targets = 1}; \
        struct gm_loss_result result = {.struct_size = sizeof result};                          \
        double total = 0;                                                                       \
        for (size_t block = from; block < from + TURN; block++) {                               \
            struct dense_f32 b = forward(a, block);                                             \
            batch.rows = a->rows;                                                               \
            batch.pred = a->pred;                                                               \
            batch.target = a->target + block * BLOCK;                                           \
            result.grad = a->grad;                                                              \
            __VA_ARGS__;                                                                        \
            total += result.loss;                                                               \
            backward(a, &b);                                                                    \
        }                                                                                       \
        return total;                                                                           \
    }
TURN_LOOPS(mse_loops, gm_pointwise(&batch, &result, mse, NULL))
TURN_LOOPS(logistic_loops, gm_pointwise_via(&batch, &result, logistic_via, logistic_from, NULL))

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

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct spent {
    double called, within, sum_called, sum_within;
};

/* Every row once; called first says whose turn the first blocks are. */
static void round_of_turns(evaluate_fn *evaluate, double (*inlined)(struct arena *, size_t), bool called,
                           struct spent *spent)
{
    double begun = clock_seconds();
    for (size_t block = 0; block < BLOCKS; block += TURN, called = !called) {
        if (called)
            spent->sum_called += turn_by_call(&arena, evaluate, block);
        else
            spent->sum_within += inlined(&arena, block);
        double now = clock_seconds();
        *(called ? &spent->called : &spent->within) += now - begun;
        begun = now;
    }
}

static void compare(const char *name, evaluate_fn *evaluate, double (*inlined)(struct arena *, size_t))
{
    double ratios[ROUNDS], called[ROUNDS], within[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        struct spent spent = {0};
        round_of_turns(evaluate, inlined, round % 2, &spent);
        round_of_turns(evaluate, inlined, !(round % 2), &spent);
        if (!(fabs(spent.sum_called - spent.sum_within) <= 1e-9 * fabs(spent.sum_within)))
            printf("%s: sums differ: %.17g %.17g\n", name, spent.sum_called, spent.sum_within);
        called[round] = spent.called;
        within[round] = spent.within;
        ratios[round] = spent.called / spent.within;
    }
    qsort(ratios, ROUNDS, sizeof *ratios, ascending);
    qsort(called, ROUNDS, sizeof *called, ascending);
    qsort(within, ROUNDS, sizeof *within, ascending);
    double rows = (double)BLOCKS * BLOCK;
    printf("%-10s %10.2f %10.2f %+9.2f %% %+9.2f %% %13s\n", name, called[ROUNDS / 2] / rows * 1e9,
           within[ROUNDS / 2] / rows * 1e9, 100 * (ratios[ROUNDS / 2] - 1), 100 * (called[0] / within[0] - 1), "+1 %");
}

int main(int count, char **words)
{
    const char *directory = count > 1 ? words[1] : getenv("GRADMILL_LOSSES");
    size_t rows = (size_t)BLOCKS * BLOCK;
    float *x = aligned_alloc(4096, rows * FEATURES * sizeof *x);
    double *target = aligned_alloc(4096, rows * sizeof *target);
    if (!directory || !x || !target) {
        fprintf(stderr, "usage: loss_call DIRECTORY_OF_LOSSES\n");
        return 64;
    }
    unsigned long long state = 1;
    for (size_t i = 0; i < rows * FEATURES; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        x[i] = (float)(state >> 40) * 0x1p-24f - 0.5f;
    }
    for (size_t i = 0; i < rows; i++)
        target[i] = x[i * FEATURES] > 0 ? 1 : 0;
    for (size_t j = 0; j < FEATURES; j++)
        arena.u[j] = 0.1f * (float)j / FEATURES;
    arena.rows = BLOCK;
    arena.x = x;
    arena.target = target;
    arena.kernels = dense_kernels_for(cpu_isa());
    printf("ns per row, linear model of 64 features, 1 thread\n");
    printf("%-10s %10s %10s %11s %11s %13s\n", "loss", "called", "compiled in", "median", "best", "promised");
    compare("mse", load(directory, "mse"), turn_mse);
    compare("logistic", load(directory, "logistic"), turn_logistic);
    printf("with the loops of loss_rows.h compiled in too\n");
    compare("mse", load(directory, "mse"), turn_mse_loops);
    compare("logistic", load(directory, "logistic"), turn_logistic_loops);
    free(x);
    free(target);
    return 0;
}
