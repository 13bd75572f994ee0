/* Minibatch methods: single steps worked out by hand, sequences against the papers' formulas in long double. */
#include "optim/optim.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "drive.h"
#include "support.h"

#define N 6

static const enum optim_method methods[] = {OPTIM_SGD,     OPTIM_MOMENTUM, OPTIM_NESTEROV, OPTIM_ADAGRAD,
                                            OPTIM_RMSPROP, OPTIM_ADAM,     OPTIM_ADAMW};
#define METHODS (sizeof methods / sizeof *methods)

static bool single; /* gradients come in single precision: adam and adamw keep their state so */

static struct optim *open_method(enum optim_method method, double l1, size_t n, const uint8_t *penalised)
{
    struct optim_config config;
    optim_config_init(&config, method);
    config.l1 = l1;
    config.single = single;
    return optim_or_die(&config, n, penalised);
}

/* One parameter at 1, gradient 0.5, rate 0.125. */
static void first_steps_by_hand(void)
{
    const double expected[] = {
        1 - 0.0625,                                      /* sgd: rate * g */
        1 - 0.0625,                                      /* momentum: the same from rest */
        1 - 0.0625 * 1.9,                                /* nesterov: and looks 0.9 of the step ahead */
        1 - 0.125 * 0.5 / (0.5 + 1e-8),                  /* adagrad: g / (|g| + e) */
        1 - 0.125 * 0.5 / (0.5 * sqrt(0.1) + 1e-8),      /* rmsprop: the mean square is 0.1 g^2 */
        1 - 0.125 * 0.5 / (0.5 + 1e-8),                  /* adam: both means corrected to g and g^2 */
        (1 - 0.125 * 0.01) - 0.125 * 0.5 / (0.5 + 1e-8), /* adamw: and 0.01 of rate * w is lost */
    };
    const uint8_t penalised[] = {1};
    for (size_t m = 0; m < METHODS; m++) {
        struct optim *o = open_method(methods[m], 0, 1, penalised);
        double w = 1, g = 0.5;
        optim_step_begin(o, 0.125);
        optim_step_range(o, &w, &g, 0, 1);
        ASSERT_CLOSE(w, expected[m], 1e-15);
        CU_ASSERT_EQUAL(optim_last_rate(o), 0.125);
        optim_free(o);
    }
}

/* The gradient of 1/2 sum d_i (w_i - c_i)^2. */
static const double curvature[N] = {1, 0.5, 2, 0.25, 1.5, 1}, centre[N] = {1, -2, 0.5, 3, -0.01, 0};

static void slope(const double *w, double *g)
{
    for (size_t i = 0; i < N; i++)
        g[i] = curvature[i] * (w[i] - centre[i]);
}

/* The methods as their papers write them, in long double; `velocity` and `second` start at 0. */
struct reference {
    long double w, velocity, second; /* velocity: also the first moment */
};

static void reference_step(struct reference *r, enum optim_method method, size_t i, int step, long double rate)
{
    const long double e = 1e-8L, b1 = 0.9, b2 = method == OPTIM_RMSPROP ? 0.9 : 0.999;
    long double d = curvature[i], c = centre[i], g = d * (r->w - c);
    switch (method) {
    case OPTIM_SGD:
        r->w -= rate * g;
        break;
    case OPTIM_MOMENTUM: /* with the rate outside of the velocity: the same for a constant rate */
        r->velocity = 0.9L * r->velocity + g;
        r->w -= rate * r->velocity;
        break;
    case OPTIM_NESTEROV: /* Sutskever et al. 2013, equations 3 and 4: w is theta, the gradient is taken ahead of it */
        g = d * (r->w + 0.9L * r->velocity - c);
        r->velocity = 0.9L * r->velocity - rate * g;
        r->w += r->velocity;
        break;
    case OPTIM_ADAGRAD:
        r->second += g * g;
        r->w -= rate * g / (sqrtl(r->second) + e);
        break;
    case OPTIM_RMSPROP:
        r->second = b2 * r->second + (1 - b2) * g * g;
        r->w -= rate * g / (sqrtl(r->second) + e);
        break;
    default: /* adam, adamw */
        r->velocity = b1 * r->velocity + (1 - b1) * g;
        r->second = b2 * r->second + (1 - b2) * g * g;
        r->w -= rate * (r->velocity / (1 - powl(b1, step))) / (sqrtl(r->second / (1 - powl(b2, step))) + e) +
                (method == OPTIM_ADAMW ? rate * 0.01L * r->w : 0);
    }
}

