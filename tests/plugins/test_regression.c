/* Losses of real numbers. Published values: scikit-learn's loss tests. */
#include <math.h>

#include "plugins/harness.h"
#include "support.h"

static void mse_is_right(void)
{
    harness_check(&(struct subject){.id = "mse"});
    harness_check(&(struct subject){.id = "mse", .targets = 3});
    const double y = 1, raw = 5, many[] = {1, 2, 4}, target[] = {0, 0, 0};
    ASSERT_CLOSE(harness_value(&(struct subject){.id = "mse"}, &raw, &y), 2 * 8, 0); /* half squared error is 8 */
    ASSERT_CLOSE(harness_value(&(struct subject){.id = "mse", .targets = 3}, many, target), 7, 1e-15); /* 21 / 3 */
}

static void huber_is_right(void)
{
    struct subject s = {.id = "huber", .params = "delta=3"};
    const double y = 1, far = 5, near = 3;
    harness_check(&(struct subject){.id = "huber"});
    harness_check(&(struct subject){.id = "huber", .params = "delta=0.4", .targets = 2});
    ASSERT_CLOSE(harness_value(&s, &far, &y), 7.5, 0);
    ASSERT_CLOSE(harness_value(&s, &near, &y), 2, 0);
    harness_check_bounds(&s, "delta", 1e-6, 0);
}

TEST_MAIN("regression", TEST(mse_is_right), TEST(huber_is_right))
