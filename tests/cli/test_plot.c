/* Axes, logs and the picture. Expected ticks are written by hand; the log is the shape interface.md gives. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/plot_axis.h"
#include "cli/plot_log.h"
#include "cli/plot_svg.h"

static struct gm_error err;

static void check_ticks(const struct axis *axis, const double *ticks, size_t count)
{
    CU_ASSERT_EQUAL_FATAL(axis->count, count);
    for (size_t i = 0; i < count; i++)
        ASSERT_CLOSE(axis->ticks[i], ticks[i], 1e-12);
}
#define CHECK_TICKS(axis, ...) \
    check_ticks(axis, (const double[]){__VA_ARGS__}, sizeof(const double[]){__VA_ARGS__} / sizeof(double))

static void linear_ticks_are_round(void)
{
    struct axis axis = axis_make(0, 100, false, 6);
    CHECK_TICKS(&axis, 0, 20, 40, 60, 80, 100);
    axis = axis_make(0.3, 0.85, false, 6);
    CHECK_TICKS(&axis, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8);
    axis = axis_make(-1, 1, false, 4);
    CHECK_TICKS(&axis, -1, 0, 1);
    CU_ASSERT(axis.low < -1 && axis.high > 1);
}

static void log_ticks_are_powers_of_ten(void)
{
    struct axis axis = axis_make(1e-4, 1, true, 8);
    CHECK_TICKS(&axis, 1e-4, 1e-3, 1e-2, 1e-1, 1);
    axis = axis_make(0.1, 3, true, 8);
    CHECK_TICKS(&axis, 0.1, 0.2, 0.5, 1, 2);
    axis = axis_make(1e-300, 1e300, true, 8); /* thinned */
    CU_ASSERT(axis.count >= 4 && axis.count <= 10);
}

static void every_range_has_an_axis(void)
{
    static const double ends[][2] = {{0, 0},     {5, 5},         {-3, -3},        {1e-300, 1e-300}, {1e300, 1e300},
                                     {0, 1e-12}, {1, 1 + 1e-13}, {-1e300, 1e300}, {0.999, 1.001}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        for (int log = 0; log < 2; log++) {
            if (log && ends[i][0] <= 0)
                continue;
            struct axis axis = axis_make(ends[i][0], ends[i][1], log, 6);
            double low = axis_place(&axis, ends[i][0]), high = axis_place(&axis, ends[i][1]);
            CU_ASSERT(axis.low < axis.high && axis.count >= 1 && axis.count <= AXIS_TICKS);
            CU_ASSERT(low >= 0 && low <= high && high <= 1);
        }
}

static void labels_are_short(void)
{
    char label[32];
    CU_ASSERT_STRING_EQUAL(axis_label(0.30000000000000004, label), "0.3");
    CU_ASSERT_STRING_EQUAL(axis_label(12000, label), "12000");
    CU_ASSERT_STRING_EQUAL(axis_label(1e-6, label), "1e-06");
    CU_ASSERT_STRING_EQUAL(axis_label(0, label), "0");
}

/* ---- logs ---- */

#define EPOCH(n, train, validation)                                                                    \
    "{\"event\":\"epoch\",\"epoch\":" #n ",\"train_loss\":" #train ",\"validation_loss\":" #validation \
    ",\"seconds\":0.5}\n"
#define LOG                                                                             \
    "{\"event\":\"start\"}\n" EPOCH(0, 2.5, 2.75) EPOCH(1, 1, 1.5) EPOCH(2, null, 1.25) \
        EPOCH(3, 0.5, 1.75) "{\"event\":\"end\",\"best_epoch\":2}\n"

static enum gm_code read_log(struct plot_curve *curve, const char *text)
{
    test_write(test_path("log.jsonl"), text);
    err = (struct gm_error){0};
    return plot_log_read(curve, test_path("log.jsonl"), &err);
}

static void a_log_becomes_a_curve(void)
{
    struct plot_curve curve;
    CU_ASSERT_EQUAL_FATAL(read_log(&curve, LOG), GM_OK);
    CU_ASSERT_EQUAL_FATAL(curve.count, 4);
    CU_ASSERT(curve.points[1].epoch == 1 && curve.points[1].train == 1 && curve.points[1].validation == 1.5);
    CU_ASSERT(isnan(curve.points[2].train) && curve.points[3].seconds == 0.5);
    CU_ASSERT_EQUAL(curve.best_epoch, 2);
    plot_curve_release(&curve);
}

static void of_several_runs_the_last_counts(void)
{
    struct plot_curve curve;
    CU_ASSERT_EQUAL_FATAL(read_log(&curve, LOG "{\"event\":\"start\"}\n" EPOCH(0, 7, null) EPOCH(1, 6, null)), GM_OK);
    CU_ASSERT_EQUAL(curve.count, 2);
    CU_ASSERT_EQUAL(curve.points[0].train, 7);
    CU_ASSERT(isnan(curve.best_epoch));
    plot_curve_release(&curve);
}

static void what_is_no_log_is_refused_with_its_line(void)
{
    struct plot_curve curve;
    CU_ASSERT_EQUAL(read_log(&curve, "{\"event\":\"start\"}\n\nnot json\n"), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "log.jsonl:3: ");
    plot_curve_release(&curve);
    CU_ASSERT_EQUAL(read_log(&curve, "[1]\n"), GM_BAD_DATA);
    plot_curve_release(&curve);
    CU_ASSERT_EQUAL(read_log(&curve, "{\"event\":\"start\"}\n"), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "nothing to plot");
    plot_curve_release(&curve);
    CU_ASSERT_EQUAL(plot_log_read(&curve, test_path("nothere"), &err), GM_NO_INPUT);
    plot_curve_release(&curve);
}

/* ---- the picture ---- */

static char *draw(const struct plot *plot)
{
    const char *path = test_path("picture.svg");
    FILE *out = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    plot_svg(plot, out);
    fclose(out);
    return test_text(path);
}

static size_t occurrences(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *c = strstr(text, part); c; c = strstr(c + 1, part))
        count++;
    return count;
}

