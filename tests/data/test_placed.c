/* Chunks without filters, read from where they are in the file: the places are those that HDF5 tells, and the values
 * those that H5Dread gives, for any rows and threads; what a hostile file says of its chunks is refused or does no
 * harm. */
#include "data/files.h"

#include <unistd.h>

#include "base/hdf5_lock.h"
#include "base/memory.h"
#include "data/layout.h"
#include "data/mapped.h"
#include "data/placed.h"
#include "data/places.h"

static struct gm_error err;

struct file {
    struct h5_files files;
    struct stored stored;
    struct layout layout;
};

static void open_file(struct file *file, const char *path)
{
    struct h5_file *h5 = NULL;
    *file = (struct file){.files = {.count = 0}};
    CU_ASSERT_EQUAL_FATAL(h5_open(&h5, &file->files, path, &err), GM_OK);
    CU_ASSERT_EQUAL_FATAL(stored_open(&file->stored, h5, "/X", &err), GM_OK);
    layout_plan(&file->layout, &file->stored);
    CU_ASSERT_EQUAL_FATAL(file->layout.io, DATA_IO_CHUNKS);
}

static void close_file(struct file *file)
{
    stored_close(&file->stored);
    h5_close(&file->files);
}

struct shape {
    hsize_t dims[4], chunk[4];
    int rank;
};

enum { SKIP_NONE, SKIP_SOME, SKIP_UNFILLED }; /* the last: without a fill value */

/* Values chunk by chunk, so that some can be left out; those then hold the fill value. */
static void make(const char *path, hid_t type, const struct shape *shape, int skip, hid_t create, hid_t access)
{
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, create, access), plist = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t most[4] = {H5S_UNLIMITED, H5S_UNLIMITED, H5S_UNLIMITED, H5S_UNLIMITED};
    bool larger = shape->chunk[0] > shape->dims[0]; /* then the dataset must be able to grow */
    hid_t space = H5Screate_simple(shape->rank, shape->dims, larger ? most : NULL);
    double fill = 11;
    H5Pset_chunk(plist, shape->rank, shape->chunk);
    H5Pset_fill_value(plist, H5T_NATIVE_DOUBLE, &fill);
    if (skip == SKIP_UNFILLED)
        H5Pset_fill_time(plist, H5D_FILL_TIME_NEVER);
    hid_t dataset = H5Dcreate2(file, "X", type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    CU_ASSERT_FATAL(dataset >= 0);
    size_t columns = 1;
    for (int i = 1; i < shape->rank; i++)
        columns *= shape->dims[i];
    size_t height = shape->chunk[0], rows = shape->dims[0];
    double *values = malloc(rows * columns * sizeof *values);
    for (size_t i = 0; i < rows * columns; i++)
        values[i] = floor(200 * file_noise(i));
    for (size_t first = 0; first < rows; first += height) {
        hsize_t start[4] = {first}, count[4] = {rows - first < height ? rows - first : height};
        for (int i = 1; i < shape->rank; i++)
            count[i] = shape->dims[i];
        if (skip && first / height % 3 == 1) /* of every third band the first column of chunks only */
            count[1] = shape->rank > 1 ? (count[1] < shape->chunk[1] ? count[1] : shape->chunk[1]) : 0;
        if (skip && first / height % 3 == 1 && shape->rank == 1)
            continue;
        hid_t memory = H5Screate_simple(shape->rank, count, NULL);
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
        CU_ASSERT(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, values + first * columns) >= 0);
        H5Sclose(memory);
    }
    free(values);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Pclose(plist);
    H5Fclose(file);
}

