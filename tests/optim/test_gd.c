/* Gradient descent with a given rate, and what optim_create accepts. Values exact in binary, worked out by hand. */
#include "optim/optim.h"

#include <math.h>
#include <string.h>

#include "drive.h"
#include "support.h"

static const uint8_t penalised[] = {1, 0};

static struct optim_config fixed(double rate)
{
    struct optim_config config;
    optim_config_init(&config, OPTIM_GD);
    config.learning_rate = rate;
    return config;
}

static void a_step_is_rate_times_gradient_then_the_threshold(void)
{
    struct optim_config config = fixed(0.25);
    config.l1 = 2;
    struct optim *o = optim_or_die(&config, 2, penalised);
    double w[] = {3, 3};
    const double start[] = {3, 3};
    CU_ASSERT_EQUAL(optim_tell(o, w, 1, (const double[]){4, 4}), OPTIM_ACCEPTED);
    CU_ASSERT_EQUAL(memcmp(optim_iterate(o), start, sizeof start), 0);
    CU_ASSERT_EQUAL(w[0], 1.5);
    CU_ASSERT_EQUAL(w[1], 2);
    CU_ASSERT_EQUAL(optim_last_rate(o), 0.25);
    CU_ASSERT_EQUAL(optim_tell(o, w, 2, (const double[]){5, -8}), OPTIM_ACCEPTED); /* a rise is accepted */
    CU_ASSERT_EQUAL(w[0], 0);
    CU_ASSERT_EQUAL(w[1], 4);
    optim_free(o);
}

static void schedules_count_the_epochs_inside(void)
{
    struct optim_config config = fixed(1);
    config.schedule = SCHEDULE_INVERSE;
    config.decay = 1;
    config.warmup_epochs = 2;
    const double rates[] = {0.5, 0.5, 1.0 / 3, 0.25}; /* 1/2 * 1, 1 * 1/2, 1/3, 1/4 */
    struct optim *o = optim_or_die(&config, 2, penalised);
    double w[] = {0, 0};
    for (size_t epoch = 0; epoch < 4; epoch++) {
        optim_tell(o, w, 0, (const double[]){1, 1});
        CU_ASSERT_EQUAL(optim_last_rate(o), rates[epoch]);
    }
    optim_free(o);
}

static void too_large_a_rate_diverges_for_the_stop_rule_to_see(void)
{
    struct optim_config config = fixed(4);
    struct optim *o = optim_or_die(&config, 1, penalised);
    double w = 1;
    int epochs = 0; /* w grows by -7: beyond the largest double, 2^1024, after 1024 / log2(7) = 365 */
    for (; isfinite(w) && epochs < 1000; epochs++)
        CU_ASSERT_EQUAL(optim_tell(o, &w, w * w, (const double[]){2 * w}), OPTIM_ACCEPTED);
    CU_ASSERT_EQUAL(epochs, 365);
    optim_free(o);
}

static void it_says_when_no_bit_moves_any_more(void)
{
    struct optim_config config = fixed(0.25);
    struct optim *o = optim_or_die(&config, 1, penalised);
    double w = 1;
    enum optim_verdict verdict = OPTIM_ACCEPTED;
    int epochs = 0;
    while (verdict == OPTIM_ACCEPTED && epochs++ < 200)
        verdict = optim_tell(o, &w, (w - 3) * (w - 3), (const double[]){2 * (w - 3)});
    CU_ASSERT_EQUAL(verdict, OPTIM_STUCK);
    ASSERT_CLOSE(w, 3, 1e-15);
    optim_free(o);
}

static void numbers_out_of_range_are_refused_by_name(void)
{
    struct optim *o;
    struct gm_error err;
    struct optim_config config = fixed(-1);
    CU_ASSERT_EQUAL(optim_create(&o, &config, 2, penalised, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "learning_rate");
    CU_ASSERT_PTR_NULL(o);
    config = fixed(1);
    config.l1 = NAN;
    CU_ASSERT_EQUAL(optim_create(&o, &config, 2, penalised, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "l1 is nan, expected at least 0 and below inf");
    config = fixed(1);
    config.schedule = SCHEDULE_STEP;
    config.step_epochs = 0;
    CU_ASSERT_EQUAL(optim_create(&o, &config, 2, penalised, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "step_epochs is 0, expected a number above 0");
    optim_config_init(&config, OPTIM_ADAM);
    config.beta2 = 1;
    CU_ASSERT_EQUAL(optim_create(&o, &config, 2, penalised, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "adam");
    ASSERT_HOLDS(err.text, "beta2");
    optim_config_init(&config, OPTIM_ADAM);
    CU_ASSERT_EQUAL(optim_create(&o, &config, SIZE_MAX / 4, penalised, &err), GM_SYSTEM);
    CU_ASSERT_PTR_NULL(o);
}

/* The list of optimizer types is a contract with job files. */
static void methods_are_named_as_in_job_files(void)
{
    const char *const names[] = {"gd",      "sgd",  "momentum", "nesterov", "adagrad",
                                 "rmsprop", "adam", "adamw",    "lbfgs",    "newton"};
    for (int m = OPTIM_GD; m <= OPTIM_NEWTON; m++) {
        CU_ASSERT_STRING_EQUAL(optim_method_name((enum optim_method)m), names[m]);
        bool full = m == OPTIM_GD || m >= OPTIM_LBFGS;
        CU_ASSERT_EQUAL(optim_is_full_batch((enum optim_method)m), full);
        CU_ASSERT_EQUAL(isnan(optim_default_rate((enum optim_method)m)), full);
    }
}

TEST_MAIN("gd", TEST(a_step_is_rate_times_gradient_then_the_threshold), TEST(schedules_count_the_epochs_inside),
          TEST(too_large_a_rate_diverges_for_the_stop_rule_to_see), TEST(it_says_when_no_bit_moves_any_more),
          TEST(numbers_out_of_range_are_refused_by_name), TEST(methods_are_named_as_in_job_files))
