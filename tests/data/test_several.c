/* Several files as one dataset: the same as one file that holds all rows; and splits that a file stores. */
#include "data/files.h"

#include "data/scan.h"

enum { ROWS = 2000, COLUMNS = 5, FILES = 4 };

static const size_t cuts[FILES + 1] = {0, 700, 701, 1300, ROWS};
static struct gm_error err;

static double *values_of(void)
{
    double *values = malloc(ROWS * (COLUMNS + 3) * sizeof *values);
    for (size_t i = 0; i < ROWS * (COLUMNS + 3); i++)
        values[i] = floor(1000 * file_noise(i)) / 8;
    return values;
}

static const char *const classes[] = {"cat", "dog", "emu"};

/* Rows [first, end) of one and the same dataset: X, words y, weight, group. */
static void make_part(const char *path, size_t first, size_t end, hid_t stored, const struct layout_of_file *layout)
{
    double *all = values_of();
    hsize_t dims[2] = {end - first, COLUMNS};
    hid_t file = file_new(path);
    file_put(file, "X", stored, layout, 2, dims, H5T_NATIVE_DOUBLE, all + first * COLUMNS);
    const double *side = all + ROWS * COLUMNS;
    file_put(file, "weight", H5T_IEEE_F64LE, NULL, 1, dims, H5T_NATIVE_DOUBLE, side + first);
    file_put(file, "group", H5T_STD_I32LE, NULL, 1, dims, H5T_NATIVE_DOUBLE, side + ROWS + first);
    const char **words = malloc((end - first) * sizeof *words);
    for (size_t i = first; i < end; i++)
        words[i - first] = classes[(size_t)(3 * file_noise(i + 77))];
    file_put_words(file, "y", words, end - first, first ? 0 : 8, false);
    H5Fclose(file);
    free(words);
    free(all);
}

/* part-0.h5 ... in four layouts, and whole.h5 */
static void make_files(void)
{
    static const struct layout_of_file layouts[FILES] = {
        {.chunk = {0}}, {.chunk = {0}}, {.chunk = {64, 2}, .gzip = 2, .shuffle = true}, {.chunk = {50, COLUMNS}}};
    hid_t types[FILES] = {H5T_IEEE_F32LE, H5T_IEEE_F32BE, H5T_IEEE_F32LE, H5T_IEEE_F32BE};
    char name[32];
    make_part(test_path("whole.h5"), 0, ROWS, H5T_IEEE_F32LE, NULL);
    for (size_t i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "part-%zu.h5", i);
        make_part(test_path(name), cuts[i], cuts[i + 1], types[i], &layouts[i]);
    }
}

static struct data_set *open_source(const struct data_source *source)
{
    struct data_set *set = NULL;
    enum gm_code code = data_open(&set, source, &(struct data_options){.need_target = true}, &err);
    if (code != GM_OK)
        printf("\n    %s", err.text);
    CU_ASSERT_EQUAL_FATAL(code, GM_OK);
    return set;
}

/* What an order of rows yields: every row with its sides, as doubles. */
static double *walk(struct data_set *set, bool shuffled)
{
    size_t width = COLUMNS + 3, at = 0;
    double *rows = malloc(ROWS * width * sizeof *rows);
    struct data_order order = {.shuffled = shuffled, .seed = 5, .epoch = 1};
    struct data_pass *pass = NULL;
    const struct data_window *w = NULL;
    CU_ASSERT_EQUAL_FATAL(data_pass_open(&pass, set, &order, &err), GM_OK);
    while (data_pass_next(pass, &w, &err) == GM_OK && w) {
        size_t n = w->order ? w->order_rows : w->rows;
        for (size_t k = 0; k < n; k++, at++) {
            size_t i = w->order ? w->order[k] : k;
            convert_to_f64(DATA_F32, (const char *)w->x + i * w->stride, COLUMNS, rows + at * width);
            rows[at * width + COLUMNS] = ((const double *)w->target)[i];
            rows[at * width + COLUMNS + 1] = w->weight[i];
            rows[at * width + COLUMNS + 2] = (double)w->group[i];
        }
    }
    CU_ASSERT_EQUAL(at, ROWS);
    data_pass_close(pass);
    return rows;
}

