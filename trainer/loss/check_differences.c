/* Numerical derivatives with an estimate of their own error. */
#include "loss/check_kit.h"

#include <float.h>
#include <math.h>

enum { LEVELS = 6, WIDTHS = 2 };
static const double widest[WIDTHS] = {0.04, 0.04 / 64};

/* Neville's scheme on central differences d[i] of steps h / 2^i: errors are even powers of the step. */
static struct difference extrapolate(const double *d, double noise)
{
    double row[LEVELS];
    struct difference best = {.value = NAN, .error = INFINITY};
    for (int i = 0; i < LEVELS; i++) {
        double factor = 4, kept = d[i];
        for (int k = 0; k < i; k++) { /* row[k] is entry k of the row above */
            double above = row[k], next = (factor * kept - above) / (factor - 1);
            double error = fmax(fabs(next - kept), fabs(next - above)) + noise * ldexp(1, i);
            row[k] = kept;
            kept = next;
            factor *= 4;
            if (error < best.error)
                best = (struct difference){.value = next, .error = error};
        }
        row[i] = kept;
    }
    return best;
}

static void try_width(struct check *c, probe_fn *probe, void *context, size_t count, double width,
                      struct difference *out)
{
    double *d = check_memory(c, count * LEVELS, sizeof *d), *above = check_memory(c, 2 * count, sizeof *d);
    double *below = above + count, *size = check_memory(c, count, sizeof *d);
    for (int i = 0; i < LEVELS; i++) {
        double h = ldexp(width, -i);
        probe(context, h, above);
        probe(context, -h, below);
        for (size_t k = 0; k < count; k++) {
            d[k * LEVELS + (size_t)i] = (above[k] - below[k]) / (2 * h);
            size[k] = fmax(size[k], fabs(above[k]) + fabs(below[k]));
        }
    }
    for (size_t k = 0; k < count; k++) {
        struct difference one = extrapolate(d + k * LEVELS, DBL_EPSILON * size[k] / width);
        if (one.error < out[k].error)
            out[k] = one;
    }
}

void differentiate(struct check *c, probe_fn *probe, void *context, size_t count, struct difference *out)
{
    for (size_t k = 0; k < count; k++)
        out[k] = (struct difference){.value = NAN, .error = INFINITY};
    for (int i = 0; i < WIDTHS; i++)
        try_width(c, probe, context, count, widest[i], out);
}
