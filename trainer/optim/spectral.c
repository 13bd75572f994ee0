/*
 * Full-batch gradient descent that finds its own step: no tuning, any scale, smooth f plus l1.
 *
 * - Frame: SpaRSA (Wright, Nowak, Figueiredo 2009, "Sparse reconstruction by separable approximation"): the trial is
 *   prox(x - rate * g), taken when F falls enough below the highest of the last WINDOW iterates (Grippo, Lampariello,
 *   Lucidi 1986; Raydan 1997), else the rate shrinks. Convergent for any f with a Lipschitz gradient.
 * - Rate: ABBmin (Frassoldati, Zanni, Zanghirati 2008, "New adaptive stepsize selections in gradient methods") with the
 *   self-tuning threshold of Bonettini, Zanella, Zanni 2009: the short Barzilai-Borwein step while it says something
 *   about the steep directions, then one long step along the flat ones.
 * - Start: rate = |f| / |g|^2, Polyak's step for a least value of 0: covariant in the units of f and of w, and for f >=
 * 0 never below 1/(2L). A trial that overshoots tells its own curvature (g is known there), which gives the next rate.
 * - Near the minimum f no longer resolves a step while g still does. As in Hager and Zhang 2005 ("approximate Wolfe"),
 * a change of f below rounding * |f| is replaced by what the gradients say: the trapezoid (g + g')/2 . s, exact for a
 *   quadratic, as long as F stays within that of its lowest value. This is what reaches 1e-9 in the coefficients, where
 * f alone stops at the square root of its rounding.
 */
#include "optim/method.h"

#include <math.h>
#include <string.h>

#include "optim/penalty.h"

#define WINDOW        10   /* iterates whose highest F a trial is held against */
#define SHORT_STEPS   10   /* short steps whose least is taken, as in the paper */
#define DECREASE      1e-4 /* of |s|^2 / (2 rate) */
#define MOST_REJECTED 40   /* trials of one epoch */
#define PATIENCE      1000 /* epochs without a smaller gradient, F unchanged within rounding: converged */

enum { ITERATE, GRADIENT }; /* vectors: the last accepted point and its gradient */
enum {
    STARTED = NUMBER_COMMON,
    DONE,        /* no further step: the next tell says STUCK */
    OBJECTIVE,   /* F at the iterate */
    LOWEST,      /* F so far */
    RATE,        /* of the trial that the caller evaluates */
    REJECTED,    /* trials rejected since the iterate */
    THRESHOLD,   /* of ABBmin */
    ACCEPTED,    /* steps taken */
    CURVED,      /* of them, those that saw a curvature */
    LEAST_NORM,  /* of the gradient so far */
    SINCE_LEAST, /* epochs since */
    LOW,         /* least and greatest F since then */
    HIGH,
    HEIGHTS,                   /* F of the last WINDOW iterates above the current one; a ring, as is the next */
    SHORTS = HEIGHTS + WINDOW, /* the last SHORT_STEPS short steps */
    END = SHORTS + SHORT_STEPS
};

/* The step s from the iterate to the trial, and y, the change of the gradient. */
struct step {
    double change;     /* of F */
    double length2;    /* s . s */
    double curved;     /* s . y over its own scale: only the sign counts */
    double long_step;  /* s.s / s.y */
    double short_step; /* s.y / y.y */
};

static void start(struct optim *o)
{
    o->numbers[THRESHOLD] = 0.5;
}

/* w = the trial point at the current rate. False when it equals the iterate. */
static bool propose(struct optim *o, double *w)
{
    const double *x = optim_vector(o, ITERATE), *g = optim_vector(o, GRADIENT);
    double rate = o->numbers[RATE];
    bool moved = false;
    for (size_t i = 0; i < o->n; i++) {
        w[i] = penalty_shrink(x[i] - rate * g[i], rate * optim_l1_at(o, i));
        moved = moved || w[i] != x[i];
    }
    return moved;
}

