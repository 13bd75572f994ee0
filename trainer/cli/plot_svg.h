/* Loss curves as an SVG picture. */
#ifndef CLI_PLOT_SVG_H
#define CLI_PLOT_SVG_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/plot_log.h"

enum plot_scale { PLOT_AUTO, PLOT_LINEAR, PLOT_LOG };

struct plot {
    const struct plot_curve *curves;
    size_t count;
    enum plot_scale scale;
    bool time;         /* the x axis is seconds, not epochs */
    const char *title; /* NULL: none */
};

/* Write the picture: training losses as full lines, validation losses dashed, a dot at the best epoch. */
void plot_svg(const struct plot *plot, FILE *out);

#endif
