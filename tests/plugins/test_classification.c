/* Losses of classes and labels. Published point values: scikit-learn's loss tests; else closed forms. */
#include <math.h>

#include "plugins/harness.h"
#include "support.h"

#define VALUE(subject, raw, y) harness_value(&(subject), &(const double){raw}, &(const double){y})

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static void logistic_is_right(void)
{
    struct subject s = {.id = "logistic"};
    harness_check(&s);
    harness_check(&(struct subject){.id = "logistic", .targets = 3});
    ASSERT_CLOSE(VALUE(s, log(4), 0.25), log(5) - 0.25 * log(4), 1e-15);
}

static void logistic_keeps_its_digits_far_out(void)
{
    struct subject s = {.id = "logistic"};
    double small = VALUE(s, 50, 1);
    CU_ASSERT(fabs(small - exp(-50)) <= 1e-15 * exp(-50)); /* log1p(e^-50), not 0 */
    ASSERT_CLOSE(VALUE(s, -50, 1), 50, 1e-15);
    CU_ASSERT(VALUE(s, -50, 0) == small);
}

static void cross_entropy_is_right(void)
{
    harness_check(&(struct subject){.id = "cross_entropy", .classes = 4});
    harness_check(&(struct subject){.id = "cross_entropy", .classes = 2, .params = "label_smoothing=0.1"});
    const double raw[] = {0.2, 0.5, 0.3}, all = log(exp(0.2) + exp(0.5) + exp(0.3)), zero = 0;
    struct subject s = {.id = "cross_entropy", .classes = 3};
    for (double k = 0; k < 3; k++)
        ASSERT_CLOSE(harness_value(&s, raw, &k), all - raw[(int)k], 1e-15);
    s.params = "label_smoothing=0.3";
    ASSERT_CLOSE(harness_value(&s, raw, &zero), all - 0.8 * 0.2 - 0.1 * 0.5 - 0.1 * 0.3, 1e-15);
    harness_check_bounds(&s, "label_smoothing", 0, 1);
    struct harness h;
    CU_ASSERT_EQUAL(harness_open(&h, &(struct subject){.id = "cross_entropy", .classes = 1}), GM_LOSS_UNSUPPORTED);
    harness_close(&h);
}

static void hinges_are_right(void)
{
    struct subject hinge = {.id = "hinge", .low = 0, .high = 1}, squared = {.id = "squared_hinge", .low = 0, .high = 1};
    struct subject huber = {.id = "modified_huber", .low = 0, .high = 1};
    const double raw[] = {-3, -0.5, 0.25, 2}, m[] = {4, 1.5, 0.75, 0};
    for (int i = 0; i < 4; i++) {
        ASSERT_CLOSE(VALUE(hinge, raw[i], 1), m[i], 0);
        ASSERT_CLOSE(VALUE(squared, -raw[i], 0), m[i] * m[i], 0);
        ASSERT_CLOSE(VALUE(huber, raw[i], 1), raw[i] < -1 ? -4 * raw[i] : m[i] * m[i], 0);
    }
    harness_check(&(struct subject){.id = "hinge", .flags = SUBJECT_WHOLE | SUBJECT_NO_OPTIMUM});
    harness_check(&(struct subject){.id = "squared_hinge", .flags = SUBJECT_WHOLE, .targets = 2});
    harness_check(&(struct subject){.id = "modified_huber", .flags = SUBJECT_WHOLE});
}

static void focal_is_right(void)
{
    struct subject s = {.id = "focal", .params = "gamma=2"}, plain = {.id = "focal", .params = "gamma=0"};
    const double p = sigmoid(0.7);
    harness_check(&(struct subject){.id = "focal", .flags = SUBJECT_WHOLE});
    harness_check(&(struct subject){.id = "focal", .params = "gamma=0.5", .flags = SUBJECT_WHOLE, .targets = 2});
    ASSERT_CLOSE(VALUE(s, 0.7, 1), -(1 - p) * (1 - p) * log(p), 1e-15);
    ASSERT_CLOSE(VALUE(s, 0.7, 0), -p * p * log(1 - p), 1e-15);
    ASSERT_CLOSE(VALUE(plain, 0.7, 0), -log(1 - p), 1e-15);
    harness_check_bounds(&s, "gamma", 0, -0.1);
}

