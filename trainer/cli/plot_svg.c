/* Drawing. Coordinates are pixels of a fixed canvas; viewers scale it. */
#include "cli/plot_svg.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "cli/plot_axis.h"

#define WIDTH  800
#define HEIGHT 480
#define LEFT   76
#define RIGHT  24
#define BOTTOM 56
#define LINE   20 /* of the legend */

/* Okabe and Ito (2008): told apart also by the colour-blind. */
static const char *const colours[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"};
#define COLOURS (sizeof colours / sizeof *colours)

struct canvas {
    const struct plot *plot;
    struct axis x, y;
    double top; /* of the frame: below title and legend */
    FILE *out;
};

typedef double value_fn(const struct plot_point *point);
static double train_of(const struct plot_point *point)
{
    return point->train;
}
static double validation_of(const struct plot_point *point)
{
    return point->validation;
}

static double x_of(const struct plot *plot, const struct plot_point *point)
{
    return plot->time ? point->seconds : point->epoch;
}

static double x_pixel(const struct canvas *c, double value)
{
    return LEFT + axis_place(&c->x, value) * (WIDTH - LEFT - RIGHT);
}

static double y_pixel(const struct canvas *c, double value)
{
    return HEIGHT - BOTTOM - axis_place(&c->y, value) * (HEIGHT - BOTTOM - c->top);
}

static bool drawable(const struct canvas *c, double x, double y)
{
    return fabs(x) < DBL_MAX / 4 && fabs(y) < DBL_MAX / 4 && (!c->y.log || y > 0);
}

static void print_escaped(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '<')
            fputs("&lt;", out);
        else if (*text == '&')
            fputs("&amp;", out);
        else if (*text == '"')
            fputs("&quot;", out);
        else
            fputc((unsigned char)*text < 0x20 ? ' ' : *text, out);
    }
}

/* ---- ranges ---- */

struct span {
    double low, high;
};

/* What is so large that differences overflow is out of the picture. */
static void widen(struct span *span, double value)
{
    if (fabs(value) < DBL_MAX / 4) {
        span->low = fmin(span->low, value);
        span->high = fmax(span->high, value);
    }
}

static bool has_validation(const struct plot_curve *curve)
{
    for (size_t i = 0; i < curve->count; i++)
        if (isfinite(curve->points[i].validation))
            return true;
    return false;
}

static void make_axes(struct canvas *c)
{
    const struct plot *plot = c->plot;
    struct span x = {INFINITY, -INFINITY}, y = x, positive = x;
    for (size_t k = 0; k < plot->count; k++)
        for (size_t i = 0; i < plot->curves[k].count; i++) {
            const struct plot_point *point = &plot->curves[k].points[i];
            widen(&x, x_of(plot, point));
            widen(&y, point->train);
            widen(&y, point->validation);
            widen(&positive, point->train > 0 ? point->train : NAN);
            widen(&positive, point->validation > 0 ? point->validation : NAN);
        }
    if (x.low > x.high)
        x = (struct span){0, 1};
    if (x.low == x.high) /* a single epoch */
        x = (struct span){x.low - 0.5, x.high + 0.5};
    if (y.low > y.high)
        y = (struct span){0, 1};
    bool log = plot->scale == PLOT_LOG || (plot->scale == PLOT_AUTO && y.low > 0 && y.high > 10 * y.low);
    log = log && positive.low <= positive.high;
    c->x = axis_make(x.low, x.high, false, 8);
    c->y = log ? axis_make(positive.low, positive.high, true, 8) : axis_make(y.low, y.high, false, 6);
}

/* ---- parts of the picture ---- */

static void draw_axes(const struct canvas *c)
{
    char label[32];
    double bottom = HEIGHT - BOTTOM, right = WIDTH - RIGHT;
    fputs("<g stroke=\"#e0e0e0\" stroke-width=\"1\">\n", c->out);
    for (size_t i = 0; i < c->y.count; i++)
        fprintf(c->out, "<path d=\"M%d %.1fH%.0f\"/>\n", LEFT, y_pixel(c, c->y.ticks[i]), right);
    for (size_t i = 0; i < c->x.count; i++)
        fprintf(c->out, "<path d=\"M%.1f %.1fV%.1f\"/>\n", x_pixel(c, c->x.ticks[i]), c->top, bottom);
    fprintf(c->out, "</g>\n<path d=\"M%d %.1fV%.1fH%.0f\" fill=\"none\" stroke=\"#404040\"/>\n<g fill=\"#404040\">\n",
            LEFT, c->top, bottom, right);
    for (size_t i = 0; i < c->y.count; i++)
        fprintf(c->out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", LEFT - 8,
                y_pixel(c, c->y.ticks[i]) + 4, axis_label(c->y.ticks[i], label));
    for (size_t i = 0; i < c->x.count; i++)
        fprintf(c->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n", x_pixel(c, c->x.ticks[i]),
                bottom + 18, axis_label(c->x.ticks[i], label));
    fprintf(c->out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", (LEFT + right) / 2, HEIGHT - 14,
            c->plot->time ? "seconds" : "epoch");
    fprintf(c->out, "<text transform=\"translate(18 %.1f) rotate(-90)\" text-anchor=\"middle\">loss</text>\n</g>\n",
            (c->top + bottom) / 2);
}

