/* Checks of the ends of the target's domain, of the link and of the baseline. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "loss/check_kit.h"

/* ---- targets ---- */

/* Is a sample whose row 5 has this target accepted, and if not, does the answer name the row? */
static bool is_accepted(struct check *c, double target)
{
    struct sample s = sample_make(c, 9, 1);
    struct gm_error err = {0};
    s.target[5 * c->shape.targets + c->shape.targets - 1] = target;
    c->shared->doing = "check_targets";
    enum gm_code code = loss_check_targets(&c->loss, s.target, s.rows, 1000, "sample", &err);
    c->shared->doing = "the check itself";
    if (code && !strstr(err.text, "row 1005"))
        check_fail(c, "The target %g in row 5 is refused without the right row: %s", target, err.text);
    if (code)
        return false;
    struct outcome o = outcome_make(c);
    check_evaluate(c, &s, WANT_ALL, &o);
    bool finite = isfinite(o.loss);
    for (size_t i = 0; i < s.rows * c->shape.outputs; i++)
        finite = finite && isfinite(o.grad[i]);
    if (!finite)
        check_fail(
            c,
            "The target %g is inside the domain, but the loss of an ordinary prediction is %g or its grad is not "
            "finite. Narrow the target's interval in the spec, or compute the limit.",
            target, o.loss);
    return true;
}

static void refuse(struct check *c, double target)
{
    if (is_accepted(c, target))
        check_fail(c, "The target %.17g is outside the domain and is accepted.", target);
}

static void accept(struct check *c, double target)
{
    if (!is_accepted(c, target))
        check_fail(c, "The target %.17g is inside the interval of the spec and is refused.", target);
}

static void try_interval(struct check *c)
{
    const struct gm_loss_spec *spec = &c->loss.spec;
    uint32_t rule = spec->target_rule;
    bool is_whole = rule & GM_TARGET_INTEGER;
    if (rule & GM_TARGET_LOW_OPEN)
        refuse(c, spec->target_low);
    else if (rule & GM_TARGET_LOW) {
        accept(c, spec->target_low);
        refuse(c, is_whole ? spec->target_low - 1 : nextafter(spec->target_low, -INFINITY));
    }
    if (rule & GM_TARGET_HIGH_OPEN)
        refuse(c, spec->target_high);
    else if (rule & GM_TARGET_HIGH) {
        accept(c, spec->target_high);
        refuse(c, is_whole ? spec->target_high + 1 : nextafter(spec->target_high, INFINITY));
    }
    if (is_whole)
        refuse(c, rule & (GM_TARGET_LOW | GM_TARGET_LOW_OPEN) ? spec->target_low + 1.5 : 0.5);
}

/* What the plugin's own check says about rows that are not fit: the row must be one of them. */
static void try_bad_row(struct check *c)
{
    struct gm_loss_host host;
    struct sample s = sample_make(c, 9, 1);
    size_t bad_row = 12345;
    struct gm_loss_batch batch = check_batch(c, &s, &host);
    for (size_t i = 0; i < s.rows * c->shape.targets; i++)
        s.target[i] = -1e9;
    c->shared->doing = "check_targets";
    int status = c->plugin.vtable.check_targets(&batch, &bad_row);
    c->shared->doing = "the check itself";
    if (status == GM_LOSS_BAD_TARGET && bad_row >= s.rows)
        check_fail(c, "check_targets refuses and names row %zu of %zu.", bad_row, s.rows);
}

void check_targets(struct check *c)
{
    if (c->shape.targets == 0)
        check_skip(c, "it has no target");
    refuse(c, NAN);
    refuse(c, INFINITY);
    if (c->plugin.vtable.check_targets)
        try_bad_row(c);
    if (c->loss.spec.target_kind == GM_TARGET_CLASS) {
        refuse(c, -1);
        refuse(c, 0.5);
        refuse(c, (double)c->shape.classes);
    } else if (c->shape.target_style == 0) /* else single targets cannot be moved by themselves */
        try_interval(c);
}

/* ---- link and baseline ---- */

