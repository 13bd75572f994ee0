/* libsvm text to sparse rows. Expected values are written out by hand beside each text. */
#include "support.h"

#include <math.h>
#include <unistd.h>

#include "datasets/datasets.h"
#include "datasets/libsvm_row.h"
#include "h5read.h"

static const struct import_options plain = {0};

static enum gm_code import_text(const char *text, const struct import_options *options, struct import_report *report,
                                struct gm_error *err)
{
    const char *from = test_path("in.svm");
    test_write(from, text);
    unlink(test_path("out.h5"));
    *err = (struct gm_error){0};
    return import_libsvm(&from, 1, test_path("out.h5"), options, report, err);
}

static void expect_error(const char *text, const char *part)
{
    struct gm_error err;
    CU_ASSERT_EQUAL(import_text(text, &plain, NULL, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, part);
    CU_ASSERT(access(test_path("out.h5"), F_OK) != 0 && access(test_path("out.h5.tmp"), F_OK) != 0);
}

static void expect_array(const char *name, const double *values, size_t count, size_t size, bool is_float)
{
    struct h5array a = h5array(test_path("out.h5"), name);
    CU_ASSERT(a.rank == 1 && a.size == size && a.is_float == is_float);
    CU_ASSERT_EQUAL_FATAL(a.rows, count);
    for (size_t i = 0; i < count; i++)
        CU_ASSERT_EQUAL(a.values[i], values[i]);
    h5free(&a);
}

static void rows_become_csr(void)
{
    static const double data[] = {0.5, -2, 1e6, 3}, indices[] = {0, 3, 2, 0}, indptr[] = {0, 2, 2, 3, 4},
                        y[] = {1, -1, 1, -1};
    struct gm_error err;
    struct import_report report;
    const char *text = "# a comment\n+1 1:0.5 4:-2\n-1\n\n1 3:1e6 # third\r\n-1 1:3";
    CU_ASSERT_EQUAL_FATAL(import_text(text, &plain, &report, &err), GM_OK);
    CU_ASSERT(report.rows == 4 && report.features == 4);
    expect_array("X/data", data, 4, 4, true);
    expect_array("X/indices", indices, 4, 4, false);
    expect_array("X/indptr", indptr, 5, 8, false);
    expect_array("y", y, 4, 1, false);
    uint64_t shape[2];
    CU_ASSERT(h5numbers(test_path("out.h5"), "/X", "shape", shape) == 2 && shape[0] == 4 && shape[1] == 4);
    CU_ASSERT_STRING_EQUAL(h5text(test_path("out.h5"), "/X", "encoding-type"), "csr_matrix");
    CU_ASSERT_STRING_EQUAL(h5text(test_path("out.h5"), "/", "source"), "in.svm");
    CU_ASSERT(!h5has(test_path("out.h5"), "qid"));
}

static void a_zero_index_means_counting_from_zero(void)
{
    static const double indices[] = {0, 2, 1}, data[] = {1, 255, 7};
    struct gm_error err;
    struct import_report report;
    CU_ASSERT_EQUAL_FATAL(import_text("1 0:1 2:255\n2 1:7\n", &plain, &report, &err), GM_OK);
    CU_ASSERT_EQUAL(report.features, 3);
    expect_array("X/indices", indices, 3, 4, false);
    expect_array("X/data", data, 3, 1, false); /* whole numbers up to 255: bytes */
}

static void queries_and_real_targets_are_kept(void)
{
    static const double qid[] = {7, 7, 9}, y[] = {0.5, 1.25, -3};
    struct gm_error err;
    CU_ASSERT_EQUAL_FATAL(import_text("0.5 qid:7 1:1\n1.25 qid:7 2:1\n-3 qid:9 1:4\n", &plain, NULL, &err), GM_OK);
    expect_array("qid", qid, 3, 8, false);
    expect_array("y", y, 3, 4, true);
}

static void the_width_can_be_given(void)
{
    struct gm_error err;
    struct import_report report;
    struct import_options options = {.features = 10};
    CU_ASSERT_EQUAL_FATAL(import_text("1 3:1\n", &options, &report, &err), GM_OK);
    CU_ASSERT_EQUAL(report.features, 10);
    options.features = 2;
    CU_ASSERT_EQUAL(import_text("1 3:1\n", &options, &report, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "expected at most 2 features, found index 3");
}

static void several_files_become_one(void)
{
    test_write(test_path("a.svm"), "1 1:1\n");
    test_write(test_path("b.svm"), "2 2:1 5:1\n3\n");
    const char *from[] = {test_path("a.svm"), test_path("b.svm")};
    struct gm_error err = {0};
    struct import_report report;
    CU_ASSERT_EQUAL_FATAL(import_libsvm(from, 2, test_path("ab.h5"), &plain, &report, &err), GM_OK);
    CU_ASSERT(report.rows == 3 && report.features == 5);
}

/* `count` rows; row i has i % 5 values, all equal to i + 1, at columns 1, 3, 5, ... */
static const char *many_rows(size_t count)
{
    FILE *file = fopen(test_path("many.svm"), "w");
    for (size_t i = 0; i < count; i++) {
        fprintf(file, "%zu", i);
        for (size_t k = 0; k < i % 5; k++)
            fprintf(file, " %zu:%zu", 2 * k + 1, i + 1);
        fputc('\n', file);
    }
    fclose(file);
    return test_path("many.svm");
}

static void windows_and_shuffling_keep_rows_whole(void)
{
    enum { rows = 4000 };
    struct gm_error err = {0};
    const char *from = many_rows(rows);
    struct import_options options = {.shuffle = true, .seed = 3};
    CU_ASSERT_EQUAL_FATAL(import_libsvm(&from, 1, test_path("whole.h5"), &options, NULL, &err), GM_OK);
    options.memory = 5000; /* some 230 values and rows: dozens of passes */
    CU_ASSERT_EQUAL_FATAL(import_libsvm(&from, 1, test_path("parts.h5"), &options, NULL, &err), GM_OK);
    CU_ASSERT(same_files(test_path("whole.h5"), test_path("parts.h5")));
    struct h5array y = h5array(test_path("parts.h5"), "y"), start = h5array(test_path("parts.h5"), "X/indptr");
    struct h5array data = h5array(test_path("parts.h5"), "X/data"), at = h5array(test_path("parts.h5"), "X/indices");
    char seen[rows] = {0};
    size_t in_place = 0;
    for (size_t r = 0; r < rows; r++) {
        size_t i = (size_t)y.values[r], first = (size_t)start.values[r];
        CU_ASSERT_FATAL(i < rows && !seen[i]);
        seen[i] = 1;
        in_place += i == r;
        CU_ASSERT_EQUAL_FATAL((size_t)start.values[r + 1] - first, i % 5);
        for (size_t k = 0; k < i % 5; k++)
            CU_ASSERT(data.values[first + k] == (double)i + 1 && at.values[first + k] == 2.0 * (double)k);
    }
    CU_ASSERT(in_place < 10); /* one expected of a random permutation */
    h5free(&y), h5free(&start), h5free(&data), h5free(&at);
}

static void large_files_stream_through_several_windows(void)
{
    enum { rows = 300000 }; /* 600,000 values: more than the 8 MiB of a window */
    struct gm_error err = {0};
    const char *from = many_rows(rows);
    CU_ASSERT_EQUAL_FATAL(import_libsvm(&from, 1, test_path("big.h5"), &plain, NULL, &err), GM_OK);
    struct import_options options = {.compress = true};
    CU_ASSERT_EQUAL_FATAL(import_libsvm(&from, 1, test_path("bigc.h5"), &options, NULL, &err), GM_OK);
    struct h5array a = h5array(test_path("big.h5"), "X/data"), b = h5array(test_path("bigc.h5"), "X/data");
    CU_ASSERT_EQUAL_FATAL(a.rows, 600000);
    CU_ASSERT_EQUAL_FATAL(b.rows, 600000);
    bool same = true;
    size_t k = 0;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < i % 5; j++, k++)
            same = same && a.values[k] == (double)i + 1 && b.values[k] == (double)i + 1;
    CU_ASSERT(same);
    h5free(&a), h5free(&b);
}

static void bad_lines_are_named(void)
{
    expect_error("", "no rows");
    expect_error("1\n2\n", "no row has a value");
    expect_error("1 1:1\nspam 1:1\n", "in.svm: line 2: expected a number as label, found 'spam'");
    expect_error("1:1 2:1\n", "Every line begins with a label");
    expect_error("1,2 1:1\n", "Several labels a row are not read");
    expect_error("1 1\n", "line 1: expected index:value, found '1'");
    expect_error("1 x:1\n", "expected an index from 0 to 2147483646, found 'x'");
    expect_error("1 -1:1\n", "expected an index from 0");
    expect_error("1 2147483647:1\n", "expected an index from 0");
    expect_error("1 1:x\n", "index 1: expected a number, found 'x'");
    expect_error("1 1:nan\n", "expected a number, found 'nan'");
    expect_error("1 1:\n", "expected a number, found ''");
    expect_error("1 2:1 2:1\n", "indices must ascend: found 2 after 2");
    expect_error("1 3:1 2:1\n", "indices must ascend: found 2 after 3");
    expect_error("1 qid:1 1:1\n1 1:1\n", "1 of 2 rows have a qid");
    expect_error("1 1:1 qid:1\n", "before the values");
    expect_error("1 qid:x 1:1\n", "expected qid:N");
}

static void long_lines_are_read(void)
{
    enum { values = 200000 };
    char *text = malloc(values * 10 + 10), *end = text;
    end += sprintf(end, "1");
    for (int i = 1; i <= values; i++)
        end += sprintf(end, " %d:1", i);
    struct gm_error err;
    struct import_report report;
    CU_ASSERT_EQUAL_FATAL(import_text(text, &plain, &report, &err), GM_OK);
    CU_ASSERT(report.rows == 1 && report.features == values);
    free(text);
}

static void a_row_can_be_parsed_again_and_again(void)
{
    struct libsvm_row row = {0};
    struct gm_error err = {0};
    char one[] = "3 1:1 2:2 9:-0.5", two[] = "  # nothing", three[] = "-1e-3";
    CU_ASSERT_EQUAL(libsvm_parse(&row, one, (struct libsvm_place){"t", 1}, &err), GM_OK);
    CU_ASSERT(row.count == 3 && row.indices[2] == 9 && row.values[2].real == -0.5 && row.label.whole == 3 &&
              !row.empty);
    CU_ASSERT_EQUAL(libsvm_parse(&row, two, (struct libsvm_place){"t", 2}, &err), GM_OK);
    CU_ASSERT(row.empty);
    CU_ASSERT_EQUAL(libsvm_parse(&row, three, (struct libsvm_place){"t", 3}, &err), GM_OK);
    CU_ASSERT(row.count == 0 && row.label.real == -1e-3);
    libsvm_row_release(&row);
}

/* Names come from files; what stands behind a tab is a note. */
static void names_are_taken_from_files(void)
{
    static const double indptr[] = {0, 1, 2};
    struct gm_error err;
    struct import_report report;
    const char *text = "1 1:0.5\n0 2:2\n";
    char words[300], classes[300], few[300];
    snprintf(words, sizeof words, "%s", test_path("words.txt"));
    snprintf(classes, sizeof classes, "%s", test_path("classes.txt"));
    snprintf(few, sizeof few, "%s", test_path("few.txt"));
    test_write(words, "ant\t7\nbee\t5\ncat\t2\n");
    test_write(classes, "no\nyes\n");
    test_write(few, "only\n");
    struct import_options options = {.feature_names = words, .class_names = classes};
    CU_ASSERT_EQUAL_FATAL(import_text(text, &options, &report, &err), GM_OK);
    CU_ASSERT(report.features == 3 && report.classes == 2); /* as many columns as names */
    expect_array("X/indptr", indptr, 3, 8, false);
    CU_ASSERT_STRING_EQUAL(h5text(test_path("out.h5"), "/", "feature_names"), "ant|bee|cat");
    CU_ASSERT_STRING_EQUAL(h5text(test_path("out.h5"), "/", "class_names"), "no|yes");
    options.class_names = few;
    CU_ASSERT_EQUAL(import_text(text, &options, NULL, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "expected 0 to 0");
    options = (struct import_options){.feature_names = few};
    CU_ASSERT_EQUAL(import_text(text, &options, NULL, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "expected at most 1 features, found index 2");
    options = (struct import_options){.feature_names = words, .features = 4};
    CU_ASSERT_EQUAL(import_text(text, &options, NULL, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "a name for each of 4 features, found 3");
    options = (struct import_options){.class_names = test_path("absent.txt")};
    CU_ASSERT_EQUAL(import_text(text, &options, NULL, &err), GM_NO_INPUT);
}

TEST_MAIN("libsvm", TEST(rows_become_csr), TEST(a_zero_index_means_counting_from_zero),
          TEST(queries_and_real_targets_are_kept), TEST(the_width_can_be_given), TEST(several_files_become_one),
          TEST(windows_and_shuffling_keep_rows_whole), TEST(large_files_stream_through_several_windows),
          TEST(bad_lines_are_named), TEST(long_lines_are_read), TEST(a_row_can_be_parsed_again_and_again),
          TEST(names_are_taken_from_files))
