/*
 * newton and lbfgs through the whole trainer, against published answers (tests/oracles/README.md); what newton refuses;
 * the same bits whatever the machine does.
 */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/random.h"
#include "datasets/datasets.h"
#include "train/lab.h"

static const enum gm_optimizer methods[] = {GM_OPTIMIZER_LBFGS, GM_OPTIMIZER_NEWTON};

static json_t *expected(const char *name)
{
    static json_t *all;
    if (!all)
        all = json_load_file(test_source("tests/oracles/expected.json"), 0, NULL);
    return json_object_get(all, name);
}

/* Largest relative error of the coefficients and the intercept. */
static double error_of(const char *name, const char *path)
{
    struct lab_model m = lab_read(path);
    json_t *truth = expected(name), *coefficients = json_object_get(truth, "coefficients");
    CU_ASSERT_EQUAL(json_array_size(coefficients), m.features);
    double worst = 0;
    for (size_t j = 0; j < m.features; j++) {
        double value = json_number_value(json_array_get(coefficients, j));
        worst = fmax(worst, fabs(m.coefficients[j] - value) / fabs(value));
    }
    json_t *intercept = json_object_get(truth, "intercept");
    double value = json_number_value(intercept);
    worst = fmax(worst, json_is_null(intercept) ? fabs(m.intercept[0]) : fabs(m.intercept[0] - value) / fabs(value));
    lab_free(&m);
    return worst;
}

struct oracle {
    const char *name, *loss;
    double tolerance;
};

static void reaches(const struct oracle *o)
{
    for (size_t k = 0; k < 2; k++) {
        struct lab lab;
        struct gm_error err;
        const char *model = test_path("known.h5");
        lab_job(&lab, lab_oracle(o->name), o->loss, model);
        lab.job.optimizer.type = methods[k];
        lab.job.stop.max_epochs = 3000;
        lab.job.model.intercept = !json_is_null(json_object_get(expected(o->name), "intercept"));
        struct gm_setting power = {"power", "1.5"};
        if (!strcmp(o->loss, "tweedie")) {
            lab.loss.params = &power;
            lab.loss.n_params = 1;
        }
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        double error = error_of(o->name, model);
        printf("\n    %s %s: %.1e after %zu epochs", k ? "newton" : "lbfgs", o->name, error, lab_summary()->epochs);
        CU_ASSERT(error <= o->tolerance);
        CU_ASSERT(!lab_summary()->undetermined);
        CU_ASSERT_STRING_EQUAL(lab_summary()->stop_reason, "loss_change");
    }
}

