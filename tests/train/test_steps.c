/*
 * What a minibatch step can be: clipped, averaged, corrected (svrg), with a rate that follows a schedule. Expected
 * values are closed forms of least squares with one feature, worked out beside each test.
 */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "train/lab.h"

/* mean (w x - y)^2 over three rows, no intercept: a w^2 - 2 b w + c with a = mean x^2 = 14/3, b = mean x y = 25/3. */
#define A (14.0 / 3)
#define B (25.0 / 3)

static void plain(struct lab *lab, size_t epochs)
{
    static const double x[] = {1, 2, 3}, y[] = {2, 4, 5};
    const char *data = test_path("plain.h5");
    lab_write(data, x, y, 3, 1);
    lab_job(lab, data, "mse", test_path("model.h5"));
    lab->job.data.standardize = false;
    lab->job.model.intercept = false;
    lab->job.optimizer.type = GM_OPTIMIZER_SGD;
    lab->job.optimizer.learning_rate = 0.05;
    lab->job.stop.max_epochs = epochs;
    lab->job.stop.restore_best = false;
}

static double weight_after(struct lab *lab)
{
    struct gm_error err;
    CU_ASSERT_EQUAL(lab_train(lab, &err), GM_OK);
    printf("%s", err.text);
    struct lab_model m = lab_read(test_path("model.h5"));
    double w = m.coefficients[0];
    lab_free(&m);
    return w;
}

/* From 0 the slope is -2b = -16.67: clipped to 1 the step is the rate. Later, near b/a, nothing is clipped. */
static void a_gradient_that_is_too_long_is_scaled_down(void)
{
    struct lab lab;
    plain(&lab, 3);
    lab.job.optimizer.clip_norm = 1;
    ASSERT_CLOSE(weight_after(&lab), 0.15, 1e-14);
    lab.job.optimizer.clip_norm = 1000;
    double w = 0;
    for (int i = 0; i < 3; i++)
        w -= 0.05 * 2 * (A * w - B);
    ASSERT_CLOSE(weight_after(&lab), w, 1e-14);
    lab.job.optimizer.clip_norm = 5; /* the l2 term counts: |2 (a w - b) + l2 w| is compared */
    lab.job.optimizer.l2 = 2;
    w = 0;
    for (int i = 0; i < 3; i++) {
        double g = 2 * (A * w - B) + 2 * w;
        w -= 0.05 * g * fmin(1, 5 / fabs(g));
    }
    ASSERT_CLOSE(weight_after(&lab), w, 1e-14);
}

static void the_average_of_the_weights_is_the_model(void)
{
    double w = 0, sum = 0, decayed = 0, late = 0;
    for (int i = 0; i < 6; i++) {
        w -= 0.05 * 2 * (A * w - B);
        sum += w;
        late += i >= 4 ? w : 0;
        double weight = fmax(1 - 0.6, 1.0 / (i + 1)); /* optim/average.h: as in the plain mean at first */
        decayed += weight * (w - decayed);
    }
    struct lab lab;
    plain(&lab, 6);
    ASSERT_CLOSE(weight_after(&lab), w, 1e-14);
    lab.job.optimizer.average = GM_AVERAGE_UNIFORM;
    ASSERT_CLOSE(weight_after(&lab), sum / 6, 1e-14);
    lab.job.optimizer.average_start = 4;
    ASSERT_CLOSE(weight_after(&lab), late / 2, 1e-14);
    lab.job.optimizer.average_start = 0;
    lab.job.optimizer.average = GM_AVERAGE_DECAY;
    lab.job.optimizer.average_decay = 0.6;
    ASSERT_CLOSE(weight_after(&lab), decayed, 1e-14);
}

/* The validation loss is that of the averaged weights. */
static void the_average_is_what_is_validated(void)
{
    static const double x[] = {1, 2}, y[] = {3, 3};
    struct lab lab;
    plain(&lab, 4);
    lab_write(test_path("other.h5"), x, y, 2, 1);
    lab.job.data.validation.path = test_path("other.h5");
    lab.job.optimizer.average = GM_AVERAGE_UNIFORM;
    double w = weight_after(&lab);
    ASSERT_CLOSE(lab_summary()->validation_loss, ((w - 3) * (w - 3) + (2 * w - 3) * (2 * w - 3)) / 2, 1e-13);
}

