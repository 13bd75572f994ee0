/*
 * Losses that learn parameters of their own, trained with the model: against published fits and closed forms.
 */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/random.h"
#include "train/lab.h"

static double truth(const char *set, const char *name, int index)
{
    static json_t *all;
    if (!all)
        all = json_load_file(test_source("tests/oracles/expected.json"), 0, NULL);
    json_t *value = json_object_get(json_object_get(all, set), name);
    return json_number_value(index < 0 ? value : json_array_get(value, (size_t)index));
}

/* For a model of two classes the cumulative logit P(class 0) = 1 / (1 + exp(pred - t)) is logistic regression with
 * intercept -t: Spector and Mazzeo's data, whose exact optimum the oracles hold. */
static void check_spector(enum gm_optimizer optimizer)
{
    struct lab lab;
    struct gm_error err;
    lab_job(&lab, lab_oracle("spector"), "ordinal", test_path("spector-model.h5"));
    lab.job.model.intercept = false;
    lab.job.optimizer.type = optimizer;
    lab.job.stop.max_epochs = 20000;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    struct lab_model m = lab_read(test_path("spector-model.h5"));
    CU_ASSERT_EQUAL_FATAL(m.n_theta, 1);
    for (int j = 0; j < 3; j++)
        ASSERT_CLOSE(m.coefficients[j], truth("spector", "coefficients", j), 1e-6);
    ASSERT_CLOSE(-m.theta[0], truth("spector", "intercept", -1), 1e-6);
    ASSERT_CLOSE(lab_summary()->train_loss, truth("spector", "mean_loss", -1), 1e-11);
    CU_ASSERT_EQUAL(lab_summary()->parameters, 4);
    lab_free(&m);
}

static void ordinal_of_two_classes_is_logistic_regression(void)
{
    check_spector(GM_OPTIMIZER_LBFGS);
    check_spector(GM_OPTIMIZER_GD);
}

/* Maximum likelihood of a normal error: s is the log of the mean squared residual, which NIST certifies. */
static void uncertainty_learns_the_log_variance(void)
{
    struct lab lab;
    struct gm_error err;
    lab_job(&lab, lab_oracle("norris"), "uncertainty", test_path("norris-model.h5"));
    lab.job.optimizer.type = GM_OPTIMIZER_LBFGS;
    lab.job.stop.max_epochs = 2000;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    struct lab_model m = lab_read(test_path("norris-model.h5"));
    CU_ASSERT_EQUAL_FATAL(m.n_theta, 1);
    ASSERT_CLOSE(m.coefficients[0], truth("norris", "coefficients", 0), 1e-8);
    ASSERT_CLOSE(m.intercept[0], truth("norris", "intercept", -1), 1e-7);
    ASSERT_CLOSE(m.theta[0], log(2 * truth("norris", "half_mse", -1)), 1e-8);
    lab_free(&m);
}

/* Two columns of errors with deviations 1 and 100: each s is the log variance of its own column, and the weights are
 * those of two regressions apart. Learned on a sample, so to its error: 4 deviations of the log of a mean square. */
static void tasks_on_different_scales_learn_their_own_weights(void)
{
    enum { ROWS = 2000 };
    double *x = malloc(2 * ROWS * sizeof *x), *y = malloc(2 * ROWS * sizeof *y);
    struct random_key key = {3, RANDOM_CHECK, 0};
    for (size_t i = 0; i < ROWS; i++) {
        x[2 * i] = random_normal(key, 4 * i);
        x[2 * i + 1] = random_normal(key, 4 * i + 1);
        y[2 * i] = x[2 * i] + random_normal(key, 4 * i + 2);
        y[2 * i + 1] = 300 * x[2 * i + 1] + 100 * random_normal(key, 4 * i + 3);
    }
    lab_write_wide(test_path("tasks.h5"), x, y, NULL, (const size_t[]){ROWS, 2, 2});
    struct lab lab;
    struct gm_error err;
    lab_job(&lab, test_path("tasks.h5"), "uncertainty", test_path("tasks-model.h5"));
    lab.job.optimizer.type = GM_OPTIMIZER_LBFGS;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    struct lab_model m = lab_read(test_path("tasks-model.h5"));
    CU_ASSERT_EQUAL_FATAL(m.n_theta, 2);
    CU_ASSERT(fabs(m.theta[0]) < 4 * sqrt(2.0 / ROWS));
    CU_ASSERT(fabs(m.theta[1] - log(1e4)) < 4 * sqrt(2.0 / ROWS));
    CU_ASSERT(fabs(m.coefficients[3] - 300) < 4 * 100 / sqrt(ROWS));
    lab_free(&m);
    free(x);
    free(y);
}