/* NIST StRD. The Wamplers as far as their condition of 2.7e6 and residuals up to 1e7 times the coefficients allow. */
static void least_squares_reach_the_certified_coefficients(void)
{
    const struct oracle cases[] = {{"norris", "mse", 1e-9},   {"pontius", "mse", 1e-9},  {"longley", "mse", 1e-9},
                                   {"wampler1", "mse", 1e-8}, {"wampler2", "mse", 1e-8}, {"wampler3", "mse", 1e-8},
                                   {"wampler4", "mse", 1e-7}, {"wampler5", "mse", 1e-5}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        reaches(&cases[i]);
}

/* cpunish is published to 7 digits, fair to 8 or 9. */
static void generalised_linear_models_reach_the_published_coefficients(void)
{
    const struct oracle cases[] = {{"spector", "logistic", 1e-8},
                                   {"randhie", "poisson", 1e-8},
                                   {"cancer", "gamma", 1e-8},
                                   {"cpunish", "poisson", 5e-7},
                                   {"fair", "tweedie", 2e-8}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        reaches(&cases[i]);
}

static void they_reach_the_published_losses(void)
{
    for (size_t k = 0; k < 2; k++) {
        struct lab lab;
        struct gm_error err;
        lab_job(&lab, lab_oracle("birthweight"), "logistic", NULL);
        lab.job.optimizer.type = methods[k];
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        ASSERT_CLOSE(lab_summary()->train_loss,
                     json_number_value(json_object_get(expected("birthweight"), "mean_loss")), 1e-13);
        lab_job(&lab, lab_oracle("randhie"), "poisson", NULL);
        lab.job.optimizer.type = methods[k];
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        ASSERT_CLOSE(lab_summary()->train_loss,
                     json_number_value(json_object_get(expected("randhie"), "mean_mu_minus_y_eta")), 1e-12);
    }
}

static char notes[4096];

static void keep_note(void *context, const char *text)
{
    (void)context;
    snprintf(notes + strlen(notes), sizeof notes - strlen(notes), "%s\n", text);
}

/* Filip's correlation matrix is singular in double. */
static void filip_is_not_claimed_to_be_solved(void)
{
    const char *data = lab_oracle("filip");
    for (size_t k = 0; k < 2; k++) {
        struct lab lab;
        struct gm_error err;
        struct gm_summary summary;
        const struct gm_watch watch = {.note = keep_note};
        lab_job(&lab, data, "mse", test_path("known.h5"));
        lab.job.optimizer.type = methods[k];
        notes[0] = 0;
        CU_ASSERT_EQUAL(gm_train(&lab.job, &watch, &summary, &err), GM_OK);
        CU_ASSERT(error_of("filip", test_path("known.h5")) > 0.1);
        CU_ASSERT(summary.undetermined);
        ASSERT_HOLDS(notes, "not converged");
        gm_summary_release(&summary);
    }
}

/* ---- several outputs, weights, held-out rows: newton and lbfgs share no code that finds the minimum ---- */

static const char *classes_data(void)
{
    static bool made;
    const char *path = test_path("classes.h5");
    struct gm_error err;
    struct make_options options = {.rows = 1501, .features = 23, .classes = 4, .noise = 0.1, .seed = 3};
    if (!made)
        CU_ASSERT_EQUAL_FATAL(make_classification(path, &options, &err), GM_OK);
    made = true;
    return path;
}

static void agree(void (*adjust)(struct gm_job *), const char *loss, double tolerance)
{
    struct lab_model m[2];
    double objective[2];
    for (size_t k = 0; k < 2; k++) {
        struct lab lab;
        struct gm_error err;
        lab_job(&lab, classes_data(), loss, test_path("known.h5"));
        lab.job.optimizer.type = methods[k];
        lab.job.optimizer.l2 = 0.01;
        lab.job.data.validation_fraction = 0.3;
        lab.job.stop.monitor = GM_MONITOR_TRAIN;
        lab.job.stop.max_epochs = 2000;
        adjust(&lab.job);
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        objective[k] = lab_summary()->objective;
        if (k)
            CU_ASSERT(lab_summary()->epochs < 25);
        m[k] = lab_read(test_path("known.h5"));
    }
    ASSERT_CLOSE(objective[1], objective[0], 1e-12);
    for (size_t i = 0; i < m[0].outputs * m[0].features; i++)
        ASSERT_CLOSE(m[1].coefficients[i], m[0].coefficients[i], tolerance);
    lab_free(&m[0]);
    lab_free(&m[1]);
}

static void as_it_is(struct gm_job *job)
{
    (void)job;
}
static void without_intercept(struct gm_job *job)
{
    job->model.intercept = false;
}
static void on_raw_features(struct gm_job *job)
{
    job->data.standardize = false;
}

static void softmax_has_the_minimum_that_lbfgs_finds(void)
{
    agree(as_it_is, "cross_entropy", 1e-7);
    agree(without_intercept, "cross_entropy", 1e-7);
    agree(on_raw_features, "cross_entropy", 1e-7);
}

/* ---- Hessians of some of the rows: 140,000 rows are enough for samples of half of them ---- */

enum { MANY = 140000 };

/* Feature 0 is even, 1 is what only the first rows have, or no row has it with `rare` 0. */
static const char *many_rows(size_t rare)
{
    const char *path = test_path("many.h5");
    const struct random_key key = {5, RANDOM_CHECK, 0};
    double *x = calloc((size_t)MANY * 2, sizeof *x), *y = calloc(MANY, sizeof *y);
    for (size_t i = 0; i < MANY; i++) {
        x[2 * i] = 2 * random_uniform(key, 3 * i) - 1;
        x[2 * i + 1] = i < rare ? random_uniform(key, 3 * i + 1) : 0;
        y[i] = random_uniform(key, 3 * i + 2) < 1 / (1 + exp(1 - 3 * x[2 * i] + x[2 * i + 1]));
    }
    lab_write(path, x, y, MANY, 2);
    free(x);
    free(y);
    return path;
}

/* lbfgs knows no Hessian. */
static void samples_of_many_rows_have_the_minimum_that_lbfgs_finds(void)
{
    static const size_t rare[] = {MANY, 40};
    for (size_t i = 0; i < 2; i++) {
        const char *data = many_rows(rare[i]);
        struct lab_model m[2];
        for (size_t k = 0; k < 2; k++) {
            struct lab lab;
            struct gm_error err;
            lab_job(&lab, data, "logistic", test_path("known.h5"));
            lab.job.optimizer.type = methods[k];
            lab.job.stop.gradient_norm = 1e-9;
            CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
            CU_ASSERT(!lab_summary()->undetermined);
            if (k)
                CU_ASSERT(lab_summary()->epochs < 25);
            m[k] = lab_read(test_path("known.h5"));
        }
        for (size_t j = 0; j < 2; j++)
            ASSERT_CLOSE(m[1].coefficients[j], m[0].coefficients[j], 1e-6);
        ASSERT_CLOSE(m[1].intercept[0], m[0].intercept[0], 1e-6);
        lab_free(&m[0]);
        lab_free(&m[1]);
    }
}

/* ---- the same bits ---- */

static void same_bits(const char *data, const char *loss, void (*adjust)(struct gm_job *))
{
    static const int threads[] = THREADS_COMPARED;
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        struct lab lab;
        struct gm_error err;
        lab_job(&lab, data, loss, test_path(i ? "other.h5" : "first.h5"));
        lab.job.optimizer.type = GM_OPTIMIZER_NEWTON;
        lab.job.stop.max_epochs = 3;
        adjust(&lab.job);
        lab.job.run.threads = threads[i];
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        if (i)
            CU_ASSERT(lab_same_bytes(test_path("first.h5"), test_path("other.h5")));
    }
}

static void held_out_in_float32(struct gm_job *job)
{
    job->run.precision = GM_FLOAT32;
    job->data.validation_fraction = 0.25;
}

static void in_float32(struct gm_job *job)
{
    job->run.precision = GM_FLOAT32;
}

static void newton_gives_the_same_bits_on_any_threads(void)
{
    same_bits(classes_data(), "cross_entropy", as_it_is);
    same_bits(classes_data(), "cross_entropy", held_out_in_float32);
    double x[] = {1, 2, 3, 5, 8, 13}, y[] = {1, 0, 2};
    lab_write(test_path("few.h5"), x, y, 3, 2);
    same_bits(test_path("few.h5"), "huber", in_float32);
    same_bits(many_rows(MANY), "logistic", held_out_in_float32);
}

/* ---- notes and refusals ---- */

/* With a Hessian that is 1 where the true one is less, newton is gradient descent in the metric of X'X (Boehning and
 * Lindsay 1988): slower, and at the same minimum. */
static void what_a_loss_does_not_tell_newton_is_said(void)
{
    enum { ROWS = 60, FEATURES = 3 };
    double x[ROWS * FEATURES], y[ROWS * 2], objective[2];
    const struct random_key key = {7, RANDOM_CHECK, 0};
    for (size_t i = 0; i < ROWS * FEATURES; i++)
        x[i] = random_normal(key, i);
    for (size_t i = 0; i < ROWS * 2; i++)
        y[i] = x[i] + random_normal(key, 1000 + i);
    for (size_t targets = 1; targets <= 2; targets++)
        for (size_t k = 0; k < 2; k++) {
            char name[300];
            struct lab lab;
            struct gm_error err;
            struct gm_summary summary;
            const struct gm_watch watch = {.note = keep_note};
            snprintf(name, sizeof name, "%s/tests/plugins/bound_of_diagonal.so", getenv("GRADMILL_BUILD"));
            lab_write_wide(test_path("noted.h5"), x, y, NULL, (const size_t[]){ROWS, FEATURES, targets});
            lab_job(&lab, test_path("noted.h5"), name, NULL);
            lab.job.optimizer.type = methods[k];
            notes[0] = 0;
            CU_ASSERT_EQUAL(gm_train(&lab.job, &watch, &summary, &err), GM_OK);
            objective[k] = summary.objective;
            gm_summary_release(&summary);
            CU_ASSERT_EQUAL(strstr(notes, "gives a bound of its second derivative") != NULL, k == 1);
            CU_ASSERT_EQUAL(strstr(notes, "each output alone") != NULL, k == 1 && targets == 2);
            if (k)
                ASSERT_CLOSE(objective[1], objective[0], 1e-9);
        }
}

static void refuses(const char *data, const char *loss, uint64_t memory, const char *words)
{
    struct lab lab;
    struct gm_error err;
    lab_job(&lab, data, loss, NULL);
    lab.job.optimizer.type = GM_OPTIMIZER_NEWTON;
    lab.job.run.memory = memory;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, words);
    ASSERT_HOLDS(err.text, "lbfgs");
}

