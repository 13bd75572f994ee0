/* Parameters that waited, against the same steps without waiting, written out: also when the product of what l2 leaves
 * of a parameter would be too small for a number. */
#include "optim/lazy.h"

#include <math.h>

#include "drive.h"
#include "support.h"

enum { STEPS = 6000, EVERY = 211 };

/* Slope 1 each EVERY steps, at other steps the parameter is not touched; l2 halves it, and l1 takes a little. */
static void what_waits_long_is_made_good(void)
{
    const uint8_t penalised[] = {1};
    const double rate = 0.5, l1 = 1e-9, l2 = 1, slope = 1;
    struct optim_config config;
    struct gm_error err;
    struct lazy lazy;
    optim_config_init(&config, OPTIM_SGD);
    config.l1 = l1;
    config.l2 = l2;
    struct optim *o = optim_or_die(&config, 1, penalised);
    double w = 3, plain = 3;
    size_t caught = 0;
    CU_ASSERT_EQUAL_FATAL(lazy_init(&lazy, STEPS + 1, &err), GM_OK);
    for (size_t step = 1; step <= STEPS; step++) {
        bool touched = step % EVERY == 0;
        optim_step_begin(o, rate);
        lazy_step(&lazy, o);
        if (touched) {
            lazy_catch_up(&lazy, o, &w, 0, 1, (struct lazy_span){caught, lazy.steps - 1});
            optim_step_range(o, &w, &(double){slope + l2 * w}, 0, 1);
            caught = lazy.steps;
        }
        plain -= rate * ((touched ? slope : 0) + l2 * plain);
        plain = copysign(fmax(0, fabs(plain) - rate * l1), plain);
        if (step % EVERY == 3) { /* some steps later */
            lazy_catch_up(&lazy, o, &w, 0, 1, (struct lazy_span){caught, lazy.steps});
            caught = lazy.steps;
            ASSERT_CLOSE(w, plain, 1e-12);
            CU_ASSERT(step < EVERY || fabs(w) > 0.05);
        }
        if (lazy_is_full(&lazy)) {
            lazy_catch_up(&lazy, o, &w, 0, 1, (struct lazy_span){caught, lazy.steps});
            lazy_restart(&lazy);
            caught = 0;
        }
    }
    lazy_release(&lazy);
    optim_free(o);
}

/* What is no number stays none, as in a step over all parameters: training sees it. Where nothing is known of a slope
 * (its squares are 0, and epsilon too) a penalty takes all. */
static void what_is_no_number_stays_none(void)
{
    static const enum optim_method methods[] = {OPTIM_SGD, OPTIM_MOMENTUM, OPTIM_ADAGRAD, OPTIM_ADAM, OPTIM_ADAMW};
    static const double penalties[][2] = {{0, 0.1}, {0.1, 0}, {0.1, 0.1}};
    const uint8_t penalised[] = {1, 1};
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++)
        for (size_t p = 0; p < 3; p++) {
            struct optim_config config;
            struct gm_error err;
            struct lazy lazy;
            double w[] = {NAN, 0.5};
            optim_config_init(&config, methods[m]);
            config.l1 = penalties[p][0];
            config.l2 = penalties[p][1];
            config.epsilon = 0;
            struct optim *o = optim_or_die(&config, 2, penalised);
            CU_ASSERT_EQUAL_FATAL(lazy_init(&lazy, 4, &err), GM_OK);
            optim_step_begin(o, 0.125);
            lazy_step(&lazy, o);
            lazy_catch_up(&lazy, o, w, 0, 2, (struct lazy_span){0, 1});
            CU_ASSERT(isnan(w[0]));
            CU_ASSERT(m < 2 ? w[1] > 0 && w[1] < 0.5 : w[1] == 0);
            lazy_release(&lazy);
            optim_free(o);
        }
}

TEST_MAIN("lazy", TEST(what_waits_long_is_made_good), TEST(what_is_no_number_stays_none))
