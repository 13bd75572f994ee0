/* Words and numbers that people type. Expected values are written out by hand unless a line says otherwise. */
#include "support.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/text.h"

static void nearest_word_is_a_likely_slip(void)
{
    static const char *const keys[] = {"learning_rate", "batch_size", "l1", "l2", "schedule"};
    CU_ASSERT_STRING_EQUAL(text_nearest("learning_rat", keys, 5), "learning_rate");
    CU_ASSERT_STRING_EQUAL(text_nearest("learing_rate", keys, 5), "learning_rate");
    CU_ASSERT_STRING_EQUAL(text_nearest("lr_learning", keys, 1) ? "some" : "none", "none");
    CU_ASSERT_STRING_EQUAL(text_nearest("Batch_Size", keys, 5), "batch_size");
    CU_ASSERT_STRING_EQUAL(text_nearest("shcedule", keys, 5), "schedule");
    CU_ASSERT_STRING_EQUAL(text_nearest("l2", keys, 5), "l2");
    CU_ASSERT_STRING_EQUAL(text_nearest("l3", keys, 5), "l1"); /* the first of equals */
    CU_ASSERT_PTR_NULL(text_nearest("momentum", keys, 5));
    CU_ASSERT_PTR_NULL(text_nearest("", keys, 5));
    CU_ASSERT_PTR_NULL(text_nearest("l1", keys, 0));
}

static void swapped_neighbours_are_one_slip(void)
{
    static const char *const words[] = {"abcd"};
    CU_ASSERT_PTR_NOT_NULL(text_nearest("bacd", words, 1));  /* one swap; two replacements would be too many */
    CU_ASSERT_PTR_NULL(text_nearest("badc", words, 1));      /* two swaps */
    CU_ASSERT_PTR_NOT_NULL(text_nearest("abcde", words, 1)); /* one letter too many */
    CU_ASSERT_PTR_NOT_NULL(text_nearest("acd", words, 1));   /* one too few */
}

static void very_long_words_have_no_neighbours(void)
{
    char word[5000];
    memset(word, 'a', sizeof word - 1);
    word[sizeof word - 1] = 0;
    const char *const candidates[] = {word, "a"};
    CU_ASSERT_PTR_NULL(text_nearest(word, candidates, 2));
    CU_ASSERT_STRING_EQUAL(text_nearest("a", candidates, 2), "a");
}

static void reals_are_read_whole_or_not_at_all(void)
{
    static const struct {
        const char *text;
        double value;
    } good[] = {{"1e-3", 0.001},     {"0", 0},           {"-0.5", -0.5},
                {"+2", 2},           {".25", 0.25},      {"5.", 5},
                {"1E2", 100},        {"1e-400", 0},      {"inf", INFINITY},
                {"-Inf", -INFINITY}, {"4e-324", 5e-324}, {"1.7976931348623157e308", DBL_MAX}};
    static const char *const bad[] = {"",      " 1",  "1 ",     "1,5", "1.5x", "0x10", "-0x1p3", "1e",
                                      "1e999", "--1", "nan(1)", "ten", ".",    "-",    "e5",     "1_000"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        double value = -77;
        CU_ASSERT(text_real(good[i].text, &value));
        CU_ASSERT_EQUAL(value, good[i].value);
    }
    double value = 1;
    CU_ASSERT(text_real("NaN", &value) && isnan(value));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        value = -77;
        CU_ASSERT_FALSE(text_real(bad[i], &value));
        CU_ASSERT_EQUAL(value, -77);
    }
}

static void integers_are_read_whole_or_not_at_all(void)
{
    static const char *const bad[] = {"",    " 1", "1.0", "1e3", "9223372036854775808", "-9223372036854775809",
                                      "0x1", "-",  "1 "};
    int64_t value = 0;
    CU_ASSERT(text_integer("9223372036854775807", &value) && value == INT64_MAX);
    CU_ASSERT(text_integer("-9223372036854775808", &value) && value == INT64_MIN);
    CU_ASSERT(text_integer("007", &value) && value == 7);
    CU_ASSERT(text_integer("+12", &value) && value == 12);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CU_ASSERT_FALSE(text_integer(bad[i], &value));
}

static void sizes_have_binary_and_decimal_units(void)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {{"4GiB", 4294967296},
                {"512MiB", 536870912},
                {"100MB", 100000000},
                {"1024", 1024},
                {"1.5KiB", 1536},
                {"1.5 KiB", 1536},
                {"2k", 2048},
                {"0", 0},
                {"1TB", 1000000000000},
                {"18446744073709551615", UINT64_MAX},
                {"3b", 3}};
    static const char *const bad[] = {"",   "-1", "GiB", "4 GiB!", "4XB", "1e30", "18446744073709551616", "17000000TiB",
                                      "inf"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint64_t bytes = 1;
        CU_ASSERT(text_bytes(good[i].text, &bytes));
        CU_ASSERT_EQUAL(bytes, good[i].bytes);
    }
    uint64_t bytes;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CU_ASSERT_FALSE(text_bytes(bad[i], &bytes));
}

