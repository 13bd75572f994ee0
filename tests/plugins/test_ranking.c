/* Losses over the rows of a group. Expected values by hand or by plain double loops here. */
#include <math.h>

#include "plugins/harness.h"
#include "support.h"

enum { N = 7 };
static const double pred[N] = {0.5, -1, 2, 0.25, 1.5, -0.75, 0};
static const double target[N] = {2, 0, 1, 1, 3, 0, 0};
static const int64_t group[N] = {8, 8, 8, 8, 3, 3, 3};

static double value(const char *id, const char *params, const double *weight)
{
    struct harness h;
    struct gm_loss_result r = {.struct_size = sizeof r, .loss = NAN};
    CU_ASSERT_EQUAL(harness_open(&h, &(struct subject){.id = id, .params = params}), 0);
    struct gm_loss_batch b = harness_batch(&h, N, pred, target);
    b.group = group;
    b.weight = weight;
    CU_ASSERT_EQUAL(h.loss->evaluate(&b, &r), GM_LOSS_OK);
    harness_close(&h);
    return r.loss;
}

/* The sum over pairs of stake(i, j) log(1 + e^(pred_j - pred_i)) of rows first .. first + n - 1. */
static double pairs(size_t first, size_t n, double (*stake)(size_t first, size_t n, size_t i, size_t j), double *count)
{
    double sum = 0;
    *count = 0;
    for (size_t i = first; i < first + n; i++)
        for (size_t j = first; j < first + n; j++)
            if (target[i] > target[j]) {
                sum += stake(first, n, i, j) * log1p(exp(pred[j] - pred[i]));
                *count += 1;
            }
    return sum;
}

static double one(size_t first, size_t n, size_t i, size_t j)
{
    (void)first, (void)n, (void)i, (void)j;
    return 1;
}

static double ndcg(size_t first, size_t n, size_t i, size_t j)
{
    double best = 0, discount[N];
    for (size_t k = first; k < first + n; k++) {
        size_t above = 0, before = 0;
        for (size_t l = first; l < first + n; l++) {
            above += target[l] > target[k] || (target[l] == target[k] && l < k);
            before += pred[l] > pred[k];
        }
        best += (exp2(target[k]) - 1) / log2(2.0 + (double)above);
        discount[k] = 1 / log2(2.0 + (double)before);
    }
    return fabs((exp2(target[i]) - exp2(target[j])) * (discount[i] - discount[j])) / best;
}

static void pairwise_logistic_is_right(void)
{
    double a, b, first = pairs(0, 4, one, &a), second = pairs(4, 3, one, &b);
    harness_check(&(struct subject){.id = "pairwise_logistic"});
    ASSERT_CLOSE(value("pairwise_logistic", NULL, NULL), 4 * first / a + 3 * second / b, 1e-14);
}

static void lambdarank_is_right(void)
{
    double count, expected = 4 * pairs(0, 4, ndcg, &count) + 3 * pairs(4, 3, ndcg, &count);
    harness_check(&(struct subject){.id = "lambdarank", .low = 0, .high = 4});
    harness_check(&(struct subject){.id = "lambdarank", .low = 0, .high = 4, .params = "truncation=2 gain=1"});
    ASSERT_CLOSE(value("lambdarank", NULL, NULL), expected, 1e-14);
    harness_check_bounds(&(struct subject){.id = "lambdarank"}, "truncation", 10, -1);
}

static void listnet_is_right(void)
{
    double expected = 0;
    harness_check(&(struct subject){.id = "listnet"});
    for (size_t first = 0; first < N; first += 4) {
        size_t n = first ? 3 : 4;
        double want = 0, have = 0;
        for (size_t i = first; i < first + n; i++) {
            want += exp(target[i]);
            have += exp(pred[i]);
        }
        for (size_t i = first; i < first + n; i++)
            expected -= (double)n * exp(target[i]) / want * log(exp(pred[i]) / have);
    }
    ASSERT_CLOSE(value("listnet", NULL, NULL), expected, 1e-14);
}

/* A row of weight 0 is as good as not there, whatever it holds. */
static void rows_of_no_weight_are_left_out(void)
{
    static const double weight[N] = {1, 1, 0, 1, 2, 2, 2};
    double left_out = value("pairwise_logistic", NULL, weight);
    /* rows 0, 1, 3: pairs 0>1, 0>3, 3>1; the second group has weight 2 */
    double first = log1p(exp(-1.5)) + log1p(exp(-0.25)) + log1p(exp(-1.25)), count;
    double second = pairs(4, 3, one, &count);
    ASSERT_CLOSE(left_out, first + 2 * 3 * second / count, 1e-14);
}

TEST_MAIN("ranking", TEST(pairwise_logistic_is_right), TEST(lambdarank_is_right), TEST(listnet_is_right),
          TEST(rows_of_no_weight_are_left_out))
