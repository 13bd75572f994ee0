/* gradmill losses and gradmill check-loss as people and scripts see them: text, JSON, exit codes. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static const char *mutant_path(const char *name)
{
    static char paths[4][512];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/tests/mutants/%s.so", getenv("GRADMILL_BUILD"), name);
    return path;
}

static void losses_are_listed_by_task(void)
{
    struct test_result r = PROGRAM("losses");
    CU_ASSERT_EQUAL(r.exit_code, 0);
    ASSERT_HOLDS(r.out, "Regression\n");
    ASSERT_HOLDS(r.out, "  mse ");
    CU_ASSERT_STRING_EQUAL(r.err, "");
    size_t losses = 0, against = 0; /* each says when to choose it, and when not */
    for (const char *at = r.out; (at = strstr(at, "  Use it ")); at++)
        losses++;
    for (const char *at = r.out; (at = strstr(at, "  Not ")); at++)
        against++;
    CU_ASSERT(losses >= 31);
    CU_ASSERT_EQUAL(against, losses);
    test_result_free(&r);
}

static void one_loss_is_shown_with_its_parameters(void)
{
    struct test_result r = PROGRAM("losses", "huber");
    CU_ASSERT_EQUAL(r.exit_code, 0);
    ASSERT_HOLDS(r.out, "delta");
    ASSERT_HOLDS(r.out, "> 0");
    ASSERT_HOLDS(r.out, "sha256");
    test_result_free(&r);
    r = PROGRAM("losses", "hubre");
    CU_ASSERT_EQUAL(r.exit_code, 81);
    ASSERT_HOLDS(r.err, "Did you mean \"huber\"?");
    CU_ASSERT_STRING_EQUAL(r.out, "");
    test_result_free(&r);
}

static void a_good_loss_passes_with_0(void)
{
    struct test_result r = PROGRAM("check-loss", "huber", "--param", "delta=0.5", "--seed", "7");
    CU_ASSERT_EQUAL(r.exit_code, 0);
    ASSERT_HOLDS(r.out, "22 checks: 0 failed");
    CU_ASSERT(r.seconds < 60); /* 10 s on an idle machine without sanitizers */
    test_result_free(&r);
}

static void a_broken_loss_is_82_and_the_report_says_why(void)
{
    struct test_result r = PROGRAM("check-loss", mutant_path("wrong_scale"), "--only", "gradient");
    CU_ASSERT_EQUAL(r.exit_code, 82);
    ASSERT_HOLDS(r.out, "FAIL  gradient");
    ASSERT_HOLDS(r.err, "breaks its contract");
    test_result_free(&r);
}

static void json_is_one_line_that_scripts_can_read(void)
{
    struct test_result r = PROGRAM("check-loss", mutant_path("wrong_scale"), "--only", "gradient", "--json");
    json_error_t why;
    json_t *all = json_loads(r.out, 0, &why);
    CU_ASSERT_EQUAL(r.exit_code, 82);
    CU_ASSERT_PTR_NOT_NULL_FATAL(all);
    CU_ASSERT_PTR_EQUAL(strchr(r.out, '\n'), r.out + strlen(r.out) - 1);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(all, "exit_code")), 82);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(all, "failed")), 1);
    json_t *last = json_array_get(json_object_get(all, "checks"), 2);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(last, "name")), "gradient");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(last, "verdict")), "failed");
    json_decref(all);
    test_result_free(&r);
}

static void what_cannot_be_checked_has_its_own_codes(void)
{
    char path[512];
    snprintf(path, sizeof path, "%s/tests/plugins/no_symbol.so", getenv("GRADMILL_BUILD"));
    struct test_result r = PROGRAM("check-loss", path);
    CU_ASSERT_EQUAL(r.exit_code, 81);
    ASSERT_HOLDS(r.err, "does not export");
    test_result_free(&r);
    r = PROGRAM("check-loss", "huber", "--param", "delta=-1");
    CU_ASSERT_EQUAL(r.exit_code, 64);
    ASSERT_HOLDS(r.err, "> 0");
    test_result_free(&r);
    r = PROGRAM("check-loss", "huber", "--param", "delta");
    CU_ASSERT_EQUAL(r.exit_code, 64);
    test_result_free(&r);
    r = PROGRAM("check-loss");
    CU_ASSERT_EQUAL(r.exit_code, 64);
    test_result_free(&r);
    r = PROGRAM("check-loss", "huber", "--only", "gradeint");
    CU_ASSERT_EQUAL(r.exit_code, 64);
    ASSERT_HOLDS(r.err, "gradient");
    test_result_free(&r);
}

TEST_MAIN("commands", TEST(losses_are_listed_by_task), TEST(one_loss_is_shown_with_its_parameters),
          TEST(a_good_loss_passes_with_0), TEST(a_broken_loss_is_82_and_the_report_says_why),
          TEST(json_is_one_line_that_scripts_can_read), TEST(what_cannot_be_checked_has_its_own_codes))
