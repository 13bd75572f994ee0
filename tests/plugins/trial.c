/* Random rows, and what a loss promises of them besides its derivatives. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/trial.h"
#include "support.h"

static unsigned long long state = 7;
double trial_uniform(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) * 0x1p-53;
}

static double draw_target(const struct harness *h, const struct subject *s)
{
    const bool whole = s->flags & SUBJECT_WHOLE || h->spec.target_rule & GM_TARGET_INTEGER;
    if (h->spec.target_kind == GM_TARGET_CLASS)
        return floor(trial_uniform() * (double)h->classes);
    double low = s->low, high = s->high;
    if (low == 0 && high == 0) {
        low = h->spec.target_kind == GM_TARGET_MULTILABEL ? 0 : -2;
        high = low < 0 ? 2 : 1;
    }
    return whole ? low + floor(trial_uniform() * (high - low + 1)) : low + (high - low) * trial_uniform();
}

void trial_fill(struct trial *t, struct harness *h, const struct subject *s)
{
    static const size_t group_of[ROWS] = {0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 4, 4, 5};
    const bool plain = s->pred_low == 0 && s->pred_high == 0;
    const double low = plain ? -2 : s->pred_low, high = plain ? 2 : s->pred_high;
    memset(t, 0, sizeof *t);
    t->h = h;
    t->id = s->id;
    for (size_t i = 0; i < ROWS * h->outputs; i++)
        t->pred[i] = low + (high - low) * trial_uniform();
    for (size_t i = 0; i < ROWS * h->targets; i++)
        t->target[i] = draw_target(h, s);
    for (size_t i = 0; i < ROWS; i++) {
        t->weight[i] = 0.25 + 2 * trial_uniform();
        t->group[i] = (int64_t)group_of[i];
    }
}

double trial_evaluate(struct trial *t, size_t first, size_t rows, unsigned want)
{
    struct harness *h = t->h;
    const size_t outputs = h->outputs;
    struct gm_loss_batch b = harness_batch(h, rows, t->pred + first * outputs, t->target + first * h->targets);
    struct gm_loss_result r = {.struct_size = sizeof r, .loss = NAN};
    b.weight = t->weight + first;
    b.group = h->spec.coupling == GM_ROWS_GROUPED ? t->group + first : NULL;
    memset(t->theta_grad, 0, sizeof t->theta_grad);
    r.grad = want & WANT_GRAD ? t->grad + first * outputs : NULL;
    r.theta_grad = want & WANT_THETA && h->spec.n_theta ? t->theta_grad : NULL;
    if (want & WANT_DIAG && h->spec.gives & GM_GIVES_HESS_DIAG)
        r.hess_diag = t->diag + first * outputs;
    if (want & WANT_HESS && h->spec.gives & GM_GIVES_HESS)
        r.hess = t->hess + first * outputs * outputs;
    if (want & WANT_ROW && h->spec.gives & GM_GIVES_ROW_LOSS)
        r.row_loss = t->row_loss + first;
    CU_ASSERT_EQUAL(h->loss->evaluate(&b, &r), GM_LOSS_OK);
    return r.loss;
}

void trial_report(bool fine, const struct trial *t, const char *what, size_t at, double got, double want)
{
    if (!fine)
        printf("\n    %s: %s, element %zu: %.17g against %.17g", t->id, what, at, got, want);
    CU_ASSERT(fine);
}

/* ---- the other promises ---------------------------------------------------------------------------------------- */

static void same_bits(const struct trial *t, const char *what, const double *a, const double *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        trial_report(memcmp(a + i, b + i, sizeof *a) == 0, t, what, i, a[i], b[i]);
}

