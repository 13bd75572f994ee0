/* Sums of losses: values against the terms evaluated by hand, derivatives by the short check, errors. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "loss/check.h"
#include "loss/sum.h"

static const struct sum_request two[] = {
    {.name = "mse", .weight = 2, .first = 0, .end = 2},
    {.name = "logistic", .weight = 0.5, .first = 2, .end = 3},
};
static const struct sum_data three_columns = {.targets = 3};

static enum gm_code evaluate(const struct loss *loss, const double *pred, const double *target, size_t rows,
                             struct gm_loss_result *result, const double *theta)
{
    void *scratch;
    struct gm_loss_batch batch = loss_batch(loss);
    CU_ASSERT_EQUAL_FATAL(memory_alloc(&scratch, loss_scratch_bytes(loss, rows), 1, "scratch", NULL), GM_OK);
    batch.rows = rows;
    batch.pred = pred;
    batch.target = target;
    batch.theta = theta;
    batch.scratch = scratch;
    result->struct_size = sizeof *result;
    int status = loss->plugin->vtable.evaluate(&batch, result);
    memory_free(scratch);
    return status == GM_LOSS_OK ? GM_OK : GM_PLUGIN_BROKEN;
}

/* By hand: mse is the mean over its two outputs of d^2, logistic is log(1 + e^p) - t p. */
static void a_sum_is_the_weighted_sum_of_its_terms(void)
{
    const double pred[] = {1, 2, 0.5, -1, 0, -2}, target[] = {0, 4, 1, 1, 1, 0};
    double expected = 0, grad[6], expected_grad[6], row_loss[2];
    for (size_t row = 0; row < 2; row++) {
        const double *p = pred + 3 * row, *t = target + 3 * row;
        expected += 2 * 0.5 * ((p[0] - t[0]) * (p[0] - t[0]) + (p[1] - t[1]) * (p[1] - t[1]));
        expected += 0.5 * (log(1 + exp(p[2])) - t[2] * p[2]);
        expected_grad[3 * row] = 2 * (p[0] - t[0]);
        expected_grad[3 * row + 1] = 2 * (p[1] - t[1]);
        expected_grad[3 * row + 2] = 0.5 * (1 / (1 + exp(-p[2])) - t[2]);
    }
    struct loss loss;
    struct loss_sum sum;
    struct gm_error err = {0};
    struct gm_loss_result result = {.grad = grad, .row_loss = row_loss};
    CU_ASSERT_EQUAL_FATAL(sum_bind(&loss, &sum, two, 2, &three_columns, &err), GM_OK);
    CU_ASSERT_EQUAL(loss.outputs, 3);
    CU_ASSERT_EQUAL(evaluate(&loss, pred, target, 2, &result, NULL), GM_OK);
    ASSERT_CLOSE(result.loss, expected, 1e-14);
    ASSERT_CLOSE(row_loss[0] + row_loss[1], expected, 1e-14);
    for (size_t i = 0; i < 6; i++)
        ASSERT_CLOSE(grad[i], expected_grad[i], 1e-14);
    sum_release(&loss, &sum);
}

