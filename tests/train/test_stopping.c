/* Why a training ends: each rule, divergence, interruption; and what is kept. */
#include "support.h"

#include <math.h>
#include <string.h>

#include "train/lab.h"

static void line_data(void)
{
    double x[40], y[40];
    for (int i = 0; i < 40; i++) {
        x[i] = i;
        y[i] = 3 * i - 2 + (i % 5 - 2);
    }
    lab_write(test_path("line.h5"), x, y, 40, 1);
}

static void start(struct lab *lab)
{
    line_data();
    lab_job(lab, test_path("line.h5"), "mse", test_path("model.h5"));
    lab->job.optimizer.learning_rate = 0.01; /* slow and steady */
}

static void expect(struct lab *lab, enum gm_code code, const char *reason)
{
    struct gm_error err;
    CU_ASSERT_EQUAL(lab_train(lab, &err), code);
    CU_ASSERT_STRING_EQUAL(lab_summary()->stop_reason, reason);
}

static void max_epochs_counts_updates(void)
{
    struct lab lab;
    start(&lab);
    lab.job.stop.max_epochs = 7;
    expect(&lab, GM_OK, "max_epochs");
    CU_ASSERT_EQUAL(lab_summary()->epochs, 7);
    CU_ASSERT_EQUAL(lab_summary()->passes, 8); /* and the start */
}

static void loss_change_stops_after_patience(void)
{
    struct lab lab;
    start(&lab);
    lab.job.stop.loss_change = 0.5; /* a step at rate 0.01 improves by some 4 % only */
    lab.job.stop.patience = 3;
    expect(&lab, GM_OK, "loss_change");
    CU_ASSERT_EQUAL(lab_summary()->epochs, 3);
    lab.job.stop.patience = 100; /* small improvements add up to half */
    lab.job.stop.max_epochs = 60;
    expect(&lab, GM_OK, "max_epochs");
}

static void target_loss_and_gradient_norm_stop(void)
{
    struct lab lab;
    start(&lab);
    lab.job.stop.target_loss = 100;
    expect(&lab, GM_OK, "target_loss");
    CU_ASSERT(lab_summary()->objective <= 100 && lab_summary()->epochs > 1);
    start(&lab);
    lab.job.stop.gradient_norm = 5;
    expect(&lab, GM_OK, "gradient_norm");
    CU_ASSERT(lab_summary()->gradient_norm <= 5 && lab_summary()->epochs > 1);
}

static void max_time_stops(void)
{
    struct lab lab;
    start(&lab);
    lab.job.optimizer.learning_rate = 1e-9;
    lab.job.stop.max_epochs = 1000000000;
    lab.job.stop.max_time = 0.05;
    expect(&lab, GM_OK, "max_time");
    CU_ASSERT(lab_summary()->seconds >= 0.05 && lab_summary()->seconds < 60);
}

static void divergence_keeps_the_best_model(void)
{
    struct lab lab;
    struct gm_error err;
    start(&lab);
    lab.job.optimizer.learning_rate = 1e6;
    lab.job.stop.max_epochs = 100000;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_DIVERGED);
    ASSERT_HOLDS(err.text, "not finite");
    ASSERT_HOLDS(err.text, "learning_rate");
    CU_ASSERT_STRING_EQUAL(lab_summary()->stop_reason, "diverged");
    struct lab_model m = lab_read(test_path("model.h5"));
    CU_ASSERT(isfinite(m.coefficients[0]) && isfinite(m.intercept[0]));
    lab_free(&m);
}

static bool always(void *context)
{
    (void)context;
    return true;
}

static void an_interrupt_keeps_the_best_model(void)
{
    struct lab lab;
    struct gm_error err;
    struct gm_summary summary;
    start(&lab);
    const struct gm_watch watch = {.interrupted = always};
    CU_ASSERT_EQUAL(gm_train(&lab.job, &watch, &summary, &err), GM_INTERRUPTED);
    CU_ASSERT_STRING_EQUAL(summary.stop_reason, "interrupted");
    gm_summary_release(&summary);
    struct lab_model m = lab_read(test_path("model.h5"));
    CU_ASSERT_EQUAL(m.features, 1);
    lab_free(&m);
}

static void restore_best_chooses_what_is_kept(void)
{
    double loss[2];
    for (int restore = 0; restore < 2; restore++) {
        struct lab lab;
        struct gm_error err;
        start(&lab);
        lab.job.optimizer.learning_rate = 1.2; /* too large: every step is worse than the start */
        lab.job.stop.max_epochs = 5;
        lab.job.stop.restore_best = restore;
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        loss[restore] = lab_summary()->train.loss;
        CU_ASSERT_EQUAL(lab_summary()->best_epoch, 0);
    }
    CU_ASSERT(loss[1] < loss[0]);
}

TEST_MAIN("stopping", TEST(max_epochs_counts_updates), TEST(loss_change_stops_after_patience),
          TEST(target_loss_and_gradient_norm_stop), TEST(max_time_stops), TEST(divergence_keeps_the_best_model),
          TEST(an_interrupt_keeps_the_best_model), TEST(restore_best_chooses_what_is_kept))
