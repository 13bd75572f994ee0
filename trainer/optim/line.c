/* Search along a direction: see line.h. */
#include "optim/line.h"

#include <math.h>
#include <stdbool.h>

#define DECREASE    1e-4 /* of the slope at 0, N&W's c1 */
#define FLAT        0.9  /* of the slope at 0 */
#define WIDE        10   /* ratio of the ends of a bracket */
#define MOST_TRIALS 20

void line_start(double *line, double slope, double step, double curvature)
{
    for (int i = 0; i < LINE_NUMBERS; i++)
        line[i] = 0;
    line[LINE_STEP] = step;
    line[LINE_SLOPE] = line[LINE_LOW_SLOPE] = slope;
    line[LINE_CURVATURE] = curvature;
}

static void set_low(double *line, double step, double rise, double slope)
{
    line[LINE_LOW] = step;
    line[LINE_LOW_RISE] = rise;
    line[LINE_LOW_SLOPE] = slope;
}

static void set_high(double *line, double step, double rise, double slope)
{
    line[LINE_HIGH] = step;
    line[LINE_HIGH_RISE] = rise;
    line[LINE_HIGH_SLOPE] = slope;
    line[LINE_BRACKETED] = 1;
}

/* How near to the low end, as a part of the bracket, the next trial may be. While nothing good is known but 0 itself,
 * 0.1, 0.01, 1e-4 ...: any scale is reached in a few trials. After that the ends of a wide bracket meet in the
 * logarithm. */
static double nearest(const double *line)
{
    if (line[LINE_LOW] == 0)
        return pow(10, -ldexp(1, (int)line_count(line[LINE_TRIALS], 8)));
    return line[LINE_HIGH] > WIDE * line[LINE_LOW] ? fmin(sqrt(line[LINE_LOW] / line[LINE_HIGH]), 0.1) : 0.1;
}

/* Minimum of the cubic through both ends' values and slopes (N&W 3.59), kept away from the ends. */
static double between(const double *line)
{
    double low = line[LINE_LOW], width = line[LINE_HIGH] - low; /* of either sign */
    double least = nearest(line);
    if (!isfinite(line[LINE_HIGH_RISE]))
        return low + (line[LINE_HIGH] > WIDE * low ? least : 0.5) * width;
    double s0 = line[LINE_LOW_SLOPE] * width, s1 = line[LINE_HIGH_SLOPE] * width;
    double d1 = s0 + s1 - 3 * (line[LINE_HIGH_RISE] - line[LINE_LOW_RISE]);
    double d2 = sqrt(d1 * d1 - s0 * s1);
    double part = 1 - (s1 + d2 - d1) / (s1 - s0 + 2 * d2);
    if (!isfinite(part))
        part = 0.5;
    return low + fmin(fmax(part, least), 0.9) * width;
}

/* Further on, to where the secant of the last two slopes vanishes: at least as far again; at most 100, 1e4, 1e8 ...
 * times. */
static double beyond(const double *line, double last, double last_slope)
{
    double width = line[LINE_LOW] - last, most = pow(10, ldexp(2, (int)line_count(line[LINE_TRIALS], 6)));
    double bend = last_slope - line[LINE_LOW_SLOPE]; /* < 0: the slope becomes less steep */
    double part = bend > 0 ? 10 : bend < 0 ? line[LINE_LOW_SLOPE] / bend : most;
    return line[LINE_LOW] + fmin(fmax(part, 1), most) * width;
}

static enum line_answer next(double *line, double step)
{
    bool narrow = step == line[LINE_LOW] || (line[LINE_BRACKETED] > 0 && step == line[LINE_HIGH]);
    line[LINE_STEP] = step;
    return narrow || !isfinite(step) || ++line[LINE_TRIALS] >= MOST_TRIALS ? LINE_FAILED : LINE_GO_ON;
}

enum line_answer line_tell(double *line, double rise, double slope)
{
    double step = line[LINE_STEP], last = line[LINE_LOW], last_slope = line[LINE_LOW_SLOPE];
    bool is_finite = isfinite(rise) && isfinite(slope);
    if (!is_finite || rise > DECREASE * step * line[LINE_SLOPE] || (last > 0 && rise >= line[LINE_LOW_RISE])) {
        set_high(line, step, is_finite ? rise : INFINITY, slope);
        return next(line, between(line));
    }
    bool hasty =
        line[LINE_BRACKETED] > 0 && line[LINE_HIGH] > WIDE * step; /* shrunk far: there may be much more to gain */
    double curvature = hasty ? fmin(line[LINE_CURVATURE], FLAT) : line[LINE_CURVATURE];
    if (fabs(slope) <= -curvature * line[LINE_SLOPE])
        return LINE_FOUND;
    if (line[LINE_BRACKETED] > 0 ? slope * (line[LINE_HIGH] - last) >= 0 : slope >= 0)
        set_high(line, last, line[LINE_LOW_RISE], last_slope);
    set_low(line, step, rise, slope);
    return next(line, line[LINE_BRACKETED] > 0 ? between(line) : beyond(line, last, last_slope));
}
