/* The whole command: files, exit codes, what is refused, and a loss that trains. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "support.h"

#define HUBER "where(abs(pred - target) <= delta, 0.5*(pred-target)^2, delta*(abs(pred-target) - 0.5*delta))"

static bool exists(const char *name)
{
    struct stat s;
    return stat(test_path(name), &s) == 0;
}

static void file_holds(const char *name, const char *part)
{
    void *text = NULL;
    size_t size;
    struct gm_error err;
    CU_ASSERT_EQUAL_FATAL(file_read(test_path(name), 1 << 20, &text, &size, &err), GM_OK);
    ASSERT_HOLDS(text, part);
    memory_free(text);
}

static void a_formula_becomes_a_checked_plugin(void)
{
    struct test_result r =
        PROGRAM("new-loss", "my_huber", "--formula", HUBER, "--param", "delta=1.0 >0 # the \"knee\" */");
    CU_ASSERT_EQUAL(r.exit_code, 0);
    ASSERT_HOLDS(r.out, "checks passed");
    ASSERT_HOLDS(r.out, "gradmill train JOB.yaml --set 'loss={name: my_huber/my_huber.so}'");
    if (r.exit_code)
        printf("\n%s%s", r.out, r.err);
    test_result_free(&r);
    CU_ASSERT(exists("my_huber/my_huber.so"));
    CU_ASSERT(!exists("my_huber/my_huber.so.part"));
    file_holds("my_huber/my_huber.c", ".flags = GM_PARAM_LOW_OPEN, .fallback = 1.0, .low = 0.0, .high = INFINITY");
    file_holds("my_huber/my_huber.c", "GM_NATURE_NON_SMOOTH | GM_NATURE_NON_CONVEX");
    file_holds("my_huber/CMakeLists.txt", "gradmill_add_loss(my_huber my_huber.c)");
}

static void what_is_there_is_not_replaced_unless_asked(void)
{
    test_write(test_path("kept.txt"), "");
    mkdir(test_path("kept"), 0777);
    test_write(test_path("kept/kept.c"), "mine");
    struct test_result r = PROGRAM("new-loss", "kept", "--formula", "(pred - target)^2");
    CU_ASSERT_EQUAL(r.exit_code, 73);
    ASSERT_HOLDS(r.err, "--force");
    test_result_free(&r);
    file_holds("kept/kept.c", "mine");
    CU_ASSERT(!exists("kept/CMakeLists.txt"));
    r = PROGRAM("new-loss", "kept", "--formula", "(pred - target)^2", "--force");
    CU_ASSERT_EQUAL(r.exit_code, 0);
    test_result_free(&r);
    file_holds("kept/kept.c", "GM_NATURE_HESS_CONSTANT");
}

static void the_template_passes_its_checks(void)
{
    struct test_result r = PROGRAM("new-loss", "blank", "-o", "elsewhere/");
    CU_ASSERT_EQUAL(r.exit_code, 0);
    ASSERT_HOLDS(r.out, "checks passed");
    test_result_free(&r);
    CU_ASSERT(exists("elsewhere/blank.so"));
}

static void mistakes_leave_nothing_behind(void)
{
    struct test_result r = PROGRAM("new-loss", "wrong", "--formula", "pred - traget");
    CU_ASSERT_EQUAL(r.exit_code, 64);
    ASSERT_HOLDS(r.err, "    pred - traget\n           ^"); /* the caret four columns in */
    test_result_free(&r);
    r = PROGRAM("new-loss", "Wrong");
    CU_ASSERT_EQUAL(r.exit_code, 64);
    test_result_free(&r);
    r = PROGRAM("new-loss", "../wrong");
    CU_ASSERT_EQUAL(r.exit_code, 64);
    test_result_free(&r);
    r = PROGRAM("new-loss", "wrong", "--formula", "pred^2", "--target", "reel");
    CU_ASSERT_EQUAL(r.exit_code, 64);
    ASSERT_HOLDS(r.err, "Did you mean 'real'?");
    test_result_free(&r);
    r = PROGRAM("new-loss", "wrong", "-o", "no/such/place");
    CU_ASSERT_EQUAL(r.exit_code, 73);
    test_result_free(&r);
    CU_ASSERT(!exists("wrong"));
}

static void a_missing_compiler_is_said_and_the_source_kept(void)
{
    const char *before = getenv("CC");
    char kept[256] = "";
    if (before)
        snprintf(kept, sizeof kept, "%s", before);
    setenv("CC", "no-such-compiler --flag", 1);
    struct test_result r = PROGRAM("new-loss", "uncompiled", "--formula", "(pred - target)^2");
    CU_ASSERT_EQUAL(r.exit_code, 71);
    ASSERT_HOLDS(r.err, "no-such-compiler");
    test_result_free(&r);
    setenv("CC", "false", 1);
    r = PROGRAM("new-loss", "uncompiled", "--formula", "(pred - target)^2", "--force");
    CU_ASSERT_EQUAL(r.exit_code, 71);
    test_result_free(&r);
    if (before)
        setenv("CC", kept, 1);
    else
        unsetenv("CC");
    CU_ASSERT(exists("uncompiled/uncompiled.c"));
    CU_ASSERT(!exists("uncompiled/uncompiled.so"));
}

/* The author vouches for convexity where there is none: the Hessian check sees it. */
static void a_false_promise_is_found_out(void)
{
    struct test_result r = PROGRAM("new-loss", "concave", "--formula", "log(1 + (pred - target)^2)", "--convex");
    CU_ASSERT_EQUAL(r.exit_code, 82);
    ASSERT_HOLDS(r.out, "hessian");
    test_result_free(&r);
    CU_ASSERT(exists("concave/concave.c")); /* the author has something to mend */
}

static void a_formula_loss_trains(void)
{
    struct test_result r =
        PROGRAM("make", "regression", "-o", "data.h5", "--rows", "400", "--features", "3", "--seed", "1");
    CU_ASSERT_EQUAL(r.exit_code, 0);
    test_result_free(&r);
    test_write(test_path("job.yaml"),
               "data: {train: data.h5}\nloss: {name: cosh_loss/cosh_loss.so, params: {width: 2}}\n"
               "optimizer: {type: gd}\nstop: {max_epochs: 20}\noutput: {model: m.h5}\n");
    r = PROGRAM("new-loss", "cosh_loss", "--convex", "--param", "width=1 >=0.01 <=100", "--formula",
                "softplus(2*(pred - target)/width) - (pred - target)/width - log(2)");
    CU_ASSERT_EQUAL(r.exit_code, 0);
    test_result_free(&r);
    r = PROGRAM("train", "job.yaml", "--quiet");
    if (r.exit_code)
        printf("\n%s", r.err);
    CU_ASSERT_EQUAL(r.exit_code, 0);
    test_result_free(&r);
    CU_ASSERT(exists("m.h5"));
}

TEST_MAIN("new-loss", TEST(a_formula_becomes_a_checked_plugin), TEST(what_is_there_is_not_replaced_unless_asked),
          TEST(the_template_passes_its_checks), TEST(mistakes_leave_nothing_behind),
          TEST(a_missing_compiler_is_said_and_the_source_kept), TEST(a_false_promise_is_found_out),
          TEST(a_formula_loss_trains))
