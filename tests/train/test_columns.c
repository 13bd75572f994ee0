/*
 * The columns of a batch, against a plain search: each with all its entries in the order of the rows, each once; and
 * the same arrays whoever found them.
 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "train/columns.h"

enum { ROWS = 900, FEATURES = 3000, MOST = 60 };

/* Rows of 0 to 59 entries in ascending columns, the first of them in column 7 or 8; each 5th row is empty. */
static struct {
    float value[ROWS * MOST];
    uint32_t index[ROWS * MOST];
    uint64_t start[ROWS + 1];
    size_t order[ROWS]; /* another one than that of storage */
    struct data_window window;
    uint64_t entries;
} data;

static void make_data(void)
{
    struct random_key key = {4, RANDOM_CHECK, 0};
    data.entries = 0;
    for (size_t i = 0; i < ROWS; i++) {
        size_t count = i % 5 == 2 ? 0 : 1 + random_below(key, i, MOST - 1);
        for (size_t e = 0; e < count; e++, data.entries++) {
            size_t range = 9 + (FEATURES - 9) * e / MOST, size = (FEATURES - 9) / MOST;
            data.index[data.entries] = (uint32_t)(e ? range + random_below(key, 1000 + i * MOST + e, size) : 7 + i % 2);
            data.value[data.entries] = (float)random_normal(key, 100000 + i * MOST + e);
        }
        data.start[i + 1] = data.entries;
        data.order[i] = i * 7 % ROWS;
    }
    data.window = (struct data_window){.x = data.value, .index = data.index, .start = data.start};
}

/* What stands in a column, searched row by row. */
static void is_whole(const struct model_column *found, size_t rows, bool single)
{
    size_t at = 0;
    for (size_t i = 0; i < rows; i++)
        for (uint64_t e = data.start[data.order[i]]; e < data.start[data.order[i] + 1]; e++)
            if (data.index[e] == found->column) {
                CU_ASSERT_FATAL(at < found->count);
                CU_ASSERT_EQUAL(found->row[at], i);
                double value = single ? (double)((const float *)found->value)[at] : ((const double *)found->value)[at];
                CU_ASSERT_EQUAL(value, (double)data.value[e]);
                at++;
            }
    CU_ASSERT_EQUAL(at, found->count);
}

static void each_column_has_its_entries_in_order(void)
{
    static const size_t sizes[] = {1, 3, 40, ROWS};
    struct columns c;
    struct gm_error err;
    make_data();
    for (size_t n = 0; n < 2 * sizeof sizes / sizeof *sizes; n++) {
        bool single = n % 2;
        size_t rows = sizes[n / 2], seen = 0;
        static bool met[FEATURES];
        memset(met, 0, sizeof met);
        CU_ASSERT_EQUAL_FATAL(columns_init(&c, data.entries, single ? MODEL_F32 : MODEL_F64, &err), GM_OK);
        const struct columns_batch batch = {&data.window, DATA_F32, data.order, rows};
        columns_find(&c, &batch);
        for (size_t part = 0; part < c.parts; part++)
            for (size_t k = 0; k < c.count[part]; k++) {
                const struct model_column column = columns_at(&c, part, k);
                CU_ASSERT(!met[column.column] && column.count > 0);
                met[column.column] = true;
                seen += column.count;
                if (column.column % 17 == 7 || column.column == 8) /* 7 + 17 k: the most common one too */
                    is_whole(&column, rows, single);
            }
        for (size_t i = 0; i < rows; i++)
            seen -= data.start[data.order[i] + 1] - data.start[data.order[i]];
        CU_ASSERT_EQUAL(seen, 0);
        columns_release(&c);
    }
}

static void what_is_found_does_not_depend_on_threads(void)
{
    static const int threads[] = THREADS_COMPARED;
    struct columns first, other;
    struct gm_error err;
    const struct columns_batch batch = {&data.window, DATA_F32, data.order, ROWS};
    CU_ASSERT_EQUAL_FATAL(columns_init(&first, data.entries, MODEL_F32, &err), GM_OK);
    columns_find(&first, &batch);
    CU_ASSERT(first.parts == COLUMN_PARTS && first.stripes > 8);
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        CU_ASSERT_EQUAL_FATAL(columns_init(&other, data.entries, MODEL_F32, &err), GM_OK);
#pragma omp parallel num_threads(threads[i])
        columns_find(&other, &batch);
        size_t n = data.entries;
        CU_ASSERT_EQUAL(memcmp(first.first, other.first, sizeof first.first), 0);
        CU_ASSERT_EQUAL(memcmp(first.count, other.count, sizeof first.count), 0);
        CU_ASSERT_EQUAL(memcmp(first.list, other.list, n * sizeof *first.list), 0);
        CU_ASSERT_EQUAL(memcmp(first.end, other.end, n * sizeof *first.end), 0);
        CU_ASSERT_EQUAL(memcmp(first.rows_of, other.rows_of, n * sizeof *first.rows_of), 0);
        CU_ASSERT_EQUAL(memcmp(first.values_of, other.values_of, n * sizeof(float)), 0);
        columns_release(&other);
    }
    columns_release(&first);
}

/* Rows without entries have no columns. */
static void empty_rows_have_no_columns(void)
{
    static const size_t empty[] = {2, 7, 12};
    struct columns c;
    struct gm_error err;
    CU_ASSERT_EQUAL_FATAL(columns_init(&c, 0, MODEL_F64, &err), GM_OK);
    columns_find(&c, &(struct columns_batch){&data.window, DATA_F32, empty, 3});
    CU_ASSERT_EQUAL(c.parts, 1);
    CU_ASSERT_EQUAL(c.count[0], 0);
    columns_release(&c);
}

TEST_MAIN("columns", TEST(each_column_has_its_entries_in_order), TEST(what_is_found_does_not_depend_on_threads),
          TEST(empty_rows_have_no_columns))