/* A pixel column shows no more than its lowest and highest point: a long log stays a small picture. */
static void draw_line(const struct canvas *c, const struct plot_curve *curve, value_fn *value, const char *style)
{
    bool pen_down = false;
    fprintf(c->out, "<path fill=\"none\" stroke-width=\"2\" stroke-linejoin=\"round\" stroke-linecap=\"round\" %s d=\"",
            style);
    for (size_t i = 0; i < curve->count;) {
        size_t low = i, high = i, end = i;
        double x = x_of(c->plot, &curve->points[i]), y = value(&curve->points[i]);
        if (!drawable(c, x, y)) {
            pen_down = false;
            i++;
            continue;
        }
        double column = floor(x_pixel(c, x));
        for (; end < curve->count; end++) {
            double next_x = x_of(c->plot, &curve->points[end]), next = value(&curve->points[end]);
            if (!drawable(c, next_x, next) || floor(x_pixel(c, next_x)) != column)
                break;
            low = next < value(&curve->points[low]) ? end : low;
            high = next > value(&curve->points[high]) ? end : high;
        }
        size_t marks[2] = {low < high ? low : high, low < high ? high : low};
        for (size_t m = 0; m < (low == high ? 1 : 2); m++) {
            const struct plot_point *point = &curve->points[marks[m]];
            /* h0 and a round cap: a point without neighbours is a dot. */
            fprintf(c->out, "%c%.1f %.1f%s", pen_down ? 'L' : 'M', x_pixel(c, x_of(c->plot, point)),
                    y_pixel(c, value(point)), pen_down ? "" : "h0");
            pen_down = true;
        }
        i = end;
    }
    fputs("\"/>\n", c->out);
}

static void draw_best(const struct canvas *c, const struct plot_curve *curve, const char *colour)
{
    value_fn *value = has_validation(curve) ? validation_of : train_of;
    for (size_t i = 0; i < curve->count; i++) {
        const struct plot_point *point = &curve->points[i];
        if (point->epoch == curve->best_epoch && drawable(c, x_of(c->plot, point), value(point)))
            fprintf(c->out,
                    "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\" fill=\"white\" stroke=\"%s\" stroke-width=\"2\"/>\n",
                    x_pixel(c, x_of(c->plot, point)), y_pixel(c, value(point)), colour);
    }
}

/* "-- train -- validation o best" for a single curve, a line per log with several. */
static void draw_legend(const struct canvas *c, double y)
{
    const struct plot *plot = c->plot;
    for (size_t k = 0; k < plot->count; k++, y += LINE) {
        const struct plot_curve *curve = &plot->curves[k];
        const char *colour = colours[k % COLOURS];
        fprintf(c->out, "<g><path d=\"M%d %.1fh28\" stroke=\"%s\" stroke-width=\"2\"/>", LEFT, y - 4, colour);
        fprintf(c->out, "<text x=\"%d\" y=\"%.1f\">training</text>", LEFT + 36, y);
        if (has_validation(curve)) {
            fprintf(c->out, "<path d=\"M%d %.1fh28\" stroke=\"%s\" stroke-width=\"2\" stroke-dasharray=\"6 4\"/>",
                    LEFT + 110, y - 4, colour);
            fprintf(c->out, "<text x=\"%d\" y=\"%.1f\">validation</text>", LEFT + 146, y);
        }
        if (isfinite(curve->best_epoch)) {
            fprintf(c->out, "<circle cx=\"%d\" cy=\"%.1f\" r=\"4.5\" fill=\"white\" stroke=\"%s\" stroke-width=\"2\"/>",
                    LEFT + 240, y - 4, colour);
            fprintf(c->out, "<text x=\"%d\" y=\"%.1f\">best: epoch %.0f</text>", LEFT + 252, y, curve->best_epoch);
        }
        fprintf(c->out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\" fill=\"#606060\">", WIDTH - RIGHT, y);
        print_escaped(c->out, curve->name);
        fputs("</text></g>\n", c->out);
    }
}

void plot_svg(const struct plot *plot, FILE *out)
{
    struct canvas c = {.plot = plot, .out = out};
    double y = 26;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
            "font-family=\"system-ui, sans-serif\" font-size=\"13\">\n<rect width=\"100%%\" height=\"100%%\" "
            "fill=\"white\"/>\n",
            WIDTH, HEIGHT, WIDTH, HEIGHT);
    if (plot->title) {
        fprintf(out, "<text x=\"%d\" y=\"%.0f\" font-size=\"16\" font-weight=\"600\">", LEFT, y);
        print_escaped(out, plot->title);
        fputs("</text>\n", out);
        y += 26;
    }
    make_axes(&c);
    /* A long legend may take half of the picture, not more. */
    c.top = fmin(y + LINE * (double)plot->count - 4, HEIGHT / 2.0);
    draw_legend(&c, y);
    draw_axes(&c);
    for (size_t k = 0; k < plot->count; k++) {
        char style[80];
        const struct plot_curve *curve = &plot->curves[k];
        snprintf(style, sizeof style, "stroke=\"%s\"", colours[k % COLOURS]);
        draw_line(&c, curve, train_of, style);
        snprintf(style, sizeof style, "stroke=\"%s\" stroke-dasharray=\"6 4\"", colours[k % COLOURS]);
        if (has_validation(curve))
            draw_line(&c, curve, validation_of, style);
        draw_best(&c, curve, colours[k % COLOURS]);
    }
    fputs("</svg>\n", out);
}
