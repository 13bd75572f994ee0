/* The frame of full-batch descent by ask and tell: judge a trial, make it the iterate or try again, notice the end. */
#include <math.h>
#include <string.h>

#include "optim/line.h"
#include "optim/method.h"
#include "optim/penalty.h"

/* Trials of a search that f no longer resolves: more would chase rounding. Not with l1, where searches end at corners.
 */
#define MOST_UNRESOLVED 5

double optim_dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

double optim_norm(const double *a, size_t n)
{
    double most = 0, sum = 0;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(a[i]));
    for (size_t i = 0; i < n && most > 0; i++)
        sum += (a[i] / most) * (a[i] / most);
    return most * sqrt(sum);
}

double optim_first_rate(double f, const double *g, size_t n)
{
    double norm = optim_norm(g, n);
    double rate = fabs(f) / norm / norm;
    if (!(rate > 0 && rate < INFINITY))
        rate = 1 / norm;
    return rate > 0 && rate < INFINITY ? rate : 1;
}

double optim_change(const struct optim *o, const struct optim_trial *trial)
{
    double before = o->numbers[NUMBER_OBJECTIVE], change = trial->objective - before;
    double rounding = o->config.rounding * fmax(fabs(before), fabs(trial->objective));
    if (fabs(change) > rounding || trial->objective - o->numbers[NUMBER_LOWEST] > rounding)
        return change;
    const double *x = optim_vector(o, VECTOR_ITERATE), *gx = optim_vector(o, VECTOR_GRADIENT);
    change = 0;
    for (size_t i = 0; i < o->n; i++)
        change += (trial->w[i] - x[i]) * (0.5 * gx[i] + 0.5 * trial->g[i]) +
                  optim_l1_at(o, i) * (fabs(trial->w[i]) - fabs(x[i]));
    return change;
}

enum line_answer optim_search(struct optim *o, double *line, const double *direction, const struct optim_trial *trial)
{
    double rise = trial->finite ? optim_change(o, trial) : INFINITY;
    enum line_answer answer = line_tell(line, rise, optim_dot(trial->g, direction, o->n));
    bool resolved = fabs(rise) > o->config.rounding * fabs(trial->objective);
    if (answer == LINE_GO_ON && !resolved && line[LINE_TRIALS] > MOST_UNRESOLVED && o->config.l1 == 0)
        return LINE_FAILED;
    return answer;
}

static bool all_finite(const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(values[i]))
            return false;
    return true;
}

/* The upper triangle. */
static bool hessian_is_finite(const double *hessian, size_t n)
{
    for (size_t i = 0; hessian && i < n; i++)
        if (!all_finite(hessian + i * n + i, n - i))
            return false;
    return true;
}

static enum optim_verdict stuck(struct optim *o, double *w)
{
    o->numbers[NUMBER_DONE] = 1;
    memcpy(w, optim_vector(o, VECTOR_ITERATE), o->n * sizeof *w);
    return OPTIM_STUCK;
}

/* F has not moved within its rounding and the gradient has not become smaller for long: nothing is left to gain. */
static bool settled(struct optim *o, double norm)
{
    double *number = o->numbers, objective = number[NUMBER_OBJECTIVE];
    if (number[NUMBER_EPOCHS] == 1 || norm < number[NUMBER_LEAST]) {
        number[NUMBER_LEAST] = norm;
        number[NUMBER_SINCE] = 0;
        number[NUMBER_LOW] = number[NUMBER_HIGH] = objective;
        return false;
    }
    number[NUMBER_SINCE]++;
    number[NUMBER_LOW] = fmin(number[NUMBER_LOW], objective);
    number[NUMBER_HIGH] = fmax(number[NUMBER_HIGH], objective);
    double rounding = o->config.rounding * fmax(fabs(number[NUMBER_LOW]), fabs(number[NUMBER_HIGH]));
    return number[NUMBER_SINCE] >= o->family->patience && number[NUMBER_HIGH] - number[NUMBER_LOW] <= rounding;
}

/* The trial becomes the iterate. */
static void adopt(struct optim *o, const struct optim_trial *trial)
{
    double *number = o->numbers;
    memcpy(optim_vector(o, VECTOR_ITERATE), trial->w, o->n * sizeof(double));
    memcpy(optim_vector(o, VECTOR_GRADIENT), trial->g, o->n * sizeof(double));
    number[NUMBER_OBJECTIVE] = trial->objective;
    number[NUMBER_LOWEST] = trial->first ? trial->objective : fmin(number[NUMBER_LOWEST], trial->objective);
    number[NUMBER_REJECTED] = 0;
    number[NUMBER_EPOCHS]++;
    double norm = penalty_gradient_norm(o->config.l1, o->penalised, trial->w, trial->g, o->n);
    if (settled(o, norm))
        number[NUMBER_DONE] = 1;
}

enum optim_verdict optim_descend(struct optim *o, double *w, struct optim_trial *trial)
{
    double *number = o->numbers;
    if (number[NUMBER_DONE] > 0)
        return stuck(o, w);
    trial->objective = trial->f + penalty_l1(o->config.l1, o->penalised, w, o->n);
    trial->finite = isfinite(trial->objective) && all_finite(trial->g, o->n) && hessian_is_finite(trial->hessian, o->n);
    trial->first = number[NUMBER_STARTED] == 0;
    if (trial->first) {
        memcpy(optim_vector(o, VECTOR_ITERATE), w, o->n * sizeof *w);
        if (!trial->finite)
            return stuck(o, w);
        number[NUMBER_STARTED] = 1;
    }
    enum optim_judgement judgement = o->family->judge(o, trial);
    if (judgement == OPTIM_TAKE) {
        adopt(o, trial);
        if (number[NUMBER_DONE] > 0 || !o->family->propose(o, w))
            stuck(o, w); /* said at the next tell: this point is a new iterate */
        return OPTIM_ACCEPTED;
    }
    number[NUMBER_REJECTED]++;
    if (judgement == OPTIM_GIVE_UP || !o->family->propose(o, w))
        return stuck(o, w);
    return OPTIM_REJECTED;
}