/* Outputs of the whole are the outputs of the parts, bit for bit. */
void trial_blocks(struct trial *t)
{
    const size_t outputs = t->h->outputs;
    static const size_t cuts[] = {0, 1, 5, 10, 13, ROWS}; /* between groups */
    static struct trial whole;
    double sum = 0;
    if (t->h->spec.coupling == GM_ROWS_BATCH)
        return;
    double loss = trial_evaluate(t, 0, ROWS, WANT_ALL);
    whole = *t;
    for (size_t i = 0; i + 1 < sizeof cuts / sizeof *cuts; i++)
        sum += trial_evaluate(t, cuts[i], cuts[i + 1] - cuts[i], WANT_ALL);
    trial_report(fabs(sum - loss) <= 1e-12 * (fabs(loss) + 1), t, "sum of the parts", 0, sum, loss);
    same_bits(t, "gradient in parts", t->grad, whole.grad, ROWS * outputs);
    same_bits(t, "diagonal in parts", t->diag, whole.diag, ROWS * outputs);
    same_bits(t, "Hessian in parts", t->hess, whole.hess, ROWS * outputs * outputs);
    same_bits(t, "row losses in parts", t->row_loss, whole.row_loss, ROWS);
}

void trial_subsets(struct trial *t)
{
    const size_t outputs = t->h->outputs;
    static struct trial all;
    double loss = trial_evaluate(t, 0, ROWS, WANT_ALL);
    all = *t;
    for (unsigned want = 0; want < WANT_ALL; want++) {
        double again = trial_evaluate(t, 0, ROWS, want);
        trial_report(again == loss, t, "loss when less is wanted", want, again, loss);
        same_bits(t, "gradient when less is wanted", t->grad, all.grad, ROWS * outputs);
        if (want & WANT_THETA)
            same_bits(t, "theta when less is wanted", t->theta_grad, all.theta_grad, t->h->spec.n_theta);
        same_bits(t, "diagonal when less is wanted", t->diag, all.diag, ROWS * outputs);
    }
}

/* Weight 3 is three times weight 1; weight 0 is nothing; row losses carry no weight. */
void trial_weights(struct trial *t)
{
    const size_t outputs = t->h->outputs;
    double grad[SIZE];
    for (size_t i = 0; i < ROWS; i++)
        t->weight[i] = 1;
    double one = trial_evaluate(t, 0, ROWS, WANT_ALL);
    memcpy(grad, t->grad, sizeof grad);
    double rows = 0;
    for (size_t i = 0; i < ROWS; i++)
        rows += t->row_loss[i];
    if (t->h->spec.gives & GM_GIVES_ROW_LOSS)
        trial_report(fabs(rows - one) <= 1e-12 * (fabs(one) + 1), t, "sum of row losses", 0, rows, one);
    for (size_t i = 0; i < ROWS; i++)
        t->weight[i] = 3;
    double three = trial_evaluate(t, 0, ROWS, WANT_GRAD);
    trial_report(fabs(three - 3 * one) <= 1e-12 * (fabs(three) + 1), t, "weight 3", 0, three, 3 * one);
    for (size_t i = 0; i < ROWS * outputs; i++)
        trial_report(fabs(t->grad[i] - 3 * grad[i]) <= 1e-12 * (fabs(t->grad[i]) + 1), t, "gradient, weight 3", i,
                     t->grad[i], 3 * grad[i]);
    for (size_t i = 0; i < ROWS; i++)
        t->weight[i] = 0;
    double none = trial_evaluate(t, 0, ROWS, WANT_ALL);
    trial_report(none == 0, t, "weight 0", 0, none, 0);
    for (size_t i = 0; i < ROWS * outputs; i++)
        trial_report(t->grad[i] == 0, t, "gradient, weight 0", i, t->grad[i], 0);
    trial_report(trial_evaluate(t, 0, 0, WANT_ALL) == 0, t, "no rows", 0, 0, 0);
}