static void sequences_follow_the_papers(void)
{
    const uint8_t penalised[N] = {1, 1, 1, 1, 1, 1};
    for (size_t m = 0; m < METHODS; m++) {
        struct optim *o = open_method(methods[m], 0, N, penalised);
        struct reference r[N];
        double w[N], g[N];
        for (size_t i = 0; i < N; i++)
            r[i] = (struct reference){.w = w[i] = 0.3 * (double)i - 1};
        for (int step = 1; step <= 40; step++) {
            slope(w, g);
            optim_step_begin(o, 0.0625);
            optim_step_range(o, w, g, 0, N);
            for (size_t i = 0; i < N; i++) {
                reference_step(&r[i], methods[m], i, step, 0.0625L);
                long double seen = r[i].w;
                if (methods[m] == OPTIM_NESTEROV) /* ours is the point ahead */
                    seen += 0.9L * r[i].velocity;
                if (step <= 2 || step == 40) /* later, divisions by small roots have amplified the rounding */
                    ASSERT_CLOSE(w[i], (double)seen, step <= 2 ? 1e-15 : 1e-9);
            }
        }
        optim_free(o);
    }
}

/* The minimum with l1 is the soft threshold of centre by l1 / curvature; there, nothing may move, whatever the metric.
 */
static void the_minimum_with_l1_is_a_point_of_rest(void)
{
    const double l1 = 0.25, minimum[N] = {0.75, -1.5, 0.375, 2, 0, 0};
    const uint8_t penalised[N] = {1, 1, 1, 1, 1, 1};
    for (size_t m = 0; m < METHODS; m++) {
        if (methods[m] == OPTIM_ADAMW)
            continue; /* its decay is not part of F */
        struct optim *o = open_method(methods[m], l1, N, penalised);
        double w[N], g[N];
        memcpy(w, minimum, sizeof w);
        for (int step = 0; step < 100; step++) {
            slope(w, g);
            optim_step_begin(o, 0.0625);
            optim_step_range(o, w, g, 0, N);
        }
        for (size_t i = 0; i < N; i++)
            ASSERT_CLOSE(w[i], minimum[i], 1e-13);
        CU_ASSERT_EQUAL(w[4], 0);
        optim_free(o);
    }
}

static void l1_descends_to_the_minimum_with_exact_zeros(void)
{
    const double l1 = 0.25, minimum[N] = {0.75, -1.5, 0.375, 2, 0, 0};
    const uint8_t penalised[N] = {1, 1, 1, 1, 1, 1};
    for (size_t m = 0; m < 3; m++) { /* constant steps converge for these; the adaptive ones hover */
        struct optim *o = open_method(methods[m], l1, N, penalised);
        double w[N] = {4, 4, 4, 4, 4, 4}, g[N];
        for (int step = 0; step < 3000; step++) {
            slope(w, g);
            optim_step_begin(o, 0.0625);
            optim_step_range(o, w, g, 0, N);
        }
        for (size_t i = 0; i < N; i++)
            ASSERT_CLOSE(w[i], minimum[i], 1e-13);
        CU_ASSERT_EQUAL(w[4], 0);
        CU_ASSERT_EQUAL(w[5], 0);
        optim_free(o);
    }
}

static void intercepts_are_neither_shrunk_nor_decayed(void)
{
    const uint8_t penalised[] = {1, 0};
    for (size_t m = 0; m < METHODS; m++) {
        struct optim *o = open_method(methods[m], 0.5, 2, penalised);
        double w[] = {1, 1}, g[] = {1, 1};
        struct optim *plain = open_method(methods[m] == OPTIM_ADAMW ? OPTIM_ADAM : methods[m], 0, 2, penalised);
        double expected[] = {1, 1};
        optim_step_begin(o, 0.125);
        optim_step_range(o, w, g, 0, 2);
        optim_step_begin(plain, 0.125);
        optim_step_range(plain, expected, g, 0, 2);
        CU_ASSERT_EQUAL(w[1], expected[1]);
        CU_ASSERT(w[0] < expected[0]);
        optim_free(o);
        optim_free(plain);
    }
}

static void any_partition_gives_the_same_bits(void)
{
    enum { MANY = 1000 };
    static double w[2][MANY], g[MANY];
    static uint8_t penalised[MANY];
    for (size_t i = 0; i < MANY; i++)
        penalised[i] = i % 7 != 0;
    for (size_t m = 0; m < METHODS; m++) {
        for (size_t pieces = 2; pieces <= 8; pieces++) {
            struct optim *whole = open_method(methods[m], 0.01, MANY, penalised);
            struct optim *cut = open_method(methods[m], 0.01, MANY, penalised);
            memset(w, 0, sizeof w);
            for (uint32_t step = 0; step < 3; step++) {
                for (size_t i = 0; i < MANY; i++)
                    g[i] = random_normal((struct random_key){3, RANDOM_CHECK, step}, i);
                optim_step_begin(whole, 0.1);
                optim_step_range(whole, w[0], g, 0, MANY);
                optim_step_begin(cut, 0.1);
                for (size_t p = pieces; p-- > 0;) /* backwards: the order does not matter either */
                    optim_step_range(cut, w[1], g, MANY * p / pieces, MANY * (p + 1) / pieces);
            }
            CU_ASSERT_EQUAL(memcmp(w[0], w[1], sizeof w[0]), 0);
            optim_free(whole);
            optim_free(cut);
        }
    }
}

