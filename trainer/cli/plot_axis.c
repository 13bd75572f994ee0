/* Ticks at 1, 2 or 5 times a power of ten. */
#include "cli/plot_axis.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

static void add_tick(struct axis *axis, double value)
{
    if (axis->count < AXIS_TICKS)
        axis->ticks[axis->count++] = value;
}

/* The round step nearest above span / wanted. */
static double round_step(double span, size_t wanted)
{
    double rough = span / (double)wanted, power = pow(10, floor(log10(rough)));
    double lead = rough / power;
    return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
}

static void linear_ticks(struct axis *axis, size_t wanted)
{
    double step = round_step(axis->high - axis->low, wanted);
    double first = ceil(axis->low / step - 1e-9), last = floor(axis->high / step + 1e-9);
    for (double i = first; i <= last; i++)
        add_tick(axis, i == 0 ? 0 : i * step);
}

/* Decades, thinned when there are many; 2 and 5 between them when there are few. */
static void log_ticks(struct axis *axis, size_t wanted)
{
    static const double leads[] = {1, 2, 5};
    int low = (int)floor(log10(axis->low)), high = (int)ceil(log10(axis->high));
    int every = (high - low) / (int)wanted + 1;
    size_t n_leads = high - low <= 3 ? 3 : 1;
    for (int decade = low; decade <= high; decade++)
        for (size_t i = 0; i < n_leads; i++) {
            double tick = leads[i] * pow(10, decade);
            if (decade % every == 0 && tick >= axis->low * (1 - 1e-9) && tick <= axis->high * (1 + 1e-9))
                add_tick(axis, tick);
        }
}

struct axis axis_make(double least, double most, bool is_log, size_t wanted)
{
    struct axis axis = {.low = least, .high = most, .log = is_log};
    if (is_log) {
        /* 4 % of air; a constant curve gets half a decade to each side. */
        double air = most > least * (1 + 1e-9) ? exp(0.04 * (log(most) - log(least))) : 3;
        axis.low = fmax(least / air, DBL_MIN);
        axis.high = fmin(most * air, DBL_MAX);
        log_ticks(&axis, wanted);
        if (axis.count >= 2)
            return axis;
        axis.count = 0; /* less than a step of 1, 2, 5: linear ticks on the same axis */
        linear_ticks(&axis, wanted);
        return axis;
    }
    double span = most - least, size = fmax(fabs(most), fabs(least));
    double air = span > size * 1e-9 ? 0.04 * span : fmax(0.1 * size, 1e-12);
    axis.low -= air;
    axis.high += air;
    linear_ticks(&axis, wanted);
    return axis;
}

double axis_place(const struct axis *axis, double value)
{
    if (axis->log)
        return (log(value) - log(axis->low)) / (log(axis->high) - log(axis->low));
    return (value - axis->low) / (axis->high - axis->low);
}

char *axis_label(double value, char buffer[32])
{
    double size = fabs(value);
    if (size >= 1e-4 && size < 1e6)
        snprintf(buffer, 32, "%.10g", value);
    else
        snprintf(buffer, 32, "%.6g", value);
    return buffer;
}
