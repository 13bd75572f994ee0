/*
 * Is a loss from a formula as fast as the hand-written one? `gradmill new-loss` writes logistic, poisson and huber from
 * their formulas; each runs alternately with the shipped loss, blocks of 256 rows that stay in the cache, one output:
 * once for loss and gradient, once for loss, gradient and second derivative. The best of many short rounds counts.
 *
 *     formula_speed PROGRAM DIRECTORY_OF_LOSSES      default: $GRADMILL $GRADMILL_LOSSES
 */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <gradmill/loss.h>

enum { ROWS = 1 << 17, BLOCK = 256, ROUNDS = 150 };

typedef int evaluate_fn(const struct gm_loss_batch *, struct gm_loss_result *);

static const struct pair {
    const char *shipped, *formula, *options;
} pairs[] = {
    {"logistic", "softplus(pred) - target*pred", "--target-range '>=0 <=1'"},
    {"poisson", "exp(pred) - target*pred", "--target-range '>=0'"},
    {"huber", "where(abs(pred - target) <= delta, 0.5*(pred - target)^2, delta*(abs(pred - target) - 0.5*delta))",
     "--param 'delta=1.0 >0' --convex"},
};

static double pred[BLOCK], target[BLOCK], grad[BLOCK], hess[BLOCK];

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double run(evaluate_fn *evaluate, int second, double *sum)
{
    const union gm_loss_value param[1] = {{.real = 1.0}};
    struct gm_loss_batch b = {.struct_size = sizeof b,
                              .rows = BLOCK,
                              .outputs = 1,
                              .targets = 1,
                              .pred = pred,
                              .target = target,
                              .param = param};
    struct gm_loss_result r = {.struct_size = sizeof r, .grad = grad, .hess_diag = second ? hess : NULL};
    double start = seconds();
    *sum = 0;
    for (size_t block = 0; block < ROWS / BLOCK; block++) {
        evaluate(&b, &r);
        *sum += r.loss;
    }
    return seconds() - start;
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
        fprintf(stderr, "%s: %s\n", path, dlerror());
        exit(1);
    }
    return entry(0)->evaluate;
}

static evaluate_fn *make(const char *program, const char *directory, const struct pair *pair)
{
    char command[8192], place[4096];
    snprintf(place, sizeof place, "%s/%s", directory, pair->shipped);
    snprintf(command, sizeof command, "'%s' new-loss %s --formula '%s' %s -o '%s' >/dev/null", program, pair->shipped,
             pair->formula, pair->options, place);
    if (system(command) != 0)
        exit(1);
    return load(place, pair->shipped);
}

static void compare(const char *name, evaluate_fn *formula, evaluate_fn *shipped)
{
    for (int second = 0; second < 2; second++) {
        double best[2] = {HUGE_VAL, HUGE_VAL}, sums[2];
        for (int round = 0; round < ROUNDS; round++) {
            best[0] = fmin(best[0], run(formula, second, &sums[0]));
            best[1] = fmin(best[1], run(shipped, second, &sums[1]));
        }
        if (!(fabs(sums[0] - sums[1]) <= 1e-12 * fabs(sums[1])))
            printf("%s: sums differ: %.17g %.17g\n", name, sums[0], sums[1]);
        printf("%-10s %-22s %8.2f %8.2f %8.2f\n", name, second ? "with second derivative" : "loss and gradient",
               best[0] / ROWS * 1e9, best[1] / ROWS * 1e9, best[0] / best[1]);
    }
}

int main(int count, char **words)
{
    const char *program = count > 1 ? words[1] : getenv("GRADMILL");
    const char *losses = count > 2 ? words[2] : getenv("GRADMILL_LOSSES");
    char directory[] = "/tmp/gradmill-bench-XXXXXX", command[128];
    if (!program || !losses || !mkdtemp(directory)) {
        fprintf(stderr, "usage: formula_speed PROGRAM DIRECTORY_OF_LOSSES\n");
        return 64;
    }
    unsigned long long state = 1;
    for (size_t i = 0; i < BLOCK; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        pred[i] = 6.0 * (double)(state >> 11) * 0x1p-53 - 3.0;
        target[i] = (double)(state >> 20 & 1);
    }
    printf("ns per row                          formula  shipped    ratio\n");
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        compare(pairs[i].shipped, make(program, directory, &pairs[i]), load(losses, pairs[i].shipped));
    snprintf(command, sizeof command, "rm -r '%s'", directory);
    return system(command) == 0 ? 0 : 1;
}
