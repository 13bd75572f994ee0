/* One axis of a plot: its range, round ticks, and where a value lies. Pure. */
#ifndef CLI_PLOT_AXIS_H
#define CLI_PLOT_AXIS_H

#include <stdbool.h>
#include <stddef.h>

#define AXIS_TICKS 40

struct axis {
    double low, high; /* low < high; both positive when log */
    bool log;
    double ticks[AXIS_TICKS];
    size_t count;
};

/* An axis for values in [least, most] (finite; positive when log) with about `wanted` ticks. */
struct axis axis_make(double least, double most, bool log, size_t wanted);
/* 0 at low, 1 at high. */
double axis_place(const struct axis *axis, double value);
/* "0.05", "1e-06", "12000". Returns buffer. */
char *axis_label(double value, char buffer[32]);

#endif