/* H5Dget_chunk_info_by_coord leaves out the user block in HDF5 1.10. */
static void expect_places(const char *path, hsize_t userblock)
{
    struct file file;
    struct places places;
    open_file(&file, path);
    CU_ASSERT_FATAL(places_open(&places, &file.stored, &file.layout));
    hsize_t start[2];
    size_t known = 0;
    for (start[0] = 0; start[0] < file.stored.dims[0]; start[0] += file.layout.chunk[0])
        for (start[1] = 0; start[1] < file.stored.dims[1]; start[1] += file.layout.chunk[1]) {
            unsigned mask;
            haddr_t address = HADDR_UNDEF;
            hsize_t bytes;
            hdf5_lock();
            H5Dget_chunk_info_by_coord(file.stored.dataset, start, &mask, &address, &bytes);
            uint64_t found = places_find(&places, start);
            hdf5_unlock();
            CU_ASSERT(found == (address == HADDR_UNDEF ? PLACE_NONE : address + userblock) ||
                      (userblock && found == address));
            known += found != PLACE_NONE;
        }
    CU_ASSERT(known > 5);
    places_close(&places);
    close_file(&file);
}

static void the_places_are_those_that_hdf5_tells(void)
{
    const struct shape shape = {{700, 10}, {64, 3}, 2};
    const char *path = test_path("places.h5");
    for (int latest = 0; latest < 2; latest++)
        for (hsize_t userblock = 0; userblock <= 512; userblock += 512) {
            hid_t create = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
            H5Pset_userblock(create, userblock);
            if (latest)
                H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
            make(path, H5T_IEEE_F32LE, &shape, SKIP_SOME, create, access);
            H5Pclose(create);
            H5Pclose(access);
            expect_places(path, userblock);
        }
}

static void expect_rows(const char *path)
{
    static const int threads[] = {1, 2, 3, 5, 8};
    struct file file;
    open_file(&file, path);
    const struct stored *stored = &file.stored;
    size_t bytes = stored->rows * stored->row_bytes;
    unsigned char *truth = malloc(bytes), *got = malloc(bytes);
    CU_ASSERT_EQUAL(stored_read(stored, 0, stored->rows, truth, &err), GM_OK);
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        struct placed *placed = NULL;
        CU_ASSERT_EQUAL_FATAL(placed_open(&placed, stored, &file.layout, threads[t], &err), GM_OK);
        CU_ASSERT_PTR_NOT_NULL_FATAL(placed);
        for (size_t i = 0; i < 5; i++) {
            size_t first = i ? (size_t)(file_noise(2 * i) * (double)stored->rows) : 0;
            size_t rows = i ? (size_t)(file_noise(2 * i + 1) * (double)(stored->rows - first)) + 1 : stored->rows;
            memset(got, 0xee, bytes);
            CU_ASSERT_EQUAL(placed_read(placed, first, rows, got, &err), GM_OK);
            CU_ASSERT_EQUAL(memcmp(got, truth + first * stored->row_bytes, rows * stored->row_bytes), 0);
            CU_ASSERT(rows == stored->rows || got[rows * stored->row_bytes] == 0xee); /* and no more than that */
        }
        placed_close(placed);
    }
    free(truth);
    free(got);
    close_file(&file);
}

static void any_rows_are_those_of_hdf5_with_any_number_of_threads(void)
{
    static const struct shape shapes[] = {
        {{3000, 40}, {700, 1}, 2},    {{3000, 41}, {512, 2}, 2},        {{900, 300}, {200, 4}, 2},
        {{900, 75}, {77, 8}, 2},      {{300, 70}, {64, 16}, 2},         {{300, 70}, {64, 13}, 2},
        {{300, 7}, {64, 7}, 2},       {{64, 5}, {1000, 64}, 2},         {{20000}, {999}, 1},
        {{400, 6, 5}, {33, 2, 5}, 3}, {{40, 9, 2, 3}, {7, 4, 2, 3}, 4}, {{1, 9000}, {1, 16}, 2},
    };
    const hid_t types[] = {H5T_STD_U8LE, H5T_STD_I16BE, H5T_IEEE_F32LE, H5T_IEEE_F64BE};
    const char *path = test_path("rows.h5");
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t t = 0; t < 4; t++) {
            make(path, types[t], &shapes[s], t % 2 ? SKIP_SOME : SKIP_NONE, H5P_DEFAULT, H5P_DEFAULT);
            expect_rows(path);
        }
}

