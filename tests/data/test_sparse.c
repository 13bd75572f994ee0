/* Sparse rows: every layout gives the table it was made from, and what is wrong with a file is told. */
#include "data/sparse_files.h"

#include "data/scan.h"

/* ---- what a pass yields, against the table ---- */

static void compare_row(const struct data_set *set, const struct data_window *w, size_t i, size_t row)
{
    const struct data_schema *s = data_schema(set);
    size_t size = data_type_size(s->type), e = (size_t)(w->start[i] - w->base),
           end = (size_t)(w->start[i + 1] - w->base);
    int wrong = 0;
    for (size_t column = 0; column < SPARSE_COLUMNS; column++) {
        double cell = sparse_cell(row, column), found;
        if (cell == 0)
            continue;
        if (e == end || w->index[e] != column) {
            wrong++;
            break;
        }
        convert_to_f64(s->type, (const char *)w->x + e++ * size, 1, &found);
        wrong += found != cell;
    }
    CU_ASSERT(e == end && wrong == 0);
}

static void compare(struct data_set *set, bool shuffled)
{
    struct data_order order = {.shuffled = shuffled, .seed = 5};
    struct data_pass *pass = NULL;
    const struct data_window *w = NULL;
    struct gm_error err = {0};
    size_t seen = 0;
    bool taken[SPARSE_ROWS] = {false};
    CU_ASSERT_EQUAL_FATAL(data_pass_open(&pass, set, &order, &err), GM_OK);
    while (data_pass_next(pass, &w, &err) == GM_OK && w)
        for (size_t i = 0; i < (w->order ? w->order_rows : w->rows); i++) {
            size_t at = w->order ? w->order[i] : i, row = w->row_of ? w->row_of[at] : w->first_row + at;
            compare_row(set, w, at, row);
            seen += !taken[row];
            taken[row] = true;
        }
    data_pass_close(pass);
    CU_ASSERT_EQUAL(err.text[0], 0);
    CU_ASSERT_EQUAL(seen, SPARSE_ROWS);
}

/* Four slabs. */
static struct lane_plan tiny_plan(void)
{
    return (struct lane_plan){
        .rows = SPARSE_ROWS, .block_rows = 32, .run_rows = 32, .lanes = 3, .slab_rows = 96, .slabs = 4};
}

/* Resident and streamed, in order and shuffled; returns the fingerprint. */
static const char *check(const char *path, bool streams)
{
    static char fingerprint[2][33];
    struct lane_plan plan = tiny_plan();
    for (int round = 0; round < (streams ? 2 : 1); round++) {
        struct data_set *set = open_path(path);
        struct data_need need;
        const struct data_schema *s = data_schema(set);
        struct data_stats stats;
        struct gm_error err = {0};
        CU_ASSERT(s->sparse && s->rows == SPARSE_ROWS && s->features == SPARSE_COLUMNS && s->targets == 1);
        CU_ASSERT_EQUAL_FATAL(data_plan(set, &plan, &(struct data_budget){.threads = 2}, &need, &err), GM_OK);
        load_with(set, &plan, round ? need.least : MEMORY_PLENTY); /* the least: two slabs at a time */
        CU_ASSERT_EQUAL(data_is_resident(set), round == 0);
        CU_ASSERT_EQUAL_FATAL(scan_run(&stats, set, &plan, NULL, 2, &err), GM_OK);
        strcpy(fingerprint[round], stats.fingerprint);
        CU_ASSERT_EQUAL(stats.most[7], 0);
        scan_release(&stats);
        compare(set, false);
        if (!round)
            compare(set, true);
        data_close(set);
    }
    if (streams)
        CU_ASSERT_STRING_EQUAL(fingerprint[0], fingerprint[1]);
    return fingerprint[0];
}

static const char *make(const struct sparse_table *t, size_t pointers, const struct sparse_style *style)
{
    const char *path = test_path("sparse.h5");
    hid_t file = file_new(path);
    sparse_put(file, t, pointers, style);
    sparse_put_target(file, SPARSE_ROWS);
    H5Fclose(file);
    return path;
}

