/* Checks of second derivatives, and of what the spec says about the loss's shape. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "loss/check_kit.h"

struct probe {
    struct check *c;
    struct sample *unit;
    double *moved; /* the prediction that is moved */
    size_t row;    /* whose gradient is looked at */
    struct outcome *o;
};

static void probe_grad(void *context, double shift, double *values)
{
    struct probe *p = context;
    size_t outputs = p->c->shape.outputs;
    double before = *p->moved;
    *p->moved = before + shift;
    check_evaluate(p->c, p->unit, WANT_GRAD, p->o);
    memcpy(values, p->o->grad + p->row * outputs, outputs * sizeof *values);
    *p->moved = before;
}

static bool is_declared(const struct check *c, uint32_t nature)
{
    return (c->loss.spec.nature & nature) != 0;
}

/* The gradient of a convex function is monotone: (g(a) - g(b)) (a - b) >= 0. */
static void require_convex(struct check *c)
{
    size_t rows = derivative_rows(c), outputs = c->shape.outputs;
    struct outcome a = outcome_make(c), b = outcome_make(c);
    for (int i = 0; i < 4 * DERIVATIVE_SCALES; i++) {
        struct sample s = sample_make(c, rows, derivative_scales[i % DERIVATIVE_SCALES]),
                      other = sample_make(c, rows, derivative_scales[(i + i / DERIVATIVE_SCALES) % DERIVATIVE_SCALES]);
        memcpy(other.target, s.target, rows * c->shape.targets * sizeof(double));
        memcpy(other.weight, s.weight, rows * sizeof(double));
        if (s.group)
            memcpy(other.group, s.group, rows * sizeof(int64_t));
        check_evaluate(c, &s, WANT_GRAD, &a);
        check_evaluate(c, &other, WANT_GRAD, &b);
        for (size_t first = 0, end; first < rows; first = end) {
            end = sample_unit_end(c, &s, first);
            double product = 0, size = 0;
            for (size_t k = first * outputs; k < end * outputs; k++) {
                double part = (a.grad[k] - b.grad[k]) * (s.pred[k] - other.pred[k]);
                product += part;
                size += fabs(part) + 1e-3 * (fabs(a.grad[k]) + fabs(b.grad[k]));
            }
            if (product < -1e-9 * size)
                check_fail(
                    c,
                    "The loss is not convex in pred (pred = %.6g and %.6g, target = %.6g), which is fine, but the "
                    "spec must say so: GM_NATURE_NON_CONVEX.",
                    s.pred[first * outputs], other.pred[first * outputs],
                    c->shape.targets ? s.target[first * c->shape.targets] : NAN);
        }
    }
}

/* Differences of the gradient at one row: d[j * outputs + k] = d grad_j / d pred_k. */
static bool differences_at(struct check *c, struct sample *unit, size_t row, struct difference *d)
{
    size_t outputs = c->shape.outputs;
    struct outcome o = outcome_make(c);
    struct difference *column = check_memory(c, outputs, sizeof *column);
    bool all_decided = true;
    for (size_t k = 0; k < outputs; k++) {
        struct probe probe = {.c = c, .unit = unit, .moved = &unit->pred[row * outputs + k], .row = row, .o = &o};
        differentiate(c, probe_grad, &probe, outputs, column);
        for (size_t j = 0; j < outputs; j++) {
            d[j * outputs + k] = column[j];
            all_decided =
                all_decided && isfinite(column[j].value) && column[j].error <= 1e-6 * (1 + fabs(column[j].value));
        }
    }
    return all_decided;
}

struct second { /* what a loss says about one row */
    struct check *c;
    const double *diag; /* [outputs] or NULL */
    const double *full; /* [outputs x outputs] or NULL */
    const struct difference *d;
    double largest; /* size of differences and claims */
    double pred, target, weight;
};

static void fail_second(const struct second *s, const char *name, size_t j, size_t k, double claimed, const char *why)
{
    check_fail(s->c, "%s[%zu,%zu] is %.9g, but grad changes by %.9g (pred = %.6g, target = %.6g). %s", name, j, k,
               claimed, s->d[j * s->c->shape.outputs + k].value, s->pred, s->target, why);
}

static void compare_exact(const struct second *s, struct tally *tally)
{
    size_t outputs = s->c->shape.outputs;
    for (size_t j = 0; j < outputs; j++)
        for (size_t k = 0; k < outputs; k++) {
            const struct difference *d = &s->d[j * outputs + k];
            double floor = 1e-8 * (s->largest + s->weight);
            int diag = s->diag && j == k ? difference_agrees(d, s->diag[k], 1e-5, floor) : 1;
            int full = s->full ? difference_agrees(d, s->full[j * outputs + k], 1e-5, floor) : 1;
            tally->decided += diag != 0 && full != 0;
            tally->undecided += diag == 0 || full == 0;
            if (diag < 0)
                fail_second(s, "hess_diag", j, k, s->diag[k], "If it is an upper bound, declare GM_NATURE_HESS_BOUND.");
            if (full < 0)
                fail_second(s, "hess", j, k, s->full[j * outputs + k],
                            "If it is an upper bound, declare GM_NATURE_HESS_BOUND.");
        }
}