static void durations_have_units(void)
{
    static const struct {
        const char *text;
        double seconds;
    } good[] = {{"30s", 30}, {"10m", 600},  {"2h", 7200},    {"1.5h", 5400},
                {"90", 90},  {"1d", 86400}, {"250ms", 0.25}, {".5s", 0.5}};
    static const char *const bad[] = {"", "-1s", "s", "1y", "1e308d", "inf", "nan", "1h30m"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        double seconds = -1;
        CU_ASSERT(text_duration(good[i].text, &seconds));
        CU_ASSERT_EQUAL(seconds, good[i].seconds);
    }
    double seconds;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CU_ASSERT_FALSE(text_duration(bad[i], &seconds));
}

/* 5e-324, DBL_MIN, DBL_MAX, 0.1 and 2/3: the shortest forms known from any printer of shortest doubles (Steele and
 * White 1990); 9007199254740993 is not a double and reads as its even neighbour. */
static void reals_are_written_short(void)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},
                 {-0.0, "-0"},
                 {1, "1"},
                 {-2.5, "-2.5"},
                 {0.1, "0.1"},
                 {1000, "1000"},
                 {1e15, "1000000000000000"},
                 {1e16, "1e+16"},
                 {1e-5, "0.00001"},
                 {1e-6, "1e-06"},
                 {2.0 / 3, "0.6666666666666666"},
                 {5e-324, "5e-324"},
                 {DBL_MIN, "2.2250738585072014e-308"},
                 {DBL_MAX, "1.7976931348623157e+308"},
                 {123456.789, "123456.789"},
                 {9007199254740993.0, "9007199254740992"},
                 {0.30000000000000004, "0.30000000000000004"},
                 {1e22, "1e+22"},
                 {INFINITY, "inf"},
                 {-INFINITY, "-inf"},
                 {NAN, "nan"}};
    char buffer[32];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CU_ASSERT_STRING_EQUAL(text_from_real(cases[i].value, buffer), cases[i].text);
        if (strcmp(buffer, cases[i].text) != 0)
            printf("\n    %s, not %s\n", buffer, cases[i].text);
    }
}

/* Every bit pattern must come back; no shorter precision may. The C library's own printf and strtod are the judges. */
static void reals_come_back_as_the_same_double(void)
{
    struct random_key key = {.seed = 1, .purpose = RANDOM_CHECK};
    size_t wrong = 0, too_long = 0;
    for (uint64_t i = 0; i < 20000; i++) {
        uint32_t bits[4];
        char buffer[32], shorter[40];
        double value;
        random_bits(key, i, bits);
        memcpy(&value, bits, sizeof value);
        if (!isfinite(value))
            continue;
        double back = 0;
        wrong += !text_real(text_from_real(value, buffer), &back) || memcmp(&back, &value, sizeof value) != 0;
        int digits = 0, counted = 0;
        for (const char *c = buffer; *c && *c != 'e'; c++)
            if (*c >= '0' && *c <= '9' && (digits || *c != '0'))
                counted = ++digits;
        snprintf(shorter, sizeof shorter, "%.*e", counted > 1 ? counted - 2 : 0, value);
        too_long += counted > 1 && strchr(buffer, 'e') && strtod(shorter, NULL) == value;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(too_long, 0);
}

static void a_comma_locale_changes_nothing(void)
{
    static const char *const locales[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8", "de_DE", "fr_FR"};
    bool set = false;
    for (size_t i = 0; i < sizeof locales / sizeof *locales && !set; i++)
        set = setlocale(LC_ALL, locales[i]) != NULL;
    if (!set)
        printf("(no locale with a decimal comma is installed: only C was seen) ");
    char buffer[32];
    double value = 0;
    uint64_t bytes = 0;
    CU_ASSERT_STRING_EQUAL(text_from_real(0.5, buffer), "0.5");
    CU_ASSERT(text_real("0.5", &value) && value == 0.5);
    CU_ASSERT_FALSE(text_real("0,5", &value));
    CU_ASSERT(text_bytes("1.5KiB", &bytes) && bytes == 1536);
    CU_ASSERT_STRING_EQUAL(text_from_bytes(1536, buffer), "1.5 KiB");
    setlocale(LC_ALL, "C");
}

static void sizes_are_written_for_people(void)
{
    char buffer[32];
    CU_ASSERT_STRING_EQUAL(text_from_bytes(0, buffer), "0 B");
    CU_ASSERT_STRING_EQUAL(text_from_bytes(1023, buffer), "1023 B");
    CU_ASSERT_STRING_EQUAL(text_from_bytes(1024, buffer), "1 KiB");
    CU_ASSERT_STRING_EQUAL(text_from_bytes(1536, buffer), "1.5 KiB");
    CU_ASSERT_STRING_EQUAL(text_from_bytes((uint64_t)4 << 30, buffer), "4 GiB");
    CU_ASSERT_STRING_EQUAL(text_from_bytes(UINT64_MAX, buffer), "15.9 EiB");
}

TEST_MAIN("text", TEST(nearest_word_is_a_likely_slip), TEST(swapped_neighbours_are_one_slip),
          TEST(very_long_words_have_no_neighbours), TEST(reals_are_read_whole_or_not_at_all),
          TEST(integers_are_read_whole_or_not_at_all), TEST(sizes_have_binary_and_decimal_units),
          TEST(durations_have_units), TEST(reals_are_written_short), TEST(reals_come_back_as_the_same_double),
          TEST(a_comma_locale_changes_nothing), TEST(sizes_are_written_for_people))