static void several_files_are_as_one(void)
{
    make_files();
    char pattern[300];
    snprintf(pattern, sizeof pattern, "%s", test_path("part-*.h5"));
    const char *list[] = {test_path("part-0.h5"), test_path("part-1.h5"), test_path("part-[23].h5")};
    const struct data_source sources[] = {
        {.path = test_path("whole.h5")}, {.path = pattern}, {.paths = list, .n_paths = 3}};
    struct lane_plan plan = small_plan(ROWS);
    for (int shuffled = 0; shuffled < 2; shuffled++) {
        double *expected = NULL;
        char fingerprint[33] = "";
        for (size_t s = 0; s < 3; s++)
            for (int streamed = 0; streamed < 2; streamed++) {
                struct data_set *set = open_source(&sources[s]);
                struct data_stats stats = {0};
                CU_ASSERT_EQUAL(data_schema(set)->rows, ROWS);
                CU_ASSERT_EQUAL(data_make_classes(set, NULL, 0, &err), GM_OK);
                CU_ASSERT_EQUAL(data_schema(set)->classes, 3);
                CU_ASSERT_STRING_EQUAL(data_schema(set)->class_names[2], "emu");
                load_with(set, &plan, streamed ? 80000 : MEMORY_PLENTY);
                CU_ASSERT_EQUAL(data_is_resident(set), !streamed);
                if (s)
                    CU_ASSERT_EQUAL(data_io(set, NULL), DATA_IO_CHUNKS);
                CU_ASSERT_EQUAL(scan_run(&stats, set, &plan, NULL, 2, &err), GM_OK);
                double *got = NULL;
                if (!(shuffled && streamed)) /* its one buffer is larger than that memory */
                    got = walk(set, shuffled);
                if (!expected) {
                    expected = got;
                    strcpy(fingerprint, stats.fingerprint);
                } else if (got) {
                    CU_ASSERT_EQUAL(memcmp(got, expected, ROWS * (COLUMNS + 3) * sizeof *got), 0);
                    free(got);
                }
                CU_ASSERT_STRING_EQUAL(stats.fingerprint, fingerprint);
                scan_release(&stats);
                data_close(set);
            }
        free(expected);
    }
}

static void reals(const char *name, const char *dataset, size_t rows, size_t columns, double first)
{
    double *values = malloc(rows * (columns ? columns : 1) * sizeof *values);
    for (size_t i = 0; i < rows * (columns ? columns : 1); i++)
        values[i] = first + (double)i;
    hid_t file = file_new(test_path(name));
    file_put_reals(file, dataset, rows, columns, values);
    H5Fclose(file);
    free(values);
}