static void rows_of_every_layout_are_the_table(void)
{
    struct sparse_table *t = sparse_table(false);
    const struct layout_of_file gzip = {.chunk = {100}, .gzip = 4, .shuffle = true};
    const struct sparse_style styles[] = {
        {H5T_IEEE_F32LE, H5T_STD_I32LE, NULL, "X", "csr_matrix", 1},  /* AnnData */
        {H5T_IEEE_F32LE, H5T_STD_I64LE, &gzip, "X", "csr_matrix", 1}, /* AnnData, compressed */
        {H5T_STD_I32LE, H5T_STD_I64LE, &gzip, "matrix", NULL, 3},     /* 10x */
        {H5T_IEEE_F64BE, H5T_STD_U16BE, NULL, "data", NULL, 2},       /* plain, other widths and byte order */
        {H5T_STD_U8LE, H5T_STD_U64LE, NULL, "X", NULL, 2},
        {H5T_STD_U16LE, H5T_STD_U32LE, &gzip, "X", NULL, 1},
        {H5T_IEEE_F32LE, H5T_STD_I32LE, NULL, "X", NULL, 0}, /* implicit: no shape; column 39 occurs */
    };
    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++)
        check(make(t, t->rows + 1, &styles[i]), true);
    free(t);
}

static void columns_become_rows(void)
{
    struct sparse_table *t = sparse_table(true);
    const struct sparse_style styles[] = {
        {H5T_IEEE_F32LE, H5T_STD_I32LE, NULL, "X", "csc_matrix", 1},
        {H5T_IEEE_F32LE, H5T_STD_I32LE, NULL, "X", NULL, 2}, /* told by the length of indptr */
    };
    for (size_t i = 0; i < 2; i++)
        check(make(t, t->columns + 1, &styles[i]), false);
    free(t);
}

