/* The stop rule on written-out sequences. Every expected epoch and reason was found by hand from the rule in stop.h. */
#include "optim/stop.h"

#include <math.h>

#include "support.h"

struct sequence {
    const char *about;
    const double *losses; /* the monitored loss of epochs 0, 1, ...; the last one repeats */
    size_t count;
    struct stop_rule rule;
    size_t epoch; /* expected end */
    enum stop_reason reason;
    size_t best_epoch;
};

#define OFF         NAN
#define LOSSES(...) (const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double)
#define RULE(change, rel, wait)                                                                         \
    {                                                                                                   \
        .max_epochs = 11, .loss_change = change, .relative = rel, .patience = wait, .target_loss = OFF, \
        .gradient_norm = OFF, .max_seconds = OFF                                                        \
    }

static const struct sequence sequences[] = {
    {"NaN first", LOSSES(NAN), RULE(0, true, 1), 0, STOP_DIVERGED, 0},
    {"Inf first", LOSSES(INFINITY), RULE(0, true, 1), 0, STOP_DIVERGED, 0},
    {"-Inf is no improvement", LOSSES(3, 2, -INFINITY), RULE(0, true, 1), 2, STOP_DIVERGED, 1},
    {"NaN in the middle", LOSSES(3, 2, NAN, 1), RULE(0, true, 5), 2, STOP_DIVERGED, 1},
    {"NaN at the last epoch", LOSSES(5, 4, 3, 2, 1, 1, 1, 1, 1, 1, 1, NAN), RULE(-1, true, 1), 11, STOP_DIVERGED, 4},
    {"equal values, patience 1", LOSSES(2, 2, 2), RULE(0, true, 1), 1, STOP_LOSS_CHANGE, 0},
    {"equal values, patience 3", LOSSES(2, 2, 2), RULE(0, false, 3), 3, STOP_LOSS_CHANGE, 0},
    {"equal values, rule off", LOSSES(2, 2, 2), RULE(-1, true, 1), 11, STOP_MAX_EPOCHS, 0},
    {"0: the smallest improvement counts", LOSSES(1, 0x1.fffffffffffffp-1, 0x1.ffffffffffffep-1, 0x1.ffffffffffffep-1),
     RULE(0, true, 1), 3, STOP_LOSS_CHANGE, 2},
    {"patience counts from the improvement", LOSSES(9, 8, 8, 7, 7, 7), RULE(0, true, 2), 5, STOP_LOSS_CHANGE, 3},
    {"a rise is no improvement", LOSSES(5, 6, 7, 8), RULE(0, true, 3), 3, STOP_LOSS_CHANGE, 0},
    {"absolute: exactly the threshold is not more", LOSSES(4, 3.5, 3, 2.5), RULE(0.5, false, 2), 4, STOP_LOSS_CHANGE,
     3},
    {"absolute: more than the threshold", LOSSES(4, 3, 2, 2), RULE(0.5, false, 1), 3, STOP_LOSS_CHANGE, 2},
    {"slow progress adds up", LOSSES(8, 7.75, 7.5, 7.25, 7, 7, 7), RULE(0.5, false, 3), 6, STOP_LOSS_CHANGE, 4},
    {"relative to the best", LOSSES(100, 89, 88, 70, 69), RULE(0.1, true, 1), 2, STOP_LOSS_CHANGE, 2},
    {"relative, best at 0: any improvement counts", LOSSES(1, 0, 0, 0), RULE(0.5, true, 2), 3, STOP_LOSS_CHANGE, 1},
    {"relative, best near 0", LOSSES(1e-300, 1e-301, 1e-302, 1e-302), RULE(0.5, true, 1), 3, STOP_LOSS_CHANGE, 2},
    {"relative, denormal", LOSSES(0x1p-1074, 0, 0), RULE(0.25, true, 1), 2, STOP_LOSS_CHANGE, 1},
    {"relative, through 0", LOSSES(1, -1, -1.5, -1.75), RULE(0.25, true, 1), 3, STOP_LOSS_CHANGE, 3},
    {"relative, negative best grows", LOSSES(-1, -1.125, -1.25, -1.375), RULE(0.25, true, 2), 2, STOP_LOSS_CHANGE, 2},
    {"relative threshold above 1", LOSSES(1, 0.5, 0.25), RULE(2, true, 2), 2, STOP_LOSS_CHANGE, 2},
    {"best is strict", LOSSES(3, 2, 2, 2), RULE(-1, true, 1), 11, STOP_MAX_EPOCHS, 1},
    {"patience 0 waits as 1", LOSSES(3, 3), RULE(0, true, 0), 1, STOP_LOSS_CHANGE, 0},
    {"target reached",
     LOSSES(3, 2, 1),
     {.max_epochs = 11, .loss_change = -1, .patience = 1, .target_loss = 2, .gradient_norm = OFF, .max_seconds = OFF},
     1,
     STOP_TARGET_LOSS,
     1},
    {"target at the start",
     LOSSES(3),
     {.max_epochs = 11, .loss_change = -1, .patience = 1, .target_loss = 3, .gradient_norm = OFF, .max_seconds = OFF},
     0,
     STOP_TARGET_LOSS,
     0},
    {"no epochs at all",
     LOSSES(3),
     {.max_epochs = 0, .loss_change = -1, .patience = 1, .target_loss = OFF, .gradient_norm = OFF, .max_seconds = OFF},
     0,
     STOP_MAX_EPOCHS,
     0},
};