static void chunks_that_are_cut_across_two_dimensions_are_left_to_others(void)
{
    const struct shape shape = {{40, 9, 6}, {7, 4, 2}, 3};
    struct file file;
    make(test_path("cube.h5"), H5T_IEEE_F32LE, &shape, SKIP_NONE, H5P_DEFAULT, H5P_DEFAULT);
    open_file(&file, test_path("cube.h5"));
    CU_ASSERT(!placed_fits(&file.stored, &file.layout));
    close_file(&file);
}

/* The address of the chunk at `start` is replaced, where the file's index of chunks holds it, and its size unless SAME
 * (HDF5 File Format Specification, version 1 B-trees, node type 1: size, mask, offsets, address; lowest byte first). */
#define SAME 1
static void move_chunk(const char *path, const hsize_t *start, uint64_t to, uint32_t size)
{
    struct file file;
    unsigned mask;
    haddr_t address = 0;
    hsize_t bytes;
    open_file(&file, path);
    CU_ASSERT_FATAL(H5Dget_chunk_info_by_coord(file.stored.dataset, start, &mask, &address, &bytes) >= 0);
    size_t rank = file.stored.rank;
    close_file(&file);
    FILE *stream = fopen(path, "r+b");
    unsigned char all[1 << 16];
    size_t n = fread(all, 1, sizeof all, stream), replaced = 0;
    uint64_t from = address;
    for (size_t i = 0; i + 8 <= n; i++)
        if (memcmp(all + i, &from, 8) == 0) {
            fseek(stream, (long)i, SEEK_SET);
            fwrite(to == PLACE_NONE ? &from : &to, 1, 8, stream);
            fseek(stream, (long)(i - 16 - 8 * rank), SEEK_SET);
            if (size != SAME)
                fwrite(&size, 1, 4, stream);
            replaced++;
        }
    CU_ASSERT_EQUAL_FATAL(replaced, 1);
    fclose(stream);
}

/* Everything, resident or streamed. */
static enum gm_code read_set(const char *path, enum data_io io, uint64_t memory, float *values)
{
    struct data_set *set = NULL;
    struct data_pass *pass = NULL;
    const struct data_window *w = NULL;
    enum gm_code code = data_open(&set, &(struct data_source){.path = path}, &(struct data_options){.io = io}, &err);
    if (code == GM_OK) {
        struct lane_plan plan = small_plan(data_schema(set)->rows);
        code = data_load(set, &plan, memory, 3, &err);
    }
    if (code == GM_OK)
        code = data_pass_open(&pass, set, &(struct data_order){.shuffled = false}, &err);
    while (code == GM_OK && (code = data_pass_next(pass, &w, &err)) == GM_OK && w)
        memcpy(values + w->first_row * data_schema(set)->features, w->x, w->rows * w->stride);
    data_pass_close(pass);
    data_close(set);
    return code;
}

enum { ROWS = 2000, COLUMNS = 20 };
static const struct shape plain = {{ROWS, COLUMNS}, {250, 5}, 2}, cube = {{40, 9, 6}, {7, 4, 2}, 3};

static void an_address_beyond_the_end_is_bad_data(void)
{
    static const uint64_t bad[] = {(uint64_t)1 << 40, UINT64_MAX - 5000, (uint64_t)1 << 63, 0};
    const char *path = test_path("beyond.h5");
    static float values[ROWS * COLUMNS];
    for (size_t i = 0; i < 4; i++)
        for (int which = 0; which < 2;
             which++) { /* the first chunk, and one that is not tried when the file is opened */
            hsize_t start[2] = {which ? 500 : 0, which ? 10 : 0};
            make(path, H5T_IEEE_F32LE, &plain, SKIP_NONE, H5P_DEFAULT, H5P_DEFAULT);
            FILE *file = fopen(path, "rb");
            fseek(file, 0, SEEK_END);
            uint64_t size = (uint64_t)ftell(file);
            fclose(file);
            move_chunk(path, start, bad[i] ? bad[i] : size - 100, SAME); /* the last: it begins within the file */
            CU_ASSERT_EQUAL(read_set(path, DATA_IO_AUTO, MEMORY_PLENTY, values), GM_BAD_DATA);
            CU_ASSERT(err.text[0] != 0);
            CU_ASSERT_EQUAL(read_set(path, DATA_IO_AUTO, 180000, values), GM_BAD_DATA);
        }
}

