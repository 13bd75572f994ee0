/* Schedules: closed forms at chosen moments. */
#include "optim/optim.h"

#include <math.h>

#include "support.h"

static struct optim_config with(enum optim_schedule schedule)
{
    struct optim_config c;
    optim_config_init(&c, OPTIM_SGD);
    c.schedule = schedule;
    return c;
}

static void constant_stays(void)
{
    struct optim_config c = with(SCHEDULE_CONSTANT);
    CU_ASSERT_EQUAL(schedule_rate(&c, 0.25, 0), 0.25);
    CU_ASSERT_EQUAL(schedule_rate(&c, 0.25, 1e6), 0.25);
}

static void step_falls_at_whole_multiples(void)
{
    struct optim_config c = with(SCHEDULE_STEP);
    c.step_factor = 0.5;
    c.step_epochs = 10;
    CU_ASSERT_EQUAL(schedule_rate(&c, 1, 9.99), 1);
    CU_ASSERT_EQUAL(schedule_rate(&c, 1, 10), 0.5);
    CU_ASSERT_EQUAL(schedule_rate(&c, 1, 35), 0.125);
}

static void cosine_is_half_way_at_half_time_and_ends_at_zero(void)
{
    struct optim_config c = with(SCHEDULE_COSINE);
    c.max_epochs = 8;
    CU_ASSERT_EQUAL(schedule_rate(&c, 2, 0), 2);
    ASSERT_CLOSE(schedule_rate(&c, 2, 4), 1, 1e-15);
    ASSERT_CLOSE(schedule_rate(&c, 2, 2), 1 + sqrt(0.5), 1e-15);
    CU_ASSERT_EQUAL(schedule_rate(&c, 2, 8), 0);
    CU_ASSERT_EQUAL(schedule_rate(&c, 2, 9), 0);
}

static void inverse_decays_hyperbolically(void)
{
    struct optim_config c = with(SCHEDULE_INVERSE);
    c.decay = 0.5;
    CU_ASSERT_EQUAL(schedule_rate(&c, 3, 0), 3);
    CU_ASSERT_EQUAL(schedule_rate(&c, 3, 4), 1);
}

static void warm_up_ramps_from_zero_on_top_of_any_schedule(void)
{
    struct optim_config c = with(SCHEDULE_INVERSE);
    c.decay = 1;
    c.warmup_epochs = 4;
    CU_ASSERT_EQUAL(schedule_rate(&c, 1, 0), 0);
    CU_ASSERT_EQUAL(schedule_rate(&c, 1, 1), 0.125);
    CU_ASSERT_EQUAL(schedule_rate(&c, 1, 3), 0.1875);
    CU_ASSERT_EQUAL(schedule_rate(&c, 1, 7), 0.125);
}

TEST_MAIN("schedule", TEST(constant_stays), TEST(step_falls_at_whole_multiples),
          TEST(cosine_is_half_way_at_half_time_and_ends_at_zero), TEST(inverse_decays_hyperbolically),
          TEST(warm_up_ramps_from_zero_on_top_of_any_schedule))
