/* The progress bar's text: pure formatting, expected texts written by hand. */
#include "support.h"

#include <math.h>
#include <string.h>

#include "cli/progress.h"

static const struct gm_epoch epoch = {.epoch = 250,
                                      .max_epochs = 1000,
                                      .best_epoch = 249,
                                      .train_loss = 0.0123456,
                                      .validation_loss = 0.5,
                                      .change = 1.2e-4,
                                      .seconds = 20,
                                      .rows_per_second = 1.234e6};

static void numbers_keep_four_digits(void)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0.0123456, "0.01235"}, {1, "1.000"},   {0, "0.000"},           {123.456, "123.5"},
                 {12345.6, "12345.6"},   {1234, "1234"}, {1234567, "1.235e+06"}, {1e-5, "1.000e-05"},
                 {-2.5, "-2.500"},       {NAN, "-"},     {INFINITY, "inf"}};
    char buffer[32];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CU_ASSERT_STRING_EQUAL(progress_number(cases[i].value, buffer), cases[i].text);
}

static void counts_have_a_unit(void)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},           {999, "999"},      {1000, "1.00k"},    {1234567, "1.23M"},
                 {12.34e6, "12.3M"}, {123.4e6, "123M"}, {999.6e6, "1.00G"}, {2e12, "2.00T"}};
    char buffer[32];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CU_ASSERT_STRING_EQUAL(progress_count(cases[i].value, buffer), cases[i].text);
}

static void times_read_like_a_clock(void)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0:00"},       {9.6, "0:10"}, {75, "1:15"},    {3599.4, "59:59"}, {3600, "1:00:00"},
                 {3700, "1:01:40"}, {NAN, "-"},    {INFINITY, "-"}, {-1, "-"}};
    char buffer[32];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CU_ASSERT_STRING_EQUAL(progress_time(cases[i].value, buffer), cases[i].text);
}

static void a_wide_line_holds_everything(void)
{
    char line[PROGRESS_LINE];
    progress_line(&epoch, 140, line);
    ASSERT_HOLDS(line, "epoch 250/1000  [");
    ASSERT_HOLDS(line, "#######-");
    ASSERT_HOLDS(line, "]  loss 0.01235  validation 0.5000  change 1.2e-04  ETA 1:00  best 249  1.23M rows/s");
}

static void a_line_never_exceeds_its_width(void)
{
    char line[PROGRESS_LINE];
    for (size_t width = 0; width < PROGRESS_LINE; width++) {
        CU_ASSERT(strlen(progress_line(&epoch, width, line)) <= width);
        CU_ASSERT(strlen(progress_share("importing", 5, 10, width, line)) <= width);
        CU_ASSERT(strlen(progress_share("importing", 5, 0, width, line)) <= width);
    }
}

static void a_narrow_line_keeps_what_matters(void)
{
    char line[PROGRESS_LINE];
    CU_ASSERT_STRING_EQUAL(progress_line(&epoch, 30, line), "epoch 250/1000  loss 0.01235");
    progress_line(&epoch, 79, line);
    ASSERT_HOLDS(line, "loss 0.01235  validation 0.5000  change 1.2e-04");
}

static void unknown_values_are_dashes_or_left_out(void)
{
    struct gm_epoch first = epoch;
    char line[PROGRESS_LINE];
    first.epoch = 0;
    first.validation_loss = NAN;
    first.change = NAN;
    progress_line(&first, 140, line);
    ASSERT_HOLDS(line, "change -  ETA -");
    CU_ASSERT_PTR_NULL(strstr(line, "validation"));
    first.max_epochs = 0;
    progress_line(&first, 140, line);
    ASSERT_HOLDS(line, "epoch 0/0");
}

static void verbose_lines_have_no_bar(void)
{
    char line[PROGRESS_LINE];
    CU_ASSERT_STRING_EQUAL(
        progress_epoch(&epoch, line),
        "epoch 250/1000  loss 0.01235  validation 0.5000  change 1.2e-04  ETA 1:00  best 249  1.23M rows/s");
}

static void a_share_fills_the_bar(void)
{
    char line[PROGRESS_LINE];
    CU_ASSERT_STRING_EQUAL(progress_share("making", 0, 4, 27, line), "making  [----------]    0 %");
    CU_ASSERT_STRING_EQUAL(progress_share("making", 2, 4, 27, line), "making  [#####-----]   50 %");
    CU_ASSERT_STRING_EQUAL(progress_share("making", 9, 4, 27, line), "making  [##########]  100 %");
    CU_ASSERT_STRING_EQUAL(progress_share("making", 9, 0, 27, line), "making  9");
}

TEST_MAIN("progress", TEST(numbers_keep_four_digits), TEST(counts_have_a_unit), TEST(times_read_like_a_clock),
          TEST(a_wide_line_holds_everything), TEST(a_line_never_exceeds_its_width),
          TEST(a_narrow_line_keeps_what_matters), TEST(unknown_values_are_dashes_or_left_out),
          TEST(verbose_lines_have_no_bar), TEST(a_share_fills_the_bar))
