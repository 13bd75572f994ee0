/* Every stored type, byte order and layout is read as HDF5 itself reads it: the expected bytes come from H5Dread. */
#include "data/files.h"

enum { ROWS = 6000, COLUMNS = 7 };

static hid_t half_type(bool brain, H5T_order_t order)
{
    hid_t type = H5Tcopy(H5T_IEEE_F32LE);
    if (brain)
        H5Tset_fields(type, 15, 7, 8, 0, 7);
    else
        H5Tset_fields(type, 15, 10, 5, 0, 10);
    H5Tset_size(type, 2);
    H5Tset_ebias(type, brain ? 127 : 15);
    H5Tset_order(type, order);
    return type;
}

struct type_case {
    hid_t stored, memory; /* memory: what H5Dread is asked for */
    enum data_type expected;
};

/* All windows of a pass in storage order, laid end to end. */
static void *gather(struct data_set *set, size_t bytes)
{
    struct gm_error err = {0};
    struct data_order order = {.shuffled = false};
    struct data_pass *pass = NULL;
    CU_ASSERT_EQUAL_FATAL(data_pass_open(&pass, set, &order, &err), GM_OK);
    char *all = malloc(bytes);
    size_t next = 0, row_bytes = data_schema(set)->features * data_type_size(data_schema(set)->type);
    const struct data_window *window;
    while (data_pass_next(pass, &window, &err) == GM_OK && window) {
        CU_ASSERT_EQUAL(window->first_row, next);
        CU_ASSERT_PTR_NULL(window->order);
        for (size_t i = 0; i < window->rows; i++, next++)
            memcpy(all + next * row_bytes, (const char *)window->x + i * window->stride, row_bytes);
    }
    data_pass_close(pass);
    CU_ASSERT_EQUAL(next * row_bytes, bytes);
    return all;
}

/* The file's /X against H5Dread's, resident and, where two slabs and a band are less than the whole, streamed. */
static void compare(const char *path, const struct type_case *type, size_t rows, size_t columns, bool streams)
{
    size_t bytes = rows * columns * data_type_size(type->expected);
    void *expected = malloc(bytes);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), dataset = H5Dopen2(file, "X", H5P_DEFAULT);
    CU_ASSERT_FATAL(H5Dread(dataset, type->memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, expected) >= 0);
    H5Dclose(dataset);
    H5Fclose(file);
    struct lane_plan plan = small_plan(rows);
    for (int streamed = 0; streamed <= streams; streamed++) {
        struct data_set *set = open_path(path);
        CU_ASSERT_EQUAL(data_schema(set)->type, type->expected);
        CU_ASSERT_EQUAL(data_schema(set)->rows, rows);
        CU_ASSERT_EQUAL(data_schema(set)->features, columns);
        load_with(set, &plan, streamed ? bytes - 1 : MEMORY_PLENTY);
        CU_ASSERT_EQUAL(data_is_resident(set), !streamed);
        void *got = gather(set, bytes);
        CU_ASSERT_EQUAL(memcmp(got, expected, bytes), 0);
        free(got);
        data_close(set);
    }
    free(expected);
}

static void reads_every_type_and_order_as_hdf5_does(void)
{
    hid_t f16le = half_type(false, H5T_ORDER_LE), f16be = half_type(false, H5T_ORDER_BE);
    hid_t b16le = half_type(true, H5T_ORDER_LE), b16be = half_type(true, H5T_ORDER_BE);
    const struct type_case cases[] = {
        {H5T_STD_U8LE, H5T_NATIVE_UINT8, DATA_U8},
        {H5T_STD_I8BE, H5T_NATIVE_INT8, DATA_I8},
        {H5T_STD_U16LE, H5T_NATIVE_UINT16, DATA_U16},
        {H5T_STD_U16BE, H5T_NATIVE_UINT16, DATA_U16},
        {H5T_STD_I16LE, H5T_NATIVE_INT16, DATA_I16},
        {H5T_STD_I16BE, H5T_NATIVE_INT16, DATA_I16},
        {H5T_STD_U32LE, H5T_NATIVE_UINT32, DATA_U32},
        {H5T_STD_U32BE, H5T_NATIVE_UINT32, DATA_U32},
        {H5T_STD_I32LE, H5T_NATIVE_INT32, DATA_I32},
        {H5T_STD_I32BE, H5T_NATIVE_INT32, DATA_I32},
        {H5T_STD_U64LE, H5T_NATIVE_UINT64, DATA_U64},
        {H5T_STD_U64BE, H5T_NATIVE_UINT64, DATA_U64},
        {H5T_STD_I64LE, H5T_NATIVE_INT64, DATA_I64},
        {H5T_STD_I64BE, H5T_NATIVE_INT64, DATA_I64},
        {H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, DATA_F32},
        {H5T_IEEE_F32BE, H5T_NATIVE_FLOAT, DATA_F32},
        {H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, DATA_F64},
        {H5T_IEEE_F64BE, H5T_NATIVE_DOUBLE, DATA_F64},
        {f16le, f16le, DATA_F16},
        {f16be, f16le, DATA_F16},
        {b16le, b16le, DATA_BF16},
        {b16be, b16le, DATA_BF16},
        {H5T_NATIVE_LDOUBLE, H5T_NATIVE_DOUBLE, DATA_F64},
    };
    double *values = malloc(ROWS * COLUMNS * sizeof *values);
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        values[i] = floor(256 * file_noise(i)) - (i % 2 ? 128 : 0);
    hsize_t dims[2] = {ROWS, COLUMNS};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = test_path("type.h5");
        hid_t file = file_new(path);
        file_put(file, "X", cases[i].stored, NULL, 2, dims, H5T_NATIVE_DOUBLE, values);
        H5Fclose(file);
        compare(path, &cases[i], ROWS, COLUMNS, true);
    }
    free(values);
}