static bool all_finite(const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(values[i]))
            return false;
    return true;
}

/* Products in units of the largest element, so that scales like 1e200 or 1e-200 neither overflow nor vanish. */
static struct step measure(const struct optim *o, const double *w, double objective, const double *g)
{
    const double *x = optim_vector(o, ITERATE), *gx = optim_vector(o, GRADIENT);
    double most_s = 0, most_y = 0, trapezoid = 0, l1 = 0;
    for (size_t i = 0; i < o->n; i++) {
        double s = w[i] - x[i];
        most_s = fmax(most_s, fabs(s));
        most_y = fmax(most_y, fabs(g[i] - gx[i]));
        trapezoid += s * (0.5 * gx[i] + 0.5 * g[i]);
        l1 += optim_l1_at(o, i) * (fabs(w[i]) - fabs(x[i]));
    }
    double unit_s = most_s > 0 ? most_s : 1, unit_y = most_y > 0 ? most_y : 1, ss = 0, sy = 0, yy = 0;
    for (size_t i = 0; i < o->n; i++) {
        double s = (w[i] - x[i]) / unit_s, y = (g[i] - gx[i]) / unit_y;
        ss += s * s;
        sy += s * y;
        yy += y * y;
    }
    double before = o->numbers[OBJECTIVE], change = objective - before;
    double rounding = o->config.rounding * fmax(fabs(before), fabs(objective));
    if (fabs(change) <= rounding && objective - o->numbers[LOWEST] <= rounding)
        change = trapezoid + l1;
    return (struct step){change, ss * unit_s * unit_s, sy, ss / sy * (unit_s / unit_y), sy / yy * (unit_s / unit_y)};
}

static double least(const double *values, size_t count)
{
    double found = values[0];
    for (size_t i = 1; i < count; i++)
        found = fmin(found, values[i]);
    return found;
}

/* The rate of the next step, from the step just taken: ABBmin. The threshold falls with every short step, so that long
 * ones come back however different the two remain: near the minimum y is rounding in the steep directions, and short
 * steps would lead nowhere for ever. */
static double next_rate(struct optim *o, const struct step *step)
{
    double *number = o->numbers, *shorts = number + SHORTS;
    if (!(step->curved > 0) || !(step->short_step > 0) || isinf(step->long_step))
        return fmin(10 * number[RATE], 1e300); /* no curvature seen: f looks flat or bends down, go further */
    size_t seen = (size_t)number[CURVED]++;
    shorts[seen % SHORT_STEPS] = step->short_step;
    if (step->short_step < number[THRESHOLD] * step->long_step) {
        number[THRESHOLD] *= 0.95;
        return least(shorts, seen < SHORT_STEPS ? seen + 1 : SHORT_STEPS);
    }
    number[THRESHOLD] *= 1.1;
    return step->long_step;
}

static double first_rate(const struct optim *o, double f)
{
    const double *g = optim_vector(o, GRADIENT);
    double norm = penalty_gradient_norm(0, o->penalised, g, g, o->n);
    double rate = fabs(f) / norm / norm;
    if (!(rate > 0 && rate < INFINITY))
        rate = 1 / norm;
    return rate > 0 && rate < INFINITY ? rate : 1;
}

/* F has not moved within its rounding, and the gradient has not become smaller, for a long time. */
static bool at_rounding(struct optim *o, double norm)
{
    double *number = o->numbers, objective = number[OBJECTIVE];
    if (number[ACCEPTED] == 0 || norm < number[LEAST_NORM]) {
        number[LEAST_NORM] = norm;
        number[SINCE_LEAST] = 0;
        number[LOW] = number[HIGH] = objective;
        return false;
    }
    number[SINCE_LEAST]++;
    number[LOW] = fmin(number[LOW], objective);
    number[HIGH] = fmax(number[HIGH], objective);
    return number[SINCE_LEAST] >= PATIENCE &&
           number[HIGH] - number[LOW] <= o->config.rounding * fmax(fabs(number[LOW]), fabs(number[HIGH]));
}

