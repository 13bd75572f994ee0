/*
 * Full-batch gradient descent that finds its own step: no tuning, any scale, smooth f plus l1.
 *
 * - Frame: SpaRSA (Wright, Nowak, Figueiredo 2009, "Sparse reconstruction by separable approximation"): the trial is
 *   prox(x - rate * g), taken when F falls enough below the highest of the last WINDOW iterates (Grippo, Lampariello,
 *   Lucidi 1986; Raydan 1997), else the rate shrinks. Convergent for any f with a Lipschitz gradient.
 * - Rate: ABBmin (Frassoldati, Zanni, Zanghirati 2008, "New adaptive stepsize selections in gradient methods") with the
 *   self-tuning threshold of Bonettini, Zanella, Zanni 2009: the short Barzilai-Borwein step while it says something
 *   about the steep directions, then one long step along the flat ones.
 * - Start: optim_first_rate. A trial that overshoots tells its own curvature (g is known there), which gives the next
 * rate.
 */
#include <math.h>

#include "optim/method.h"
#include "optim/penalty.h"

#define WINDOW        10   /* iterates whose highest F a trial is held against */
#define SHORT_STEPS   10   /* short steps whose least is taken, as in the paper */
#define DECREASE      1e-4 /* of |s|^2 / (2 rate) */
#define MOST_REJECTED 40   /* trials of one epoch */

enum {
    RATE = NUMBER_COMMON,      /* of the trial that the caller evaluates */
    THRESHOLD,                 /* of ABBmin */
    CURVED,                    /* steps that saw a curvature */
    HEIGHTS,                   /* F of the last WINDOW iterates above the current one; a ring, as is the next */
    SHORTS = HEIGHTS + WINDOW, /* the last SHORT_STEPS short steps */
    END = SHORTS + SHORT_STEPS
};

/* The step s from the iterate to the trial, and y, the change of the gradient. */
struct step {
    double length2;    /* s . s */
    double curved;     /* s . y over its own scale: only the sign counts */
    double long_step;  /* s.s / s.y */
    double short_step; /* s.y / y.y */
};

static void start(struct optim *o)
{
    o->numbers[THRESHOLD] = 0.5;
}

static bool propose(struct optim *o, double *w)
{
    const double *x = optim_vector(o, VECTOR_ITERATE), *g = optim_vector(o, VECTOR_GRADIENT);
    double rate = o->numbers[RATE];
    bool moved = false;
    for (size_t i = 0; i < o->n; i++) {
        w[i] = penalty_shrink(x[i] - rate * g[i], rate * optim_l1_at(o, i));
        moved = moved || w[i] != x[i];
    }
    return moved;
}

/* Products in units of the largest element, so that scales like 1e200 or 1e-200 neither overflow nor vanish. */
static struct step measure(const struct optim *o, const struct optim_trial *trial)
{
    const double *x = optim_vector(o, VECTOR_ITERATE), *gx = optim_vector(o, VECTOR_GRADIENT);
    double unit_s = 0, unit_y = 0, ss = 0, sy = 0, yy = 0;
    for (size_t i = 0; i < o->n; i++) {
        unit_s = fmax(unit_s, fabs(trial->w[i] - x[i]));
        unit_y = fmax(unit_y, fabs(trial->g[i] - gx[i]));
    }
    if (unit_y == 0)
        unit_y = 1;
    for (size_t i = 0; i < o->n; i++) {
        double s = (trial->w[i] - x[i]) / unit_s, y = (trial->g[i] - gx[i]) / unit_y;
        ss += s * s;
        sy += s * y;
        yy += y * y;
    }
    return (struct step){ss * unit_s * unit_s, sy, ss / sy * (unit_s / unit_y), sy / yy * (unit_s / unit_y)};
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
    size_t seen = line_count(number[CURVED]++, LINE_COUNT_MOST);
    shorts[seen % SHORT_STEPS] = step->short_step;
    if (step->short_step < number[THRESHOLD] * step->long_step) {
        number[THRESHOLD] *= 0.95;
        return least(shorts, seen < SHORT_STEPS ? seen + 1 : SHORT_STEPS);
    }
    number[THRESHOLD] *= 1.1;
    return step->long_step;
}

/* Shrink the rate: to what the curvature of the trial suggests, at least by half, at most by 0.1, 0.01, 1e-4, 1e-8 ...
 */
static enum optim_judgement shrink(struct optim *o, double suggested)
{
    double *number = o->numbers;
    double floor = number[RATE] * pow(10, -ldexp(1, (int)line_count(number[NUMBER_REJECTED], 8)));
    double rate = suggested > 0 ? fmin(suggested, 0.5 * number[RATE]) : floor;
    number[RATE] = fmax(rate, floor);
    return number[NUMBER_REJECTED] < MOST_REJECTED ? OPTIM_RETRY : OPTIM_GIVE_UP;
}

static enum optim_judgement judge(struct optim *o, const struct optim_trial *trial)
{
    double *number = o->numbers, *heights = number + HEIGHTS;
    if (trial->first) {
        number[RATE] = optim_first_rate(trial->f, trial->g, o->n);
        return OPTIM_TAKE;
    }
    if (!trial->finite)
        return shrink(o, 0);

    struct step step = measure(o, trial);
    double change = optim_change(o, trial), highest = 0;
    for (size_t i = 0; i < WINDOW; i++)
        highest = fmax(highest, heights[i]);
    if (!(change <= highest - DECREASE * 0.5 * step.length2 / number[RATE]))
        return shrink(o, step.curved > 0 ? step.long_step : 0);

    for (size_t i = 0; i < WINDOW; i++)
        heights[i] -= change;
    heights[line_count(number[NUMBER_EPOCHS], LINE_COUNT_MOST) % WINDOW] =
        -change; /* where the last iterate stood, seen from the new one */
    number[NUMBER_RATE] = number[RATE];
    number[RATE] = next_rate(o, &step);
    return OPTIM_TAKE;
}

const struct optim_family optim_spectral = {
    .vectors = (const struct optim_vectors[]){{"iterate", 1}, {"gradient", 1}, {0}},
    .numbers = END - NUMBER_COMMON,
    .start = start,
    .judge = judge,
    .propose = propose,
    .patience = 1000,
};