static void reads_every_layout_as_hdf5_does(void)
{
    static const struct layout_of_file layouts[] = {
        {.chunk = {1, COLUMNS}},
        {.chunk = {100, 2}}, /* h5py's automatic chunks: several tiles across */
        {.chunk = {ROWS, 1}},
        {.chunk = {64, COLUMNS}, .gzip = 4},
        {.chunk = {33, 3}, .gzip = 1, .shuffle = true},
        {.chunk = {193, COLUMNS}, .gzip = 6, .shuffle = true, .fletcher = true},
        {.chunk = {ROWS, COLUMNS}, .gzip = 1},
    };
    const struct type_case type = {H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, DATA_F32};
    double *values = malloc(ROWS * COLUMNS * sizeof *values);
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        values[i] = file_noise(i) - 0.5;
    hsize_t dims[2] = {ROWS, COLUMNS};
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        const char *path = test_path("layout.h5");
        hid_t file = file_new(path);
        file_put(file, "X", type.stored, &layouts[i], 2, dims, H5T_NATIVE_DOUBLE, values);
        H5Fclose(file);
        compare(path, &type, ROWS, COLUMNS, layouts[i].chunk[0] < ROWS);
    }
    free(values);
}

static void reads_a_file_behind_a_userblock(void)
{
    double values[20 * 3];
    for (size_t i = 0; i < 60; i++)
        values[i] = file_noise(i);
    hid_t plist = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_userblock(plist, 512);
    const char *path = test_path("userblock.h5");
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, plist, H5P_DEFAULT);
    file_put_reals(file, "X", 20, 3, values);
    H5Fclose(file);
    H5Pclose(plist);
    compare(path, &(struct type_case){H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, DATA_F64}, 20, 3, false);
}

static void missing_chunks_hold_the_fill_value(void)
{
    hsize_t dims[2] = {5400, 4}, start[2] = {200, 0}, count[2] = {50, 4}, chunk[2] = {50, 2};
    double values[200], fill = -7.5;
    for (size_t i = 0; i < 200; i++)
        values[i] = file_noise(i);
    const char *path = test_path("holes.h5");
    hid_t file = file_new(path), plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(plist, 2, chunk);
    H5Pset_fill_value(plist, H5T_NATIVE_DOUBLE, &fill);
    hid_t space = H5Screate_simple(2, dims, NULL), memory = H5Screate_simple(2, count, NULL);
    hid_t dataset = H5Dcreate2(file, "X", H5T_IEEE_F64LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
    H5Dwrite(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, values);
    H5Dclose(dataset);
    H5Sclose(memory);
    H5Sclose(space);
    H5Pclose(plist);
    H5Fclose(file);
    compare(path, &(struct type_case){H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, DATA_F64}, 5400, 4, true);
}

static void images_are_flattened_and_keep_their_shape(void)
{
    hsize_t dims[4] = {30, 5, 4, 3};
    double values[30 * 60];
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        values[i] = floor(255 * file_noise(i));
    const char *path = test_path("images.h5");
    hid_t file = file_new(path);
    struct layout_of_file layout = {.chunk = {7, 2, 4, 3}, .gzip = 2};
    file_put(file, "X", H5T_STD_U8LE, &layout, 4, dims, H5T_NATIVE_DOUBLE, values);
    hsize_t column[4] = {30, 1, 1, 1}; /* as in PatchCamelyon */
    file_put(file, "y", H5T_STD_U8LE, NULL, 4, column, H5T_NATIVE_DOUBLE, values);
    H5Fclose(file);
    compare(path, &(struct type_case){H5T_STD_U8LE, H5T_NATIVE_UINT8, DATA_U8}, 30, 60, false);
    struct data_set *set = open_path(path);
    const struct data_schema *schema = data_schema(set);
    CU_ASSERT_EQUAL(schema->feature_rank, 3);
    CU_ASSERT(schema->feature_dims[0] == 5 && schema->feature_dims[1] == 4 && schema->feature_dims[2] == 3);
    CU_ASSERT_EQUAL(schema->targets, 1);
    data_close(set);
}

static void bool_and_enum_are_numbers(void)
{
    hid_t type = H5Tenum_create(H5T_STD_I8LE);
    signed char value = 0;
    H5Tenum_insert(type, "FALSE", &value);
    value = 1;
    H5Tenum_insert(type, "TRUE", &value);
    signed char bits[12] = {0, 1, 1, 0, 1, 0, 0, 0, 1, 1, 1, 0};
    hsize_t dims[2] = {6, 2};
    const char *path = test_path("bool.h5");
    hid_t file = file_new(path);
    file_put(file, "X", type, NULL, 2, dims, type, bits);
    H5Fclose(file);
    compare(path, &(struct type_case){type, H5T_NATIVE_INT8, DATA_I8}, 6, 2, false);
    H5Tclose(type);
}

TEST_MAIN("reading", TEST(reads_every_type_and_order_as_hdf5_does), TEST(reads_every_layout_as_hdf5_does),
          TEST(reads_a_file_behind_a_userblock), TEST(missing_chunks_hold_the_fill_value),
          TEST(images_are_flattened_and_keep_their_shape), TEST(bool_and_enum_are_numbers))
