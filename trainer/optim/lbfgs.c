/*
 * L-BFGS: the direction from the last PAIRS changes of w and g by the two-loop recursion (Nocedal 1980; Liu and Nocedal
 * 1989; Nocedal and Wright 2006, algorithm 7.4), the step by a strong Wolfe search (line.h).
 *
 * With l1 it is OWL-QN (Andrew and Gao 2007, "Scalable training of L1-regularized log-linear models"): the
 * pseudo-gradient in place of g, a direction kept to its signs, trials that stop where a weight would change sign, and
 * a search that asks for decrease only. Without l1 each of these is the plain method.
 */
#include <math.h>
#include <string.h>

#include "optim/method.h"
#include "optim/penalty.h"

#define PAIRS     10
#define FLAT      1e-10 /* of the steepest curvature: beyond this, gradients in double no longer tell where along it */
#define CURVATURE 0.9   /* N&W's c2 for quasi-Newton directions */

enum { DIRECTION = VECTOR_OWN, STEPS, CHANGES = STEPS + PAIRS, VECTORS = CHANGES + PAIRS };
/* STORED: pairs since the last reset, all counted. FLATTEST, STEEPEST: curvatures that all pairs have shown. LEARNED,
 * LIMIT: optim_restart; LEARNED is -1 after optim_forget. */
enum { LINE = NUMBER_COMMON, STORED = LINE + LINE_NUMBERS, FLATTEST, STEEPEST, LEARNED, LIMIT, END };

static double pseudo_slope(const struct optim *o, size_t i, double w, double g)
{
    return penalty_slope(optim_l1_at(o, i), w, g);
}

static bool propose(struct optim *o, double *w)
{
    const double *x = optim_vector(o, VECTOR_ITERATE), *g = optim_vector(o, VECTOR_GRADIENT);
    const double *direction = optim_vector(o, DIRECTION);
    double step = o->numbers[LINE + LINE_STEP];
    bool moved = false;
    for (size_t i = 0; i < o->n; i++) {
        w[i] = x[i] + step * direction[i];
        if (optim_l1_at(o, i) > 0) { /* the orthant of the iterate, or the one it leaves 0 for */
            double side = x[i] != 0 ? x[i] : -pseudo_slope(o, i, x[i], g[i]);
            if (w[i] * side <= 0)
                w[i] = 0;
        }
        moved = moved || w[i] != x[i];
    }
    return moved;
}

/* The pair (s, y) of the accepted trial, kept when s.y is positive beyond rounding. */
static void store(struct optim *o, const struct optim_trial *trial)
{
    const double *x = optim_vector(o, VECTOR_ITERATE), *gx = optim_vector(o, VECTOR_GRADIENT);
    size_t slot = line_count(o->numbers[STORED], LINE_COUNT_MOST) % PAIRS;
    double *s = optim_vector(o, STEPS + slot), *y = optim_vector(o, CHANGES + slot);
    for (size_t i = 0; i < o->n; i++) {
        s[i] = trial->w[i] - x[i];
        y[i] = trial->g[i] - gx[i];
    }
    double sy = optim_dot(s, y, o->n), ss = optim_dot(s, s, o->n), yy = optim_dot(y, y, o->n);
    if (!(sy > 1e-14 * sqrt(ss) * sqrt(yy)))
        return; /* the slot is overwritten by the next pair */
    double *number = o->numbers;
    number[FLATTEST] = number[STEEPEST] > 0 ? fmin(number[FLATTEST], sy / ss) : sy / ss;
    number[STEEPEST] = fmax(number[STEEPEST], yy / sy);
    number[STORED]++;
}