static void what_newton_cannot_do_is_said_before_training(void)
{
    refuses(lab_oracle("norris"), "mae", 0, "kinks");
    refuses(lab_oracle("norris"), "quantile", 0, "kinks");
    enum { FEATURES = 1500 };
    static double x[2 * FEATURES], y[2] = {0, 1};
    for (size_t i = 0; i < 2 * FEATURES; i++)
        x[i] = random_normal((struct random_key){1, RANDOM_CHECK, 0}, i);
    lab_write(test_path("wide.h5"), x, y, 2, FEATURES);
    refuses(test_path("wide.h5"), "mse", (uint64_t)20 << 20, "run.memory");
    struct lab lab;
    struct gm_error err;
    lab_job(&lab, lab_oracle("norris"), "mse", NULL);
    lab.job.optimizer.type = GM_OPTIMIZER_NEWTON;
    lab.job.optimizer.l1 = 0.1;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "smooth");
}

TEST_MAIN("newton", TEST(least_squares_reach_the_certified_coefficients),
          TEST(generalised_linear_models_reach_the_published_coefficients), TEST(they_reach_the_published_losses),
          TEST(filip_is_not_claimed_to_be_solved), TEST(softmax_has_the_minimum_that_lbfgs_finds),
          TEST(samples_of_many_rows_have_the_minimum_that_lbfgs_finds), TEST(what_a_loss_does_not_tell_newton_is_said),
          TEST(newton_gives_the_same_bits_on_any_threads), TEST(what_newton_cannot_do_is_said_before_training))
