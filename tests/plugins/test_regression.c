/* Losses of real numbers. Published point values: scikit-learn's loss tests; else closed forms, named where they stand.
 */
#include <math.h>

#include "plugins/harness.h"
#include "support.h"

#define VALUE(subject, raw, y) harness_value(&(subject), &(const double){raw}, &(const double){y})

static void mse_is_right(void)
{
    struct subject s = {.id = "mse"}, three = {.id = "mse", .targets = 3};
    const double many[] = {1, 2, 4}, target[] = {0, 0, 0};
    harness_check(&s);
    harness_check(&three);
    ASSERT_CLOSE(VALUE(s, 5, 1), 2 * 8, 0); /* half squared error is 8 */
    ASSERT_CLOSE(harness_value(&three, many, target), 7, 1e-15);
}

static void huber_is_right(void)
{
    struct subject s = {.id = "huber", .params = "delta=3"};
    harness_check(&(struct subject){.id = "huber"});
    harness_check(&(struct subject){.id = "huber", .params = "delta=0.4", .targets = 2});
    ASSERT_CLOSE(VALUE(s, 5, 1), 7.5, 0);
    ASSERT_CLOSE(VALUE(s, 3, 1), 2, 0);
    harness_check_bounds(&s, "delta", 1e-6, 0);
}

static void mae_is_right(void)
{
    struct subject s = {.id = "mae"};
    harness_check(&s);
    harness_check(&(struct subject){.id = "mae", .targets = 2});
    ASSERT_CLOSE(VALUE(s, 5, 1), 4, 0);
}

static void log_cosh_is_right(void)
{
    struct subject s = {.id = "log_cosh"};
    harness_check(&s);
    ASSERT_CLOSE(VALUE(s, 1.5, 0.25), log(cosh(1.25)), 1e-15);
    ASSERT_CLOSE(VALUE(s, 1e8, 0), 1e8 - log(2), 1e-15);
    CU_ASSERT(fabs(VALUE(s, 1e-9, 0) - 5e-19) < 1e-33); /* d^2 / 2 */
}

static void quantile_is_right(void)
{
    struct subject half = {.id = "quantile"}, quarter = {.id = "quantile", .params = "tau=0.25"};
    struct subject several = {.id = "quantile", .params = "tau=0.1,0.25,0.9"};
    const double raw[] = {5, 5, 5}, y = 1;
    harness_check(&half);
    harness_check(&(struct subject){.id = "quantile", .params = "tau=0.8", .targets = 2});
    harness_check(&several);
    ASSERT_CLOSE(VALUE(half, 5, 1), 2, 0);
    ASSERT_CLOSE(VALUE(quarter, 5, 1), 3, 0);
    ASSERT_CLOSE(VALUE(quarter, 1, 5), 1, 0);
    ASSERT_CLOSE(harness_value(&several, raw, &y), (0.9 + 0.75 + 0.1) * 4 / 3, 1e-15);
    harness_check_bounds(&half, "tau", 0.999, 1);
    harness_check_bounds(&half, "tau", 0.001, 0);
}

static void several_quantiles_make_several_outputs(void)
{
    struct harness h;
    CU_ASSERT_EQUAL(harness_open(&h, &(struct subject){.id = "quantile", .params = "tau=0.1,0.5,0.9"}), 0);
    CU_ASSERT_EQUAL(h.spec.outputs, 3);
    harness_close(&h);
    CU_ASSERT_EQUAL(harness_open(&h, &(struct subject){.id = "quantile", .params = "tau=0.1,0.5", .targets = 2}),
                    GM_LOSS_BAD_PARAM);
    ASSERT_HOLDS(h.said, "one column");
    harness_close(&h);
}

static void baselines_are_the_known_estimates(void)
{
    static const double target[] = {1, 2, 4, 8, 100}, weight[] = {1, 1, 1, 1, 0.5};
    static const struct {
        const char *id, *params;
        double estimate;
    } known[] = {{"mae", NULL, 4},        {"quantile", "tau=0.2", 1},         {"quantile", "tau=0.85", 8},
                 {"mse", NULL, 65 / 4.5}, {"expectile", "tau=0.5", 65 / 4.5}, {"huber", "delta=1000", 65 / 4.5}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct harness h;
        double raw = NAN;
        CU_ASSERT_EQUAL(harness_open(&h, &(struct subject){.id = known[i].id, .params = known[i].params}), 0);
        struct gm_loss_batch b = harness_batch(&h, 5, NULL, target);
        b.weight = weight;
        CU_ASSERT_EQUAL(h.loss->baseline(&b, &raw), GM_LOSS_OK);
        ASSERT_CLOSE(raw, known[i].estimate, 1e-12);
        harness_close(&h);
    }
}

static void expectile_is_right(void)
{
    struct subject s = {.id = "expectile", .params = "tau=0.8"};
    harness_check(&s);
    harness_check(&(struct subject){.id = "expectile", .params = "tau=0.1", .targets = 3});
    ASSERT_CLOSE(VALUE(s, 1, 4), 0.8 * 9, 1e-15);
    ASSERT_CLOSE(VALUE(s, 4, 1), 0.2 * 9, 1e-15);
}

static void epsilon_insensitive_is_right(void)
{
    struct subject s = {.id = "epsilon_insensitive", .params = "epsilon=0.5"};
    harness_check(&s);
    ASSERT_CLOSE(VALUE(s, 1.25, 1), 0, 0);
    ASSERT_CLOSE(VALUE(s, -1, 1), 1.5, 0);
    harness_check_bounds(&s, "epsilon", 0, -1e-9);
}