/* Two chunks at one place, and one over the middle of two others: H5Dread does not mind, and nothing is written. */
static void chunks_that_overlap_are_as_hdf5_reads_them(void)
{
    const char *path = test_path("overlap.h5");
    static float values[ROWS * COLUMNS], truth[ROWS * COLUMNS];
    struct file file;
    unsigned mask;
    haddr_t address = 0;
    hsize_t bytes, start[2] = {250, 5}, other[2] = {1000, 10};
    make(path, H5T_IEEE_F32LE, &plain, SKIP_NONE, H5P_DEFAULT, H5P_DEFAULT);
    open_file(&file, path);
    H5Dget_chunk_info_by_coord(file.stored.dataset, other, &mask, &address, &bytes);
    close_file(&file);
    for (uint64_t shift = 0; shift <= 1234; shift += 1234) {
        make(path, H5T_IEEE_F32LE, &plain, SKIP_NONE, H5P_DEFAULT, H5P_DEFAULT);
        move_chunk(path, start, address + shift, SAME);
        CU_ASSERT_EQUAL(read_set(path, DATA_IO_BANDS, MEMORY_PLENTY, truth), GM_OK);
        CU_ASSERT_EQUAL(read_set(path, DATA_IO_AUTO, MEMORY_PLENTY, values), GM_OK);
        CU_ASSERT_EQUAL(memcmp(values, truth, sizeof truth), 0);
        CU_ASSERT_EQUAL(read_set(path, DATA_IO_AUTO, 180000, values), GM_OK);
        CU_ASSERT_EQUAL(memcmp(values, truth, sizeof truth), 0);
    }
}

/* A chunk at row 500 that is said to have 8 bytes, beside one that has as many too much: where HDF5 is asked to read,
 * as features, target and weight. */
static void expect_wrong_everywhere(const char *path)
{
    static const struct shape shapes[] = {{{ROWS, COLUMNS}, {250, 5}, 2}, {{ROWS, 1}, {10, 1}, 2}}; /* few, many */
    static float values[ROWS * COLUMNS];
    const char *plain_file = test_path("right.h5");
    for (int many = 0; many < 2; many++) {
        hsize_t first[2] = {500, many ? 0 : 10}, second[2] = {1000, 0};
        uint32_t bytes = (uint32_t)(shapes[many].chunk[0] * shapes[many].chunk[1] * 4);
        make(path, H5T_IEEE_F32LE, &shapes[many], SKIP_NONE, H5P_DEFAULT, H5P_DEFAULT);
        move_chunk(path, first, PLACE_NONE, 8);
        move_chunk(path, second, PLACE_NONE, bytes + bytes - 8);
        CU_ASSERT_EQUAL(read_set(path, DATA_IO_BANDS, MEMORY_PLENTY, values), GM_BAD_DATA);
        ASSERT_HOLDS(err.text, "the chunk at row 500 cannot be read: a chunk has the wrong size");
        make(plain_file, H5T_IEEE_F32LE, &shapes[many], SKIP_NONE, H5P_DEFAULT, H5P_DEFAULT);
        char features[300], wrong[300];
        snprintf(features, sizeof features, "%s:/X", plain_file);
        snprintf(wrong, sizeof wrong, "%s:/X", path);
        for (int role = 0; role < 1 + many; role++) { /* a weight has one column */
            struct data_set *set = NULL;
            struct data_source source = {
                .features = features, .target = role ? NULL : wrong, .weight = role ? wrong : NULL};
            CU_ASSERT_EQUAL_FATAL(data_open(&set, &source, &(struct data_options){.io = DATA_IO_AUTO}, &err), GM_OK);
            struct lane_plan plan = small_plan(ROWS);
            CU_ASSERT_EQUAL(data_load(set, &plan, MEMORY_PLENTY, 2, &err), GM_BAD_DATA);
            ASSERT_HOLDS(err.text, "the chunk at row 500 cannot be read: a chunk has the wrong size");
            data_close(set);
        }
    }
}

