/* Checks of derivatives: what evaluate says against differences of what evaluate says. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "loss/check_kit.h"

enum { ROWS = 12, BATCH_ROWS = 8, MOST_PLACES = 150 };

const double derivative_scales[DERIVATIVE_SCALES] = {1, 0.05, 6};

void report_tally(struct check *c, const struct tally *tally, const char *what)
{
    if (tally->decided == 0 && tally->undecided > 0)
        check_warn(
            c, "%s could not be verified: differences of the loss do not settle anywhere (noise, or kinks everywhere).",
            what);
    else if (tally->decided < tally->undecided)
        check_warn(c, "%s could be verified at %zu of %zu places only; at the others differences do not settle.", what,
                   tally->decided, tally->decided + tally->undecided);
}

/* A unit by itself: its rows copied, so that predictions can be moved. */
struct sample copy_unit(struct check *c, const struct sample *s, size_t first, size_t end)
{
    struct sample unit = sample_room(c, end - first);
    for (size_t row = first; row < end; row++)
        sample_copy_row(c, &unit, row - first, s, row);
    return unit;
}

struct probe {
    struct check *c;
    struct sample *unit;
    double *moved; /* the number that is moved */
};

static void probe_loss(void *context, double shift, double *values)
{
    struct probe *p = context;
    double before = *p->moved;
    *p->moved = before + shift;
    values[0] = check_loss(p->c, p->unit);
    *p->moved = before;
}

int difference_agrees(const struct difference *d, double claimed, double tolerance, double floor)
{
    double size = fmax(fabs(d->value), fabs(claimed)), allowed = tolerance * size + floor;
    if (!isfinite(d->value) || !(d->error <= 0.2 * allowed))
        return 0;
    return fabs(d->value - claimed) <= allowed + 3 * d->error ? 1 : -1;
}

/* ---- gradient ---- */

void gradient_of_unit(struct check *c, struct sample *unit, size_t places, struct tally *tally)
{
    size_t outputs = c->shape.outputs, all = unit->rows * outputs;
    struct outcome o = outcome_make(c);
    check_evaluate(c, unit, WANT_GRAD, &o);
    if (!isfinite(o.loss))
        return; /* check_extremes speaks about that */
    double largest = 0, weight = 0;
    for (size_t i = 0; i < unit->rows; i++)
        weight = fmax(weight, unit->weight[i]);
    for (size_t i = 0; i < all; i++)
        largest = fmax(largest, fabs(o.grad[i]));
    for (size_t n = 0; n < places; n++) {
        size_t i = places == all ? n : check_below(c, all);
        struct probe probe = {.c = c, .unit = unit, .moved = &unit->pred[i]};
        struct difference d;
        if (!isfinite(o.grad[i]))
            check_fail(c, "grad is %g at pred = %.6g although the loss is %.6g.", o.grad[i], unit->pred[i], o.loss);
        differentiate(c, probe_loss, &probe, 1, &d);
        int answer = difference_agrees(&d, o.grad[i], 1e-6, 1e-9 * largest + 1e-10 * (fabs(o.loss) + weight));
        tally->decided += answer != 0;
        tally->undecided += answer == 0;
        if (answer < 0)
            check_fail(
                c,
                "grad is %.9g, but the loss changes by %.9g (output %zu of %zu, pred = %.6g, target = %.6g, weight = "
                "%.6g). grad must be d loss / d pred of the weighted sum, exactly as loss is computed.",
                o.grad[i], d.value, i % outputs, outputs, unit->pred[i],
                c->shape.targets ? unit->target[i / outputs * c->shape.targets] : NAN, unit->weight[i / outputs]);
    }
}

size_t derivative_rows(const struct check *c)
{
    return c->loss.spec.coupling == GM_ROWS_BATCH ? BATCH_ROWS : ROWS;
}

static size_t places_for(const struct check *c, const struct sample *unit, size_t rows)
{
    size_t all = unit->rows * c->shape.outputs, most = MOST_PLACES * unit->rows / rows + 1;
    return all < most ? all : most;
}

void check_gradient(struct check *c)
{
    struct tally tally = {0};
    size_t rows = derivative_rows(c);
    for (int i = 0; i < DERIVATIVE_SCALES; i++) {
        struct sample s = sample_make(c, rows, derivative_scales[i]);
        for (size_t first = 0, end; first < rows; first = end) {
            end = sample_unit_end(c, &s, first);
            struct sample unit = copy_unit(c, &s, first, end);
            gradient_of_unit(c, &unit, places_for(c, &unit, rows), &tally);
        }
    }
    report_tally(c, &tally, "The gradient");
}

/* ---- theta ---- */

void check_theta(struct check *c)
{
    struct tally tally = {0};
    struct outcome o = outcome_make(c);
    size_t n_theta = c->loss.spec.n_theta, most = n_theta < MOST_PLACES ? n_theta : MOST_PLACES;
    if (n_theta == 0)
        check_skip(c, "it has no learned parameters");
    for (int i = 0; i < DERIVATIVE_SCALES; i++) {
        struct sample s = sample_make(c, derivative_rows(c), derivative_scales[i]);
        check_evaluate(c, &s, WANT_THETA, &o);
        for (size_t n = 0; n < most; n++) {
            size_t k = most == n_theta ? n : check_below(c, n_theta);
            struct probe probe = {.c = c, .unit = &s, .moved = &c->theta[k]};
            struct difference d;
            differentiate(c, probe_loss, &probe, 1, &d);
            int answer = difference_agrees(&d, o.theta_grad[k], 1e-6, 1e-9 * fabs(o.loss) + 1e-300);
            tally.decided += answer != 0;
            tally.undecided += answer == 0;
            if (answer < 0 || !isfinite(o.theta_grad[k]))
                check_fail(c, "theta_grad[%zu] is %.9g, but the loss changes by %.9g (theta = %.6g).", k,
                           o.theta_grad[k], d.value, c->theta[k]);
        }
    }
    report_tally(c, &tally, "theta_grad");
}