static void cauchy_is_right(void)
{
    struct subject s = {.id = "cauchy", .params = "scale=2"};
    harness_check(&s);
    harness_check(&(struct subject){.id = "cauchy", .targets = 2});
    ASSERT_CLOSE(VALUE(s, 5, 1), 2 * log(5), 1e-15);
}

/* Z(1) = 2 e K_1(1), Z(2) = sqrt(2 pi), Z(0) = pi sqrt(2): the source's closed forms; K_1(1) from tables. */
static void barron_is_right(void)
{
    struct harness h;
    struct subject s = {.id = "barron"};
    const double k1 = 0.60190723019723457474, d = 3, y = 0, scale = 1e-5 + exp(0.4);
    harness_check(&s);
    harness_check(&(struct subject){.id = "barron", .targets = 2});
    CU_ASSERT_EQUAL(harness_open(&h, &s), 0);
    struct gm_loss_result r = {.struct_size = sizeof r};
    struct gm_loss_batch b = harness_batch(&h, 1, &d, &y);
    const double u2 = d * d / (scale * scale);
    const double expected[] = {log(u2 / 2 + 1) + log(M_PI * sqrt(2)), sqrt(u2 + 1) - 1 + log(2 * exp(1) * k1),
                               u2 / 2 + log(2 * M_PI) / 2};
    const double theta[] = {-12, 0, 12}, tolerance[] = {1e-4, 1e-9, 2e-3}; /* alpha reaches 0 and 2 to 1e-5 */
    for (int i = 0; i < 3; i++) {
        h.theta[0] = theta[i];
        h.theta[1] = 0.4;
        CU_ASSERT_EQUAL(h.loss->evaluate(&b, &r), GM_LOSS_OK);
        ASSERT_CLOSE(r.loss, expected[i] + log(scale), tolerance[i]);
    }
    h.theta[0] = -400; /* held at the end of its reach */
    CU_ASSERT(h.loss->evaluate(&b, &r) == GM_LOSS_OK && isfinite(r.loss));
    harness_close(&h);
}

/* e^-loss is a density whatever alpha and scale: its integral over the error (trapezoidal in t, d = sinh t) is 1. */
static void barron_is_normalised(void)
{
    static const double theta[] = {-11.9, -7.3, -3.1, -1.37, -0.4, 0.1, 0.9, 2.2, 3.3, 5.6, 9.05};
    struct harness h;
    const double y = 0;
    CU_ASSERT_EQUAL(harness_open(&h, &(struct subject){.id = "barron"}), 0);
    for (size_t k = 0; k < sizeof theta / sizeof *theta; k++) {
        double sum = 0;
        h.theta[0] = theta[k];
        h.theta[1] = 0.2 * (double)k - 1;
        for (double t = -40; t <= 40; t += 1.0 / 64) {
            const double d = sinh(t);
            struct gm_loss_result r = {.struct_size = sizeof r};
            struct gm_loss_batch b = harness_batch(&h, 1, &d, &y);
            h.loss->evaluate(&b, &r);
            sum += exp(-r.loss) * cosh(t) / 64;
        }
        ASSERT_CLOSE(sum, 1, 1e-6);
    }
    harness_close(&h);
}

static void cosine_is_right(void)
{
    struct subject s = {.id = "cosine", .targets = 3};
    const double a[] = {1, 2, 2}, b[] = {4, 0, 3}, none[] = {0, 0, 0}, tiny[] = {1e-170, 0, 0};
    s.pred_low = -2, s.pred_high = 2;
    harness_check(&s);
    ASSERT_CLOSE(harness_value(&s, a, b), 1 - 10.0 / 15, 1e-15);
    ASSERT_CLOSE(harness_value(&s, none, b), 1, 0);
    ASSERT_CLOSE(harness_value(&s, tiny, b), 1, 0);
    struct harness h;
    size_t bad = 9;
    CU_ASSERT_EQUAL(harness_open(&h, &s), 0);
    const double target[] = {1, 0, 0, 0, 0, 0};
    struct gm_loss_batch batch = harness_batch(&h, 2, NULL, target);
    CU_ASSERT_EQUAL(h.loss->check_targets(&batch, &bad), GM_LOSS_BAD_TARGET);
    CU_ASSERT_EQUAL(bad, 1);
    harness_close(&h);
}

static void uncertainty_is_right(void)
{
    struct subject s = {.id = "uncertainty", .targets = 2};
    struct harness h;
    const double pred[] = {3, 1}, target[] = {1, 0};
    harness_check(&s);
    CU_ASSERT_EQUAL(harness_open(&h, &s), 0);
    CU_ASSERT_EQUAL(h.spec.n_theta, 2);
    h.theta[0] = log(4);
    h.theta[1] = log(0.5);
    struct gm_loss_result r = {.struct_size = sizeof r};
    struct gm_loss_batch b = harness_batch(&h, 1, pred, target);
    CU_ASSERT_EQUAL(h.loss->evaluate(&b, &r), GM_LOSS_OK);
    ASSERT_CLOSE(r.loss, 4.0 / 8 + log(2) + 1.0 + log(0.5) / 2, 1e-15);
    harness_close(&h);
}

TEST_MAIN("regression", TEST(mse_is_right), TEST(huber_is_right), TEST(mae_is_right), TEST(log_cosh_is_right),
          TEST(quantile_is_right), TEST(several_quantiles_make_several_outputs),
          TEST(baselines_are_the_known_estimates), TEST(expectile_is_right), TEST(epsilon_insensitive_is_right),
          TEST(cauchy_is_right), TEST(barron_is_right), TEST(barron_is_normalised), TEST(cosine_is_right),
          TEST(uncertainty_is_right))