/* Without a filter a chunk has one size, whatever the index says; HDF5 would read beyond the end of a smaller one. */
static void a_chunk_of_another_size_is_bad_data(void)
{
    static const uint32_t sizes[] = {0, 100, 4999, 5001, 60000, UINT32_MAX};
    const char *path = test_path("size.h5");
    static float values[ROWS * COLUMNS];
    hsize_t start[2] = {500, 10};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        make(path, H5T_IEEE_F32LE, &plain, SKIP_NONE, H5P_DEFAULT, H5P_DEFAULT);
        move_chunk(path, start, PLACE_NONE, sizes[i]);
        CU_ASSERT_EQUAL(read_set(path, DATA_IO_AUTO, MEMORY_PLENTY, values), GM_BAD_DATA);
        ASSERT_HOLDS(err.text, "the chunk at row 500 cannot be read: a chunk has the wrong size");
    }
    expect_wrong_everywhere(path);
    const hsize_t inside[3] = {7, 4, 2};
    make(path, H5T_IEEE_F32LE, &cube, SKIP_NONE, H5P_DEFAULT, H5P_DEFAULT);
    move_chunk(path, inside, PLACE_NONE, 8);
    CU_ASSERT_EQUAL(read_set(path, DATA_IO_AUTO, MEMORY_PLENTY, values), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "the chunk at row 7 cannot be read: a chunk has the wrong size");
}

/* The index says of a chunk that its filters were left out, but it is shorter than its values: HDF5 dies of it. */
static void a_chunk_without_its_filters_has_one_size(void)
{
    enum { LENGTH = 100000 };
    static double y[LENGTH];
    static const struct {
        hsize_t chunk;
        uint32_t mask;
        size_t bytes;
        bool fletcher, good;
    } cases[] = {{50000, 2, 64, false, false},       {500, 2, 64, false, false}, /* few chunks, and many */
                 {500, 3, 500 * 8, false, true},     {500, 2, 500 * 8, false, true},
                 {50000, 6, 50000 * 8, true, true},  {500, 2, 500 * 8, true, false}, /* no room for its checksum */
                 {500, 2, 500 * 8 - 1, false, false}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const char *path = test_path("masked.h5");
        hsize_t dims = LENGTH, at = cases[c].chunk;
        hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
        hid_t plist = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &dims, NULL);
        H5Pset_chunk(plist, 1, &cases[c].chunk);
        H5Pset_shuffle(plist);
        H5Pset_deflate(plist, 1);
        if (cases[c].fletcher)
            H5Pset_fletcher32(plist);
        hid_t dataset = H5Dcreate2(file, "y", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
        CU_ASSERT_FATAL(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, y) >= 0);
        CU_ASSERT_FATAL(H5Dwrite_chunk(dataset, H5P_DEFAULT, cases[c].mask, &at, cases[c].bytes, y) >= 0);
        H5Dclose(dataset);
        H5Sclose(space);
        H5Pclose(plist);
        H5Fclose(file);
        struct h5_files files = {.count = 0};
        struct h5_file *h5 = NULL;
        struct stored stored;
        CU_ASSERT_EQUAL_FATAL(h5_open(&h5, &files, path, &err), GM_OK);
        CU_ASSERT_EQUAL_FATAL(stored_open(&stored, h5, "/y", &err), GM_OK);
        CU_ASSERT_EQUAL(stored_read(&stored, 0, LENGTH, y, &err), cases[c].good ? GM_OK : GM_BAD_DATA);
        if (!cases[c].good)
            ASSERT_HOLDS(err.text, "a chunk has the wrong size");
        stored_close(&stored);
        h5_close(&files);
    }
}