/* Barron's loss is a log-likelihood whose family holds, as alpha -> 2, the normal one: the learned fit is at least as
 * likely. NIST's residuals give the normal likelihood: log(s) + 1/2 + log(2 pi)/2, s the root mean square. */
static void barron_is_at_least_as_likely_as_the_normal_error(void)
{
    struct lab lab;
    struct gm_error err;
    lab_job(&lab, lab_oracle("norris"), "barron", test_path("barron.h5"));
    lab.job.optimizer.type = GM_OPTIMIZER_LBFGS;
    lab.job.stop.max_epochs = 3000;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    double normal = 0.5 * log(2 * truth("norris", "half_mse", -1)) + 0.5 + 0.5 * log(2 * acos(-1.0));
    CU_ASSERT(lab_summary()->train_loss <= normal + 1e-5);
    CU_ASSERT(lab_summary()->gradient_norm < 1e-5);
    struct lab_model m = lab_read(test_path("barron.h5"));
    CU_ASSERT_EQUAL(m.n_theta, 2);
    lab_free(&m);
}

/* l1 of any size drives every weight to zero, and would drive what the loss learned there too. */
static void penalties_leave_what_a_loss_learns_alone(void)
{
    struct lab lab;
    struct gm_error err;
    lab_job(&lab, lab_oracle("norris"), "uncertainty", test_path("penalised.h5"));
    lab.job.optimizer.l1 = 1e6;
    lab.job.optimizer.l2 = 1e6;
    lab.job.stop.max_epochs = 5000;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    struct lab_model m = lab_read(test_path("penalised.h5"));
    CU_ASSERT_EQUAL(m.coefficients[0], 0);
    /* what is left is the variance of the target: half_mse / (1 - r2) is half of it */
    ASSERT_CLOSE(m.theta[0], log(2 * truth("norris", "half_mse", -1) / (1 - truth("norris", "r2", -1))), 1e-6);
    lab_free(&m);
}

static void every_method_trains_them(void)
{
    for (int type = GM_OPTIMIZER_GD; type <= GM_OPTIMIZER_LBFGS; type++) {
        struct lab lab;
        struct gm_error err;
        double start, end;
        lab_job(&lab, lab_oracle("spector"), "ordinal", NULL);
        lab.job.optimizer.type = (enum gm_optimizer)type;
        lab.job.optimizer.batch_size = type == GM_OPTIMIZER_GD || type == GM_OPTIMIZER_LBFGS ? 0 : 8;
        lab.job.stop.restore_best = false;
        lab.job.stop.max_epochs = 1;
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        start = lab_summary()->train.loss;
        lab.job.stop.max_epochs = 200;
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        end = lab_summary()->train.loss;
        CU_ASSERT(end < start - 0.02 && end < 0.45);
    }
}

static void hear(void *context, const char *name, const char *text)
{
    if (text && strcmp(name, "learned") == 0)
        snprintf(context, 64, "%s", text);
}

static void a_saved_model_knows_what_was_learned(void)
{
    struct lab lab;
    struct gm_error err;
    const char *data = lab_oracle("spector"), *path = test_path("saved.h5");
    lab_job(&lab, data, "ordinal", path);
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    struct gm_model *model = NULL;
    struct gm_metrics metrics = {0};
    char learned[64] = "";
    CU_ASSERT_EQUAL_FATAL(gm_model_open(&model, path, NULL, &err), GM_OK);
    CU_ASSERT(gm_model_gives_class(model));
    CU_ASSERT_EQUAL(gm_evaluate(model, &(struct gm_data){.path = data}, NULL, &metrics, &err), GM_OK);
    ASSERT_CLOSE(metrics.loss, lab_summary()->train_loss, 1e-12); /* the training said so, on its way there */
    CU_ASSERT_EQUAL(metrics.accuracy, lab_summary()->train.accuracy);
    CU_ASSERT(metrics.accuracy > 0.75); /* Spector and Mazzeo: 26 of 32 */
    CU_ASSERT_EQUAL(gm_inspect(path, hear, learned, &err), GM_OK);
    struct lab_model m = lab_read(path);
    ASSERT_CLOSE(strtod(learned, NULL), m.theta[0], 1e-15);
    lab_free(&m);
    gm_metrics_release(&metrics);
    gm_model_close(model);
}

TEST_MAIN("learned", TEST(ordinal_of_two_classes_is_logistic_regression), TEST(uncertainty_learns_the_log_variance),
          TEST(tasks_on_different_scales_learn_their_own_weights),
          TEST(barron_is_at_least_as_likely_as_the_normal_error), TEST(penalties_leave_what_a_loss_learns_alone),
          TEST(every_method_trains_them), TEST(a_saved_model_knows_what_was_learned))
