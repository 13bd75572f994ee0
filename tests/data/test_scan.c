/* The scan against two-pass sums in long double; the same bits on any number of threads, resident or streamed. */
#include "data/files.h"

#include "data/scan.h"

static struct gm_error err;

enum { ROWS = 2500, COLUMNS = 37 };

struct truth { /* of the training rows */
    double mean[COLUMNS], deviation[COLUMNS], low[COLUMNS], high[COLUMNS];
};

static double value_of(size_t row, size_t column)
{
    double noise = file_noise(row * COLUMNS + column) - 0.5;
    switch (column % 4) {
    case 0:
        return 1000 + noise; /* far from 0 */
    case 1:
        return column; /* constant */
    case 2:
        return noise * 1e-3;
    default:
        return floor(200 * noise);
    }
}

/* Values as the file's type holds them, by HDF5's conversion. */
static const char *make(hid_t stored, const struct layout_of_file *layout, const double *weight, double *values)
{
    const char *path = test_path("scan.h5");
    hid_t file = file_new(path);
    hsize_t dims[2] = {ROWS, COLUMNS};
    file_put(file, "X", stored, layout, 2, dims, H5T_NATIVE_DOUBLE, values);
    hid_t dataset = H5Dopen2(file, "X", H5P_DEFAULT);
    H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(dataset);
    double y[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        y[i] = file_noise(i);
    file_put_reals(file, "y", ROWS, 0, y);
    if (weight)
        file_put_reals(file, "weight", ROWS, 0, weight);
    H5Fclose(file);
    return path;
}

static double *values_of(void)
{
    double *values = malloc(ROWS * COLUMNS * sizeof *values);
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        values[i] = value_of(i / COLUMNS, i % COLUMNS);
    return values;
}

/* Two passes in long double over rows of weight > 0 that are not held out; NaN does not count. */
static void compute(struct truth *truth, const double *values, const double *weight, const struct data_split *split)
{
    for (size_t j = 0; j < COLUMNS; j++) {
        long double sum = 0, all = 0, square = 0;
        truth->low[j] = INFINITY;
        truth->high[j] = -INFINITY;
        for (int pass = 0; pass < 2; pass++) {
            long double mean = pass ? sum / all : 0;
            for (size_t i = 0; i < ROWS; i++) {
                double value = values[i * COLUMNS + j], w = weight ? weight[i] : 1;
                if (isnan(value) || w == 0 || (split && split_held_out(split, i)))
                    continue;
                if (pass) {
                    square += w * (value - mean) * (value - mean);
                } else {
                    sum += (long double)w * value;
                    all += w;
                    truth->low[j] = fmin(truth->low[j], value);
                    truth->high[j] = fmax(truth->high[j], value);
                }
            }
        }
        truth->mean[j] = (double)(sum / all);
        truth->deviation[j] = (double)sqrtl(square / all);
    }
}

static enum gm_code scan(struct data_stats *stats, const char *path, const struct data_split *split, int threads,
                         uint64_t memory, enum data_missing missing)
{
    struct data_source source = {.path = path};
    struct data_options options = {.missing = missing};
    struct data_set *set = NULL;
    CU_ASSERT_EQUAL_FATAL(data_open(&set, &source, &options, &err), GM_OK);
    struct lane_plan plan = small_plan(data_schema(set)->rows);
    load_with(set, &plan, memory);
    enum gm_code code = scan_run(stats, set, &plan, split, threads, &err);
    data_close(set);
    return code;
}

static void a_scan_before_loading_is_our_mistake(void)
{
    struct data_stats stats;
    struct data_set *set = NULL;
    struct lane_plan plan = small_plan(8);
    const struct data_source source = {.path = test_path("early.h5")};
    const double x[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    hid_t file = file_new(source.path);
    file_put(file, "X", H5T_IEEE_F64LE, NULL, 2, (const hsize_t[]){4, 2}, H5T_NATIVE_DOUBLE, x);
    H5Fclose(file);
    CU_ASSERT_EQUAL_FATAL(data_open(&set, &source, &(struct data_options){0}, &err), GM_OK);
    CU_ASSERT_EQUAL(scan_run(&stats, set, &plan, NULL, 1, &err), GM_BUG);
    ASSERT_HOLDS(err.text, "a scan before loading, or with another plan");
    data_close(set);
}

static void expect(const struct data_stats *stats, const struct truth *truth)
{
    for (size_t j = 0; j < COLUMNS; j++) {
        ASSERT_CLOSE(stats->mean[j], truth->mean[j], 1e-13);
        ASSERT_CLOSE(stats->deviation[j], truth->deviation[j], 1e-12);
        CU_ASSERT_EQUAL(stats->low[j], truth->low[j]);
        CU_ASSERT_EQUAL(stats->high[j], truth->high[j]);
    }
}

static bool same(const struct data_stats *a, const struct data_stats *b)
{
    size_t bytes = COLUMNS * sizeof(double);
    return memcmp(a->mean, b->mean, bytes) == 0 && memcmp(a->deviation, b->deviation, bytes) == 0 &&
           memcmp(a->low, b->low, bytes) == 0 && memcmp(a->high, b->high, bytes) == 0 &&
           a->weight_sum == b->weight_sum && a->held_out_weight_sum == b->held_out_weight_sum &&
           strcmp(a->fingerprint, b->fingerprint) == 0;
}

static void statistics_agree_with_two_passes_in_long_double(void)
{
    hid_t types[] = {H5T_IEEE_F64LE, H5T_IEEE_F32LE, H5T_STD_I16LE, H5T_STD_I32BE, H5T_STD_I64LE};
    double *weight = malloc(ROWS * sizeof *weight);
    for (size_t i = 0; i < ROWS; i++)
        weight[i] = i % 5 == 0 ? 0 : file_noise(i) * 3;
    struct data_split split;
    CU_ASSERT_EQUAL(split_init(&split, ROWS, 0.25, 7, NULL, &err), GM_OK);
    for (size_t t = 0; t < sizeof types / sizeof *types; t++)
        for (int weighted = 0; weighted < 2; weighted++)
            for (int held_out = 0; held_out < 2; held_out++) {
                double *values = values_of();
                const char *path = make(types[t], NULL, weighted ? weight : NULL, values);
                struct truth truth;
                struct data_stats stats;
                compute(&truth, values, weighted ? weight : NULL, held_out ? &split : NULL);
                CU_ASSERT_EQUAL(scan(&stats, path, held_out ? &split : NULL, 2, MEMORY_PLENTY, DATA_MISSING_ERROR),
                                GM_OK);
                expect(&stats, &truth);
                CU_ASSERT_EQUAL(stats.deviation[1], 0.0); /* constant, exactly */
                CU_ASSERT_PTR_NULL(stats.fill);
                if (!weighted)
                    CU_ASSERT_EQUAL(stats.held_out_weight_sum, held_out ? (double)split.held_out : 0.0);
                scan_release(&stats);
                free(values);
            }
    split_release(&split);
    free(weight);
}

static void threads_streaming_and_layout_do_not_change_a_bit(void)
{
    static const struct layout_of_file layouts[] = {
        {.chunk = {0}}, {.chunk = {100, 5}}, {.chunk = {77, 37}, .gzip = 3, .shuffle = true}};
    struct data_split split;
    CU_ASSERT_EQUAL(split_init(&split, ROWS, 0.2, 3, NULL, &err), GM_OK);
    double *values = values_of();
    struct data_stats first = {0};
    for (size_t l = 0; l < 3; l++) {
        const char *path = make(l == 1 ? H5T_IEEE_F32BE : H5T_IEEE_F32LE, &layouts[l], NULL, values);
        static const int threads[] = {1, 2, 3, 5, 8};
        for (size_t t = 0; t < 5; t++)
            for (int streamed = 0; streamed < 2; streamed++) {
                struct data_stats stats;
                uint64_t memory = streamed ? ROWS * (COLUMNS * 4 + 8) - 1 : MEMORY_PLENTY;
                CU_ASSERT_EQUAL_FATAL(scan(&stats, path, &split, threads[t], memory, DATA_MISSING_ERROR), GM_OK);
                if (!first.mean) {
                    first = stats;
                    continue;
                }
                CU_ASSERT(same(&stats, &first));
                scan_release(&stats);
            }
    }
    values[1234] += 1; /* one value more or less is another fingerprint */
    struct data_stats stats;
    CU_ASSERT_EQUAL(
        scan(&stats, make(H5T_IEEE_F32LE, NULL, NULL, values), &split, 2, MEMORY_PLENTY, DATA_MISSING_ERROR), GM_OK);
    CU_ASSERT_STRING_NOT_EQUAL(stats.fingerprint, first.fingerprint);
    CU_ASSERT_EQUAL(strlen(stats.fingerprint), 32);
    scan_release(&stats);
    scan_release(&first);
    split_release(&split);
    free(values);
}

static void the_first_value_that_cannot_be_used_is_named(void)
{
    static const double bad[] = {NAN, INFINITY, -INFINITY};
    static const char *const names[] = {"NaN", "Inf", "-Inf"};
    hid_t types[] = {H5T_IEEE_F64LE, H5T_IEEE_F32LE};
    for (size_t t = 0; t < 2; t++)
        for (size_t k = 0; k < 3; k++)
            for (int threads = 1; threads <= 5; threads += 2) {
                double *values = values_of();
                values[1777 * COLUMNS + 3] = values[702 * COLUMNS + 36] = values[702 * COLUMNS + 11] = bad[k];
                struct data_stats stats;
                const char *path = make(types[t], NULL, NULL, values);
                CU_ASSERT_EQUAL(scan(&stats, path, NULL, threads, MEMORY_PLENTY, DATA_MISSING_ERROR), GM_BAD_DATA);
                ASSERT_HOLDS(err.text, "scan.h5:/X");
                ASSERT_HOLDS(err.text, "row 702, column 11");
                ASSERT_HOLDS(err.text, names[k]);
                CU_ASSERT_EQUAL(strstr(err.text, "data.missing") != NULL, k == 0);
                scan_release(&stats);
                CU_ASSERT_EQUAL(scan(&stats, path, NULL, threads, MEMORY_PLENTY, DATA_MISSING_MEAN),
                                k ? GM_BAD_DATA : GM_OK);
                scan_release(&stats);
                free(values);
            }
}

static double *values_with_holes(void)
{
    double *values = values_of();
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        if (file_noise(i + 77) < 0.001)
            values[i] = NAN;
    values[0] = NAN; /* in the very first row, too */
    return values;
}

static void missing_mean_leaves_holes_out_of_each_column(void)
{
    struct truth truth;
    struct data_stats stats;
    double *values = values_with_holes();
    const char *path = make(H5T_IEEE_F64LE, NULL, NULL, values);
    compute(&truth, values, NULL, NULL);
    CU_ASSERT_EQUAL(scan(&stats, path, NULL, 2, MEMORY_PLENTY, DATA_MISSING_MEAN), GM_OK);
    expect(&stats, &truth);
    CU_ASSERT_EQUAL(stats.weight_sum, ROWS);
    CU_ASSERT_PTR_NOT_NULL_FATAL(stats.fill);
    for (size_t j = 0; j < COLUMNS; j++)
        CU_ASSERT_EQUAL(stats.fill[j], stats.mean[j]);
    scan_release(&stats);
    free(values);
}

static void missing_skip_gives_rows_with_holes_no_weight(void)
{
    struct truth truth;
    struct data_stats stats;
    double *values = values_with_holes(), *weight = malloc(ROWS * sizeof *weight), sum = 0;
    const char *path = make(H5T_IEEE_F32LE, NULL, NULL, values);
    for (size_t i = 0; i < ROWS; i++) {
        weight[i] = 1;
        for (size_t j = 0; j < COLUMNS; j++)
            if (isnan(values[i * COLUMNS + j]))
                weight[i] = 0;
        sum += weight[i];
    }
    compute(&truth, values, weight, NULL);
    struct data_source source = {.path = path};
    struct data_options options = {.missing = DATA_MISSING_SKIP};
    struct data_set *set = NULL;
    CU_ASSERT_EQUAL_FATAL(data_open(&set, &source, &options, &err), GM_OK);
    struct lane_plan plan = small_plan(ROWS);
    load_with(set, &plan, MEMORY_PLENTY);
    CU_ASSERT_EQUAL(scan_run(&stats, set, &plan, NULL, 3, &err), GM_OK);
    expect(&stats, &truth);
    CU_ASSERT_EQUAL(stats.weight_sum, sum);
    CU_ASSERT(sum < ROWS);
    CU_ASSERT_PTR_NOT_NULL(stats.fill);
    struct data_pass *pass = NULL;
    struct data_order order = {.shuffled = false};
    const struct data_window *w;
    CU_ASSERT_EQUAL_FATAL(data_pass_open(&pass, set, &order, &err), GM_OK);
    while (data_pass_next(pass, &w, &err) == GM_OK && w)
        for (size_t i = 0; i < w->rows; i++)
            CU_ASSERT_EQUAL(w->weight[i], weight[w->first_row + i]);
    data_pass_close(pass);
    data_close(set);
    scan_release(&stats);
    free(values);
    free(weight);
}

static void bad_targets_and_weights_are_named(void)
{
    double x[40] = {0}, y[20] = {0}, w[20];
    for (size_t i = 0; i < 20; i++)
        w[i] = 1;
    static const struct {
        double y, w;
        const char *text;
    } cases[] = {{NAN, 1, "row 13, column 0"}, {INFINITY, 1, "infinite"}, {0, -1, "weight of row 13"}, {0, NAN, "nan"}};
    for (size_t i = 0; i < 4; i++) {
        y[13] = cases[i].y;
        w[13] = cases[i].w;
        const char *path = test_path("side.h5");
        hid_t file = file_new(path);
        file_put_reals(file, "X", 20, 2, x);
        file_put_reals(file, "y", 20, 0, y);
        file_put_reals(file, "weights", 20, 0, w);
        H5Fclose(file);
        struct data_stats stats;
        CU_ASSERT_EQUAL(scan(&stats, path, NULL, 2, MEMORY_PLENTY, DATA_MISSING_ERROR), GM_BAD_DATA);
        ASSERT_HOLDS(err.text, cases[i].text);
        scan_release(&stats);
    }
    memset(w, 0, sizeof w);
    memset(y, 0, sizeof y);
    const char *path = test_path("zero.h5");
    hid_t file = file_new(path);
    file_put_reals(file, "X", 20, 2, x);
    file_put_reals(file, "y", 20, 0, y);
    file_put_reals(file, "weights", 20, 0, w);
    H5Fclose(file);
    struct data_stats stats;
    CU_ASSERT_EQUAL(scan(&stats, path, NULL, 2, MEMORY_PLENTY, DATA_MISSING_ERROR), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "weights of all training rows are 0");
    scan_release(&stats);
}

static void one_row_has_itself_as_mean(void)
{
    double x[3] = {1, -2, 3};
    const char *path = test_path("one.h5");
    hid_t file = file_new(path);
    file_put_reals(file, "X", 1, 3, x);
    H5Fclose(file);
    struct data_stats stats;
    CU_ASSERT_EQUAL(scan(&stats, path, NULL, 8, MEMORY_PLENTY, DATA_MISSING_ERROR), GM_OK);
    for (size_t j = 0; j < 3; j++) {
        CU_ASSERT_EQUAL(stats.mean[j], x[j]);
        CU_ASSERT_EQUAL(stats.deviation[j], 0.0);
    }
    scan_release(&stats);
}

TEST_MAIN("scan", TEST(a_scan_before_loading_is_our_mistake), TEST(statistics_agree_with_two_passes_in_long_double),
          TEST(threads_streaming_and_layout_do_not_change_a_bit), TEST(the_first_value_that_cannot_be_used_is_named),
          TEST(missing_mean_leaves_holes_out_of_each_column), TEST(missing_skip_gives_rows_with_holes_no_weight),
          TEST(bad_targets_and_weights_are_named), TEST(one_row_has_itself_as_mean))