/* The gradient vanishes at the baseline. */
void trial_baseline(struct trial *t, const struct subject *s)
{
    struct harness *h = t->h;
    const size_t outputs = h->outputs;
    double raw[HARNESS_OUTPUTS], sum[HARNESS_OUTPUTS] = {0}, size = 1e-3;
    struct gm_loss_batch b = harness_batch(h, ROWS, NULL, t->target);
    b.weight = t->weight;
    if (h->loss->theta_start)
        CU_ASSERT_EQUAL(h->loss->theta_start(&b, h->theta), GM_LOSS_OK);
    for (size_t k = 0; k < h->spec.n_theta; k++)
        trial_report(isfinite(h->theta[k]), t, "start of theta", k, h->theta[k], 0);
    if (!h->loss->baseline)
        return;
    CU_ASSERT_EQUAL(h->loss->baseline(&b, raw), GM_LOSS_OK);
    for (size_t i = 0; i < ROWS * outputs; i++)
        t->pred[i] = raw[i % outputs];
    trial_evaluate(t, 0, ROWS, WANT_GRAD);
    for (size_t i = 0; i < ROWS * outputs; i++) {
        sum[i % outputs] += t->grad[i];
        size += fabs(t->grad[i]);
    }
    /* A kinked loss has its optimum on a kink, where one row's subgradient is free. */
    const double slack =
        h->spec.nature & GM_NATURE_NON_SMOOTH ? 2 * trial_largest(t->grad, ROWS * outputs) : 1e-9 * size;
    for (size_t k = 0; k < outputs; k++)
        trial_report(isfinite(raw[k]) && (s->flags & SUBJECT_NO_OPTIMUM || fabs(sum[k]) <= slack), t,
                     "gradient at the baseline", k, sum[k], 0);
}

/* Finite values and derivatives far out, unless the loss itself grows like e^pred. */
void trial_extremes(struct trial *t, const struct subject *s)
{
    static const double far[] = {0, 5e-324, 1e-310, 40, -40, 700, -700, 1e8, -1e8};
    const size_t outputs = t->h->outputs;
    const double low = s->pred_low == 0 && s->pred_high == 0 ? -HUGE_VAL : s->pred_low;
    for (size_t e = 0; e < sizeof far / sizeof *far; e++) {
        if (s->flags & SUBJECT_GROWS && fabs(far[e]) > 300)
            continue;
        for (size_t i = 0; i < ROWS * outputs; i++)
            t->pred[i] = far[(e + i % 3 * (i % outputs)) % (s->flags & SUBJECT_GROWS ? 5 : 9)];
        for (size_t i = 0; i < ROWS * outputs; i++)
            t->pred[i] = low >= 0 ? fabs(t->pred[i]) : t->pred[i];
        double loss = trial_evaluate(t, 0, ROWS, WANT_ALL);
        trial_report(isfinite(loss), t, "loss far out", e, loss, 0);
        for (size_t i = 0; i < ROWS * outputs; i++)
            trial_report(isfinite(t->grad[i]) && isfinite(t->diag[i]), t, "derivatives far out", i, t->grad[i],
                         t->diag[i]);
        for (size_t i = 0; i < ROWS * outputs * outputs; i++)
            trial_report(isfinite(t->hess[i]), t, "Hessian far out", i, t->hess[i], 0);
    }
}

/* A NaN prediction makes its own row's loss NaN and leaves the other rows alone. */
void trial_sick_row(struct trial *t)
{
    const size_t outputs = t->h->outputs, sick = 6;
    static struct trial well;
    if (t->h->spec.coupling != GM_ROWS_INDEPENDENT)
        return;
    trial_evaluate(t, 0, ROWS, WANT_ALL);
    well = *t;
    for (size_t k = 0; k < outputs; k++)
        t->pred[sick * outputs + k] = NAN;
    double loss = trial_evaluate(t, 0, ROWS, WANT_ALL);
    trial_report(isnan(loss), t, "loss with a NaN row", sick, loss, NAN);
    if (t->h->spec.gives & GM_GIVES_ROW_LOSS) {
        trial_report(isnan(t->row_loss[sick]), t, "loss of the NaN row", sick, t->row_loss[sick], NAN);
        same_bits(t, "rows before a NaN", t->row_loss, well.row_loss, sick);
        same_bits(t, "rows after a NaN", t->row_loss + sick + 1, well.row_loss + sick + 1, ROWS - sick - 1);
    }
    same_bits(t, "gradient before a NaN", t->grad, well.grad, sick * outputs);
    same_bits(t, "gradient after a NaN", t->grad + (sick + 1) * outputs, well.grad + (sick + 1) * outputs,
              (ROWS - sick - 1) * outputs);
}
