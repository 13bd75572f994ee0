/* Labels become class indices: words, numbers, numbers with names; a fixed vocabulary. */
#include "data/files.h"

#include "base/memory.h"

static struct gm_error err;

static const char *with_numbers(hid_t stored, size_t rows, const double *y)
{
    const char *path = test_path("labels.h5");
    hid_t file = file_new(path);
    hsize_t dims[2] = {rows, 1};
    file_put(file, "X", H5T_IEEE_F32LE, NULL, 2, dims, H5T_NATIVE_DOUBLE, y);
    file_put(file, "y", stored, NULL, 1, dims, H5T_NATIVE_DOUBLE, y);
    H5Fclose(file);
    return path;
}

static const char *with_words(const char *const *words, size_t rows, size_t width)
{
    const char *path = test_path("words.h5");
    hid_t file = file_new(path);
    double *x = calloc(rows, sizeof *x);
    file_put_reals(file, "X", rows, 1, x);
    free(x);
    file_put_words(file, "y", words, rows, width, false);
    H5Fclose(file);
    return path;
}

static void expect_classes(struct data_set *set, const double *indices, const char *const *names, size_t classes)
{
    const struct data_schema *schema = data_schema(set);
    CU_ASSERT_EQUAL_FATAL(schema->classes, classes);
    CU_ASSERT_EQUAL(schema->target_type, DATA_F64);
    for (size_t i = 0; i < classes; i++)
        CU_ASSERT_STRING_EQUAL(schema->class_names[i], names[i]);
    struct lane_plan plan = small_plan(schema->rows);
    load_with(set, &plan, MEMORY_PLENTY);
    struct data_pass *pass = NULL;
    struct data_order order = {.shuffled = false};
    const struct data_window *w;
    CU_ASSERT_EQUAL_FATAL(data_pass_open(&pass, set, &order, &err), GM_OK);
    while (data_pass_next(pass, &w, &err) == GM_OK && w)
        for (size_t i = 0; i < w->rows; i++)
            CU_ASSERT_EQUAL(((const double *)w->target)[i], indices[w->first_row + i]);
    data_pass_close(pass);
}

static void words_are_sorted_into_classes(void)
{
    static const char *const words[] = {"virginica", "setosa", "versicolor", "setosa", "Setosa", ""};
    static const char *const names[] = {"", "Setosa", "setosa", "versicolor", "virginica"}; /* by byte value */
    static const double indices[] = {4, 2, 3, 2, 1, 0};
    for (size_t width = 0; width <= 10; width += 10) {
        struct data_set *set = open_path(with_words(words, 6, width));
        CU_ASSERT(data_schema(set)->target_is_text);
        CU_ASSERT_EQUAL(data_make_classes(set, NULL, 0, &err), GM_OK);
        expect_classes(set, indices, names, 5);
        data_close(set);
    }
}

static void many_words_in_many_bands_keep_their_rows(void)
{
    enum { ROWS = 20000, CLASSES = 1000 };
    static char text[CLASSES][8];
    static const char *names[CLASSES], *words[ROWS];
    static double indices[ROWS];
    for (size_t i = 0; i < CLASSES; i++) {
        snprintf(text[i], sizeof text[i], "c%04zu", i);
        names[i] = text[i];
    }
    for (size_t i = 0; i < ROWS; i++) {
        size_t class = i < CLASSES ? i : (size_t)(file_noise(i) * CLASSES);
        words[i] = text[class];
        indices[i] = (double)class;
    }
    struct data_set *set = open_path(with_words(words, ROWS, 0));
    CU_ASSERT_EQUAL(data_make_classes(set, NULL, 0, &err), GM_OK);
    expect_classes(set, indices, names, CLASSES);
    data_close(set);
}

/* A word of any length has another size in the file than in memory, which the sizes of chunks must know. */
static void words_in_chunks_are_read(void)
{
    enum { ROWS = 1000 };
    static const char *const kinds[] = {"setosa", "versicolor", "virginica"};
    static const char *words[ROWS];
    static double indices[ROWS];
    hid_t any = H5Tcopy(H5T_C_S1);
    H5Tset_size(any, H5T_VARIABLE);
    for (size_t i = 0; i < ROWS; i++)
        words[i] = kinds[(size_t)(indices[i] = i % 7 % 3)];
    for (hsize_t chunk = 3; chunk <= ROWS; chunk *= 300) { /* many and few */
        const struct layout_of_file layout = {.chunk = {chunk}};
        const char *path = with_words(words, ROWS, 10);
        hsize_t rows = ROWS, three = 3;
        hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
        H5Ldelete(file, "y", H5P_DEFAULT);
        file_put(file, "y", any, &layout, 1, &rows, any, words);
        H5Fclose(file);
        struct data_set *set = open_path(path);
        CU_ASSERT_EQUAL(data_make_classes(set, NULL, 0, &err), GM_OK);
        expect_classes(set, indices, kinds, 3);
        data_close(set);
        file = H5Fopen(path = with_numbers(H5T_STD_U8LE, ROWS, indices), H5F_ACC_RDWR, H5P_DEFAULT);
        file_put(file, "class_names", any, &(struct layout_of_file){.chunk = {2}}, 1, &three, any, kinds);
        H5Fclose(file);
        set = open_path(path);
        CU_ASSERT_EQUAL(data_make_classes(set, NULL, 0, &err), GM_OK);
        expect_classes(set, indices, kinds, 3);
        data_close(set);
    }
    H5Tclose(any);
}

