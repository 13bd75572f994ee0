/*
 * gradmill predict when the disk is full: /dev/full, and a limit on the size of files. Not run under the thread
 * sanitizer, whose own start writes a file that the limit cuts short (tests/CMakeLists.txt).
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* linear.h5 on r.h5. */
static void prepare(void)
{
    static bool done;
    if (done)
        return;
    done = true;
    test_write(test_path("linear.yaml"), "data: {train: r.h5}\nloss: mse\noutput: {model: linear.h5, log: null}\n");
    struct test_result result = PROGRAM("make", "regression", "-o", "r.h5", "--rows", "300", "--features", "3");
    CU_ASSERT_EQUAL_FATAL(result.exit_code, 0);
    test_result_free(&result);
    result = PROGRAM("train", "linear.yaml", "-q");
    CU_ASSERT_EQUAL_FATAL(result.exit_code, 0);
    test_result_free(&result);
}

/* Exit code of "predict linear.h5 r.h5 OPTIONS" behind `before`, in the test directory. */
static int predict(const char *before, const char *options)
{
    char command[900];
    snprintf(command, sizeof command, "cd '%s' && %s '%s' predict linear.h5 r.h5 %s 2>err", test_directory(), before,
             getenv("GRADMILL"), options);
    return system(command) >> 8;
}

static void a_full_disk_is_an_io_error(void)
{
    struct stat status;
    prepare();
    CU_ASSERT_EQUAL(predict("", "-o - >/dev/full"), 74);
    CU_ASSERT_EQUAL(predict("ulimit -f 1 &&", "-o limit.h5"), 74);
    CU_ASSERT(stat(test_path("limit.h5"), &status) != 0 && stat(test_path("limit.h5.tmp"), &status) != 0);
}

static void a_failed_run_leaves_the_old_file_alone(void)
{
    char command[900];
    prepare();
    test_write(test_path("old.h5"), "old");
    CU_ASSERT_EQUAL(predict("ulimit -f 1 &&", "-o old.h5"), 74);
    snprintf(command, sizeof command, "test \"$(cat '%s')\" = old", test_path("old.h5"));
    CU_ASSERT_EQUAL(system(command), 0);
}

TEST_MAIN("full disk", TEST(a_full_disk_is_an_io_error), TEST(a_failed_run_leaves_the_old_file_alone))
