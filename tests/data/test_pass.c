/* Passes: resident and streamed yield the same rows in the same order, and a shuffled pass is a true permutation. */
#include "data/files.h"

#include "base/memory.h"
#include "data/order.h"
#include "data/reader.h"

static struct gm_error err;

/* Every value tells its row: X[i][j] = (7 i + j) mod 251, y = i, weight = i / 2, group = i / 3. */
static unsigned char feature(size_t row, size_t column)
{
    return (unsigned char)((7 * row + (column < 4 ? column : 0)) % 251);
}

static const char *numbered(const char *name, size_t rows, size_t columns, const struct layout_of_file *layout)
{
    const char *path = test_path(name);
    hid_t file = file_new(path);
    unsigned char *x = malloc(rows * columns);
    double *y = malloc(rows * sizeof *y), *w = malloc(rows * sizeof *w), *g = malloc(rows * sizeof *g);
    for (size_t i = 0; i < rows; i++) {
        memset(x + i * columns, feature(i, 4), columns);
        for (size_t j = 0; j < 4 && j < columns; j++)
            x[i * columns + j] = feature(i, j);
        y[i] = (double)i;
        w[i] = (double)i / 2;
        g[i] = (double)(i / 3);
    }
    hsize_t dims[2] = {rows, columns};
    file_put(file, "X", H5T_STD_U8LE, layout, 2, dims, H5T_NATIVE_UCHAR, x);
    file_put(file, "y", H5T_STD_I32LE, NULL, 1, dims, H5T_NATIVE_DOUBLE, y);
    file_put(file, "weight", H5T_IEEE_F32LE, NULL, 1, dims, H5T_NATIVE_DOUBLE, w);
    file_put(file, "group", H5T_STD_I32LE, NULL, 1, dims, H5T_NATIVE_DOUBLE, g);
    H5Fclose(file);
    free(x);
    free(y);
    free(w);
    free(g);
    return path;
}

/* A pass written down: its rows in order, and a number made of the window sizes and their order. */
struct record {
    size_t *rows, n, windows;
};

static bool row_is(const struct data_window *w, size_t at, size_t row, size_t columns)
{
    const unsigned char *x = (const unsigned char *)w->x + at * w->stride;
    bool same = at < w->rows && ((const int32_t *)w->target)[at] == (int32_t)row && w->weight[at] == (double)row / 2 &&
                w->group[at] == (int64_t)row / 3 && x[columns - 1] == feature(row, columns - 1);
    for (size_t j = 0; j < 4 && j < columns; j++)
        same = same && x[j] == feature(row, j);
    return same;
}

static struct record walk(struct data_set *set, const struct data_order *order)
{
    struct data_pass *pass = NULL;
    const struct data_schema *schema = data_schema(set);
    struct record record = {.rows = malloc(schema->rows * sizeof(size_t))};
    enum gm_code code = data_pass_open(&pass, set, order, &err);
    CU_ASSERT_EQUAL_FATAL(code, GM_OK);
    const struct data_window *w;
    size_t wrong = 0;
    while (data_pass_next(pass, &w, &err) == GM_OK && w) {
        size_t count = w->order ? w->order_rows : w->rows;
        CU_ASSERT_FATAL(count > 0 && record.n + count <= schema->rows);
        record.windows = record.windows * 31 + count;
        for (size_t i = 0; i < count; i++) {
            size_t at = w->order ? w->order[i] : i, row = w->row_of ? w->row_of[at] : w->first_row + at;
            wrong += !row_is(w, at, row, schema->features);
            record.rows[record.n++] = row;
        }
    }
    CU_ASSERT_PTR_NULL(w);
    CU_ASSERT_EQUAL(wrong, 0);
    data_pass_close(pass);
    return record;
}

static bool same_record(const struct record *a, const struct record *b)
{
    return a->n == b->n && a->windows == b->windows && memcmp(a->rows, b->rows, a->n * sizeof *a->rows) == 0;
}

static struct record walk_with(const char *path, const struct lane_plan *plan, uint64_t memory,
                               const struct data_order *order)
{
    struct data_set *set = open_path(path);
    load_with(set, plan, memory);
    CU_ASSERT_EQUAL(data_is_resident(set), memory == MEMORY_PLENTY);
    struct record record = walk(set, order);
    free(record.rows);
    record = walk(set, order); /* twice: a pass leaves nothing behind */
    data_close(set);
    return record;
}