static void multilabel_is_right(void)
{
    struct subject s = {.id = "multilabel", .targets = 3, .params = "positive_weight=2.5"};
    const double raw[] = {1, -2, 0.5}, y[] = {1, 0, 1};
    harness_check(&s);
    ASSERT_CLOSE(harness_value(&s, raw, y), (-2.5 * log(sigmoid(1)) - log(sigmoid(2)) - 2.5 * log(sigmoid(0.5))) / 3,
                 1e-15);
}

static void kl_divergence_is_right(void)
{
    struct subject s = {.id = "kl_divergence", .targets = 3};
    const double t[] = {0.2, 0.5, 0.3}, raw[] = {1, 0, 2}, best[] = {log(0.2), log(0.5), log(0.3)};
    const double all = exp(1) + exp(0) + exp(2), sure[] = {0, 1, 0};
    s.low = 0.01, s.high = 1;
    s.flags = SUBJECT_NO_OPTIMUM; /* targets of the harness do not sum to 1; the optimum is shown below */
    harness_check(&s);
    ASSERT_CLOSE(harness_value(&s, raw, t),
                 0.2 * log(0.2 * all / exp(1)) + 0.5 * log(0.5 * all) + 0.3 * log(0.3 * all / exp(2)), 1e-15);
    CU_ASSERT(fabs(harness_value(&s, best, t)) < 1e-15);
    ASSERT_CLOSE(harness_value(&s, raw, sure), log(all), 1e-15);
    struct harness h;
    double baseline[3];
    size_t bad = 9;
    CU_ASSERT_EQUAL(harness_open(&h, &s), 0);
    struct gm_loss_batch b = harness_batch(&h, 1, NULL, t);
    CU_ASSERT_EQUAL(h.loss->baseline(&b, baseline), GM_LOSS_OK);
    CU_ASSERT_EQUAL(h.loss->check_targets(&b, &bad), GM_LOSS_OK);
    ASSERT_CLOSE(baseline[0] - baseline[1], log(0.4), 1e-14);
    b.target = raw;
    CU_ASSERT_EQUAL(h.loss->check_targets(&b, &bad), GM_LOSS_BAD_TARGET);
    CU_ASSERT_EQUAL(bad, 0);
    harness_close(&h);
}

static void ordinal_is_right(void)
{
    struct harness h;
    struct subject s = {.id = "ordinal", .classes = 4};
    harness_check(&s);
    harness_check(&(struct subject){.id = "ordinal", .classes = 2});
    CU_ASSERT_EQUAL(harness_open(&h, &s), 0);
    CU_ASSERT_EQUAL(h.spec.n_theta, 3);
    h.theta[0] = -1;
    h.theta[1] = log(2); /* thresholds -1, 1, 1.5 */
    h.theta[2] = log(0.5);
    const double raw = 0.3, cumulated[] = {0, sigmoid(-1.3), sigmoid(0.7), sigmoid(1.2), 1};
    for (double k = 0; k < 4; k++) {
        struct gm_loss_result r = {.struct_size = sizeof r};
        struct gm_loss_batch b = harness_batch(&h, 1, &raw, &k);
        CU_ASSERT_EQUAL(h.loss->evaluate(&b, &r), GM_LOSS_OK);
        ASSERT_CLOSE(r.loss, -log(cumulated[(int)k + 1] - cumulated[(int)k]), 1e-14);
    }
    const double many[] = {-5, -0.9, 1.2, 3};
    double class[4];
    struct gm_loss_batch b = harness_batch(&h, 4, many, NULL);
    CU_ASSERT_EQUAL(h.loss->inverse_link(&b, class), GM_LOSS_OK);
    for (int i = 0; i < 4; i++)
        CU_ASSERT(class[i] == i);
    harness_close(&h);
}

TEST_MAIN("classification", TEST(logistic_is_right), TEST(logistic_keeps_its_digits_far_out),
          TEST(cross_entropy_is_right), TEST(hinges_are_right), TEST(focal_is_right), TEST(multilabel_is_right),
          TEST(kl_divergence_is_right), TEST(ordinal_is_right))