/* direction = -H slope, in place: `direction` holds the slope on entry. */
static void two_loops(struct optim *o, double *direction)
{
    size_t stored = line_count(o->numbers[STORED], LINE_COUNT_MOST), kept = stored < PAIRS ? stored : PAIRS, n = o->n;
    double part[PAIRS], scale = 1;
    for (size_t k = 0; k < kept; k++) { /* newest first */
        size_t slot = (stored - 1 - k) % PAIRS;
        const double *s = optim_vector(o, STEPS + slot), *y = optim_vector(o, CHANGES + slot);
        double sy = optim_dot(s, y, n);
        if (k == 0)
            scale = sy / optim_dot(y, y, n);
        part[slot] = optim_dot(s, direction, n) / sy;
        for (size_t i = 0; i < n; i++)
            direction[i] -= part[slot] * y[i];
    }
    for (size_t i = 0; i < n; i++)
        direction[i] *= scale;
    for (size_t k = kept; k-- > 0;) {
        size_t slot = (stored - 1 - k) % PAIRS;
        const double *s = optim_vector(o, STEPS + slot), *y = optim_vector(o, CHANGES + slot);
        double other = optim_dot(y, direction, n) / optim_dot(s, y, n);
        for (size_t i = 0; i < n; i++)
            direction[i] += (part[slot] - other) * s[i];
    }
    for (size_t i = 0; i < n; i++)
        direction[i] = -direction[i];
}

/* A new direction at w with gradient g, and the first step along it. */
static void turn(struct optim *o, const double *w, double f, const double *g)
{
    double *direction = optim_vector(o, DIRECTION), *line = o->numbers + LINE;
    for (size_t i = 0; i < o->n; i++)
        direction[i] = pseudo_slope(o, i, w[i], g[i]);
    double step = o->numbers[STORED] > 0 ? 1 : optim_first_rate(f, direction, o->n), slope = 0;
    two_loops(o, direction);
    for (size_t i = 0; i < o->n; i++) {
        double pseudo = pseudo_slope(o, i, w[i], g[i]);
        if (optim_l1_at(o, i) > 0 && direction[i] * pseudo >= 0)
            direction[i] = 0;
        slope += direction[i] * pseudo;
    }
    if (!(slope < 0) && o->numbers[STORED] > 0) { /* rounding has spoilt the pairs */
        o->numbers[STORED] = 0;
        turn(o, w, f, g);
        return;
    }
    line_start(line, slope, step, o->config.l1 > 0 ? INFINITY : CURVATURE);
}

static enum optim_judgement judge(struct optim *o, const struct optim_trial *trial)
{
    double *number = o->numbers, *line = number + LINE;
    if (trial->first) {
        turn(o, trial->w, trial->f, trial->g);
        return OPTIM_TAKE;
    }
    switch (optim_search(o, line, optim_vector(o, DIRECTION), trial)) {
    case LINE_FOUND:
        number[NUMBER_RATE] = line[LINE_STEP];
        store(o, trial);
        turn(o, trial->w, trial->f, trial->g);
        return OPTIM_TAKE;
    case LINE_GO_ON:
        return OPTIM_RETRY;
    case LINE_FAILED:
        break;
    }
    if (number[STORED] == 0)
        return OPTIM_GIVE_UP;
    number[STORED] = 0; /* once more, straight down from the iterate */
    turn(o, optim_vector(o, VECTOR_ITERATE), number[NUMBER_OBJECTIVE], optim_vector(o, VECTOR_GRADIENT));
    return OPTIM_RETRY;
}

bool optim_lbfgs_saw_flatness(const struct optim *o)
{
    return o->numbers[FLATTEST] < FLAT * o->numbers[STEEPEST];
}

bool optim_lbfgs_learned(const struct optim *o)
{
    return o->numbers[LEARNED] != 0;
}

bool optim_lbfgs_misled(const struct optim *o, double objective)
{
    return o->numbers[LEARNED] > 0 && !(objective <= o->numbers[LIMIT]); /* NaN too */
}

void optim_lbfgs_forget(struct optim *o)
{
    o->numbers[STORED] = o->numbers[LIMIT] = 0;
    o->numbers[LEARNED] = -1;
}

void optim_lbfgs_restart(struct optim *o, bool learned, double limit)
{
    double stored = o->numbers[STORED];
    memset(o->numbers, 0, END * sizeof *o->numbers);
    o->numbers[NUMBER_SCALE] = 1;
    o->numbers[STORED] = learned ? stored : 0;
    o->numbers[LEARNED] = learned;
    o->numbers[LIMIT] = learned ? limit : 0;
}

const struct optim_family optim_lbfgs = {
    .vectors =
        (const struct optim_vectors[]){
            {"iterate", 1}, {"gradient", 1}, {"direction", 1}, {"steps", PAIRS}, {"changes", PAIRS}, {0}},
    .numbers = END - NUMBER_COMMON,
    .judge = judge,
    .propose = propose,
    .patience = 300,
};
