/* Two inputs as one dataset: rows beside each other, in every layout, as a table put together by hand. */
#include "data/files.h"

#include "data/scan.h"

enum { ROWS = 1500, FIRST = 3, SECOND = 5, COLUMNS = FIRST + SECOND, FILES = 3 };

static const size_t cuts[FILES + 1] = {0, 400, 500, ROWS};
static struct gm_error err;

/* Value of column j of row i: whole numbers, which every type in these tests holds. */
static double value(size_t i, size_t j)
{
    return floor(200 * file_noise(i * COLUMNS + j));
}

static double *part_of(size_t first_row, size_t rows, size_t first, size_t columns)
{
    double *values = malloc(rows * columns * sizeof *values);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            values[i * columns + j] = value(first_row + i, first + j);
    return values;
}

struct input {
    hid_t type;
    struct layout_of_file layout;
};

static void put(hid_t file, const char *name, const struct input *input, const size_t rows[2], const size_t columns[2])
{
    hsize_t dims[2] = {rows[1] - rows[0], columns[1]};
    double *values = part_of(rows[0], rows[1] - rows[0], columns[0], columns[1]);
    file_put(file, name, input->type, &input->layout, 2, dims, H5T_NATIVE_DOUBLE, values);
    free(values);
}

/* Rows [rows[0], rows[1]): X and second, or the whole table as X; y and weight. */
static void make(const char *path, const struct input inputs[2], const size_t rows[2], bool whole)
{
    hid_t file = file_new(path);
    hsize_t count[1] = {rows[1] - rows[0]};
    double *y = part_of(rows[0], rows[1] - rows[0], 50, 1);
    put(file, "X", &inputs[0], rows, (const size_t[]){0, whole ? COLUMNS : FIRST});
    if (!whole)
        put(file, "second", &inputs[1], rows, (const size_t[]){FIRST, SECOND});
    file_put(file, "y", H5T_IEEE_F64LE, NULL, 1, count, H5T_NATIVE_DOUBLE, y);
    file_put(file, "weight", H5T_IEEE_F64LE, NULL, 1, count, H5T_NATIVE_DOUBLE, y);
    H5Fclose(file);
    free(y);
}

static struct data_set *open_with(const struct data_source *source, bool need_second)
{
    struct data_set *set = NULL;
    const struct data_options options = {.need_target = true, .need_second = need_second};
    enum gm_code code = data_open(&set, source, &options, &err);
    if (code != GM_OK)
        printf("\n    %s", err.text);
    CU_ASSERT_EQUAL_FATAL(code, GM_OK);
    return set;
}

/* Every row with target and weight, as doubles, in the order of the pass. */
static double *walk(struct data_set *set, bool shuffled)
{
    size_t width = COLUMNS + 2, at = 0;
    double *rows = malloc(ROWS * width * sizeof *rows);
    struct data_order order = {.shuffled = shuffled, .seed = 5, .epoch = 1};
    struct data_pass *pass = NULL;
    const struct data_window *w = NULL;
    CU_ASSERT_EQUAL_FATAL(data_pass_open(&pass, set, &order, &err), GM_OK);
    while (data_pass_next(pass, &w, &err) == GM_OK && w)
        for (size_t k = 0; k < (w->order ? w->order_rows : w->rows); k++, at++) {
            size_t i = w->order ? w->order[k] : k;
            convert_to_f64(data_schema(set)->type, (const char *)w->x + i * w->stride, COLUMNS, rows + at * width);
            rows[at * width + COLUMNS] = ((const double *)w->target)[i];
            rows[at * width + COLUMNS + 1] = w->weight[i];
        }
    CU_ASSERT_EQUAL(at, ROWS);
    data_pass_close(pass);
    return rows;
}

static void is_the_table(struct data_set *set, uint64_t memory)
{
    struct lane_plan plan = small_plan(ROWS);
    load_with(set, &plan, memory);
    double *rows = walk(set, false);
    bool same = true;
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < COLUMNS; j++)
            same = same && rows[i * (COLUMNS + 2) + j] == value(i, j);
        same = same && rows[i * (COLUMNS + 2) + COLUMNS] == value(i, 50);
    }
    CU_ASSERT(same);
    free(rows);
}

#define U8    H5T_STD_U8LE
#define I16BE H5T_STD_I16BE
#define F32   H5T_IEEE_F32LE
#define F64   H5T_IEEE_F64LE
#define I32   H5T_STD_I32LE

