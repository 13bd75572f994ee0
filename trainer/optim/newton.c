/*
 * Damped Newton: direction -(H + ridge diag|H|)^-1 g with the caller's exact Hessian, then backtracking (Nocedal and
 * Wright 2006, section 3.4, "Hessian modification"; the ridge in the metric of the diagonal is Marquardt's, 1963).
 *
 * The ridge is 0 while H is positive definite beyond rounding. Otherwise it starts small enough to leave the determined
 * directions alone (each still gains nine digits a step) and large enough that rounding in g does not throw the
 * undetermined ones far; it grows until the factorisation succeeds.
 *
 * Where there are many more rows than parameters, Hessians of some of them serve as well (optim_hessian_stride).
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "optim/cholesky.h"
#include "optim/method.h"

#define GROWTH 100
/* The Hessian's own rounding is below that of f, 1e-10 or in float 1e-6; pivots that small say nothing. */
#define LEAST_PIVOT 0.1
/* A step that leaves more of the gradient than this is slower than one from more rows would be: a sample of 1/16 costs
 * about a third of a pass with all second derivatives. */
#define SLOW 0.5
#define MORE 4 /* times the rows, then */

enum { DIRECTION = VECTOR_OWN, SCALE, INVERSE };
/* PLAIN: the direction is -g. STRIDE: optim_hessian_stride. */
enum { LINE = NUMBER_COMMON, RIDGE = LINE + LINE_NUMBERS, PLAIN, STRIDE, END };

static bool propose(struct optim *o, double *w)
{
    const double *x = optim_vector(o, VECTOR_ITERATE), *direction = optim_vector(o, DIRECTION);
    double step = o->numbers[LINE + LINE_STEP];
    bool moved = false;
    for (size_t i = 0; i < o->n; i++) {
        w[i] = x[i] + step * direction[i];
        moved = moved || w[i] != x[i];
    }
    return moved;
}

/* A new direction from the trial, and the full step along it. False when no ridge makes H positive definite. */
static bool turn(struct optim *o, const struct optim_trial *trial)
{
    const double rounding = o->config.rounding;
    struct cholesky c = {.n = o->n,
                         .matrix = trial->hessian,
                         .scale = optim_vector(o, SCALE),
                         .inverse = optim_vector(o, INVERSE),
                         .least = LEAST_PIVOT * rounding};
    double *direction = optim_vector(o, DIRECTION), ridge = 0;
    while (!cholesky_factor(&c, ridge)) {
        ridge = ridge > 0 ? ridge * GROWTH : rounding;
        if (ridge > 1e10 * (double)o->n)
            return false;
    }
    o->numbers[RIDGE] = ridge;
    memcpy(direction, trial->g, o->n * sizeof *direction);
    cholesky_solve(&c, direction);
    for (size_t i = 0; i < o->n; i++)
        direction[i] = -direction[i];
    line_start(o->numbers + LINE, optim_dot(trial->g, direction, o->n), 1, INFINITY);
    return true;
}

/* Straight down from a point with gradient g. */
static void go_down(struct optim *o, const double *g, double objective)
{
    double *direction = optim_vector(o, DIRECTION);
    for (size_t i = 0; i < o->n; i++)
        direction[i] = -g[i];
    o->numbers[PLAIN] = o->numbers[STRIDE] = 1;
    line_start(o->numbers + LINE, -optim_dot(g, g, o->n), optim_first_rate(objective, g, o->n), INFINITY);
}

/* Where H says nothing useful (all rows saturated, say) its step is useless at any length: once more straight down. */
static enum optim_judgement fall_back(struct optim *o)
{
    if (o->numbers[PLAIN] > 0)
        return OPTIM_GIVE_UP;
    go_down(o, optim_vector(o, VECTOR_GRADIENT), o->numbers[NUMBER_OBJECTIVE]);
    return OPTIM_RETRY;
}

/* Of the Hessian after this trial's, judged by the step that led here. */
static double next_stride(const struct optim *o, const struct optim_trial *trial)
{
    double stride = o->numbers[STRIDE];
    if (trial->first)
        return stride;
    double before = optim_norm(optim_vector(o, VECTOR_GRADIENT), o->n), after = optim_norm(trial->g, o->n);
    if (after >= before)
        return 1;
    return after > SLOW * before || o->numbers[LINE + LINE_TRIALS] > 0 ? fmax(floor(stride / MORE), 1) : stride;
}

static enum optim_judgement judge(struct optim *o, const struct optim_trial *trial)
{
    double *number = o->numbers, *line = number + LINE;
    assert(trial->hessian);
    if (!trial->first) {
        enum line_answer answer = optim_search(o, line, optim_vector(o, DIRECTION), trial);
        if (answer != LINE_FOUND)
            return answer == LINE_GO_ON ? OPTIM_RETRY : fall_back(o);
        number[NUMBER_RATE] = line[LINE_STEP];
    }
    bool sampled = number[STRIDE] > 1;
    double next = sampled ? next_stride(o, trial) : 1;
    number[PLAIN] = 0;
    if (turn(o, trial))
        number[STRIDE] = number[RIDGE] > 0 ? 1 : next;
    else if (sampled)
        go_down(o, trial->g, trial->objective);
    else
        memset(optim_vector(o, DIRECTION), 0, o->n * sizeof(double)); /* the end: propose cannot move */
    if (sampled)
        number[RIDGE] = 0; /* says nothing about all rows */
    return OPTIM_TAKE;
}

size_t optim_hessian_stride(const struct optim *o)
{
    size_t stride = o->family == &optim_newton ? line_count(o->numbers[STRIDE], LINE_COUNT_MOST) : 1;
    return stride ? stride : 1;
}

static void start(struct optim *o)
{
    o->numbers[STRIDE] = o->config.hessian_stride;
}

double optim_last_ridge(const struct optim *o)
{
    return o->family == &optim_newton ? o->numbers[RIDGE] : 0;
}

const struct optim_family optim_newton = {
    .vectors = (const struct optim_vectors[]){{"iterate", 1}, {"gradient", 1}, {"direction", 1}, {"work", 2}, {0}},
    .numbers = END - NUMBER_COMMON,
    .start = start,
    .judge = judge,
    .propose = propose,
    .patience = 3,
};
