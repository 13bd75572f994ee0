/* Losses of counts and positive amounts, log link. Published point values: scikit-learn's loss tests at (2, ln 4). */
#include <math.h>

#include "plugins/harness.h"
#include "support.h"

static double at_ln4(const struct subject *s)
{
    const double raw = log(4), y = 2;
    return harness_value(s, &raw, &y);
}

static void poisson_is_right(void)
{
    struct subject s = {.id = "poisson", .low = 0, .high = 9, .flags = SUBJECT_GROWS};
    harness_check(&s);
    s.targets = 2;
    harness_check(&s);
    s.targets = 1;
    ASSERT_CLOSE(at_ln4(&s), 4 - 2 * log(4), 1e-15);
}

static void gamma_is_right(void)
{
    struct subject s = {.id = "gamma", .low = 0.1, .high = 9, .flags = SUBJECT_GROWS};
    harness_check(&s);
    ASSERT_CLOSE(at_ln4(&s), log(4) + 0.5, 1e-15);
}

static void inverse_gaussian_is_right(void)
{
    struct subject s = {.id = "inverse_gaussian", .low = 0.1, .high = 9, .flags = SUBJECT_GROWS};
    harness_check(&s);
    ASSERT_CLOSE(at_ln4(&s), -3.0 / 16, 1e-15);
}

static void tweedie_is_right(void)
{
    static const struct {
        const char *power;
        double value;
    } known[] = {{"power=3", -3.0 / 16}, {"power=1", 0}, {"power=2", 0}, {"power=1.5", 4 + 2}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct subject s = {.id = "tweedie", .params = known[i].power, .low = 0.5, .high = 9, .flags = SUBJECT_GROWS};
        /* power 1 is poisson, 2 gamma; 1.5: 2 sqrt(4) + 2 * 2 / sqrt(4) */
        double value = i == 1 ? 4 - 2 * log(4) : i == 2 ? log(4) + 0.5 : known[i].value;
        harness_check(&s);
        ASSERT_CLOSE(at_ln4(&s), value, 1e-14);
    }
}

static void tweedie_narrows_its_interval(void)
{
    struct harness h;
    CU_ASSERT_EQUAL(harness_open(&h, &(struct subject){.id = "tweedie", .params = "power=1.5"}), 0);
    CU_ASSERT_EQUAL(h.spec.target_rule, GM_TARGET_LOW);
    harness_close(&h);
    CU_ASSERT_EQUAL(harness_open(&h, &(struct subject){.id = "tweedie", .params = "power=2.5"}), 0);
    CU_ASSERT_EQUAL(h.spec.target_rule, GM_TARGET_LOW_OPEN);
    CU_ASSERT(h.spec.nature & GM_NATURE_NON_CONVEX);
    harness_close(&h);
    harness_check_bounds(&(struct subject){.id = "tweedie"}, "power", 1, 0.5);
}

static void negative_binomial_is_right(void)
{
    struct subject s = {.id = "negative_binomial", .params = "dispersion=0.4", .low = 0, .high = 9};
    harness_check(&s);
    ASSERT_CLOSE(at_ln4(&s), 4.5 * log(1 + 0.4 * 4) - 2 * log(4), 1e-15);
    harness_check_bounds(&s, "dispersion", 1e-3, 0);
}

TEST_MAIN("counts", TEST(poisson_is_right), TEST(gamma_is_right), TEST(inverse_gaussian_is_right),
          TEST(tweedie_is_right), TEST(tweedie_narrows_its_interval), TEST(negative_binomial_is_right))
