/* CSV to HDF5. Values expected of the real samples are parsed here a second time, with strtod. */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "csv_text.h"
#include "h5read.h"

/* Import and compare X with expected[rows x columns]. */
static void expect_features(const char *text, const struct import_options *options, size_t rows, size_t columns,
                            const double *expected)
{
    struct gm_error err;
    CU_ASSERT_EQUAL_FATAL(import_text(text, options, NULL, &err), GM_OK);
    struct h5array x = h5array(test_path("out.h5"), "X");
    CU_ASSERT_EQUAL(x.rows, rows);
    CU_ASSERT_EQUAL_FATAL(x.columns, columns);
    for (size_t i = 0; i < rows * columns; i++)
        CU_ASSERT(x.values[i] == expected[i] || (isnan(x.values[i]) && isnan(expected[i])));
    h5free(&x);
}

/* ---- the real samples ---- */

static void digits_become_bytes_equal_to_the_text(void)
{
    struct gm_error err = {0};
    struct import_report report;
    const char *from = test_source("datasets/samples/digits.csv");
    CU_ASSERT_EQUAL_FATAL(import_csv(from, test_path("digits.h5"), &plain, &report, &err), GM_OK);
    CU_ASSERT_EQUAL(report.rows, 1797);
    CU_ASSERT_EQUAL(report.features, 64);
    CU_ASSERT_EQUAL(report.classes, 0);
    CU_ASSERT_STRING_EQUAL(report.target, "target");
    struct h5array x = h5array(test_path("digits.h5"), "X"), y = h5array(test_path("digits.h5"), "y");
    CU_ASSERT_EQUAL(x.rows, 1797);
    CU_ASSERT_EQUAL_FATAL(x.columns, 64);
    CU_ASSERT(x.size == 1 && !x.is_float && !x.is_signed && !x.is_chunked); /* pixels are 0..16 */
    CU_ASSERT(y.size == 1 && y.rank == 1 && y.rows == 1797);
    FILE *file = fopen(from, "r");
    char line[4096];
    CU_ASSERT_PTR_NOT_NULL_FATAL(fgets(line, sizeof line, file)); /* the header */
    for (size_t row = 0; row < x.rows; row++) {
        char *p = fgets(line, sizeof line, file);
        bool same = p;
        for (size_t i = 0; same && i < 64; i++, p++)
            same = strtod(p, &p) == x.values[row * 64 + i];
        same = same && strtod(p, &p) == y.values[row];
        CU_ASSERT_FATAL(same);
    }
    fclose(file);
    h5free(&x);
    h5free(&y);
    CU_ASSERT_STRING_EQUAL(h5text(test_path("digits.h5"), "/", "source"), "digits.csv");
    CU_ASSERT_STRING_EQUAL(h5text(test_path("digits.h5"), "/", "format"), "gradmill-dataset");
    ASSERT_HOLDS(h5text(test_path("digits.h5"), "/", "feature_names"), "pixel0_0|pixel0_1|");
}

static void words_become_sorted_classes(void)
{
    struct gm_error err = {0};
    struct import_report report;
    CU_ASSERT_EQUAL_FATAL(
        import_csv(test_source("datasets/samples/iris.csv"), test_path("iris.h5"), &plain, &report, &err), GM_OK);
    CU_ASSERT_EQUAL(report.rows, 150);
    CU_ASSERT_EQUAL(report.features, 4);
    CU_ASSERT_EQUAL(report.classes, 3);
    CU_ASSERT_STRING_EQUAL(h5text(test_path("iris.h5"), "/", "class_names"), "setosa|versicolor|virginica");
    struct h5array x = h5array(test_path("iris.h5"), "X"), y = h5array(test_path("iris.h5"), "y");
    CU_ASSERT(x.is_float && x.size == 4); /* one decimal: float32 loses nothing */
    CU_ASSERT(x.values[0] == (double)5.1f && x.values[3] == (double)0.2f);
    CU_ASSERT(y.size == 1 && y.values[0] == 0 && y.values[50] == 1 && y.values[149] == 2); /* 50 of each, in order */
    h5free(&x);
    h5free(&y);
    CU_ASSERT_EQUAL_FATAL(
        import_csv(test_source("datasets/samples/breast_cancer.csv"), test_path("cancer.h5"), &plain, &report, &err),
        GM_OK);
    CU_ASSERT_EQUAL(report.rows, 569);
    CU_ASSERT_STRING_EQUAL(h5text(test_path("cancer.h5"), "/", "class_names"), "benign|malignant");
    y = h5array(test_path("cancer.h5"), "y");
    double malignant = 0;
    for (size_t i = 0; i < y.rows; i++)
        malignant += y.values[i];
    CU_ASSERT_EQUAL(malignant, 212); /* the repository's own count */
    h5free(&y);
}