static void clipping_scales_long_gradients_only(void)
{
    const uint8_t penalised[] = {1, 1};
    const double g[] = {3, 4}, half[] = {1.5, 2};
    struct optim_config config;
    for (size_t m = 0; m < METHODS; m++) {
        optim_config_init(&config, methods[m]);
        struct optim *plain = optim_or_die(&config, 2, penalised);
        config.clip_norm = 2.5;
        struct optim *clipped = optim_or_die(&config, 2, penalised);
        double w[] = {1, 1}, expected[] = {1, 1};
        for (int step = 0; step < 2; step++) {
            optim_step_begin(plain, 0.1);
            optim_step_range(plain, expected, half, 0, 2);
            optim_step_begin(clipped, 0.1);
            optim_step_clip(clipped, step == 0 ? 5 : 2.5);
            optim_step_range(clipped, w, step == 0 ? g : half, 0, 2);
        }
        CU_ASSERT_EQUAL(memcmp(w, expected, sizeof w), 0);
        optim_free(plain);
        optim_free(clipped);
    }
}

static void restored_state_continues_with_the_same_bits(void)
{
    const uint8_t penalised[N] = {1, 1, 1, 1, 1, 0};
    for (size_t m = 0; m < METHODS; m++) {
        struct optim *whole = open_method(methods[m], 0.01, N, penalised);
        double w[N] = {1, 2, 3, 4, 5, 6}, moved[N], g[N];
        for (int step = 0; step < 20; step++) {
            struct optim *fresh = open_method(methods[m], 0.01, N, penalised);
            struct optim_array from[OPTIM_ARRAYS], to[OPTIM_ARRAYS];
            size_t count = optim_state(whole, from, OPTIM_ARRAYS);
            CU_ASSERT_EQUAL(optim_state(fresh, to, OPTIM_ARRAYS), count);
            for (size_t a = 0; a < count; a++) {
                CU_ASSERT_STRING_EQUAL(from[a].name, to[a].name);
                memcpy(to[a].values, from[a].values, from[a].count * sizeof(double));
            }
            memcpy(moved, w, sizeof w);
            slope(w, g);
            optim_step_begin(whole, 0.1);
            optim_step_range(whole, w, g, 0, N);
            optim_step_begin(fresh, 0.1);
            optim_step_range(fresh, moved, g, 0, N);
            CU_ASSERT_EQUAL(memcmp(w, moved, sizeof w), 0);
            optim_free(whole);
            whole = fresh;
        }
        optim_free(whole);
    }
}

static void a_gradient_that_is_not_a_number_is_not_hidden(void)
{
    const uint8_t penalised[] = {1};
    for (size_t m = 0; m < METHODS; m++) {
        struct optim *o = open_method(methods[m], 0.5, 1, penalised);
        double w = 1, g = NAN;
        optim_step_begin(o, 0.1);
        optim_step_range(o, &w, &g, 0, 1);
        CU_ASSERT(isnan(w));
        optim_free(o);
    }
}

/* Against long double, 50 steps; and what holds in double precision. */
static void adam_in_single_precision_does_the_same(void)
{
    const uint8_t penalised[N] = {1, 1, 1, 1, 1, 1};
    single = true;
    for (size_t k = 0; k < 2; k++) {
        enum optim_method method = k ? OPTIM_ADAMW : OPTIM_ADAM;
        struct optim *o = open_method(method, 0, N, penalised);
        struct reference r[N] = {{0}};
        double w[N] = {0}, g[N];
        for (int step = 1; step <= 50; step++) {
            slope(w, g);
            optim_step_begin(o, 0.1);
            optim_step_range(o, w, g, 0, N);
            for (size_t i = 0; i < N; i++)
                reference_step(&r[i], method, i, step, 0.1L);
        }
        for (size_t i = 0; i < N; i++)
            ASSERT_CLOSE(w[i], (double)r[i].w, 1e-5);
        optim_free(o);
    }
    any_partition_gives_the_same_bits();
    restored_state_continues_with_the_same_bits();
    a_gradient_that_is_not_a_number_is_not_hidden();
    single = false;
}

TEST_MAIN("minibatch", TEST(first_steps_by_hand), TEST(sequences_follow_the_papers),
          TEST(the_minimum_with_l1_is_a_point_of_rest), TEST(l1_descends_to_the_minimum_with_exact_zeros),
          TEST(intercepts_are_neither_shrunk_nor_decayed), TEST(any_partition_gives_the_same_bits),
          TEST(clipping_scales_long_gradients_only), TEST(restored_state_continues_with_the_same_bits),
          TEST(a_gradient_that_is_not_a_number_is_not_hidden), TEST(adam_in_single_precision_does_the_same))