/* norris by batches of 5 at a constant rate: NIST's certified slope. sgd stays in a ball around it. */
static void svrg_converges_where_sgd_does_not(void)
{
    double error[2];
    for (int svrg = 0; svrg < 2; svrg++) {
        struct lab lab;
        lab_job(&lab, lab_oracle("norris"), "mse", test_path("model.h5"));
        lab.job.optimizer.type = svrg ? GM_OPTIMIZER_SVRG : GM_OPTIMIZER_SGD;
        lab.job.optimizer.batch_size = 5;
        lab.job.optimizer.learning_rate = 0.05;
        lab.job.stop.max_epochs = 100;
        lab.job.stop.restore_best = false;
        error[svrg] = fabs(weight_after(&lab) / 1.00211681802045 - 1);
    }
    printf("[sgd %.0e, svrg %.0e] ", error[0], error[1]);
    CU_ASSERT(error[1] <= 1e-11);
    CU_ASSERT(error[0] > 1e-7);
}

static void svrg_finds_its_own_rate(void)
{
    struct lab lab;
    struct gm_error err;
    lab_job(&lab, lab_oracle("spector"), "logistic", NULL);
    lab.job.optimizer.type = GM_OPTIMIZER_SVRG;
    lab.job.optimizer.batch_size = 4;
    lab.job.stop.max_epochs = 300;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    /* tests/oracles/expected.json; the loss of an epoch is the mean over its steps */
    ASSERT_CLOSE(lab_summary()->train.loss, 0.402801069441607, 1e-5);
}

/* ---- schedules: optim/schedule.c's formulas, at the one step of each epoch ---- */

static double rates[8];

static void keep_rate(void *context, const struct gm_epoch *epoch)
{
    (void)context;
    if (epoch->epoch >= 1 && epoch->epoch <= 8)
        rates[epoch->epoch - 1] = epoch->learning_rate;
}

static void train_and_keep_rates(struct lab *lab)
{
    struct gm_summary summary;
    struct gm_error err;
    const struct gm_watch watch = {.epoch = keep_rate};
    CU_ASSERT_EQUAL(gm_train(&lab->job, &watch, &summary, &err), GM_OK);
    gm_summary_release(&summary);
}

static void the_rate_follows_its_schedule(void)
{
    struct lab lab;
    plain(&lab, 8);
    lab.job.optimizer.schedule = GM_SCHEDULE_STEP;
    lab.job.optimizer.step_factor = 0.5;
    lab.job.optimizer.step_epochs = 3;
    train_and_keep_rates(&lab);
    for (int e = 0; e < 8; e++)
        ASSERT_CLOSE(rates[e], 0.05 * (e < 3 ? 1 : e < 6 ? 0.5 : 0.25), 1e-15);
    lab.job.optimizer.schedule = GM_SCHEDULE_COSINE;
    train_and_keep_rates(&lab);
    for (int e = 0; e < 8; e++)
        ASSERT_CLOSE(rates[e], 0.05 * (1 + cos(3.14159265358979323846 * e / 8)) / 2, 1e-15);
    lab.job.optimizer.schedule = GM_SCHEDULE_INVERSE;
    lab.job.optimizer.decay = 0.5;
    lab.job.optimizer.warmup_epochs = 4;
    train_and_keep_rates(&lab);
    for (int e = 0; e < 8; e++)
        ASSERT_CLOSE(rates[e], 0.05 / (1 + 0.5 * e) * (e < 4 ? e / 4.0 : 1), 1e-15);
}

static void the_other_family_of_methods_refuses_these_keys(void)
{
    for (int average = 0; average < 2; average++) {
        struct lab lab;
        struct gm_error err;
        plain(&lab, 3);
        lab.job.optimizer.type = average ? GM_OPTIMIZER_LBFGS : GM_OPTIMIZER_GD;
        if (average)
            lab.job.optimizer.average = GM_AVERAGE_DECAY;
        else
            lab.job.optimizer.clip_norm = 1;
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_BAD_JOB);
        ASSERT_HOLDS(err.text, average ? "optimizer.average" : "optimizer.clip_norm");
    }
}

TEST_MAIN("steps", TEST(a_gradient_that_is_too_long_is_scaled_down), TEST(the_average_of_the_weights_is_the_model),
          TEST(the_average_is_what_is_validated), TEST(svrg_converges_where_sgd_does_not),
          TEST(svrg_finds_its_own_rate), TEST(the_rate_follows_its_schedule),
          TEST(the_other_family_of_methods_refuses_these_keys))