static enum optim_verdict stuck(struct optim *o, double *w)
{
    o->numbers[DONE] = 1;
    memcpy(w, optim_vector(o, ITERATE), o->n * sizeof *w);
    return OPTIM_STUCK;
}

/* The told point becomes the iterate; w becomes the next trial. */
static enum optim_verdict accept(struct optim *o, double *w, double objective, const double *g)
{
    double *number = o->numbers;
    memcpy(optim_vector(o, ITERATE), w, o->n * sizeof *w);
    memcpy(optim_vector(o, GRADIENT), g, o->n * sizeof *w);
    number[OBJECTIVE] = objective;
    number[LOWEST] = fmin(number[LOWEST], objective);
    number[REJECTED] = 0;
    double norm = penalty_gradient_norm(o->config.l1, o->penalised, w, g, o->n);
    if (at_rounding(o, norm) || !propose(o, w)) {
        number[DONE] = 1;
        memcpy(w, optim_vector(o, ITERATE), o->n * sizeof *w);
    }
    return OPTIM_ACCEPTED;
}

/* Shrink the rate: to what the curvature of the trial suggests, at least by half, at most by 0.1, 0.01, 1e-4, 1e-8 ...
 */
static enum optim_verdict reject(struct optim *o, double *w, double suggested)
{
    double *number = o->numbers;
    double floor = number[RATE] * pow(10, -ldexp(1, (int)fmin(number[REJECTED], 8)));
    double rate = suggested > 0 ? fmin(suggested, 0.5 * number[RATE]) : floor;
    number[RATE] = fmax(rate, floor);
    number[REJECTED]++;
    if (number[REJECTED] > MOST_REJECTED || !propose(o, w))
        return stuck(o, w);
    return OPTIM_REJECTED;
}

static enum optim_verdict tell(struct optim *o, double *w, double f, const double *g)
{
    double *number = o->numbers, *heights = number + HEIGHTS;
    if (number[DONE] > 0)
        return stuck(o, w);
    double objective = f + penalty_l1(o->config.l1, o->penalised, w, o->n);
    bool finite = isfinite(objective) && all_finite(g, o->n);

    if (number[STARTED] == 0) {
        memcpy(optim_vector(o, ITERATE), w, o->n * sizeof *w);
        if (!finite)
            return stuck(o, w);
        number[STARTED] = 1;
        number[LOWEST] = objective;
        memcpy(optim_vector(o, GRADIENT), g, o->n * sizeof *w);
        number[RATE] = first_rate(o, f);
        return accept(o, w, objective, g);
    }
    if (!finite)
        return reject(o, w, 0);

    struct step step = measure(o, w, objective, g);
    double highest = 0;
    for (size_t i = 0; i < WINDOW; i++)
        highest = fmax(highest, heights[i]);
    if (!(step.change <= highest - DECREASE * 0.5 * step.length2 / number[RATE]))
        return reject(o, w, step.curved > 0 ? step.long_step : 0);

    for (size_t i = 0; i < WINDOW; i++)
        heights[i] -= step.change;
    heights[(size_t)number[ACCEPTED] % WINDOW] = -step.change; /* where the last iterate stood, seen from the new one */
    number[NUMBER_RATE] = number[RATE];
    number[RATE] = next_rate(o, &step);
    number[ACCEPTED]++;
    return accept(o, w, objective, g);
}

static const double *iterate(const struct optim *o)
{
    return optim_vector(o, ITERATE);
}

const struct optim_family optim_spectral = {
    .vectors = (const char *const[]){"iterate", "gradient", NULL},
    .numbers = END - NUMBER_COMMON,
    .start = start,
    .tell = tell,
    .iterate = iterate,
};
