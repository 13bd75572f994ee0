/* What is said before reading: bytes that a dataset will take, and whether its order needs a warning. */
#include "data/files.h"

static struct gm_error err;

enum { ROWS = 6000, COLUMNS = 20 };

/* X float32 and y: of a kind of its own for each case. */
static const char *made(const char *name, double (*target)(size_t))
{
    double *values = malloc(ROWS * COLUMNS * sizeof *values), *y = malloc(ROWS * sizeof *y);
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        values[i] = file_noise(i);
    for (size_t i = 0; i < ROWS; i++)
        y[i] = target(i);
    hsize_t dims[2] = {ROWS, COLUMNS};
    const char *path = test_path(name);
    hid_t file = file_new(path);
    file_put(file, "X", H5T_IEEE_F32LE, NULL, 2, dims, H5T_NATIVE_DOUBLE, values);
    file_put(file, "y", H5T_IEEE_F64LE, NULL, 1, dims, H5T_NATIVE_DOUBLE, y);
    H5Fclose(file);
    free(values);
    free(y);
    return path;
}

static double in_order(size_t row)
{
    return (double)row;
}

static double two_halves(size_t row)
{
    return row < ROWS / 2 ? 0 : 1;
}

static double mixed(size_t row)
{
    return file_noise(row) < 0.5;
}

static double constant(size_t row)
{
    (void)row;
    return 3;
}

static void a_plan_tells_what_will_be_taken_and_the_least(void)
{
    const char *path = made("plan.h5", mixed);
    struct lane_plan plan = small_plan(ROWS);
    uint64_t x = (uint64_t)ROWS * COLUMNS * 4, y = ROWS * 8, two_slabs = 2 * 192 * COLUMNS * 4;
    for (int shuffled = 0; shuffled < 2; shuffled++) {
        struct data_set *set = open_path(path);
        struct data_budget budget = {.memory = MEMORY_PLENTY, .threads = 2, .shuffled = shuffled};
        struct data_need need;
        CU_ASSERT_EQUAL_FATAL(data_plan(set, &plan, &budget, &need, &err), GM_OK);
        uint64_t numbers = shuffled ? (32 + 3 * (uint64_t)ROWS) * 8 : 0; /* slabs and three a row: all are one group */
        CU_ASSERT(need.resident && need.features == x && need.sides == y && need.buffers == numbers);
        CU_ASSERT_EQUAL(need.least, y + (shuffled ? x + numbers : two_slabs)); /* one group is better resident */
        uint64_t least = need.least;
        budget.memory = shuffled ? x + y + numbers - 1 : x + y - 1; /* one byte short of resident */
        CU_ASSERT_EQUAL_FATAL(data_plan(set, &plan, &budget, &need, &err), GM_OK);
        CU_ASSERT(!need.resident && need.features == 0);
        CU_ASSERT_EQUAL(need.least, least);
        CU_ASSERT_EQUAL(data_load(set, &plan, least, 2, &err), GM_OK); /* the least is enough, for every pass */
        CU_ASSERT_EQUAL(data_is_resident(set), shuffled);
        struct data_order order = {.shuffled = shuffled, .seed = 1};
        struct data_pass *pass = NULL;
        CU_ASSERT_EQUAL(data_pass_open(&pass, set, &order, &err), GM_OK);
        data_pass_close(pass);
        data_close(set);
        set = open_path(path);
        budget.memory = least;
        CU_ASSERT_EQUAL(data_plan(set, &plan, &budget, &need, &err), GM_OK);
        enum gm_code code = data_load(set, &plan, least - 1, 2, &err); /* and one byte less is not */
        if (code == GM_OK)
            code = data_pass_open(&pass, set, &order, &err);
        CU_ASSERT_EQUAL(code, GM_SYSTEM);
        ASSERT_HOLDS(err.text, "at least");
        data_close(set);
    }
}

static bool sorted(const char *path, double *share)
{
    struct data_set *set = open_path(path);
    struct lane_plan plan = small_plan(ROWS);
    load_with(set, &plan, MEMORY_PLENTY);
    bool is = data_is_sorted(set, share);
    data_close(set);
    return is;
}

static void what_one_group_mixes_needs_no_warning(void)
{
    double share;
    CU_ASSERT(!sorted(made("small.h5", in_order), &share));
}

/* 150 MB of one-byte columns that take no space in the file: three groups of a shuffled pass. */
static bool sorted_large(double (*target)(size_t), double *share)
{
    const char *path = test_path("large.h5");
    double *y = malloc(ROWS * sizeof *y);
    hsize_t dims[2] = {ROWS, 25000}, chunk[2] = {100, 25000};
    for (size_t i = 0; i < ROWS; i++)
        y[i] = target(i);
    hid_t file = file_new(path);
    file_put(file, "X", H5T_STD_U8LE, &(struct layout_of_file){.chunk = {chunk[0], chunk[1]}}, 2, dims,
             H5T_NATIVE_DOUBLE, NULL);
    file_put(file, "y", H5T_IEEE_F64LE, NULL, 1, dims, H5T_NATIVE_DOUBLE, y);
    H5Fclose(file);
    free(y);
    struct data_set *set = open_path(path);
    struct lane_plan plan = small_plan(ROWS);
    load_with(set, &plan, (uint64_t)30 << 20);
    bool is = data_is_sorted(set, share);
    data_close(set);
    return is;
}

static void targets_that_follow_the_file_are_noticed(void)
{
    double share;
    CU_ASSERT(sorted_large(in_order, &share));
    ASSERT_CLOSE(share, 1, 0.01); /* 32 slabs of a line: within them 1 / 32^2 of the variance is left */
    CU_ASSERT(sorted_large(two_halves, &share));
    CU_ASSERT(share > 0.9);
    CU_ASSERT(!sorted_large(mixed, &share));
    CU_ASSERT(fabs(share) < 0.01);
    CU_ASSERT(!sorted_large(constant, &share));
    CU_ASSERT_EQUAL(share, 0);
}

TEST_MAIN("plan", TEST(a_plan_tells_what_will_be_taken_and_the_least), TEST(what_one_group_mixes_needs_no_warning),
          TEST(targets_that_follow_the_file_are_noticed))