static const size_t all[] = {0, ROWS};

static void two_inputs_of_any_type_and_layout_are_one_table(void)
{
    const struct {
        struct input inputs[2];
        enum data_type type;
        enum data_io io;
    } cases[] = {
        {{{U8, {.gzip = 0}}, {U8, {.gzip = 0}}}, DATA_U8, DATA_IO_MAPPED},
        {{{F32, {.gzip = 0}}, {F32, {.chunk = {64, 2}, .gzip = 2, .shuffle = true}}}, DATA_F32, DATA_IO_CHUNKS},
        {{{U8, {.chunk = {100, FIRST}, .gzip = 1}}, {F32, {.gzip = 0}}}, DATA_F32, DATA_IO_CHUNKS},
        {{{I16BE, {.gzip = 0}}, {U8, {.chunk = {37, SECOND}}}}, DATA_F32, DATA_IO_CHUNKS},
        {{{I32, {.gzip = 0}}, {F32, {.gzip = 0}}}, DATA_F64, DATA_IO_MAPPED},
        {{{F64, {.gzip = 0}}, {F32, {.gzip = 0}}}, DATA_F64, DATA_IO_MAPPED},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (int streamed = 0; streamed < 2; streamed++) {
            make(test_path("pair.h5"), cases[c].inputs, all, false);
            struct data_set *set = open_with(&(struct data_source){.path = test_path("pair.h5")}, true);
            const struct data_schema *s = data_schema(set);
            CU_ASSERT(s->rows == ROWS && s->features == COLUMNS && s->first_features == FIRST);
            CU_ASSERT_EQUAL(s->type, cases[c].type);
            is_the_table(set, !streamed ? MEMORY_PLENTY : s->type == DATA_F64 ? 100000 : 64000);
            CU_ASSERT_EQUAL(data_io(set, NULL), cases[c].io);
            CU_ASSERT(s->type == DATA_U8 || data_is_resident(set) == !streamed);
            data_close(set);
        }
}

/* The orders of rows are those of one dataset of the same shape, and so is what the scan finds. */
static void shuffled_passes_and_statistics_are_those_of_one_dataset(void)
{
    const struct input inputs[2] = {{F32, {.gzip = 0}}, {F32, {.chunk = {64, 2}, .gzip = 2}}};
    struct lane_plan plan = small_plan(ROWS);
    make(test_path("pair.h5"), inputs, all, false);
    make(test_path("table.h5"), inputs, all, true);
    double *rows[2];
    struct data_stats stats[2] = {0};
    for (int joined = 0; joined < 2; joined++) {
        struct data_set *set =
            open_with(&(struct data_source){.path = test_path(joined ? "pair.h5" : "table.h5")}, joined);
        load_with(set, &plan, MEMORY_PLENTY);
        rows[joined] = walk(set, true);
        CU_ASSERT_EQUAL(scan_run(&stats[joined], set, &plan, NULL, 2, &err), GM_OK);
        data_close(set);
    }
    CU_ASSERT_EQUAL(memcmp(rows[0], rows[1], ROWS * (COLUMNS + 2) * sizeof(double)), 0);
    CU_ASSERT_EQUAL(memcmp(stats[0].mean, stats[1].mean, COLUMNS * sizeof(double)), 0);
    CU_ASSERT_EQUAL(memcmp(stats[0].deviation, stats[1].deviation, COLUMNS * sizeof(double)), 0);
    CU_ASSERT(strcmp(stats[0].fingerprint, stats[1].fingerprint) != 0); /* another cut is another dataset */
    for (int joined = 0; joined < 2; joined++) {
        scan_release(&stats[joined]);
        free(rows[joined]);
    }
}

static void inputs_may_be_named_and_be_several_files(void)
{
    const struct input inputs[2] = {{F32, {.gzip = 0}}, {U8, {.chunk = {64, 2}}}};
    char name[32], pattern[300], second[330];
    for (size_t i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "part-%zu.h5", i);
        make(test_path(name), inputs, cuts + i, false);
    }
    snprintf(pattern, sizeof pattern, "%s", test_path("part-*.h5"));
    snprintf(second, sizeof second, "%s:/second", pattern);
    const struct data_source sources[] = {{.path = pattern}, {.features = pattern, .second = second}};
    for (size_t s = 0; s < 2; s++)
        for (int streamed = 0; streamed < 2; streamed++) {
            struct data_set *set = open_with(&sources[s], s == 0);
            CU_ASSERT_EQUAL(data_schema(set)->first_features, FIRST);
            is_the_table(set, streamed ? 70000 : MEMORY_PLENTY);
            CU_ASSERT_EQUAL(data_is_resident(set), !streamed);
            data_close(set);
        }
    struct data_set *set = open_with(&(struct data_source){.path = pattern}, false);
    CU_ASSERT(data_schema(set)->first_features == 0 && data_schema(set)->features == FIRST);
    data_close(set);
}