/* ---- types ---- */

static void the_smallest_type_that_loses_nothing_is_chosen(void)
{
    static const struct {
        const char *cells; /* of one column besides a 0 */
        size_t size;
        bool is_float, is_signed;
    } cases[] = {
        {"255", 1, false, false},
        {"-128\n127", 1, false, true},
        {"256", 2, false, false},
        {"-1\n255", 2, false, true},
        {"65536", 4, false, false},
        {"-32769", 4, false, true},
        {"4294967296", 8, false, true},
        {"3.0\n1e2", 1, false, false},            /* whole numbers, however written */
        {"16777217\nNA", 8, true, false},         /* 2^24 + 1 with a hole: float32 cannot hold it */
        {"16777216\nNA", 4, true, false},         /* 2^24 can */
        {"0.1\n0.123456\n1e-30", 4, true, false}, /* FLT_DIG = 6 digits always survive */
        {"0.1234567", 4, true, false},            /* float32 0.12345670163631439 written to 7 digits */
        {"8589973.5", 8, true, false},            /* between 2^23 and 2^24 float32 steps by 1 */
        {"0.123456789", 8, true, false},          /* the nearest float32 is 0.123456791 to 9 digits */
        {"0.10000000000000001", 8, true, false},
        {"1.500976562", 4, true, false}, /* 1 + 513/1024 = 1.5009765625: a tie, either neighbour is it */
        {"1.500976563", 4, true, false},
        {"1e39", 8, true, false},               /* beyond float32's 3.4e38 */
        {"0.5000000000000000", 4, true, false}, /* zeros behind say no more than 0.5 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[128];
        struct gm_error err;
        snprintf(text, sizeof text, "a\n0\n%s\n", cases[i].cells);
        CU_ASSERT_EQUAL_FATAL(import_text(text, &plain, NULL, &err), GM_OK);
        struct h5array x = h5array(test_path("out.h5"), "X");
        bool right = x.size == cases[i].size && x.is_float == cases[i].is_float &&
                     (x.is_float || x.is_signed == cases[i].is_signed);
        if (!right)
            printf("\n    %s: size %zu float %d signed %d\n", cases[i].cells, x.size, x.is_float, x.is_signed);
        CU_ASSERT(right);
        h5free(&x);
    }
}

static void float64_is_bit_equal_to_strtod(void)
{
    static const char *const cells[] = {"0.1",
                                        "123456789.123456789",
                                        "2.2250738585072014e-308",
                                        "5e-324",
                                        "1e308",
                                        "9007199254740993.5",
                                        "0.30000000000000004",
                                        "-1.7976931348623157e308",
                                        "1e-400",
                                        "3.14159265358979323846",
                                        "1e23",
                                        "8.5e-22"};
    char text[1024] = "a,b\n";
    size_t count = sizeof cells / sizeof *cells;
    for (size_t i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s,0.12345678901234567\n", cells[i]);
    struct gm_error err;
    CU_ASSERT_EQUAL_FATAL(import_text(text, &plain, NULL, &err), GM_OK);
    struct h5array x = h5array(test_path("out.h5"), "X");
    CU_ASSERT_EQUAL_FATAL(x.rows, count);
    for (size_t i = 0; i < count; i++)
        CU_ASSERT_EQUAL(x.values[2 * i], strtod(cells[i], NULL));
    h5free(&x);
}

static void float_type_can_be_asked_for(void)
{
    struct gm_error err;
    struct import_options options = {.floats = IMPORT_FLOAT32};
    CU_ASSERT_EQUAL_FATAL(import_text("a\n0.123456789\n", &options, NULL, &err), GM_OK);
    struct h5array x = h5array(test_path("out.h5"), "X");
    CU_ASSERT(x.size == 4 && x.values[0] == (double)0.123456789f);
    h5free(&x);
    options.floats = IMPORT_FLOAT64;
    CU_ASSERT_EQUAL_FATAL(import_text("a\n0.5\n", &options, NULL, &err), GM_OK);
    x = h5array(test_path("out.h5"), "X");
    CU_ASSERT(x.size == 8 && x.values[0] == 0.5);
    h5free(&x);
}

static void large_whole_numbers_keep_every_digit(void)
{
    struct gm_error err;
    CU_ASSERT_EQUAL_FATAL(import_text("a\n900719925474099301\n", &plain, NULL, &err), GM_OK);
    hid_t file = H5Fopen(test_path("out.h5"), H5F_ACC_RDONLY, H5P_DEFAULT), set = H5Dopen2(file, "X", H5P_DEFAULT);
    int64_t value = 0;
    CU_ASSERT(H5Dread(set, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value) >= 0);
    CU_ASSERT_EQUAL(value, 900719925474099301);
    H5Dclose(set);
    H5Fclose(file);
}

/* ---- notation ---- */

static void notations_of_one_table_read_alike(void)
{
    static const double expected[] = {1, 2.5, 3, -4};
    static const char *const texts[] = {
        "a,b\n1,2.5\n3,-4\n",
        "a,b\n1,2.5\n3,-4", /* no line end at the end */
        "a,b\r\n1,2.5\r\n3,-4\r\n",
        "a,b\r1,2.5\r3,-4\r",
        "\xef\xbb\xbf"
        "a,b\n1,2.5\n3,-4\n", /* byte order mark */
        "a;b\n1;2.5\n3;-4\n",
        "a\tb\n1\t2.5\n3\t-4\n",
        "\"a\",\"b\"\n\"1\",\"2.5\"\n\" 3 \",-4\n",
        "a , b\n 1 ,2.5e0\n+3.0, -4\n",
        "\n\na,b\n\n1,2.5\n3,-4\n\n",
        "1,2.5\n3,-4\n", /* no header */
        "\"a, the \"\"first\"\"\nof two\",b\n1,2.5\n3,-4\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        expect_features(texts[i], &plain, 2, 2, expected);
    CU_ASSERT_STRING_EQUAL(h5text(test_path("out.h5"), "/", "feature_names"), "a, the \"first\"\nof two|b");
}

static void numbers_do_not_depend_on_the_locale(void)
{
    static const double expected[] = {0.5, 123456789012345678901234.0};
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL)
        setlocale(LC_ALL, "");
    expect_features("a,b\n0.5,123456789012345678901234\n", &plain, 1, 2, expected);
    setlocale(LC_ALL, "C");
}

static void missing_cells_become_nan_and_are_counted(void)
{
    static const double expected[] = {1, NAN, NAN, 2, NAN, NAN, NAN, NAN};
    struct gm_error err;
    struct import_report report;
    const char *text = "a,b,c,d,target\n1,,NA,2,0\nnan,N/A,?,NULL,1\n3,3,3,3,0\n";
    CU_ASSERT_EQUAL_FATAL(import_text(text, &plain, &report, &err), GM_OK);
    CU_ASSERT_EQUAL(report.missing, 6);
    struct h5array x = h5array(test_path("out.h5"), "X");
    CU_ASSERT(x.is_float && x.size == 4);
    for (size_t i = 0; i < 8; i++)
        CU_ASSERT(x.values[i] == expected[i] || (isnan(expected[i]) && isnan(x.values[i])));
    h5free(&x);
}

static void very_long_lines_and_cells_are_read(void)
{
    enum { columns = 30000 };
    char *text = malloc(16 * columns);
    size_t used = 0;
    for (int row = 0; row < 2; row++)
        for (size_t i = 0; i < columns; i++)
            used += (size_t)sprintf(text + used, "%zu%c", i % 7 + (size_t)row, i + 1 < columns ? ',' : '\n');
    struct gm_error err;
    CU_ASSERT_EQUAL_FATAL(import_text(text, &plain, NULL, &err), GM_OK);
    struct h5array x = h5array(test_path("out.h5"), "X");
    CU_ASSERT(x.rows == 2 && x.columns == columns && x.values[columns - 1] == (columns - 1) % 7 &&
              x.values[columns] == 1);
    h5free(&x);
    free(text);
    /* more feature names than an attribute holds: a dataset */
    CU_ASSERT(h5has(test_path("out.h5"), "feature_names"));
}

static void gzip_is_inflated(void)
{
    static const double expected[] = {1, 2, 3, 4};
    test_write(test_path("z.csv"), "a,b\n1,2\n3,4\n");
    char command[1200];
    snprintf(command, sizeof command, "gzip -kf '%s'", test_path("z.csv"));
    CU_ASSERT_EQUAL_FATAL(system(command), 0);
    struct gm_error err = {0};
    CU_ASSERT_EQUAL_FATAL(import_csv(test_path("z.csv.gz"), test_path("z.h5"), &plain, NULL, &err), GM_OK);
    struct h5array x = h5array(test_path("z.h5"), "X");
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(x.values[i], expected[i]);
    h5free(&x);
    CU_ASSERT_EQUAL(truncate(test_path("z.csv.gz"), 25), 0);
    CU_ASSERT_EQUAL(import_csv(test_path("z.csv.gz"), test_path("z.h5"), &plain, NULL, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "gzip");
}

/* ---- columns ---- */

static void the_target_is_found_by_convention_name_or_number(void)
{
    static const struct {
        const char *header, *target, *found;
        size_t column;
        bool none;
    } cases[] = {
        {"a,target,c", NULL, "target", 1, false},
        {"a,b,Label", NULL, "Label", 2, false},
        {"y,b,label", NULL, "label", 2, false},
        {"y,b,c", NULL, "y", 0, false},
        {"a,b,c", "b", "b", 1, false},
        {"a,b,c", "3", "c", 2, false},
        {"a,3,c", "3", "3", 1, false},
        {"a,b,y", NULL, "", 0, true},
        {"a,b,c", NULL, "", 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        struct gm_error err;
        struct import_report report;
        struct import_options options = {
            .target = cases[i].target, .no_target = cases[i].none, .header = IMPORT_HEADER_YES};
        snprintf(text, sizeof text, "%s\n10,11,12\n", cases[i].header);
        CU_ASSERT_EQUAL_FATAL(import_text(text, &options, &report, &err), GM_OK);
        CU_ASSERT_STRING_EQUAL(report.target, cases[i].found);
        CU_ASSERT_EQUAL(report.features, cases[i].found[0] ? 2 : 3);
        CU_ASSERT_EQUAL(h5has(test_path("out.h5"), "y"), cases[i].found[0] != 0);
        CU_ASSERT_STRING_EQUAL(h5text(test_path("out.h5"), "/", "target_name"), cases[i].found);
        if (cases[i].found[0]) {
            struct h5array y = h5array(test_path("out.h5"), "y");
            CU_ASSERT_EQUAL(y.values[0], 10 + (double)cases[i].column);
            h5free(&y);
        }
    }
}

static void columns_can_be_dropped(void)
{
    static const double expected[] = {2, 4};
    struct import_options options = {.drop = "name,3"};
    expect_features("name,a,b\nx,2,3\ny,4,5\n", &options, 2, 1, expected);
    CU_ASSERT_STRING_EQUAL(h5text(test_path("out.h5"), "/", "feature_names"), "a");
}

static void a_header_can_be_forced(void)
{
    static const double expected[] = {1, 2, 3, 4};
    struct import_options options = {.header = IMPORT_HEADER_YES};
    expect_features("2019,2020\n1,2\n3,4\n", &options, 2, 2, expected);
    options.header = IMPORT_HEADER_NO;
    expect_features("1,2\n3,4\n", &options, 2, 2, expected);
    CU_ASSERT_STRING_EQUAL(h5text(test_path("out.h5"), "/", "feature_names"), "column1|column2");
}

static void several_files_become_one(void)
{
    test_write(test_path("p1.csv"), "a,class\n1,red\n2,blue\n");
    test_write(test_path("p2.csv"), "a,class\n3,green\n");
    const char *from[] = {test_path("p1.csv"), test_path("p2.csv")};
    struct gm_error err = {0};
    struct import_report report;
    CU_ASSERT_EQUAL_FATAL(import_csv_files(from, 2, test_path("p.h5"), &plain, &report, &err), GM_OK);
    CU_ASSERT_EQUAL(report.rows, 3);
    CU_ASSERT_STRING_EQUAL(h5text(test_path("p.h5"), "/", "class_names"), "blue|green|red");
    CU_ASSERT_STRING_EQUAL(h5text(test_path("p.h5"), "/", "source"), "p1.csv, p2.csv");
    struct h5array x = h5array(test_path("p.h5"), "X"), y = h5array(test_path("p.h5"), "y");
    CU_ASSERT(x.values[2] == 3 && y.values[0] == 2 && y.values[1] == 0 && y.values[2] == 1);
    h5free(&x);
    h5free(&y);
    test_write(test_path("p2.csv"), "b,class\n3,green\n");
    CU_ASSERT_EQUAL(import_csv_files(from, 2, test_path("p.h5"), &plain, &report, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "expected 'a' as in the file before, found 'b'");
}

TEST_MAIN("csv", TEST(digits_become_bytes_equal_to_the_text), TEST(words_become_sorted_classes),
          TEST(the_smallest_type_that_loses_nothing_is_chosen), TEST(float64_is_bit_equal_to_strtod),
          TEST(float_type_can_be_asked_for), TEST(large_whole_numbers_keep_every_digit),
          TEST(notations_of_one_table_read_alike), TEST(numbers_do_not_depend_on_the_locale),
          TEST(missing_cells_become_nan_and_are_counted), TEST(very_long_lines_and_cells_are_read),
          TEST(gzip_is_inflated), TEST(the_target_is_found_by_convention_name_or_number), TEST(columns_can_be_dropped),
          TEST(a_header_can_be_forced), TEST(several_files_become_one))