/* Each row of `mask_value` once, no other. */
static void expect_permutation(const struct record *record, const struct data_order *order, size_t rows)
{
    unsigned char *seen = calloc(rows, 1);
    size_t wrong = 0, expected = 0;
    for (size_t i = 0; i < record->n; i++)
        wrong += seen[record->rows[i]]++ != 0;
    for (size_t row = 0; row < rows; row++) {
        bool wanted = !order->mask || (order->mask[row / 64] >> (row % 64) & 1) == order->mask_value;
        expected += wanted;
        wrong += seen[row] != wanted;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(record->n, expected);
    free(seen);
}

static void storage_order_is_the_same_resident_and_streamed(void)
{
    static const size_t counts[] = {900, 960, 961, 1999}; /* whole and broken slabs of 192 rows */
    struct data_order order = {.shuffled = false};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        size_t rows = counts[i];
        const char *path = numbered("n.h5", rows, 5, &(struct layout_of_file){.chunk = {50, 2}});
        struct lane_plan plan = small_plan(rows);
        struct record resident = walk_with(path, &plan, MEMORY_PLENTY, &order);
        struct record streamed = walk_with(path, &plan, rows * 25 - 1, &order);
        CU_ASSERT(same_record(&resident, &streamed));
        for (size_t row = 0; row < resident.n; row++)
            CU_ASSERT_EQUAL(resident.rows[row], row);
        expect_permutation(&resident, &order, rows);
        free(resident.rows);
        free(streamed.rows);
    }
}

static void shuffled_passes_are_permutations_of_the_masked_rows(void)
{
    enum { ROWS = 3001 };
    const char *path = numbered("s.h5", ROWS, 5, NULL);
    struct lane_plan plan = small_plan(ROWS);
    uint64_t mask[ROWS / 64 + 1] = {0};
    for (size_t row = 0; row < ROWS; row++)
        if (file_noise(row) < 0.2)
            mask[row / 64] |= (uint64_t)1 << row % 64;
    struct data_order orders[] = {
        {.shuffled = true, .seed = 1, .epoch = 0},
        {.shuffled = true, .seed = 1, .epoch = 1},
        {.shuffled = true, .seed = 2, .epoch = 0},
        {.shuffled = true, .seed = 1, .mask = mask, .mask_value = false},
        {.shuffled = true, .seed = 1, .mask = mask, .mask_value = true},
    };
    struct record records[5];
    for (size_t i = 0; i < 5; i++) {
        records[i] = walk_with(path, &plan, MEMORY_PLENTY, &orders[i]);
        expect_permutation(&records[i], &orders[i], ROWS);
        for (size_t k = 0; k < i; k++) /* another seed, epoch or mask is another order */
            CU_ASSERT(!same_record(&records[i], &records[k]));
    }
    for (size_t i = 0; i < 5; i++)
        free(records[i].rows);
}

/* Correlation of position and row: 0 with a standard error of 1 / sqrt(n - 1) when the order is random. */
static void shuffling_leaves_no_trace_of_the_storage_order(void)
{
    enum { ROWS = 3001 };
    struct lane_plan plan = small_plan(ROWS);
    struct data_order order = {.shuffled = true, .seed = 5};
    struct record record = walk_with(test_path("s.h5"), &plan, MEMORY_PLENTY, &order);
    double mean = (ROWS - 1) / 2.0, both = 0, square = 0;
    for (size_t i = 0; i < ROWS; i++) {
        both += ((double)i - mean) * ((double)record.rows[i] - mean);
        square += ((double)i - mean) * ((double)i - mean);
    }
    CU_ASSERT(fabs(both / square) < 4 / sqrt(ROWS - 1.0));
    free(record.rows);
}

static void a_stream_of_several_groups_is_shuffled_as_in_memory(void)
{
    enum { ROWS = 50000, COLUMNS = 4000 }; /* 190 MiB, three groups */
    const char *path = numbered("big.h5", ROWS, COLUMNS, &(struct layout_of_file){.chunk = {250, COLUMNS}, .gzip = 1});
    struct lane_plan plan = lane_plan_make(ROWS, COLUMNS, 1000);
    CU_ASSERT(plan.slabs > 2 * order_group_slabs(&plan, COLUMNS));
    uint64_t mask[ROWS / 64 + 1] = {0};
    for (size_t i = 0; i < sizeof mask / sizeof *mask; i++)
        mask[i] = (uint64_t)(file_noise(i) * 0x1p64);
    struct data_order order = {.shuffled = true, .seed = 3, .epoch = 7, .mask = mask, .mask_value = true};
    struct record resident = walk_with(path, &plan, MEMORY_PLENTY, &order);
    expect_permutation(&resident, &order, ROWS);
    static const uint64_t memories[] = {(uint64_t)80 << 20, (uint64_t)150 << 20}; /* one buffer, two buffers */
    for (size_t i = 0; i < 2; i++) {
        struct record streamed = walk_with(path, &plan, memories[i], &order);
        CU_ASSERT(same_record(&resident, &streamed));
        free(streamed.rows);
    }
    free(resident.rows);
    struct data_set *set = open_path(path);
    load_with(set, &plan, (uint64_t)50 << 20); /* enough for slabs, not for a group */
    struct data_pass *pass = NULL;
    CU_ASSERT_EQUAL(data_pass_open(&pass, set, &order, &err), GM_SYSTEM);
    ASSERT_HOLDS(err.text, "shuffled pass");
    CU_ASSERT_PTR_NULL(pass);
    data_close(set);
}

