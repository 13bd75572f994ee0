/* Checks of rows that count for nothing or more than once, of bad rows, and of extreme predictions. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "loss/check_kit.h"

static double size_of(const double *values, size_t count)
{
    double size = 0;
    for (size_t i = 0; i < count; i++)
        size += fabs(values[i]);
    return size;
}

static void require_near(struct check *c, double found, double expected, double scale, const char *what)
{
    if (!(fabs(found - expected) <= 1e-12 * (scale + fabs(expected))))
        check_fail(c, "%s: %.17g instead of %.17g.", what, found, expected);
}

/* ---- weights ---- */

/* Weights three times as large: everything three times as large, and, for independent rows, what three copies give. */
static void try_three(struct check *c)
{
    size_t rows = 20, outputs = c->shape.outputs;
    struct sample ones = sample_make(c, rows, 1), threes = sample_room(c, rows), copies = sample_room(c, 3 * rows);
    struct outcome a = outcome_make(c), b = outcome_make(c), d = outcome_make(c);
    for (size_t row = 0; row < rows; row++) {
        ones.weight[row] = 1;
        sample_copy_row(c, &threes, row, &ones, row);
        threes.weight[row] = 3;
        for (size_t k = 0; k < 3; k++)
            sample_copy_row(c, &copies, 3 * row + k, &ones, row);
    }
    check_evaluate(c, &ones, WANT_ALL, &a);
    check_evaluate(c, &threes, WANT_ALL, &b);
    double scale = 1e-3 * size_of(a.grad, rows * outputs);
    require_near(c, b.loss, 3 * a.loss, fabs(a.loss) + 1,
                 "The loss with all weights 3, against three times the one with 1");
    for (size_t i = 0; i < rows * outputs; i++) {
        require_near(c, b.grad[i], 3 * a.grad[i], scale,
                     "grad of a row with weight 3, against three times the one with 1");
        if (a.hess_diag)
            require_near(c, b.hess_diag[i], 3 * a.hess_diag[i], 1, "hess_diag of a row with weight 3");
    }
    for (size_t i = 0; a.hess && i < rows * outputs * outputs; i++)
        require_near(c, b.hess[i], 3 * a.hess[i], 1, "hess of a row with weight 3");
    for (size_t i = 0; a.theta_grad && i < c->loss.spec.n_theta; i++)
        require_near(c, b.theta_grad[i], 3 * a.theta_grad[i], rows, "theta_grad with all weights 3");
    for (size_t row = 0; a.row_loss && row < rows; row++)
        require_near(c, b.row_loss[row], a.row_loss[row], 0,
                     "row_loss of a row with weight 3 (the weight is not in it)");
    if (c->loss.spec.coupling != GM_ROWS_INDEPENDENT)
        return;
    check_evaluate(c, &copies, WANT_ALL, &d);
    require_near(c, d.loss, b.loss, fabs(a.loss) + 1, "The loss of three copies of the rows, against weights of 3");
}

static size_t first_not_zero(const double *values, size_t count)
{
    size_t i = 0;
    while (i < count && values[i] == 0)
        i++;
    return i;
}

static void try_all_zero(struct check *c)
{
    size_t rows = 20, count = rows * c->shape.outputs;
    struct sample s = sample_make(c, rows, 1);
    struct outcome o = outcome_make(c);
    memset(s.weight, 0, rows * sizeof *s.weight);
    check_evaluate(c, &s, WANT_ALL, &o);
    if (o.loss != 0)
        check_fail(c, "With all weights 0 the loss is %g; it must be exactly 0.", o.loss);
    if (first_not_zero(o.grad, count) < count)
        check_fail(c, "With all weights 0 grad is %g somewhere; it must be exactly 0.",
                   o.grad[first_not_zero(o.grad, count)]);
    if (o.hess_diag && first_not_zero(o.hess_diag, count) < count)
        check_fail(c, "With all weights 0 hess_diag is not exactly 0.");
    if (o.theta_grad && first_not_zero(o.theta_grad, c->loss.spec.n_theta) < c->loss.spec.n_theta)
        check_fail(c, "With all weights 0 theta_grad is not exactly 0.");
}

/* Units whose rows all have weight 0 change nothing in the others. */
static void try_some_zero(struct check *c)
{
    size_t rows = 30, outputs = c->shape.outputs, kept = 0, unit = 0;
    struct sample s = sample_make(c, rows, 1), rest = sample_room(c, rows);
    struct outcome a = outcome_make(c), b = outcome_make(c);
    size_t *from = check_memory(c, rows, sizeof *from);
    for (size_t first = 0, end; first < rows; first = end, unit++) {
        end = sample_unit_end(c, &s, first);
        for (size_t row = first; row < end; row++)
            if (unit % 3 == 1)
                s.weight[row] = 0;
            else {
                from[kept] = row;
                sample_copy_row(c, &rest, kept++, &s, row);
            }
    }
    rest.rows = kept;
    check_evaluate(c, &s, WANT_ALL, &a);
    check_evaluate(c, &rest, WANT_ALL, &b);
    require_near(c, a.loss, b.loss, fabs(b.loss) + 1,
                 "The loss with rows of weight 0, against the one without these rows");
    for (size_t row = 0; row < kept; row++)
        if (!same_bits(a.grad + from[row] * outputs, b.grad + row * outputs, outputs))
            check_fail(c, "Rows of weight 0 change grad of another row.");
    for (size_t row = 0; row < rows; row++)
        if (s.weight[row] == 0 && first_not_zero(a.grad + row * outputs, outputs) < outputs)
            check_fail(c, "grad of a row of weight 0 is not exactly 0.");
}