static void stops_at_the_expected_epoch_for_the_expected_reason(void)
{
    for (size_t s = 0; s < sizeof sequences / sizeof *sequences; s++) {
        const struct sequence *q = &sequences[s];
        struct stop_state state;
        stop_init(&state);
        enum stop_reason reason = STOP_NONE;
        size_t epoch = 0, improved_last = 0;
        for (;; epoch++) {
            bool improved;
            size_t given = epoch < q->count ? epoch : q->count - 1;
            struct stop_epoch e = {.epoch = epoch, .monitored = q->losses[given], .objective = 1, .gradient_norm = OFF};
            reason = stop_update(&state, &q->rule, &e, &improved);
            if (improved)
                improved_last = epoch;
            if (reason != STOP_NONE || epoch > 20)
                break;
        }
        if (epoch != q->epoch || reason != q->reason || state.best_epoch != q->best_epoch)
            printf("\n    %s: epoch %zu, %s, best %zu", q->about, epoch, stop_reason_name(reason), state.best_epoch);
        CU_ASSERT_EQUAL(epoch, q->epoch);
        CU_ASSERT_EQUAL(reason, q->reason);
        CU_ASSERT_EQUAL(state.best_epoch, q->best_epoch);
        CU_ASSERT_EQUAL(improved_last, q->best_epoch);
    }
}

/* Everything holds at once; the reasons are taken away one by one. */
static void the_most_telling_reason_wins(void)
{
    struct stop_rule rule = {
        .max_epochs = 3, .loss_change = 0, .patience = 2, .target_loss = 1, .gradient_norm = 1, .max_seconds = 5};
    const struct stop_state waiting = {.best_loss = 0.5, .reference_loss = 0.5, .epochs_without = 1};
    struct stop_epoch e = {.epoch = 3, .monitored = 0.5, .objective = NAN, .gradient_norm = 0.5, .seconds = 6};
    struct stop_state state = waiting;
    bool improved = true;
    CU_ASSERT_EQUAL(stop_update(&state, &rule, &e, &improved), STOP_DIVERGED);
    CU_ASSERT_FALSE(improved);
    CU_ASSERT_EQUAL(state.epochs_without, 1); /* a diverged epoch leaves no trace */
    e.objective = 0.5;
    CU_ASSERT_EQUAL(stop_update(&state, &rule, &e, &improved), STOP_TARGET_LOSS);
    rule.target_loss = OFF;
    state = waiting;
    CU_ASSERT_EQUAL(stop_update(&state, &rule, &e, &improved), STOP_GRADIENT_NORM);
    rule.gradient_norm = OFF;
    state = waiting;
    CU_ASSERT_EQUAL(stop_update(&state, &rule, &e, &improved), STOP_LOSS_CHANGE);
    rule.loss_change = -1;
    state = waiting;
    CU_ASSERT_EQUAL(stop_update(&state, &rule, &e, &improved), STOP_MAX_EPOCHS);
    rule.max_epochs = 4;
    state = waiting;
    CU_ASSERT_EQUAL(stop_update(&state, &rule, &e, &improved), STOP_MAX_TIME);
    rule.max_seconds = 6; /* reached exactly */
    state = waiting;
    CU_ASSERT_EQUAL(stop_update(&state, &rule, &e, &improved), STOP_MAX_TIME);
    rule.max_seconds = OFF;
    state = waiting;
    CU_ASSERT_EQUAL(stop_update(&state, &rule, &e, &improved), STOP_NONE);
}

static void an_unknown_gradient_never_stops(void)
{
    const struct stop_rule rule = {.max_epochs = 9,
                                   .loss_change = -1,
                                   .patience = 1,
                                   .target_loss = OFF,
                                   .gradient_norm = 1e300,
                                   .max_seconds = OFF};
    struct stop_epoch e = {.monitored = 1, .objective = 1, .gradient_norm = NAN};
    struct stop_state state;
    bool improved;
    stop_init(&state);
    CU_ASSERT_EQUAL(stop_update(&state, &rule, &e, &improved), STOP_NONE);
    e.gradient_norm = INFINITY;
    CU_ASSERT_EQUAL(stop_update(&state, &rule, &e, &improved), STOP_NONE);
    e.gradient_norm = 0;
    CU_ASSERT_EQUAL(stop_update(&state, &rule, &e, &improved), STOP_GRADIENT_NORM);
}

/* The names are a contract: "stop_reason" of the log and the model. */
static void names_are_those_of_the_log(void)
{
    CU_ASSERT_STRING_EQUAL(stop_reason_name(STOP_LOSS_CHANGE), "loss_change");
    CU_ASSERT_STRING_EQUAL(stop_reason_name(STOP_MAX_EPOCHS), "max_epochs");
    CU_ASSERT_STRING_EQUAL(stop_reason_name(STOP_MAX_TIME), "max_time");
    CU_ASSERT_STRING_EQUAL(stop_reason_name(STOP_TARGET_LOSS), "target_loss");
    CU_ASSERT_STRING_EQUAL(stop_reason_name(STOP_GRADIENT_NORM), "gradient_norm");
    CU_ASSERT_STRING_EQUAL(stop_reason_name(STOP_DIVERGED), "diverged");
    CU_ASSERT_STRING_EQUAL(stop_reason_name(STOP_INTERRUPTED), "interrupted");
}

TEST_MAIN("stop", TEST(stops_at_the_expected_epoch_for_the_expected_reason), TEST(the_most_telling_reason_wins),
          TEST(an_unknown_gradient_never_stops), TEST(names_are_those_of_the_log))
