/* Losses of classes and labels. Published values: scikit-learn's loss tests, and closed forms. */
#include <math.h>

#include "plugins/harness.h"
#include "support.h"

static void logistic_is_right(void)
{
    harness_check(&(struct subject){.id = "logistic"});
    harness_check(&(struct subject){.id = "logistic", .targets = 3});
    const double y = 0.25, raw = log(4);
    ASSERT_CLOSE(harness_value(&(struct subject){.id = "logistic"}, &raw, &y), log(5) - 0.25 * log(4), 1e-15);
}

static void logistic_keeps_its_digits_far_out(void)
{
    const double one = 1, zero = 0, right = 50, wrong = -50;
    struct subject s = {.id = "logistic"};
    double small = harness_value(&s, &right, &one);
    CU_ASSERT(fabs(small - exp(-50)) <= 1e-15 * exp(-50)); /* log1p(e^-50), not 0 */
    ASSERT_CLOSE(harness_value(&s, &wrong, &one), 50, 1e-15);
    CU_ASSERT(harness_value(&s, &wrong, &zero) == small);
}

static void cross_entropy_is_right(void)
{
    harness_check(&(struct subject){.id = "cross_entropy", .classes = 4});
    harness_check(&(struct subject){.id = "cross_entropy", .classes = 2, .params = "label_smoothing=0.1"});
    const double raw[] = {0.2, 0.5, 0.3};
    for (double k = 0; k < 3; k++)
        ASSERT_CLOSE(harness_value(&(struct subject){.id = "cross_entropy", .classes = 3}, raw, &k),
                     log(exp(0.2) + exp(0.5) + exp(0.3)) - raw[(int)k], 1e-15);
    harness_check_bounds(&(struct subject){.id = "cross_entropy", .classes = 3}, "label_smoothing", 0, 1);
    struct harness h;
    CU_ASSERT_EQUAL(harness_open(&h, &(struct subject){.id = "cross_entropy", .classes = 1}), GM_LOSS_UNSUPPORTED);
    harness_close(&h);
}

TEST_MAIN("classification", TEST(logistic_is_right), TEST(logistic_keeps_its_digits_far_out),
          TEST(cross_entropy_is_right))