/* A bound H of the true second derivative D: v'Hv >= v'Dv, for the axes and some random v. */
static void compare_bound(const struct second *s)
{
    size_t outputs = s->c->shape.outputs;
    double slack = 1e-5 * s->largest + 1e-12;
    for (size_t k = 0; k < outputs; k++)
        if (s->diag && s->diag[k] < s->d[k * outputs + k].value - slack)
            fail_second(s, "hess_diag", k, k, s->diag[k], "It is declared as an upper bound and lies below.");
    for (int trial = 0; s->full && trial < 8; trial++) {
        double *v = check_memory(s->c, outputs, sizeof *v), bound = 0, true_value = 0, size = 0;
        for (size_t k = 0; k < outputs; k++) {
            v[k] = check_normal(s->c);
            size += v[k] * v[k];
        }
        for (size_t j = 0; j < outputs; j++)
            for (size_t k = 0; k < outputs; k++) {
                bound += v[j] * s->full[j * outputs + k] * v[k];
                true_value += v[j] * s->d[j * outputs + k].value * v[k];
            }
        if (bound < true_value - slack * size)
            check_fail(
                s->c,
                "hess is declared as an upper bound, but along a direction it says %.9g and the true curvature is "
                "%.9g (pred = %.6g).",
                bound, true_value, s->pred);
    }
}

static void compare_itself(const struct second *s)
{
    size_t outputs = s->c->shape.outputs;
    double slack = 1e-10 * (s->largest + s->weight);
    bool may_be_negative = is_declared(s->c, GM_NATURE_NON_CONVEX) && !is_declared(s->c, GM_NATURE_HESS_BOUND);
    for (size_t k = 0; k < outputs; k++) {
        double diag = s->diag ? s->diag[k] : s->full[k * outputs + k];
        if (diag < -slack && !may_be_negative)
            check_fail(s->c,
                       "The second derivative is negative (%.9g) at pred = %.6g, and the loss is declared convex.",
                       diag, s->pred);
        if (s->diag && s->full && !(fabs(diag - s->full[k * outputs + k]) <= slack))
            check_fail(s->c, "hess_diag[%zu] is %.17g, the diagonal of hess %.17g.", k, diag, s->full[k * outputs + k]);
        for (size_t j = 0; s->full && j < k; j++)
            if (!(fabs(s->full[j * outputs + k] - s->full[k * outputs + j]) <= slack))
                check_fail(s->c, "hess is not symmetric: [%zu,%zu] is %.17g, [%zu,%zu] is %.17g.", j, k,
                           s->full[j * outputs + k], k, j, s->full[k * outputs + j]);
    }
}

static void hessian_of_unit(struct check *c, struct sample *unit, const struct outcome *o, struct tally *tally)
{
    size_t outputs = c->shape.outputs;
    struct difference *d = check_memory(c, outputs * outputs, sizeof *d);
    for (size_t row = 0; row < unit->rows; row++) {
        struct second s = {
            .c = c,
            .diag = o->hess_diag ? o->hess_diag + row * outputs : NULL,
            .full = o->hess ? o->hess + row * outputs * outputs : NULL,
            .d = d,
            .weight = unit->weight[row],
            .pred = unit->pred[row * outputs],
            .target = c->shape.targets ? unit->target[row * c->shape.targets] : NAN,
        };
        for (size_t k = 0; k < outputs; k++) /* where all is flat, a second derivative is small against the slope */
            s.largest = fmax(s.largest, 0.1 * fabs(o->grad[row * outputs + k]));
        bool all_decided = differences_at(c, unit, row, d);
        for (size_t i = 0; i < outputs * outputs; i++) {
            double claimed = s.full ? s.full[i] : i % (outputs + 1) == 0 ? s.diag[i / (outputs + 1)] : 0;
            s.largest = fmax(s.largest, fabs(claimed));
            if (isfinite(d[i].value) && d[i].error < fabs(d[i].value))
                s.largest = fmax(s.largest, fabs(d[i].value));
        }
        compare_itself(&s);
        if (!is_declared(c, GM_NATURE_HESS_BOUND))
            compare_exact(&s, tally);
        else if (all_decided)
            compare_bound(&s);
    }
}

static void require_constant(struct check *c)
{
    struct sample s = sample_make(c, derivative_rows(c), 1);
    struct outcome a = outcome_make(c), b = outcome_make(c);
    check_evaluate(c, &s, WANT_ALL, &a);
    for (size_t i = 0; i < s.rows * c->shape.outputs; i++)
        s.pred[i] += check_normal(c);
    check_evaluate(c, &s, WANT_ALL, &b);
    for (size_t i = 0; a.hess_diag && i < s.rows * c->shape.outputs; i++)
        if (!(fabs(a.hess_diag[i] - b.hess_diag[i]) <= 1e-12 * fabs(a.hess_diag[i])))
            check_fail(
                c,
                "hess_diag is declared constant (GM_NATURE_HESS_CONSTANT), but is %.9g at one prediction and %.9g at "
                "another.",
                a.hess_diag[i], b.hess_diag[i]);
}

void check_hessian(struct check *c)
{
    struct tally tally = {0};
    if (!is_declared(c, GM_NATURE_NON_CONVEX))
        require_convex(c);
    if (!(check_gives(c) & (WANT_HESS_DIAG | WANT_HESS)))
        check_skip(c, "it gives no second derivative%s", is_declared(c, GM_NATURE_NON_CONVEX) ? "" : "; it is convex");
    if (is_declared(c, GM_NATURE_HESS_CONSTANT))
        require_constant(c);
    size_t rows = c->shape.outputs > 16 ? 1 : c->shape.outputs > 4 ? 4 : derivative_rows(c);
    for (int i = 0; i < DERIVATIVE_SCALES; i++) {
        struct sample s = sample_make(c, rows, derivative_scales[i]);
        for (size_t first = 0, end; first < rows; first = end) {
            end = sample_unit_end(c, &s, first);
            struct sample unit = copy_unit(c, &s, first, end);
            struct outcome o = outcome_make(c);
            check_evaluate(c, &unit, WANT_ALL, &o);
            hessian_of_unit(c, &unit, &o, &tally);
        }
    }
    report_tally(c, &tally, "The second derivative");
}