static void the_order_is_the_same_on_any_number_of_threads(void)
{
    enum { ROWS = 20000 };
    struct lane_plan plan = small_plan(ROWS);
    struct data_order order = {.shuffled = true, .seed = 9, .epoch = 2};
    size_t *numbers = malloc((plan.slabs + 6 * ROWS) * sizeof *numbers), *slabs = numbers + 6 * ROWS;
    order_slabs(&plan, &order, slabs);
    struct order_group group = {slabs, plan.slabs, 0};
    struct order_rows one = {numbers, numbers + ROWS, numbers + 2 * ROWS, 0, 0};
    struct order_rows many = {numbers + 3 * ROWS, numbers + 4 * ROWS, numbers + 5 * ROWS, 0, 0};
    order_shuffle(&one, &plan, &order, &group, 1);
    static const int threads[] = {2, 3, 5, 8};
    for (size_t i = 0; i < 4; i++) {
        order_shuffle(&many, &plan, &order, &group, threads[i]);
        CU_ASSERT_EQUAL(many.taken, ROWS);
        CU_ASSERT_EQUAL(memcmp(one.order, many.order, ROWS * sizeof *numbers), 0);
    }
    free(numbers);
}

static void a_pass_may_end_early(void)
{
    struct lane_plan plan = small_plan(1999);
    const char *path = numbered("early.h5", 1999, 5, NULL);
    struct data_set *set = open_path(path);
    load_with(set, &plan, 1999 * 25 - 1);
    struct data_order order = {.shuffled = false};
    for (size_t windows = 0; windows < 4; windows++) {
        struct data_pass *pass = NULL;
        const struct data_window *w = NULL;
        CU_ASSERT_EQUAL_FATAL(data_pass_open(&pass, set, &order, &err), GM_OK);
        for (size_t i = 0; i < windows; i++)
            CU_ASSERT_EQUAL(data_pass_next(pass, &w, &err), GM_OK);
        data_pass_close(pass);
    }
    struct record record = walk(set, &order);
    CU_ASSERT_EQUAL(record.n, 1999);
    free(record.rows);
    data_close(set);
}

static enum gm_code fail_third(void *context, size_t unit, void *buffer, struct gm_error *e)
{
    (void)context;
    *(size_t *)buffer = unit;
    return unit < 2 ? GM_OK : (e->code = GM_IO, snprintf(e->text, sizeof e->text, "unit %zu", unit), GM_IO);
}

static void a_failing_read_arrives_after_what_was_read_before(void)
{
    size_t room[2];
    for (size_t n = 1; n <= 2; n++) {
        struct reader_source source = {fail_third, NULL, 9, (void *const[]){&room[0], &room[1]}, n};
        struct reader *reader = NULL;
        CU_ASSERT_EQUAL_FATAL(reader_open(&reader, &source, &err), GM_OK);
        for (size_t unit = 0; unit < 2; unit++) {
            void *buffer = NULL;
            CU_ASSERT_EQUAL_FATAL(reader_next(reader, &buffer, &err), GM_OK);
            CU_ASSERT_EQUAL(*(size_t *)buffer, unit);
        }
        void *buffer = room;
        CU_ASSERT_EQUAL(reader_next(reader, &buffer, &err), GM_IO);
        CU_ASSERT_PTR_NULL(buffer);
        CU_ASSERT_STRING_EQUAL(err.text, "unit 2");
        reader_close(reader);
    }
}

TEST_MAIN("passes", TEST(storage_order_is_the_same_resident_and_streamed),
          TEST(shuffled_passes_are_permutations_of_the_masked_rows),
          TEST(shuffling_leaves_no_trace_of_the_storage_order),
          TEST(a_stream_of_several_groups_is_shuffled_as_in_memory),
          TEST(the_order_is_the_same_on_any_number_of_threads), TEST(a_pass_may_end_early),
          TEST(a_failing_read_arrives_after_what_was_read_before))
