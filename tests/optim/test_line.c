/* The search along a line, on functions of one variable with known minima. */
#include "optim/line.h"

#include <math.h>
#include <stddef.h>

#include "support.h"

/* f(t) - f(0), without cancellation near 0, and the slope. */
typedef double (*curve)(double t, double *slope);

/* Moré and Thuente 1994, "Line search algorithms with guaranteed sufficient decrease", section 5: functions 1 and 2. */
static double more_thuente_1(double t, double *slope)
{
    const double b = 2;
    *slope = (t * t - b) / ((t * t + b) * (t * t + b));
    return -t / (t * t + b);
}

static double more_thuente_2(double t, double *slope)
{
    const double b = 0.004;
    *slope = 5 * pow(t + b, 4) - 8 * pow(t + b, 3);
    return (pow(t + b, 5) - 2 * pow(t + b, 4)) - (pow(b, 5) - 2 * pow(b, 4));
}

static double parabola(double t, double *slope)
{
    *slope = 2 * (t - 3);
    return t * (t - 6);
}

/* Not a number from 1 on. */
static double wall(double t, double *slope)
{
    *slope = -1 + 1 / (1 - t) * 1e-3;
    return -t - 1e-3 * log(1 - t);
}

struct search {
    enum line_answer answer;
    double step, rise, slope, slope0;
    int trials;
};

static struct search run(curve f, double first, double curvature)
{
    double line[LINE_NUMBERS];
    struct search s = {.answer = LINE_GO_ON};
    f(0, &s.slope0);
    line_start(line, s.slope0, first, curvature);
    while (s.answer == LINE_GO_ON) {
        s.step = line[LINE_STEP];
        s.rise = f(s.step, &s.slope);
        s.answer = line_tell(line, s.rise, s.slope);
        s.trials++;
    }
    return s;
}

/* The definition, N&W equation 3.7: enough decrease, and a slope that has flattened. */
static void the_step_found_meets_the_strong_wolfe_conditions(void)
{
    const curve curves[] = {more_thuente_1, more_thuente_2, parabola, wall};
    const double firsts[] = {1e-3, 1e-1, 1, 10, 1e3}, curvatures[] = {0.9, 0.5};
    for (size_t c = 0; c < 4; c++)
        for (size_t f = 0; f < 5; f++)
            for (size_t k = 0; k < 2; k++) {
                struct search s = run(curves[c], firsts[f], curvatures[k]);
                CU_ASSERT_EQUAL(s.answer, LINE_FOUND);
                CU_ASSERT(s.rise <= 1e-4 * s.step * s.slope0);
                CU_ASSERT(fabs(s.slope) <= curvatures[k] * fabs(s.slope0));
                CU_ASSERT(s.trials <= 16);
            }
}

static void a_good_first_step_is_taken_at_once(void)
{
    CU_ASSERT_EQUAL(run(parabola, 3, 0.9).trials, 1);
    CU_ASSERT_EQUAL(run(parabola, 5.9, INFINITY).trials, 1); /* decrease is all that is asked for */
}

static void any_scale_is_reached_in_a_few_trials(void)
{
    for (int power = -100; power <= 50; power += 50) {
        struct search s = run(parabola, pow(10, power), 0.9);
        CU_ASSERT_EQUAL(s.answer, LINE_FOUND);
        CU_ASSERT(s.trials <= 16);
    }
    CU_ASSERT_EQUAL(run(wall, 1e10, INFINITY).answer, LINE_FOUND);
}

static double uphill(double t, double *slope)
{
    *slope = -1; /* a lie */
    return t;
}

static void a_slope_that_lies_is_found_out(void)
{
    CU_ASSERT_EQUAL(run(uphill, 1, 0.9).answer, LINE_FAILED);
}

TEST_MAIN("line", TEST(the_step_found_meets_the_strong_wolfe_conditions), TEST(a_good_first_step_is_taken_at_once),
          TEST(any_scale_is_reached_in_a_few_trials), TEST(a_slope_that_lies_is_found_out))