static void try_no_weights(struct check *c)
{
    size_t rows = 20;
    struct sample s = sample_make(c, rows, 1);
    struct outcome a = outcome_make(c), b = outcome_make(c);
    for (size_t row = 0; row < rows; row++)
        s.weight[row] = 1;
    check_evaluate(c, &s, WANT_ALL, &a);
    check_call(c, &(struct call){.sample = &s, .want = WANT_ALL, .no_weight = true}, &b);
    if (b.status != GM_LOSS_OK)
        check_fail(c, "Without weights (weight == NULL) evaluate returns %d.", b.status);
    require_near(c, b.loss, a.loss, 1, "The loss without weights, against weights of 1");
    for (size_t i = 0; i < rows * c->shape.outputs; i++)
        require_near(c, b.grad[i], a.grad[i], 1, "grad without weights, against weights of 1");
}

void check_weights(struct check *c)
{
    try_three(c);
    try_all_zero(c);
    if (c->loss.spec.coupling != GM_ROWS_BATCH)
        try_some_zero(c);
    try_no_weights(c);
}

/* ---- NaN and infinity in one row ---- */

/* A unit in the middle; of groups, one that is large enough for its rows to meet. */
static size_t pick_unit(struct check *c, const struct sample *s, size_t *end)
{
    size_t best = 0, length = 0;
    for (size_t first = 0, next; first < s->rows; first = next) {
        next = sample_unit_end(c, s, first);
        if (next - first > length || (next - first == length && first < s->rows / 2)) {
            best = first;
            length = next - first;
        }
    }
    *end = best + length;
    return best;
}

static void try_bad(struct check *c, double bad, bool must_be_nan)
{
    size_t rows = 41, outputs = c->shape.outputs, end;
    struct sample s = sample_make(c, rows, 1);
    struct outcome clean = outcome_make(c), o = outcome_make(c);
    size_t first = pick_unit(c, &s, &end), row = first + (end - first) / 2, output = check_below(c, outputs);
    check_evaluate(c, &s, WANT_ALL, &clean);
    s.pred[row * outputs + output] = bad;
    check_call(c, &(struct call){.sample = &s, .want = WANT_ALL}, &o);
    if (o.status != GM_LOSS_OK) /* an error is as good as a NaN */
        return;
    if (must_be_nan && !isnan(o.loss))
        check_fail(
            c,
            "One prediction is NaN (row %zu, output %zu), and the loss is %.9g: the NaN is hidden. Comparisons with "
            "NaN are false; let it through.",
            row, output, o.loss);
    if (must_be_nan && o.row_loss && first + 1 == end && !isnan(o.row_loss[row]))
        check_fail(c, "The prediction of row %zu is NaN, its row_loss is %.9g.", row, o.row_loss[row]);
    for (size_t other = 0; other < rows; other++)
        if ((other < first || other >= end) &&
            (!same_bits(o.grad + other * outputs, clean.grad + other * outputs, outputs) ||
             (o.row_loss && !same_bits(o.row_loss + other, clean.row_loss + other, 1))))
            check_fail(c, "A prediction of %g in row %zu changes the results of row %zu.", bad, row, other);
}

void check_nan(struct check *c)
{
    for (int i = 0; i < 4; i++) {
        try_bad(c, NAN, true);
        try_bad(c, INFINITY, false);
        try_bad(c, -INFINITY, false);
    }
}

/* ---- extremes ---- */

void check_extremes(struct check *c)
{
    static const double sizes[] = {0, DBL_TRUE_MIN, DBL_MIN / 3, 1e-30, 40, 700, 1e8, 1e300};
    size_t outputs = c->shape.outputs, rows = 24, end;
    struct outcome o = outcome_make(c);
    for (size_t i = 0; i < 4 * sizeof sizes / sizeof *sizes; i++) {
        double value = (i % 2 ? -1 : 1) * sizes[i / 4];
        struct sample s = sample_make(c, rows, 1);
        size_t first = pick_unit(c, &s, &end), row = first + (end - first) / 2;
        for (size_t k = 0; k < outputs; k++)
            if (i / 2 % 2 == 0 || k == 0)
                s.pred[row * outputs + k] = value;
        check_call(c, &(struct call){.sample = &s, .want = WANT_ALL}, &o);
        double sum = 0;
        for (size_t k = first * outputs; k < end * outputs; k++)
            sum += 0 * o.grad[k]; /* 0, or NaN when one is not finite */
        bool is_finite = o.status == GM_LOSS_OK && isfinite(o.loss) && sum == 0;
        if (!is_finite && fabs(value) <= 40)
            check_fail(
                c,
                "At pred = %g (target = %.6g) the loss is %g and grad %s. Up to 40 every loss can be computed: look "
                "for exp, log or a quotient that overflows (gradmill/loss_math.h has stable ones).",
                value, c->shape.targets ? s.target[row * c->shape.targets] : NAN, o.loss,
                sum == 0 ? "finite" : "not finite");
        if (!is_finite && fabs(value) <= 1e8)
            check_warn(c, "not finite from pred = %g on (loss %g)", value, o.loss);
    }
}