static void try_monotone(struct check *c, size_t output)
{
    enum { STEPS = 25 };
    size_t outputs = c->shape.outputs;
    struct gm_error err = {0};
    struct sample s = sample_make(c, STEPS, 1);
    for (size_t row = 1; row < STEPS; row++)
        memcpy(s.pred + row * outputs, s.pred, outputs * sizeof *s.pred);
    for (size_t row = 0; row < STEPS; row++)
        s.pred[row * outputs + output] = 0.5 * ((double)row - STEPS / 2);
    c->shared->doing = "inverse_link";
    if (loss_inverse_link(&c->loss, s.pred, STEPS, &err))
        check_fail(c, "%s", err.text);
    c->shared->doing = "the check itself";
    int up = 0, down = 0;
    for (size_t row = 0; row < STEPS; row++) {
        double now = s.pred[row * outputs + output], before = row ? s.pred[(row - 1) * outputs + output] : now, sum = 0;
        for (size_t k = 0; k < outputs; k++)
            sum += s.pred[row * outputs + k];
        if (!isfinite(sum))
            check_fail(c, "The response to an ordinary prediction is not finite.");
        if (c->loss.spec.link == GM_LINK_SOFTMAX && !(fabs(sum - 1) <= 1e-9))
            check_fail(c, "The responses of a row add up to %.17g instead of 1.", sum);
        up += now > before + 1e-9 * fabs(before);
        down += now < before - 1e-9 * fabs(before);
    }
    if (up && down)
        check_fail(c, "The response of output %zu is not monotone in its raw prediction.", output);
}

static double loss_at(struct check *c, struct sample *s, const double *raw, size_t moved, double by)
{
    size_t outputs = c->shape.outputs;
    for (size_t row = 0; row < s->rows; row++)
        for (size_t k = 0; k < outputs; k++)
            s->pred[row * outputs + k] = raw[k] + (k == moved ? by : 0);
    return check_loss(c, s);
}

/* The best constant: nothing near by is better, and where there are no kinks the gradient adds up to nothing. */
static void try_baseline(struct check *c)
{
    static const double steps[] = {-0.1, -1e-3, 1e-3, 0.1};
    size_t outputs = c->shape.outputs, rows = c->rows_most;
    struct gm_loss_host host;
    struct sample s = sample_make(c, rows, 1);
    struct outcome o = outcome_make(c);
    double *raw = check_memory(c, outputs, sizeof *raw);
    struct gm_loss_batch batch = check_batch(c, &s, &host);
    batch.pred = NULL;
    c->shared->doing = "baseline";
    int status = c->plugin.vtable.baseline(&batch, raw);
    c->shared->doing = "the check itself";
    if (status != GM_LOSS_OK)
        check_fail(c, "baseline returned %d for ordinary targets. %s", status, c->said.text);
    double best = loss_at(c, &s, raw, 0, 0);
    check_evaluate(c, &s, WANT_GRAD, &o);
    for (size_t k = 0; k < outputs; k++) {
        double sum = 0, size = 0;
        for (size_t row = 0; row < rows; row++) {
            sum += o.grad[row * outputs + k];
            size += fabs(o.grad[row * outputs + k]);
        }
        if (!isfinite(raw[k]))
            check_fail(c, "baseline gives %g for output %zu.", raw[k], k);
        if (!(c->loss.spec.nature & GM_NATURE_NON_SMOOTH) && !(fabs(sum) <= 1e-9 * size))
            check_fail(
                c,
                "At the baseline (%.9g for output %zu) the gradient adds up to %.3g of its size; it must be 0 for the "
                "best constant.",
                raw[k], k, sum / size);
        for (size_t i = 0; i < 4 && !(c->loss.spec.nature & GM_NATURE_NON_CONVEX); i++)
            if (loss_at(c, &s, raw, k, steps[i]) < best - 1e-9 * (fabs(best) + 1))
                check_fail(c, "The baseline %.9g of output %zu is not the best constant: %.9g is better.", raw[k], k,
                           raw[k] + steps[i]);
    }
}

void check_link(struct check *c)
{
    for (size_t k = 0; k < c->shape.outputs && k < 8; k++)
        try_monotone(c, k);
    if (c->plugin.vtable.baseline && c->loss.spec.coupling == GM_ROWS_INDEPENDENT)
        try_baseline(c);
}