/* The triples of the rows, backwards. */
static void triples_become_rows(void)
{
    struct sparse_table *t = sparse_table(false);
    for (int shape = 0; shape < 3; shape++) {
        hid_t file = file_new(test_path("sparse.h5"));
        hid_t group = H5Gcreate2(file, "X", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        hsize_t entries = t->entries;
        for (size_t a = 0, b = t->entries - 1; shape == 0 && a < b; a++, b--) {
            struct {
                int64_t row, index;
                double value;
            } kept = {t->row[a], t->index[a], t->value[a]};
            t->row[a] = t->row[b], t->index[a] = t->index[b], t->value[a] = t->value[b];
            t->row[b] = kept.row, t->index[b] = kept.index, t->value[b] = kept.value;
        }
        file_put(group, "data", H5T_IEEE_F32LE, NULL, 1, &entries, H5T_NATIVE_DOUBLE, t->value);
        file_put(group, "row", H5T_STD_I32LE, NULL, 1, &entries, H5T_NATIVE_INT64, t->row);
        file_put(group, "col", H5T_STD_I64LE, NULL, 1, &entries, H5T_NATIVE_INT64, t->index);
        sparse_put_shape(group, t, shape);
        H5Gclose(group);
        sparse_put_target(file, SPARSE_ROWS);
        H5Fclose(file);
        check(test_path("sparse.h5"), false);
    }
    free(t);
}

static struct sparse_style usual(void)
{
    return (struct sparse_style){H5T_IEEE_F32LE, H5T_STD_I32LE, NULL, "X", "csr_matrix", 1};
}

/* The order of entries within a row says nothing: the same rows, the same identity. */
static void unsorted_rows_are_put_in_order(void)
{
    struct sparse_table *t = sparse_table(false);
    struct sparse_style style = usual();
    char sorted[33];
    strcpy(sorted, check(make(t, t->rows + 1, &style), true));
    for (size_t row = 0; row < t->rows; row++)
        for (int64_t a = t->pointers[row], b = t->pointers[row + 1] - 1; a < b; a++, b--) {
            int64_t index = t->index[a];
            double value = t->value[a];
            t->index[a] = t->index[b], t->value[a] = t->value[b];
            t->index[b] = index, t->value[b] = value;
        }
    CU_ASSERT_STRING_EQUAL(check(make(t, t->rows + 1, &style), true), sorted);
    free(t);
}

/* ---- malformed groups ---- */

/* Opening, loading and scanning: one of them fails with GM_BAD_DATA and tells `part`. */
static void refused(const struct sparse_table *t, size_t pointers, const struct sparse_style *style, const char *part)
{
    const char *path = make(t, pointers, style);
    for (int round = 0; round < 2; round++) { /* in memory, streaming: the least that it takes */
        struct data_set *set = NULL;
        struct data_stats stats = {0};
        struct gm_error err = {0};
        struct lane_plan plan = tiny_plan();
        enum gm_code code =
            data_open(&set, &(struct data_source){.path = path}, &(struct data_options){.need_target = true}, &err);
        struct data_need need = {0};
        if (!code)
            code = data_plan(set, &plan, &(struct data_budget){.threads = 2}, &need, &err);
        if (!code)
            code = data_load(set, &plan, round ? need.least : MEMORY_PLENTY, 2, &err);
        if (!code)
            code = scan_run(&stats, set, &plan, NULL, 2, &err);
        CU_ASSERT_EQUAL(code, GM_BAD_DATA);
        ASSERT_HOLDS(err.text, part);
        scan_release(&stats);
        data_close(set);
    }
}

static void bad_row_pointers_are_told(void)
{
    struct sparse_style style = usual();
    struct sparse_table *t = sparse_table(false);
    int64_t kept = t->pointers[5], last = t->pointers[t->rows];
    t->pointers[0] = 1;
    refused(t, t->rows + 1, &style, "/X/indptr: begins with 1, expected 0.");
    t->pointers[0] = 0;
    t->pointers[5] = t->pointers[6] + 1;
    refused(t, t->rows + 1, &style, "/X/indptr: falls from");
    t->pointers[5] = -3;
    refused(t, t->rows + 1, &style, "/X/indptr: number 5 is -3, expected 0 or more.");
    t->pointers[5] = kept;
    t->pointers[t->rows] = last - 1;
    refused(t, t->rows + 1, &style, "/X/indptr: ends with");
    t->pointers[t->rows] = last;
    refused(t, t->rows, &style, "need one more than there are rows");
    free(t);
}

static void bad_columns_are_told(void)
{
    struct sparse_style style = usual();
    struct sparse_table *t = sparse_table(false);
    int64_t kept = t->index[9];
    t->index[9] = SPARSE_COLUMNS;
    refused(t, t->rows + 1, &style, "/X/indices: entry 9 is column 40, expected 0 to 39.");
    t->index[9] = -1;
    refused(t, t->rows + 1, &style, "/X/indices: entry 9 is column -1, expected 0 to 39.");
    style.index = H5T_STD_I64LE;
    t->index[9] = (int64_t)1 << 40;
    refused(t, t->rows + 1, &style, "/X/indices: entry 9 is column 1099511627776, expected 0 to 39.");
    t->index[9] = kept;
    style.index = H5T_IEEE_F32LE;
    refused(t, t->rows + 1, &style, "must be of an integer type, not float32");
    free(t);
}

static void a_column_named_twice_is_told(void)
{
    struct sparse_style style = usual();
    struct sparse_table *t = sparse_table(false);
    size_t row = 0;
    while (t->pointers[row + 1] - t->pointers[row] < 3)
        row++;
    int64_t first = t->pointers[row];
    t->index[first + 2] = t->index[first];
    char part[80];
    snprintf(part, sizeof part, "row %zu holds column %d (both counted from 0) more than once", row,
             (int)t->index[first]);
    refused(t, t->rows + 1, &style, part);
    free(t);
}

static void values_that_are_not_finite_are_told(void)
{
    struct sparse_style style = usual();
    const double bad[] = {NAN, INFINITY, -INFINITY};
    const char *const words[] = {"is NaN", "is Inf", "is -Inf"};
    for (size_t i = 0; i < 3; i++) {
        struct sparse_table *t = sparse_table(false);
        t->value[t->pointers[200]] = bad[i];
        char part[80];
        snprintf(part, sizeof part, "row 200, column %d (both counted from 0) %s", (int)t->index[t->pointers[200]],
                 words[i]);
        refused(t, t->rows + 1, &style, part);
        free(t);
    }
}

static void shapes_that_do_not_fit_are_told(void)
{
    struct sparse_style style = usual();
    struct sparse_table *t = sparse_table(false);
    size_t entries = t->entries;
    t->columns = 0;
    refused(t, t->rows + 1, &style, "the shape 300 x 0 cannot be");
    t->columns = (size_t)1 << 33;
    refused(t, t->rows + 1, &style, "is too large");
    t->columns = SPARSE_COLUMNS;
    hid_t file = file_new(test_path("sparse.h5")), group = H5Gcreate2(file, "X", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hsize_t all = entries, fewer = entries - 1, pointers = SPARSE_ROWS + 1;
    file_put(group, "data", H5T_IEEE_F32LE, NULL, 1, &fewer, H5T_NATIVE_DOUBLE, t->value);
    file_put(group, "indices", H5T_STD_I32LE, NULL, 1, &all, H5T_NATIVE_INT64, t->index);
    file_put(group, "indptr", H5T_STD_I32LE, NULL, 1, &pointers, H5T_NATIVE_INT64, t->pointers);
    H5Gclose(group);
    H5Fclose(file);
    struct data_set *set = NULL;
    struct gm_error err = {0};
    CU_ASSERT_EQUAL(
        data_open(&set, &(struct data_source){.path = test_path("sparse.h5")}, &(struct data_options){0}, &err),
        GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "/X/data has");
    free(t);
}

/* Columns do not stream: the message says what would. */
static void columns_that_do_not_fit_into_memory_are_refused(void)
{
    struct sparse_table *t = sparse_table(true);
    struct sparse_style style = usual();
    style.encoding = "csc_matrix";
    struct data_set *set = open_path(make(t, t->columns + 1, &style));
    struct lane_plan plan = small_plan(SPARSE_ROWS);
    struct gm_error err = {0};
    CU_ASSERT_EQUAL(data_load(set, &plan, 8000, 1, &err), GM_SYSTEM);
    ASSERT_HOLDS(err.text, "tocsr()");
    data_close(set);
    free(t);
}

/* Nor where a shuffled pass takes more memory than reading does: what is not enough for both is refused. */
static void triples_are_in_memory_with_the_least_that_is_asked_for(void)
{
    enum { ROWS = 60000, ENTRIES = 400000 };
    static int32_t row[ENTRIES], column[ENTRIES];
    static double value[ENTRIES];
    hsize_t entries = ENTRIES;
    for (int32_t i = 0; i < ENTRIES; i++) {
        row[i] = i % ROWS;
        column[i] = i / ROWS;
        value[i] = i;
    }
    const char *path = test_path("triples.h5");
    hid_t file = file_new(path), group = H5Gcreate2(file, "X", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    file_put(group, "data", H5T_IEEE_F64LE, NULL, 1, &entries, H5T_NATIVE_DOUBLE, value);
    file_put(group, "row", H5T_STD_I32LE, NULL, 1, &entries, H5T_NATIVE_INT32, row);
    file_put(group, "col", H5T_STD_I32LE, NULL, 1, &entries, H5T_NATIVE_INT32, column);
    H5Gclose(group);
    file_put_reals(file, "y", ROWS, 0, value);
    H5Fclose(file);
    struct lane_plan plan = small_plan(ROWS);
    struct data_budget budget = {.threads = 2, .shuffled = true};
    struct data_need need;
    struct gm_error err = {0};
    struct data_set *set = open_path(path);
    CU_ASSERT_EQUAL_FATAL(data_plan(set, &plan, &budget, &need, &err), GM_OK);
    budget.memory = need.least;
    CU_ASSERT_EQUAL_FATAL(data_plan(set, &plan, &budget, &need, &err), GM_OK);
    CU_ASSERT(need.resident);
    CU_ASSERT_EQUAL(data_load(set, &plan, need.least - 1, 2, &err), GM_SYSTEM);
    ASSERT_HOLDS(err.text, "tocsr()");
    data_close(set);
    set = open_path(path);
    CU_ASSERT_EQUAL_FATAL(data_plan(set, &plan, &budget, &need, &err), GM_OK);
    load_with(set, &plan, need.least);
    CU_ASSERT(data_is_resident(set));
    data_close(set);
}

/* A shuffled pass in groups, the rows of one part of the file longer than the others. */
static void what_was_planned_is_enough_for_a_shuffled_stream(void)
{
    enum { ROWS = 310, SHORT = 65000, LONG = 100000, MOST = ROWS * LONG };
    uint8_t *value = calloc(MOST, 1);
    uint32_t *column = malloc(MOST * sizeof *column), pointers[ROWS + 1] = {0};
    double y[ROWS] = {0};
    for (size_t row = 0; row < ROWS; row++) {
        size_t n = row < 10 ? LONG : SHORT;
        pointers[row + 1] = pointers[row] + (uint32_t)n;
        for (size_t i = 0; i < n; i++)
            column[pointers[row] + i] = (uint32_t)i;
    }
    hsize_t entries = pointers[ROWS], count = ROWS + 1;
    const char *path = test_path("uneven.h5");
    hid_t file = file_new(path), group = H5Gcreate2(file, "X", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    file_put(group, "data", H5T_STD_U8LE, NULL, 1, &entries, H5T_NATIVE_UINT8, value);
    file_put(group, "indices", H5T_STD_U32LE, NULL, 1, &entries, H5T_NATIVE_UINT32, column);
    file_put(group, "indptr", H5T_STD_U32LE, NULL, 1, &count, H5T_NATIVE_UINT32, pointers);
    H5Gclose(group);
    file_put_reals(file, "y", ROWS, 0, y);
    H5Fclose(file);
    free(value);
    free(column);
    struct lane_plan plan = {
        .rows = ROWS, .block_rows = 5, .run_rows = 5, .lanes = 2, .slab_rows = 10, .slabs = ROWS / 10};
    struct data_budget budget = {.threads = 2, .shuffled = true};
    struct data_order order = {.shuffled = true, .seed = 1};
    struct data_need need;
    struct data_pass *pass = NULL;
    struct gm_error err = {0};
    struct data_set *set = open_path(path);
    CU_ASSERT_EQUAL_FATAL(data_plan(set, &plan, &budget, &need, &err), GM_OK);
    load_with(set, &plan, need.least);
    CU_ASSERT(!data_is_resident(set));
    CU_ASSERT_EQUAL(data_pass_open(&pass, set, &order, &err), GM_OK);
    CU_ASSERT_STRING_EQUAL(err.text, "");
    data_pass_close(pass);
    data_close(set);
}

TEST_MAIN("sparse", TEST(rows_of_every_layout_are_the_table), TEST(columns_become_rows), TEST(triples_become_rows),
          TEST(unsorted_rows_are_put_in_order), TEST(bad_row_pointers_are_told), TEST(bad_columns_are_told),
          TEST(a_column_named_twice_is_told), TEST(values_that_are_not_finite_are_told),
          TEST(shapes_that_do_not_fit_are_told), TEST(columns_that_do_not_fit_into_memory_are_refused),
          TEST(triples_are_in_memory_with_the_least_that_is_asked_for),
          TEST(what_was_planned_is_enough_for_a_shuffled_stream))
