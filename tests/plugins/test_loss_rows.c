/*
 * The loops of loss_rows.h against the definition of their results written out: weighted losses in eight strands for
 * each strip of 128 elements, and a formula in two steps (via) against the same in one. All by their bits, for every
 * length up to some strips, every number of outputs, with and without weights and second derivatives.
 */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3") /* the loops are to be vectorised in every preset */
#endif
#include <math.h>
#include <string.h>

#include <gradmill/loss_rows.h>

#include "support.h"

enum { MOST = 300 };

GM_INLINE struct gm_point whole(double pred, double target, const double *constant)
{
    return (struct gm_point){constant[0] * gm_softplus(pred) - target * pred, gm_sigmoid(pred) - target,
                             gm_sigmoid_slope(pred)};
}

GM_INLINE double via(double pred, double target, const double *constant)
{
    (void)target, (void)constant;
    return gm_exp(-gm_abs(pred));
}

GM_INLINE struct gm_point rest(double pred, double target, double e, const double *constant)
{
    return (struct gm_point){constant[0] * gm_softplus_from(pred, e) - target * pred, gm_sigmoid_from(pred, e) - target,
                             gm_sigmoid_slope_from(e)};
}

static const double constant[] = {1.25};

GM_LOSS_KERNEL static int in_one(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    return gm_pointwise(b, r, whole, constant);
}

GM_LOSS_KERNEL static int in_two(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    return gm_pointwise_via(b, r, via, rest, constant);
}

struct results {
    double loss, grad[MOST], hess[MOST], row[MOST];
};

/* The definition, element by element. */
static void expect(const struct gm_loss_batch *b, struct results *out)
{
    const size_t count = b->rows * b->outputs;
    memset(out, 0, sizeof *out);
    for (size_t at = 0; at < count; at += 128) {
        double strand[8] = {0};
        for (size_t j = at; j < count && j < at + 128; j++) {
            const struct gm_point p = whole(b->pred[j], b->target[j], constant);
            const double weight = b->weight ? b->weight[j / b->outputs] / (double)b->outputs : 1.0 / (double)b->outputs;
            strand[(j - at) % 8] += weight * p.loss;
            out->grad[j] = weight * p.slope;
            out->hess[j] = weight * p.curve;
            out->row[j / b->outputs] += p.loss / (double)b->outputs;
        }
        out->loss +=
            ((strand[0] + strand[4]) + (strand[2] + strand[6])) + ((strand[1] + strand[5]) + (strand[3] + strand[7]));
    }
}

static bool same(const double *a, const double *b, size_t n)
{
    return memcmp(a, b, n * sizeof *a) == 0;
}

/* What was asked for is as defined, and nothing behind it is touched. */
static bool agrees(int (*evaluate)(const struct gm_loss_batch *, struct gm_loss_result *),
                   const struct gm_loss_batch *b, const struct results *expected, bool grad, bool all)
{
    static struct results got;
    struct gm_loss_result r = {.struct_size = sizeof r, .grad = grad ? got.grad : NULL};
    memset(&got, 0, sizeof got);
    if (all) {
        r.hess_diag = got.hess;
        r.row_loss = got.row;
    }
    const int code = evaluate(b, &r);
    return code == GM_LOSS_OK && same(&r.loss, &expected->loss, 1) && (!grad || same(got.grad, expected->grad, MOST)) &&
           (!all || (same(got.hess, expected->hess, MOST) && same(got.row, expected->row, b->rows)));
}

