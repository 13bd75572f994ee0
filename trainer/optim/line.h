/*
 * Search along a direction by ask and tell, for a step with enough decrease and, if wanted, a slope small enough
 * (strong Wolfe conditions). Nocedal and Wright 2006, algorithms 3.5 and 3.6: bracket, then cubic interpolation between
 * the best point and the other end.
 *
 * The state is plain doubles, so that it is part of a checkpoint as it is.
 */
#ifndef OPTIM_LINE_H
#define OPTIM_LINE_H

#include <stddef.h>

#define LINE_COUNT_MOST 0x1p53 /* a double holds every whole number up to here */

/* A number of state that is a count, at most `most`. A damaged checkpoint may have put anything there. */
static inline size_t line_count(double value, double most)
{
    return value >= most ? (size_t)most : value >= 0 ? (size_t)value : 0;
}

enum {
    LINE_STEP,      /* the trial to evaluate, in units of the direction */
    LINE_SLOPE,     /* at 0, < 0 */
    LINE_CURVATURE, /* the slope found must be at most this part of it; Infinity: only decrease is asked for */
    LINE_TRIALS,
    LINE_BRACKETED, /* 1: a good step lies between low and high */
    LINE_LOW,       /* the best point so far: its step, its rise above 0, its slope; then the other end */
    LINE_LOW_RISE,
    LINE_LOW_SLOPE,
    LINE_HIGH,
    LINE_HIGH_RISE, /* Infinity: f is not finite there */
    LINE_HIGH_SLOPE,
    LINE_NUMBERS
};

enum line_answer { LINE_FOUND, LINE_GO_ON, LINE_FAILED };

/* slope < 0 at 0; step > 0 the first trial. */
void line_start(double *line, double slope, double step, double curvature);

/* At LINE_STEP: f minus f(0), and the slope; rise Infinity or NaN where f is not finite. FOUND: LINE_STEP is good.
 * GO_ON: LINE_STEP is the next trial. FAILED: none was found, f or the slope is not what it claims to be. */
enum line_answer line_tell(double *line, double rise, double slope);

#endif
