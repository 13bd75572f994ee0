/* CSV that cannot be imported: file, line and column are named, and the old output stays. */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "csv_text.h"
#include "h5read.h"

static void expect_error(const char *text, const struct import_options *options, enum gm_code code, const char *part)
{
    struct gm_error err;
    CU_ASSERT_EQUAL(import_text(text, options, NULL, &err), code);
    CU_ASSERT_EQUAL(err.code, code);
    ASSERT_HOLDS(err.text, part);
    CU_ASSERT(access(test_path("out.h5"), F_OK) != 0);
    CU_ASSERT(access(test_path("out.h5.tmp"), F_OK) != 0);
}

static void bad_cells_are_named(void)
{
    expect_error("a,b\n1,2\n\n3,x\n", &plain, GM_BAD_DATA,
                 "in.csv: line 4, column 2 ('b'): expected a number, found 'x'");
    expect_error("\"a\n2\",b\n1,2\n3,x\n", &plain, GM_BAD_DATA, "line 4, column 2");
    expect_error("a,b\r\n1,2\r\n3,x\r\n", &plain, GM_BAD_DATA, "line 3, column 2");
    expect_error("a,b\n1,\"1,000\"\n", &plain, GM_BAD_DATA, "separators of thousands");
    expect_error("a;b\n1;2,5\n", &plain, GM_BAD_DATA, "decimal point");
    expect_error("1,a\n2,3\n", &plain, GM_BAD_DATA, "Is this line a header?");
    expect_error("a,b\n1,0x10\n", &plain, GM_BAD_DATA, "found '0x10'");
    expect_error("a,b\n1,1e999\n", &plain, GM_BAD_DATA, "found '1e999'");
    expect_error("a,y\n1,2\n1,blue\n", &plain, GM_BAD_DATA, "expected a number as in the lines before, found 'blue'");
    expect_error("a,y\n1,red\n1,\n", &plain, GM_BAD_DATA, "line 3, column 2 ('y'): expected a class name, found ''");
}

static void bad_shapes_are_named(void)
{
    expect_error("", &plain, GM_BAD_DATA, "the file is empty");
    expect_error("\n\n", &plain, GM_BAD_DATA, "the file is empty");
    expect_error("a,b\n", &plain, GM_BAD_DATA, "no rows below the header");
    expect_error("a,b\n1,2\n3\n", &plain, GM_BAD_DATA, "line 3: expected 2 cells as in the first line, found 1");
    expect_error("a,b\n1,2,3\n", &plain, GM_BAD_DATA, "line 2: expected 2 cells as in the first line, found 3");
    expect_error("y\n1\n", &plain, GM_BAD_DATA, "no feature columns");
    expect_error("a,b\n1,NA\n2,\n", &plain, GM_BAD_DATA, "column 2 ('b') has no number in any row");
    expect_error("a,y\n1,NA\n2,\n", &plain, GM_BAD_DATA, "has no value in any row");
}

static void bad_text_is_named(void)
{
    expect_error("a,b\n1,\"2\n3,4\n", &plain, GM_BAD_DATA, "bad quotes");
    expect_error("a,b\n1,2\"3\n", &plain, GM_BAD_DATA, "line 2, field 2: bad quotes");
    expect_error("\xff\xfe"
                 "a",
                 &plain, GM_BAD_DATA, "iconv");
    expect_error("\x89HDF\r\n", &plain, GM_BAD_DATA, "already an HDF5 file");
    FILE *file = fopen(test_path("zero.csv"), "wb");
    fwrite("a,b\n1,2\0\n", 1, 9, file);
    fclose(file);
    struct gm_error err = {0};
    CU_ASSERT_EQUAL(import_csv(test_path("zero.csv"), test_path("zero.h5"), &plain, NULL, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "line 2: a zero byte");
}

static void a_quote_that_never_ends_is_found_in_bounded_memory(void)
{
    FILE *file = fopen(test_path("quote.csv"), "wb");
    fputs("a,b\n1,\"", file);
    for (size_t i = 0; i < (size_t)3 << 20; i++)
        fputs("1234567\n", file);
    fclose(file);
    struct gm_error err = {0};
    CU_ASSERT_EQUAL(import_csv(test_path("quote.csv"), test_path("quote.h5"), &plain, NULL, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "line 2: a field longer than 16 MiB");
}

static void wrong_options_are_usage_errors(void)
{
    struct import_options options = {.target = "pric"};
    expect_error("size,price\n1,2\n", &options, GM_USAGE, "no column 'pric': did you mean 'price'?");
    options.target = "3";
    expect_error("size,price\n1,2\n", &options, GM_USAGE, "numbered 1 to 2");
    options.target = "a";
    expect_error("a,a\n1,2\n", &options, GM_USAGE, "2 columns are named 'a'");
    options = (struct import_options){.drop = "nothing"};
    expect_error("a,b\n1,2\n", &options, GM_USAGE, "no column 'nothing'");
}

static void files_that_cannot_be_used_are_refused(void)
{
    struct gm_error err = {0};
    CU_ASSERT_EQUAL(import_csv(test_path("no.csv"), test_path("no.h5"), &plain, NULL, &err), GM_NO_INPUT);
    ASSERT_HOLDS(err.text, "no.csv");
    CU_ASSERT_EQUAL(mkfifo(test_path("pipe.csv"), 0600), 0);
    CU_ASSERT_EQUAL(import_csv(test_path("pipe.csv"), test_path("no.h5"), &plain, NULL, &err), GM_USAGE);
    ASSERT_HOLDS(err.text, "save a pipe to a file first");
    test_write(test_path("same.csv"), "a,b\n1,2\n");
    CU_ASSERT_EQUAL(import_csv(test_path("same.csv"), test_path("none/out.h5"), &plain, NULL, &err), GM_CANNOT_CREATE);
}

static void a_failed_import_keeps_the_old_file(void)
{
    struct gm_error err = {0};
    test_write(test_path("keep.csv"), "a,b\n1,2\n");
    test_write(test_path("keep.h5"), "old");
    test_write(test_path("bad.csv"), "a,b\n1,x\n");
    CU_ASSERT_EQUAL(import_csv(test_path("bad.csv"), test_path("keep.h5"), &plain, NULL, &err), GM_BAD_DATA);
    struct stat facts;
    CU_ASSERT(stat(test_path("keep.h5"), &facts) == 0 && facts.st_size == 3);
    CU_ASSERT_EQUAL(import_csv(test_path("keep.csv"), test_path("keep.h5"), &plain, NULL, &err), GM_OK);
    CU_ASSERT(h5has(test_path("keep.h5"), "X"));
}

TEST_MAIN("csv_errors", TEST(bad_cells_are_named), TEST(bad_shapes_are_named), TEST(bad_text_is_named),
          TEST(a_quote_that_never_ends_is_found_in_bounded_memory), TEST(wrong_options_are_usage_errors),
          TEST(files_that_cannot_be_used_are_refused), TEST(a_failed_import_keeps_the_old_file))