static void compare(size_t outputs, bool weighted)
{
    static double pred[MOST], target[MOST], weight[MOST];
    static struct results expected;
    for (size_t i = 0; i < MOST; i++) {
        pred[i] = 40.0 * sin((double)(i * i)) * exp(-(double)(i % 11));
        target[i] = (double)(i % 3) / 2.0;
        weight[i] = (double)(i % 5);
    }
    size_t wrong = 0;
    for (size_t rows = 0; rows * outputs <= MOST; rows++) {
        const struct gm_loss_batch b = {.struct_size = sizeof b,
                                        .rows = rows,
                                        .outputs = outputs,
                                        .targets = outputs,
                                        .pred = pred,
                                        .target = target,
                                        .weight = weighted ? weight : NULL};
        expect(&b, &expected);
        wrong += !agrees(in_one, &b, &expected, true, false) + !agrees(in_two, &b, &expected, true, false);
        wrong += !agrees(in_one, &b, &expected, false, false) + !agrees(in_two, &b, &expected, false, false);
        wrong += !agrees(in_one, &b, &expected, true, true) + !agrees(in_two, &b, &expected, true, true);
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void every_length_is_as_defined(void)
{
    for (size_t outputs = 1; outputs <= 5; outputs++) {
        compare(outputs, false);
        compare(outputs, true);
    }
}

/* ---- rows of shares ---- */

enum { SHARES = 24 * 200 };

/* logsumexp(f pred) / f - pred[0], whose gradient is the shares but for the first. constant: f. */
GM_INLINE double share_loss(const struct gm_row *row, const double *f)
{
    for (size_t k = 0; row->grad && k < row->outputs; k++)
        row->grad[k] = row->share[k] - (k == 0 ? 1.0 : 0.0);
    gm_softmax_hess(row, row->share, f[0]);
    return row->top + row->log_sum / f[0] - row->pred[0];
}

GM_LOSS_KERNEL static int together(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    return gm_rowwise_softmax(b, r, share_loss, &b->param[0].real, b->param[0].real);
}

static double shares[SHARES];

/* The same, a row at a time, its shares computed where they are used. */
GM_INLINE double alone_loss(const struct gm_row *row, const double *f)
{
    struct gm_row whole_row = *row;
    double most = row->pred[0];
    for (size_t k = 1; k < row->outputs; k++)
        most = f[0] > 0 ? gm_max(most, row->pred[k]) : gm_min(most, row->pred[k]);
    for (size_t k = 0; k < row->outputs; k++)
        shares[k] = gm_exp(f[0] * (row->pred[k] - most));
    const double sum = gm_sum(shares, row->outputs);
    gm_scale(shares, row->outputs, 1.0 / sum);
    whole_row.share = shares;
    whole_row.top = most;
    whole_row.log_sum = gm_log(sum);
    return share_loss(&whole_row, f);
}

static int alone(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    return gm_rowwise(b, r, alone_loss, &b->param[0].real);
}

static void shares_are_those_of_single_rows(void)
{
    static double pred[SHARES], weight[24], grad[2][SHARES], hess[2][SHARES], scratch[SHARES];
    for (size_t i = 0; i < SHARES; i++)
        pred[i] = 30.0 * sin((double)(i * i));
    for (size_t i = 0; i < 24; i++)
        weight[i] = (double)(i % 4);
    size_t wrong = 0;
    for (size_t outputs = 2; outputs <= 200; outputs += outputs < 20 ? 1 : 36)
        for (size_t rows = 0; rows <= 24; rows++)
            for (int way = 0; way < 4; way++) {
                const union gm_loss_value f = {.real = way / 2 ? -0.75 : 1.0};
                const struct gm_loss_batch b = {.struct_size = sizeof b,
                                                .rows = rows,
                                                .outputs = outputs,
                                                .pred = pred,
                                                .param = &f,
                                                .scratch = scratch,
                                                .weight = way % 2 ? weight : NULL};
                struct gm_loss_result one = {.struct_size = sizeof one, .grad = grad[0], .hess_diag = hess[0]};
                struct gm_loss_result two = {.struct_size = sizeof two, .grad = grad[1], .hess_diag = hess[1]};
                wrong += GM_SOFTMAX_BYTES(outputs) > sizeof scratch || together(&b, &one) || alone(&b, &two) ||
                         !same(&one.loss, &two.loss, 1) || !same(grad[0], grad[1], rows * outputs) ||
                         !same(hess[0], hess[1], rows * outputs);
            }
    CU_ASSERT_EQUAL(wrong, 0);
    const double published[] = {1, 2, 3}; /* softmax of 1, 2, 3: 0.09003057, 0.24472847, 0.66524096 */
    const union gm_loss_value f = {.real = 1.0};
    const struct gm_loss_batch b = {
        .struct_size = sizeof b, .rows = 1, .outputs = 3, .pred = published, .param = &f, .scratch = scratch};
    struct gm_loss_result r = {.struct_size = sizeof r, .grad = grad[0]};
    CU_ASSERT_EQUAL(together(&b, &r), GM_LOSS_OK);
    ASSERT_CLOSE(grad[0][0] + 1, 0.09003057317038046, 1e-15);
    ASSERT_CLOSE(grad[0][2], 0.6652409557748219, 1e-15);
    ASSERT_CLOSE(r.loss, 2.4076059644443806, 1e-15); /* log(1 + e + e^2) */
}

TEST_MAIN("loss_rows", TEST(every_length_is_as_defined), TEST(shares_are_those_of_single_rows))
