/* The author's guide keeps its word: its listings are the files of docs/examples, which build and pass their checks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

static void check_example(const char *name)
{
    char source[128], so[128], command[2048];
    snprintf(source, sizeof source, "docs/examples/%s.c", name);
    snprintf(so, sizeof so, "./%s.so", name);
    char *guide = test_text(test_source("docs/loss-plugins.md")), *listing = test_text(test_source(source));
    CU_ASSERT_FATAL(guide && listing);
    ASSERT_HOLDS(guide, listing);
    snprintf(command, sizeof command,
             "%s -std=c17 -O3 -Wall -Wextra -Werror -fPIC -shared -ffp-contract=off -I'%s' -o '%s' '%s' -lm",
             getenv("CC") ? getenv("CC") : "cc", test_source("include"), test_path(so), test_source(source));
    CU_ASSERT_EQUAL_FATAL(system(command), 0);
    struct test_result r = PROGRAM("check-loss", so);
    CU_ASSERT_EQUAL(r.exit_code, 0);
    ASSERT_HOLDS(r.out, "0 failed, 0 warned");
    test_result_free(&r);
    free(guide);
    free(listing);
}

static void twenty_lines(void)
{
    check_example("my_mse");
}

static void a_parameter_and_a_hessian(void)
{
    check_example("my_huber");
}

static void a_learned_parameter(void)
{
    check_example("my_gauss");
}

static void groups(void)
{
    check_example("my_rank");
}

TEST_MAIN("loss guide", TEST(twenty_lines), TEST(a_parameter_and_a_hessian), TEST(a_learned_parameter), TEST(groups))