static void gradients_and_targets_of_a_sum_are_checked_like_a_plugins(void)
{
    struct loss loss;
    struct loss_sum sum;
    struct gm_error err = {0};
    CU_ASSERT_EQUAL_FATAL(sum_bind(&loss, &sum, two, 2, &three_columns, &err), GM_OK);
    CU_ASSERT_EQUAL(loss_check_quick(&loss, &err), GM_OK);
    const double bad[] = {0, 4, 1, 1, 1, 1.5};
    CU_ASSERT_EQUAL(loss_check_targets(&loss, bad, 1, 10, "y", &err), GM_OK);
    CU_ASSERT_EQUAL(loss_check_targets(&loss, bad, 2, 10, "y", &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "y row 11");
    ASSERT_HOLDS(err.text, "logistic");
    /* each column gets the link of its term: identity, identity, logit */
    double raw[] = {1, 2, log(3)};
    CU_ASSERT_EQUAL(loss_inverse_link(&loss, raw, 1, &err), GM_OK);
    ASSERT_CLOSE(raw[1], 2, 0);
    ASSERT_CLOSE(raw[2], 0.75, 1e-15);
    sum_release(&loss, &sum);
}

/* Kendall et al. 2018: exp(-s) L + s / 2 a row; derivatives by central differences. */
static void learned_weights_have_their_gradient(void)
{
    const double pred[] = {1, 2, 0.5, -1, 0, -2}, target[] = {0, 4, 1, 1, 1, 0};
    struct sum_request requests[] = {two[0], two[1]};
    struct loss loss;
    struct loss_sum sum;
    struct gm_error err = {0};
    double theta[] = {0.3, -0.4}, theta_grad[2] = {0};
    requests[0].weight = requests[1].weight = NAN;
    CU_ASSERT_EQUAL_FATAL(sum_bind(&loss, &sum, requests, 2, &three_columns, &err), GM_OK);
    CU_ASSERT_EQUAL_FATAL(loss.spec.n_theta, 2);
    struct gm_loss_result result = {.theta_grad = theta_grad}, plain = {0};
    CU_ASSERT_EQUAL(evaluate(&loss, pred, target, 2, &result, theta), GM_OK);
    for (size_t i = 0; i < 2; i++) {
        double h = 1e-5, before = theta[i];
        theta[i] = before + h;
        evaluate(&loss, pred, target, 2, &plain, theta);
        double above = plain.loss;
        theta[i] = before - h;
        evaluate(&loss, pred, target, 2, &plain, theta);
        theta[i] = before;
        ASSERT_CLOSE(theta_grad[i], (above - plain.loss) / (2 * h), 1e-8);
    }
    sum_release(&loss, &sum);
}

/* Cross-entropy of three outputs on a class in column 1 of the target, beside a squared error on column 0. */
static void a_term_may_look_at_other_columns_of_the_target(void)
{
    const struct sum_request requests[] = {
        {.name = "mse", .weight = 1, .first = 0, .end = 1, .target_first = 0, .target_end = 1},
        {.name = "cross_entropy",
         .weight = NAN,
         .first = 1,
         .end = 4,
         .target_first = 1,
         .target_end = 2,
         .classes = 3},
    };
    const struct sum_data data = {.targets = 2};
    const double pred[] = {3, 0.2, 0.5, 0.3}, target[] = {1, 2};
    struct loss loss;
    struct loss_sum sum;
    struct gm_error err = {0};
    double theta = 0, grad[4], raw[4], start = 7;
    CU_ASSERT_EQUAL_FATAL(sum_bind(&loss, &sum, requests, 2, &data, &err), GM_OK);
    CU_ASSERT_EQUAL(loss.outputs, 4);
    CU_ASSERT_EQUAL(loss.spec.n_theta, 1); /* one weight is learned, the other not */
    struct gm_loss_result result = {.grad = grad};
    CU_ASSERT_EQUAL(evaluate(&loss, pred, target, 1, &result, &theta), GM_OK);
    double whole = log(exp(0.2) + exp(0.5) + exp(0.3));
    ASSERT_CLOSE(result.loss, 4 + whole - 0.3, 1e-14);
    ASSERT_CLOSE(grad[0], 4, 1e-15);
    ASSERT_CLOSE(grad[3], exp(0.3 - whole) - 1, 1e-14);
    /* the mean of column 0; the logs of the class frequencies, all from class 2 here */
    struct gm_loss_batch batch = loss_batch(&loss);
    batch.rows = 1;
    batch.target = target;
    batch.theta = &start;
    CU_ASSERT_EQUAL(loss.plugin->vtable.baseline(&batch, raw), GM_LOSS_OK);
    CU_ASSERT_EQUAL(raw[0], 1);
    CU_ASSERT(raw[3] > raw[1]);
    const double bad[] = {1, 3};
    CU_ASSERT_EQUAL(loss_check_targets(&loss, bad, 1, 0, "y", &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "a class index from 0 to 2");
    sum_release(&loss, &sum);
}

static void nonsense_is_refused(void)
{
    struct loss loss;
    struct loss_sum sum;
    struct gm_error err = {0};
    const struct sum_request gap[] = {{.name = "mse", .weight = 1, .first = 0, .end = 1},
                                      {.name = "mse", .weight = 1, .first = 2, .end = 3}};
    CU_ASSERT_EQUAL(sum_bind(&loss, &sum, gap, 2, &three_columns, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "Output 1 belongs to no loss");
    const struct sum_request far = {.name = "mse", .weight = 1, .first = 2, .end = 4};
    CU_ASSERT_EQUAL(sum_bind(&loss, &sum, &far, 1, &three_columns, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "beyond the 3 columns");
    const struct sum_request negative = {.name = "mse", .weight = -1};
    CU_ASSERT_EQUAL(sum_bind(&loss, &sum, &negative, 1, &three_columns, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "its weight must be a finite number above 0");
    const struct sum_request empty = {.name = "mse", .weight = 1, .first = 2, .end = 1};
    CU_ASSERT_EQUAL(sum_bind(&loss, &sum, &empty, 1, &three_columns, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "its columns 2:1 hold nothing");
    CU_ASSERT_EQUAL(sum_bind(&loss, &sum, &empty, 0, &three_columns, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "A sum has 1 to 64 losses, not 0");
    const struct sum_data five = {.targets = 3, .outputs = 5};
    CU_ASSERT_EQUAL(sum_bind(&loss, &sum, two, 2, &five, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "The losses reach to output 3, the model has 5");
    const struct sum_request unknown[] = {{.name = "mse", .weight = 1}, {.name = "msee", .weight = 1}};
    CU_ASSERT_EQUAL(sum_bind(&loss, &sum, unknown, 2, &three_columns, &err), GM_PLUGIN_LOAD);
    CU_ASSERT_PTR_NULL(sum.terms);
    const struct sum_request outside = {
        .name = "mse", .weight = 1, .first = 0, .end = 1, .target_first = 3, .target_end = 4};
    CU_ASSERT_EQUAL(sum_bind(&loss, &sum, &outside, 1, &three_columns, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "not within the 3 columns");
    const struct sum_request coupled[] = {{.name = "listnet", .weight = 1}, {.name = "contrastive", .weight = 1}};
    CU_ASSERT_EQUAL(sum_bind(&loss, &sum, coupled, 2, &(struct sum_data){.targets = 1, .outputs = 1}, &err),
                    GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "do not go together");
}

static void the_text_names_every_term(void)
{
    struct loss loss;
    struct loss_sum sum;
    struct gm_error err = {0};
    char *text = NULL;
    CU_ASSERT_EQUAL_FATAL(sum_bind(&loss, &sum, two, 2, &three_columns, &err), GM_OK);
    CU_ASSERT_EQUAL(sum_text(&sum, &text, &err), GM_OK);
    CU_ASSERT_STRING_EQUAL(text,
                           "[{\"loss\":\"mse\",\"weight\":2,\"columns\":[0,2],\"target\":[0,2],\"params\":{}},"
                           "{\"loss\":\"logistic\",\"weight\":0.5,\"columns\":[2,3],\"target\":[2,3],\"params\":{}}]");
    memory_free(text);
    sum_release(&loss, &sum);
}

TEST_MAIN("sum", TEST(a_sum_is_the_weighted_sum_of_its_terms),
          TEST(gradients_and_targets_of_a_sum_are_checked_like_a_plugins), TEST(learned_weights_have_their_gradient),
          TEST(a_term_may_look_at_other_columns_of_the_target), TEST(nonsense_is_refused),
          TEST(the_text_names_every_term))