static void patterns_go_together_in_order(void)
{
    reals("fx-1.h5", "x", 3, 2, 0);
    reals("fx-2.h5", "x", 2, 2, 6);
    reals("fy-1.h5", "y", 3, 0, 0);
    reals("fy-2.h5", "y", 2, 0, 3);
    char x[300], y[300];
    snprintf(x, sizeof x, "%s:/x", test_path("fx-*.h5"));
    snprintf(y, sizeof y, "%s:/y", test_path("fy-*.h5"));
    struct data_source source = {.features = x, .target = y};
    struct data_set *set = open_source(&source);
    CU_ASSERT_EQUAL(data_schema(set)->rows, 5);
    ASSERT_HOLDS(data_schema(set)->features_at, "fx-1.h5:/x and 1 more");
    data_close(set);
    source.target = test_path("fy-1.h5");
    CU_ASSERT_EQUAL(data_open(&set, &source, &(struct data_options){.need_target = true}, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "1 files of target, but 2 of features");
    source = (struct data_source){.path = test_path("none-*.h5")};
    CU_ASSERT_EQUAL(data_open(&set, &source, &(struct data_options){.need_target = true}, &err), GM_NO_INPUT);
    ASSERT_HOLDS(err.text, "none-*.h5: no file matches");
    reals("odd[1].h5", "x", 3, 2, 0); /* a name that looks like a pattern, but exists */
    source = (struct data_source){.path = test_path("odd[1].h5")};
    CU_ASSERT_EQUAL(data_open(&set, &source, &(struct data_options){.need_target = false}, &err), GM_OK);
    data_close(set);
}

static void expect_refused(const char *second, const char *reason)
{
    const char *list[] = {test_path("base.h5"), test_path(second)};
    struct data_source source = {.paths = list, .n_paths = 2};
    struct data_set *set = NULL;
    CU_ASSERT_EQUAL(data_open(&set, &source, &(struct data_options){.need_target = false}, &err), GM_BAD_DATA);
    CU_ASSERT_PTR_NULL(set);
    ASSERT_HOLDS(err.text, second);
    ASSERT_HOLDS(err.text, reason);
}

/* X and y of a type, with names of columns and classes; NULL: without. */
static void make_named(const char *name, hid_t x, hid_t y, const char *const *columns, const char *const *names)
{
    double values[8] = {0, 1, 0, 1, 0, 1, 0, 1};
    hsize_t dims[2] = {4, 2};
    hid_t file = file_new(test_path(name));
    file_put(file, "X", x, NULL, 2, dims, H5T_NATIVE_DOUBLE, values);
    if (y >= 0)
        file_put(file, "y", y, NULL, 1, dims, H5T_NATIVE_DOUBLE, values);
    if (columns)
        file_put_words(file, "feature_names", columns, 2, 0, true);
    if (names)
        file_put_words(file, "class_names", names, 2, 0, true);
    H5Fclose(file);
}

static void files_that_differ_are_refused_by_name(void)
{
    const char *const columns[] = {"a", "b"}, *const other[] = {"b", "a"}, *const names[] = {"no", "yes"};
    make_named("base.h5", H5T_IEEE_F32LE, H5T_STD_U8LE, columns, names);
    make_named("type.h5", H5T_IEEE_F64LE, H5T_STD_U8LE, columns, names);
    make_named("target.h5", H5T_IEEE_F32LE, H5T_STD_I32LE, columns, names);
    make_named("nothing.h5", H5T_IEEE_F32LE, -1, columns, names);
    make_named("columns.h5", H5T_IEEE_F32LE, H5T_STD_U8LE, other, names);
    make_named("unnamed.h5", H5T_IEEE_F32LE, H5T_STD_U8LE, NULL, names);
    make_named("classes.h5", H5T_IEEE_F32LE, H5T_STD_U8LE, columns, other);
    reals("wide.h5", "X", 4, 3, 0);
    expect_refused("type.h5", "the features of the first are float64, of the second float32");
    expect_refused("target.h5", "the target of the first is int32, of the second uint8");
    expect_refused("nothing.h5", "the first has 0 target columns, the second 1");
    expect_refused("columns.h5", "feature_names are not the same");
    expect_refused("unnamed.h5", "feature_names are not the same");
    expect_refused("classes.h5", "class_names are not the same");
    expect_refused("wide.h5", "the first has 3 features, the second 2");
}

/* Of 2^61 bytes each. */
static void more_than_can_be_addressed_is_refused(void)
{
    enum { MANY = 8 };
    const hsize_t dims[2] = {(hsize_t)1 << 31, (hsize_t)1 << 30};
    hid_t file = file_new(test_path("vast.h5"));
    file_put_virtual(file, "X", H5T_STD_U8LE, 2, dims);
    H5Fclose(file);
    const char *paths[MANY];
    for (size_t i = 0; i < MANY; i++)
        paths[i] = test_path("vast.h5");
    struct data_set *set = NULL;
    const struct data_source source = {.paths = paths, .n_paths = MANY};
    CU_ASSERT_EQUAL(data_open(&set, &source, &(struct data_options){.allow_external = true}, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "vast.h5:/X and the others hold more than can be addressed.");
    data_close(set);
}

static void a_bad_value_is_named_with_its_file_and_row_there(void)
{
    double values[20] = {0};
    for (size_t i = 0; i < 2; i++) {
        hid_t file = file_new(test_path(i ? "nan-2.h5" : "nan-1.h5"));
        values[7] = i ? NAN : 0;
        file_put_reals(file, "X", 10, 2, values);
        H5Fclose(file);
    }
    char pattern[300];
    snprintf(pattern, sizeof pattern, "%s", test_path("nan-?.h5"));
    struct data_source source = {.path = pattern};
    struct data_set *set = NULL;
    struct data_stats stats;
    CU_ASSERT_EQUAL_FATAL(data_open(&set, &source, &(struct data_options){.need_target = false}, &err), GM_OK);
    struct lane_plan plan = small_plan(20);
    load_with(set, &plan, MEMORY_PLENTY);
    CU_ASSERT_EQUAL(scan_run(&stats, set, &plan, NULL, 1, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "nan-2.h5:/X: row 3, column 1");
    data_close(set);
}

static enum gm_code load_split(struct data_set **set, const char *path, const char *split)
{
    struct data_source source = {.path = path, .split = split, .find_split = !split};
    enum gm_code code = data_open(set, &source, &(struct data_options){.need_target = false}, &err);
    struct lane_plan plan = small_plan(4);
    return code == GM_OK ? data_load(*set, &plan, MEMORY_PLENTY, 1, &err) : code;
}

static void stored_splits_are_taken_as_they_are(void)
{
    static const char *const words[][4] = {{"train", "val", "test", "train"}, {"train", "holdout", "test", "train"}};
    static const double numbers[][4] = {{0, 1, 2, 0}, {0, 1, 3, 0}};
    hsize_t dims[1] = {4};
    for (int good = 1; good >= 0; good--) {
        const char *path = test_path("split.h5");
        double values[8] = {0};
        hid_t file = file_new(path);
        file_put_reals(file, "X", 4, 2, values);
        file_put_words(file, "split", words[!good], 4, 0, false);
        file_put(file, "marks", H5T_STD_I16BE, NULL, 1, dims, H5T_NATIVE_DOUBLE, numbers[!good]);
        H5Fclose(file);
        char marks[300];
        snprintf(marks, sizeof marks, "%s:/marks", path);
        for (int named = 0; named < 2; named++) {
            struct data_set *set = NULL;
            enum gm_code code = load_split(&set, path, named ? marks : NULL);
            if (good) {
                struct data_split split;
                const uint8_t expected[] = {0, 1, 2, 0};
                CU_ASSERT_EQUAL_FATAL(code, GM_OK);
                CU_ASSERT_EQUAL(memcmp(data_split_marks(set), expected, 4), 0);
                CU_ASSERT_EQUAL(split_from_marks(&split, 4, data_split_marks(set), "split.h5", &err), GM_OK);
                CU_ASSERT_EQUAL(split.held_out, 1);
                CU_ASSERT_EQUAL(split.mask[0], 2);
                struct data_pass *pass = NULL;
                const struct data_window *w = NULL;
                CU_ASSERT_EQUAL(data_pass_open(&pass, set, &(struct data_order){0}, &err), GM_OK);
                CU_ASSERT(data_pass_next(pass, &w, &err) == GM_OK && w->weight && w->weight[2] == 0 &&
                          w->weight[1] == 1);
                data_pass_close(pass);
                split_release(&split);
            } else {
                CU_ASSERT_EQUAL(code, GM_BAD_DATA);
                ASSERT_HOLDS(err.text,
                             named ? ":/marks: row 2: 3 is none of 0" : ":/split: row 1: 'holdout' is none of");
            }
            data_close(set);
        }
    }
    struct data_set *set = NULL;
    reals("plain.h5", "X", 4, 2, 0);
    CU_ASSERT_EQUAL(load_split(&set, test_path("plain.h5"), NULL), GM_NO_INPUT);
    ASSERT_HOLDS(err.text, "no dataset 'split'");
    struct data_split split;
    CU_ASSERT_EQUAL(split_from_marks(&split, 2, (const uint8_t[]){1, 2}, "f.h5", &err), GM_BAD_DATA);
}

TEST_MAIN("several files", TEST(several_files_are_as_one), TEST(patterns_go_together_in_order),
          TEST(files_that_differ_are_refused_by_name), TEST(more_than_can_be_addressed_is_refused),
          TEST(a_bad_value_is_named_with_its_file_and_row_there), TEST(stored_splits_are_taken_as_they_are))