static void numbers_are_sorted_by_value(void)
{
    static const double y[] = {10, 9, -1, 9, 100}, indices[] = {2, 1, 0, 1, 3};
    static const char *const names[] = {"-1", "9", "10", "100"};
    hid_t types[] = {H5T_STD_I8LE, H5T_STD_I64BE, H5T_IEEE_F32LE, H5T_IEEE_F64BE};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct data_set *set = open_path(with_numbers(types[i], 5, y));
        CU_ASSERT_EQUAL(data_schema(set)->target_is_whole, i < 2);
        CU_ASSERT_EQUAL(data_make_classes(set, NULL, 0, &err), GM_OK);
        expect_classes(set, indices, names, 4);
        data_close(set);
    }
}

static void a_fixed_vocabulary_keeps_its_order(void)
{
    static const char *const words[] = {"b", "a", "b"}, *const names[] = {"c", "b", "a"};
    static const double indices[] = {1, 2, 1};
    struct data_set *set = open_path(with_words(words, 3, 0));
    CU_ASSERT_EQUAL(data_make_classes(set, names, 3, &err), GM_OK);
    expect_classes(set, indices, names, 3);
    data_close(set);
    static const char *const digits[] = {"7", "5", "3"};
    static const double y[] = {3, 7, 5}, by_name[] = {2, 0, 1}, small[] = {2, 0, 1};
    set = open_path(with_numbers(H5T_STD_U8LE, 3, y));
    CU_ASSERT_EQUAL(data_make_classes(set, digits, 3, &err), GM_OK);
    expect_classes(set, by_name, digits, 3);
    data_close(set);
    set = open_path(with_numbers(H5T_STD_U8LE, 3, small)); /* numbers, names that are words: indices */
    CU_ASSERT_EQUAL(data_make_classes(set, names, 3, &err), GM_OK);
    expect_classes(set, small, names, 3);
    data_close(set);
}

static void an_unknown_label_is_named_with_its_row(void)
{
    static const char *const words[] = {"a", "b", "zebra", "a"}, *const names[] = {"a", "b"};
    struct data_set *set = open_path(with_words(words, 4, 0));
    CU_ASSERT_EQUAL(data_make_classes(set, names, 2, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "row 2");
    ASSERT_HOLDS(err.text, "'zebra'");
    data_close(set);
    static const double y[] = {0, 1, 2};
    set = open_path(with_numbers(H5T_STD_U8LE, 3, y));
    CU_ASSERT_EQUAL(data_make_classes(set, names, 2, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "row 2");
    data_close(set);
}

static void numbers_that_are_no_classes_are_refused(void)
{
    static const double cases[][3] = {{0, 1, 1.5}, {0, 1, NAN}, {0, 1, INFINITY}, {0, 1, 1e300}};
    for (size_t i = 0; i < 4; i++) {
        struct data_set *set = open_path(with_numbers(H5T_IEEE_F64LE, 3, cases[i]));
        CU_ASSERT_EQUAL(data_make_classes(set, NULL, 0, &err), GM_BAD_DATA);
        ASSERT_HOLDS(err.text, "row 2");
        data_close(set);
    }
    struct data_set *set = open_path(with_numbers(H5T_IEEE_F64LE, 3, cases[0]));
    CU_ASSERT_EQUAL(data_schema(set)->target_is_text, false);
    data_close(set);
}

static const char *with_names(const double *y, size_t rows)
{
    static const char *const names[] = {"no", "yes", "perhaps"};
    const char *path = with_numbers(H5T_STD_U8LE, rows, y);
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    file_put_words(file, "class_names", names, 3, 0, true);
    H5Fclose(file);
    return path;
}

static void names_in_the_file_are_indexed_by_the_target(void)
{
    static const char *const names[] = {"no", "yes", "perhaps"}, *const others[] = {"perhaps", "no"};
    static const double y[] = {2, 0, 2}, mapped[] = {0, 1, 0}, bad[] = {0, 3};
    struct data_set *set = open_path(with_names(y, 3));
    CU_ASSERT_EQUAL(data_make_classes(set, NULL, 0, &err), GM_OK);
    expect_classes(set, y, names, 3); /* "yes" does not occur and is a class all the same */
    data_close(set);
    set = open_path(with_names(y, 3));
    CU_ASSERT_EQUAL(data_make_classes(set, others, 2, &err), GM_OK);
    expect_classes(set, mapped, others, 2);
    data_close(set);
    set = open_path(with_names(bad, 2));
    CU_ASSERT_EQUAL(data_make_classes(set, NULL, 0, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "row 1");
    data_close(set);
}

TEST_MAIN("classes", TEST(words_are_sorted_into_classes), TEST(many_words_in_many_bands_keep_their_rows),
          TEST(words_in_chunks_are_read), TEST(numbers_are_sorted_by_value), TEST(a_fixed_vocabulary_keeps_its_order),
          TEST(an_unknown_label_is_named_with_its_row), TEST(numbers_that_are_no_classes_are_refused),
          TEST(names_in_the_file_are_indexed_by_the_target))