static void refused(const struct data_source *source, enum gm_code code, const char *why)
{
    struct data_set *set = NULL;
    CU_ASSERT_EQUAL(data_open(&set, source, &(struct data_options){.need_second = true}, &err), code);
    ASSERT_HOLDS(err.text, why);
    data_close(set);
}

static void what_does_not_fit_is_refused(void)
{
    const struct input inputs[2] = {{F32, {.gzip = 0}}, {F32, {.gzip = 0}}};
    char pair[300], table[300], place[330];
    snprintf(pair, sizeof pair, "%s", test_path("pair.h5"));
    snprintf(table, sizeof table, "%s", test_path("table.h5"));
    make(pair, inputs, all, false);
    make(table, inputs, (const size_t[]){0, ROWS - 1}, true);
    refused(&(struct data_source){.path = table}, GM_BAD_DATA, "none of second, X2, x2 beside the features");
    refused(&(struct data_source){.path = pair, .second = table}, GM_BAD_DATA, "has 1499 rows, but the first input");
    refused(&(struct data_source){.path = pair, .second = test_path("none.h5")}, GM_NO_INPUT, "none.h5");
    snprintf(place, sizeof place, "%s:/X", pair);
    refused(&(struct data_source){.path = pair, .second = place}, GM_BAD_DATA, "both the first and the second");
    snprintf(place, sizeof place, "%s:/third", pair);
    refused(&(struct data_source){.path = pair, .second = place}, GM_NO_INPUT, "third");
}

/* 2^61 bytes and some more of another type: as float64 2^64. */
static void more_than_can_be_addressed_is_refused(void)
{
    const hsize_t dims[2] = {(hsize_t)1 << 31, (hsize_t)1 << 30}, narrow[2] = {dims[0], 1};
    hid_t file = file_new(test_path("vast.h5"));
    file_put_virtual(file, "X", H5T_STD_U8LE, 2, dims);
    file_put_virtual(file, "second", H5T_IEEE_F64LE, 2, narrow);
    H5Fclose(file);
    struct data_set *set = NULL;
    const struct data_options options = {.need_second = true, .allow_external = true};
    CU_ASSERT_EQUAL(data_open(&set, &(struct data_source){.path = test_path("vast.h5")}, &options, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "vast.h5:/second hold more than can be addressed.");
    data_close(set);
}

/* A missing value is named by the input that holds it. */
static void a_missing_value_is_told_in_its_own_input(void)
{
    double x[4] = {1, 2, 3, 4}, z[6] = {1, 2, 3, 4, NAN, 6};
    hid_t file = file_new(test_path("missing.h5"));
    file_put_reals(file, "X", 2, 2, x);
    file_put_reals(file, "second", 2, 3, z);
    file_put_reals(file, "y", 2, 0, x);
    H5Fclose(file);
    struct lane_plan plan = lane_plan_make(2, 40, 40);
    struct data_set *set = open_with(&(struct data_source){.path = test_path("missing.h5")}, true);
    struct data_stats stats = {0};
    load_with(set, &plan, MEMORY_PLENTY);
    CU_ASSERT_EQUAL(scan_run(&stats, set, &plan, NULL, 1, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "missing.h5:/second: row 1, column 1 (both counted from 0) is NaN");
    scan_release(&stats);
    data_close(set);
}

TEST_MAIN("joined", TEST(two_inputs_of_any_type_and_layout_are_one_table),
          TEST(shuffled_passes_and_statistics_are_those_of_one_dataset), TEST(inputs_may_be_named_and_be_several_files),
          TEST(what_does_not_fit_is_refused), TEST(more_than_can_be_addressed_is_refused),
          TEST(a_missing_value_is_told_in_its_own_input))