/* HDF5 leaves the caller's memory as it was; what stood there depends on threads. */
static void values_that_were_never_written_nor_filled_are_zero(void)
{
    static const struct shape shapes[] = {{{3000, 40}, {700, 1}, 2}, {{40, 9, 6}, {7, 4, 2}, 3}};
    static float values[3000 * 40];
    const char *path = test_path("never.h5");
    for (size_t s = 0; s < 2; s++) {
        size_t height = shapes[s].chunk[0], columns = s ? 54 : 40, wrong = 0;
        make(path, H5T_IEEE_F32LE, &shapes[s], SKIP_UNFILLED, H5P_DEFAULT, H5P_DEFAULT);
        memset(values, 0xAA, sizeof values);
        CU_ASSERT_EQUAL_FATAL(read_set(path, DATA_IO_AUTO, MEMORY_PLENTY, values), GM_OK);
        for (size_t row = height; row < 2 * height; row++) /* the last column is in none that was written */
            wrong += values[row * columns + columns - 1] != 0;
        CU_ASSERT_EQUAL(wrong, 0);
    }
}

static void a_file_that_shrinks_while_it_is_read_is_bad_data(void)
{
    const char *path = test_path("shrinks.h5");
    struct file file;
    struct placed *placed;
    static float values[ROWS * COLUMNS];
    make(path, H5T_IEEE_F32LE, &plain, SKIP_NONE, H5P_DEFAULT, H5P_DEFAULT);
    open_file(&file, path);
    CU_ASSERT_EQUAL_FATAL(placed_open(&placed, &file.stored, &file.layout, 3, &err), GM_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(placed);
    CU_ASSERT_EQUAL(truncate(path, 40000), 0);
    CU_ASSERT_EQUAL(placed_read(placed, 0, ROWS, values, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "it is cut off");
    placed_close(placed);
    close_file(&file);
}

/* First and last row are the same in both: only the file itself tells them apart. */
static void a_file_that_took_the_name_of_another_is_not_read(void)
{
    const char *path = test_path("named.h5"), *other = test_path("other.h5");
    for (int chunked = 0; chunked < 2; chunked++) {
        struct h5_files files = {.count = 0};
        struct h5_file *h5 = NULL;
        struct stored stored;
        struct layout layout;
        hsize_t dims[2] = {50, 4}, chunk[2] = {10, 2};
        float values[200] = {0};
        for (int which = 0; which < 2; which++, values[100] = 7) {
            hid_t file = H5Fcreate(which ? other : path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
            hid_t plist = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, dims, NULL);
            if (chunked)
                H5Pset_chunk(plist, 2, chunk);
            hid_t dataset = H5Dcreate2(file, "X", H5T_IEEE_F32LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
            H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
            H5Dclose(dataset);
            H5Sclose(space);
            H5Pclose(plist);
            H5Fclose(file);
        }
        CU_ASSERT_EQUAL_FATAL(h5_open(&h5, &files, path, &err), GM_OK);
        CU_ASSERT_EQUAL_FATAL(stored_open(&stored, h5, "/X", &err), GM_OK);
        layout_plan(&layout, &stored);
        struct mapped mapped;
        struct places places;
        for (int taken = 0; taken < 2; taken++) {
            bool open = chunked ? places_open(&places, &stored, &layout) : mapped_open(&mapped, &stored, &layout);
            CU_ASSERT_EQUAL(open, !taken);
            if (open && chunked)
                places_close(&places);
            else if (open)
                mapped_close(&mapped);
            CU_ASSERT_EQUAL(taken ? 0 : rename(other, path), 0);
        }
        stored_close(&stored);
        h5_close(&files);
    }
}

TEST_MAIN("placed chunks", TEST(the_places_are_those_that_hdf5_tells),
          TEST(any_rows_are_those_of_hdf5_with_any_number_of_threads),
          TEST(chunks_that_are_cut_across_two_dimensions_are_left_to_others),
          TEST(an_address_beyond_the_end_is_bad_data), TEST(chunks_that_overlap_are_as_hdf5_reads_them),
          TEST(a_chunk_of_another_size_is_bad_data), TEST(a_chunk_without_its_filters_has_one_size),
          TEST(values_that_were_never_written_nor_filled_are_zero),
          TEST(a_file_that_shrinks_while_it_is_read_is_bad_data),
          TEST(a_file_that_took_the_name_of_another_is_not_read))