/* Every element that opens closes: enough of XML for what is drawn here. */
static bool well_formed(const char *text)
{
    int depth = 0;
    for (const char *c = strchr(text, '<'); c; c = strchr(c + 1, '<')) {
        const char *end = strchr(c, '>');
        if (!end || memchr(c + 1, '<', (size_t)(end - c - 1)))
            return false;
        depth += c[1] == '/' ? -1 : end[-1] == '/' ? 0 : 1;
        if (depth < 0)
            return false;
    }
    return depth == 0;
}

static void the_picture_holds_curves_legend_and_best_epoch(void)
{
    struct plot_curve curve;
    CU_ASSERT_EQUAL_FATAL(read_log(&curve, LOG), GM_OK);
    curve.name = "a<b>&\"c\".jsonl";
    struct plot plot = {.curves = &curve, .count = 1, .title = "loss < 1 & more"};
    char *text = draw(&plot);
    CU_ASSERT(well_formed(text));
    ASSERT_HOLDS(text, "a&lt;b>&amp;&quot;c&quot;.jsonl");
    ASSERT_HOLDS(text, "loss &lt; 1 &amp; more");
    ASSERT_HOLDS(text, ">training</text>");
    ASSERT_HOLDS(text, ">validation</text>");
    ASSERT_HOLDS(text, "best: epoch 2");
    CU_ASSERT_EQUAL(occurrences(text, "<circle"), 2); /* legend and curve */
    CU_ASSERT_PTR_NULL(strstr(text, "nan"));
    /* The gap in the training loss: the pen is set down twice. */
    const char *line = strstr(text, "stroke=\"#0072B2\" d=\"");
    CU_ASSERT_PTR_NOT_NULL_FATAL(line);
    char *path = strndup(line, strcspn(line, ">"));
    CU_ASSERT_EQUAL(occurrences(path, "M"), 2);
    free(path);
    free(text);
    plot_curve_release(&curve);
}

static void a_long_log_is_a_small_picture(void)
{
    size_t count = 200000;
    struct plot_point *points = malloc(count * sizeof *points);
    for (size_t i = 0; i < count; i++)
        points[i] = (struct plot_point){(double)i, (double)i, 1 / (1.0 + (double)(i % 1000)), NAN};
    struct plot_curve curve = {.name = "x", .points = points, .count = count, .best_epoch = NAN};
    struct plot plot = {.curves = &curve, .count = 1, .scale = PLOT_LOG};
    char *text = draw(&plot);
    CU_ASSERT(strlen(text) < 60000);
    CU_ASSERT(well_formed(text));
    free(text);
    free(points);
}

static void odd_curves_are_drawn(void)
{
    static struct plot_point points[][2] = {{{0, 0, NAN, NAN}, {1, 1, NAN, NAN}},
                                            {{0, 0, -1, NAN}, {1, 1, 0, NAN}},
                                            {{0, 0, INFINITY, 1e300}, {1, 1, 1e-300, 1}},
                                            {{3, NAN, 1, 1}, {4, NAN, 1, 1}}};
    for (size_t i = 0; i < 4; i++)
        for (int scale = 0; scale < 3; scale++) {
            struct plot_curve curve = {.name = "x", .points = points[i], .count = 2, .best_epoch = 1};
            struct plot plot = {.curves = &curve, .count = 1, .scale = (enum plot_scale)scale, .time = i == 3};
            char *text = draw(&plot);
            CU_ASSERT(well_formed(text));
            CU_ASSERT_PTR_NULL(strstr(text, "nan"));
            CU_ASSERT_PTR_NULL(strstr(text, "inf"));
            free(text);
        }
}

TEST_MAIN("plot", TEST(linear_ticks_are_round), TEST(log_ticks_are_powers_of_ten), TEST(every_range_has_an_axis),
          TEST(labels_are_short), TEST(a_log_becomes_a_curve), TEST(of_several_runs_the_last_counts),
          TEST(what_is_no_log_is_refused_with_its_line), TEST(the_picture_holds_curves_legend_and_best_epoch),
          TEST(a_long_log_is_a_small_picture), TEST(odd_curves_are_drawn))
