/* Files that have tripped readers before, each made with HDF5's own API: read bit for bit as H5Dread does, or refused
 * with a reason. More of them are in test_io.c (layouts, filters, edges) and test_open.c (links, names, damage). */
#include "data/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "data/ratings.h"

static struct gm_error err;

static enum gm_code open_with(struct data_set **set, const char *path, enum data_io io, bool external)
{
    struct data_source source = {.path = path};
    struct data_options options = {.io = io, .allow_external = external};
    *set = NULL;
    return data_open(set, &source, &options, &err);
}

/* All values as doubles, by one way of ours. */
static double *ours(const char *path, enum data_io io, bool external, size_t *n)
{
    struct data_set *set;
    struct data_pass *pass;
    const struct data_window *w;
    enum gm_code code = open_with(&set, path, io, external);
    if (code != GM_OK)
        printf("\n    %s", err.text);
    CU_ASSERT_EQUAL_FATAL(code, GM_OK);
    const struct data_schema *schema = data_schema(set);
    struct lane_plan plan = small_plan(schema->rows);
    *n = schema->rows * schema->features;
    double *values = malloc(*n * sizeof *values);
    CU_ASSERT_EQUAL_FATAL(data_load(set, &plan, MEMORY_PLENTY, 3, &err), GM_OK);
    CU_ASSERT_EQUAL_FATAL(data_pass_open(&pass, set, &(struct data_order){0}, &err), GM_OK);
    while (data_pass_next(pass, &w, &err) == GM_OK && w)
        convert_to_f64(schema->type, w->x, w->rows * schema->features, values + w->first_row * schema->features);
    data_pass_close(pass);
    data_close(set);
    return values;
}

/* AUTO and BANDS give what H5Dread gives. */
static void expect_as_hdf5(const char *path, bool external)
{
    size_t n = 0;
    for (enum data_io io = DATA_IO_AUTO; io <= DATA_IO_BANDS; io += DATA_IO_BANDS) {
        double *got = ours(path, io, external, &n), *expected = malloc(n * sizeof *expected);
        hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), dataset = H5Dopen2(file, "X", H5P_DEFAULT);
        CU_ASSERT_FATAL(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, expected) >= 0);
        H5Dclose(dataset);
        H5Fclose(file);
        CU_ASSERT_EQUAL(memcmp(got, expected, n * sizeof *got), 0);
        free(expected);
        free(got);
    }
}

static void expect_refused(const char *path, const char *reason)
{
    struct data_set *set;
    CU_ASSERT_EQUAL(open_with(&set, path, DATA_IO_AUTO, false), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, reason);
    data_close(set);
}

static double *noise(size_t n)
{
    double *values = malloc(n * sizeof *values);
    for (size_t i = 0; i < n; i++)
        values[i] = floor(2000 * file_noise(i)) - 1000;
    return values;
}

/* A dataset X with a creation list; values NULL: not written. */
static hid_t put(hid_t file, hid_t type, int rank, const hsize_t *dims, const hsize_t *most, hid_t plist,
                 const double *values)
{
    hid_t space = H5Screate_simple(rank, dims, most);
    hid_t dataset = H5Dcreate2(file, "X", type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    CU_ASSERT_FATAL(dataset >= 0);
    if (values)
        CU_ASSERT(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Sclose(space);
    return dataset;
}

static void a_file_that_a_writer_holds_is_read(void)
{
    const char *path = test_path("locked.h5");
    double *values = noise(60);
    hid_t file = file_new(path);
    file_put_reals(file, "X", 20, 3, values);
    H5Fclose(file);
    free(values);
    int fd = open(path, O_RDWR);
    CU_ASSERT_FATAL(fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0); /* as HDF5 locks what it writes */
    size_t n;
    free(ours(path, DATA_IO_AUTO, false, &n));
    close(fd);
}

/* Memory that a killed writer never flushed: HDF5 alone sees garbage or nothing. */
static void a_file_that_was_never_closed_is_refused(void)
{
    const char *path = test_path("killed.h5");
    pid_t child = fork();
    if (child == 0) {
        hid_t file = file_new(path);
        double values[300] = {0};
        file_put_reals(file, "X", 100, 3, values);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    struct data_set *set;
    CU_ASSERT_EQUAL(open_with(&set, path, DATA_IO_AUTO, false), GM_BAD_DATA);
    CU_ASSERT(strlen(err.text) > 20);
}

/* The newer format keeps a mark in the file while it is written; a killed writer leaves it. */
static void a_file_marked_as_open_for_writing_is_refused(void)
{
    const char *path = test_path("marked.h5");
    pid_t child = fork();
    if (child == 0) {
        hid_t access = H5Pcreate(H5P_FILE_ACCESS);
        H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
        hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
        double values[300] = {0};
        file_put_reals(file, "X", 100, 3, values);
        H5Fflush(file, H5F_SCOPE_GLOBAL);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    expect_refused(path, "already open for write");
}

static void chunks_larger_than_the_dataset_are_read(void)
{
    const char *path = test_path("growing.h5");
    hsize_t dims[2] = {37, 5}, most[2] = {H5S_UNLIMITED, H5S_UNLIMITED}, chunk[2] = {1000, 64};
    double *values = noise(37 * 5);
    for (int shuffled = 0; shuffled < 2; shuffled++) {
        hid_t file = file_new(path), plist = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_chunk(plist, 2, chunk);
        if (shuffled)
            H5Pset_shuffle(plist);
        H5Pset_deflate(plist, 3);
        H5Dclose(put(file, H5T_STD_I32BE, 2, dims, most, plist, values));
        H5Pclose(plist);
        H5Fclose(file);
        expect_as_hdf5(path, false);
    }
    free(values);
}

/* What a smaller extent cuts off and a larger one brings back holds the fill value, not what was there. */
static void extents_that_shrank_and_grew_are_as_hdf5_says(void)
{
    const char *path = test_path("extent.h5");
    hsize_t dims[2] = {300, 6}, most[2] = {H5S_UNLIMITED, 6}, chunk[2] = {64, 4}, shorter[2] = {70, 6},
            longer[2] = {260, 6};
    double *values = noise(300 * 6), fill = 7;
    hid_t file = file_new(path), plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(plist, 2, chunk);
    H5Pset_deflate(plist, 1);
    H5Pset_fill_value(plist, H5T_NATIVE_DOUBLE, &fill);
    hid_t dataset = put(file, H5T_IEEE_F32LE, 2, dims, most, plist, values);
    CU_ASSERT(H5Dset_extent(dataset, shorter) >= 0 && H5Dset_extent(dataset, longer) >= 0);
    H5Dclose(dataset);
    H5Pclose(plist);
    H5Fclose(file);
    expect_as_hdf5(path, false);
    free(values);
}

static void space_that_was_allocated_but_not_written_holds_the_fill_value(void)
{
    const char *path = test_path("early.h5");
    hsize_t dims[2] = {100, 6}, chunk[2] = {32, 4};
    double fill = -3;
    for (int chunked = 0; chunked < 3; chunked++) {
        hid_t file = file_new(path), plist = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_alloc_time(plist, H5D_ALLOC_TIME_EARLY);
        H5Pset_fill_value(plist, H5T_NATIVE_DOUBLE, &fill);
        if (chunked)
            H5Pset_chunk(plist, 2, chunk);
        if (chunked == 2) {
            H5Pset_shuffle(plist);
            H5Pset_deflate(plist, 5);
        }
        H5Dclose(put(file, H5T_STD_I16LE, 2, dims, NULL, plist, NULL));
        H5Pclose(plist);
        H5Fclose(file);
        expect_as_hdf5(path, false);
    }
}

/* MATLAB v7.3: a userblock of 512 bytes, chunks of its own, the newer index of chunks. */
static void chunks_behind_a_userblock_are_read_in_every_index(void)
{
    const char *path = test_path("matlab.h5");
    hsize_t dims[2] = {500, 7}, chunk[2] = {128, 7}, most[2] = {H5S_UNLIMITED, 7};
    double *values = noise(500 * 7);
    for (int latest = 0; latest < 2; latest++)
        for (int extendible = 0; extendible < 2; extendible++) {
            hid_t create = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
            H5Pset_userblock(create, 512);
            if (latest)
                H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
            hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, create, access), plist = H5Pcreate(H5P_DATASET_CREATE);
            H5Pset_chunk(plist, 2, chunk);
            H5Pset_deflate(plist, 6);
            H5Dclose(put(file, H5T_IEEE_F64LE, 2, dims, extendible ? most : NULL, plist, values));
            H5Pclose(plist);
            H5Fclose(file);
            H5Pclose(access);
            H5Pclose(create);
            expect_as_hdf5(path, false);
        }
    free(values);
}

static void other_filters_of_hdf5_itself_are_read_by_it(void)
{
    const char *path = test_path("filters.h5");
    hsize_t dims[2] = {200, 5}, chunk[2] = {64, 5};
    double *values = noise(1000);
    for (int which = 0; which < 3; which++) {
        hid_t file = file_new(path), plist = H5Pcreate(H5P_DATASET_CREATE), type = H5Tcopy(H5T_STD_I32LE);
        H5Pset_chunk(plist, 2, chunk);
        if (which == 0) {
            H5Pset_scaleoffset(plist, H5Z_SO_INT, H5Z_SO_INT_MINBITS_DEFAULT);
        } else if (which == 1) {
            H5Tset_precision(type, 17);
            H5Pset_nbit(plist);
        } else {
            for (int i = 0; i < 5; i++) /* more filters than the decoder takes */
                H5Pset_fletcher32(plist);
        }
        H5Dclose(put(file, type, 2, dims, NULL, plist, values));
        H5Tclose(type);
        H5Pclose(plist);
        H5Fclose(file);
        expect_as_hdf5(path, false);
    }
    free(values);
}

static void external_values_are_read_when_allowed(void)
{
    const char *path = test_path("external.h5"), *raw = test_path("external.raw");
    hsize_t dims[2] = {50, 4};
    double *values = noise(200);
    hid_t file = file_new(path), plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(plist, raw, 16, 50 * 4 * 8);
    H5Dclose(put(file, H5T_IEEE_F64BE, 2, dims, NULL, plist, values));
    H5Pclose(plist);
    H5Fclose(file);
    expect_refused(path, "stored in another file");
    expect_as_hdf5(path, true);

    const char *view = test_path("view.h5");
    hid_t space = H5Screate_simple(2, dims, NULL);
    plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_virtual(plist, space, path, "/X", space);
    file = file_new(view);
    H5Dclose(put(file, H5T_IEEE_F64LE, 2, dims, NULL, plist, NULL));
    H5Pclose(plist);
    H5Sclose(space);
    H5Fclose(file);
    expect_refused(view, "virtual");
    expect_as_hdf5(view, true);
    free(values);
}

/* A soft link is part of the file, also when an external link is at its end. */
static void links_are_followed_within_the_file_only(void)
{
    const char *path = test_path("links.h5");
    double *values = noise(60);
    hid_t file = file_new(path);
    H5Gclose(H5Gcreate2(file, "deep", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    file_put_reals(file, "deep/values", 20, 3, values);
    H5Lcreate_soft("/deep/values", file, "X", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    expect_as_hdf5(path, false);
    const char *outside = test_path("outside-link.h5");
    file = file_new(outside);
    H5Lcreate_external(path, "/X", file, "away", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/away", file, "X", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    struct data_set *set;
    CU_ASSERT_NOT_EQUAL(open_with(&set, outside, DATA_IO_AUTO, false), GM_OK);
    expect_as_hdf5(outside, true);
    file = file_new(outside);
    H5Lcreate_soft("/X", file, "X", H5P_DEFAULT, H5P_DEFAULT); /* a ring */
    H5Fclose(file);
    expect_refused(outside, "X");
    free(values);
}

static void ranks_and_chunks_have_bounds(void)
{
    const char *path = test_path("bounds.h5");
    hsize_t nine[9] = {2, 1, 1, 1, 1, 1, 1, 1, 1}, dims[2] = {100000, 100000}, chunk[2] = {20000, 20000};
    double values[2] = {0};
    hid_t file = file_new(path);
    H5Dclose(put(file, H5T_IEEE_F32LE, 9, nine, NULL, H5P_DEFAULT, values));
    H5Fclose(file);
    expect_refused(path, "9 dimensions");
    file = file_new(path);
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate(H5S_SCALAR);
    H5Pset_chunk(plist, 2, chunk);
    H5Dclose(put(file, H5T_IEEE_F32LE, 2, dims, NULL, plist, NULL));
    H5Pclose(plist);
    H5Fclose(file);
    expect_refused(path, "larger than 1 GiB");
    hsize_t wide[2] = {1, (hsize_t)1 << 30}, one[2] = {1, 1}; /* places of its chunks would take 8 GiB */
    file = file_new(path);
    plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(plist, 2, one);
    hid_t dataset = put(file, H5T_STD_U8LE, 2, wide, NULL, plist, NULL);
    unsigned char value = 7;
    hsize_t start[2] = {0, 12345};
    CU_ASSERT(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, start, 1, &value) >= 0);
    H5Dclose(dataset);
    H5Pclose(plist);
    H5Fclose(file);
    expect_refused(path, "declares 1073741824 chunks but the file holds only 1 bytes of them");
    file = file_new(path);
    H5Dclose(H5Dcreate2(file, "X", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
    H5Fclose(file);
    expect_refused(path, "0 dimensions");
}

/* A data file must not choose code to load. */
static void filter_plugins_are_off(void)
{
    unsigned mask = 1;
    size_t n;
    double *values = noise(8);
    hid_t file = file_new(test_path("plain.h5"));
    file_put_reals(file, "X", 4, 2, values);
    H5Fclose(file);
    free(ours(test_path("plain.h5"), DATA_IO_AUTO, false, &n));
    CU_ASSERT(H5PLget_loading_state(&mask) >= 0 && mask == 0);
    free(values);
}

/* HDF5 prints its errors from any thread that has not been told otherwise. */
static void a_failing_read_prints_nothing(void)
{
    const char *path = test_path("damaged.h5"), *said = test_path("said.txt");
    hsize_t dims[2] = {2000, 8}, chunk[2] = {50, 8};
    double *values = noise(16000);
    hid_t file = file_new(path), plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(plist, 2, chunk);
    H5Pset_fletcher32(plist);
    H5Dclose(put(file, H5T_IEEE_F32LE, 2, dims, NULL, plist, values));
    H5Pclose(plist);
    H5Fclose(file);
    free(values);
    int fd = open(path, O_RDWR);
    CU_ASSERT(pwrite(fd, "damage", 6, lseek(fd, 0, SEEK_END) / 2) == 6);
    close(fd);
    fflush(stderr);
    int before = dup(STDERR_FILENO), to = open(said, O_RDWR | O_CREAT | O_TRUNC, 0600);
    dup2(to, STDERR_FILENO);
    for (enum data_io io = DATA_IO_AUTO; io <= DATA_IO_BANDS; io += DATA_IO_BANDS)
        for (int streamed = 0; streamed < 2; streamed++) {
            struct data_set *set;
            struct data_pass *pass = NULL;
            const struct data_window *w;
            enum gm_code code = open_with(&set, path, io, false);
            struct lane_plan plan = small_plan(2000);
            if (code == GM_OK)
                code = data_load(set, &plan, streamed ? 60000 : MEMORY_PLENTY, 3, &err);
            if (code == GM_OK)
                code = data_pass_open(&pass, set, &(struct data_order){0}, &err);
            while (code == GM_OK && (code = data_pass_next(pass, &w, &err)) == GM_OK && w)
                ;
            CU_ASSERT_EQUAL(code, GM_BAD_DATA);
            data_pass_close(pass);
            data_close(set);
        }
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    CU_ASSERT_EQUAL(lseek(to, 0, SEEK_END), 0);
    close(before);
    close(to);
}

/* ---- chunks that inflate short ---- */

/* HDF5 reads beyond the end of a chunk that inflates to less than its values, and dies: so it is not asked for any, in
 * a dataset of any role. Each is large enough not to be tried in a child first. */
enum { SHORT_ROWS = 100000, SHORT_CHUNK = 50000 };

static void put_zipped(hid_t object, const char *name, hid_t type, const double *values)
{
    const struct layout_of_file gzip = {.chunk = {SHORT_CHUNK}, .gzip = 1};
    hsize_t rows = SHORT_ROWS;
    file_put(object, name, type, &gzip, 1, &rows, H5T_NATIVE_DOUBLE, values);
}

static void make_short(hid_t object, const char *name)
{
    const unsigned char one[] = {0x78, 0x9c, 0x63, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01}; /* zlib, of one zero */
    hsize_t at = 0;
    hid_t dataset = H5Dopen2(object, name, H5P_DEFAULT);
    CU_ASSERT(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, &at, sizeof one, one) >= 0);
    H5Dclose(dataset);
}

static void is_refused(const char *path, size_t rows, bool split)
{
    struct lane_plan plan = small_plan(rows);
    struct data_set *set = NULL;
    struct data_source source = {.path = path, .find_split = split};
    struct data_options options = {.need_target = false};
    err = (struct gm_error){0};
    enum gm_code code = data_open(&set, &source, &options, &err);
    if (code == GM_OK)
        code = data_load(set, &plan, MEMORY_PLENTY, 2, &err);
    CU_ASSERT_EQUAL(code, GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "cannot be inflated to its size");
    data_close(set);
}

static void what_stands_beside_the_features_and_inflates_short_is_refused(void)
{
    static double y[SHORT_ROWS];
    static const char *const names[] = {"y", "weight", "group", "split"};
    for (size_t which = 0; which < 4; which++) {
        const char *path = test_path("short.h5");
        hid_t file = file_new(path);
        file_put_reals(file, "X", SHORT_ROWS, 1, y);
        for (size_t i = 0; i < 4; i++)
            put_zipped(file, names[i], i >= 2 ? H5T_STD_I64LE : H5T_IEEE_F64LE, y);
        make_short(file, names[which]);
        H5Fclose(file);
        is_refused(path, SHORT_ROWS, true);
    }
}

/* Each row has one entry. Without a shape, columns are counted when the file is opened. */
static void sparse_rows_that_inflate_short_are_refused(void)
{
    static double numbers[SHORT_ROWS], zeros[SHORT_ROWS];
    static const char *const names[] = {"data", "indices", "indptr"};
    for (size_t i = 0; i < SHORT_ROWS; i++)
        numbers[i] = (double)i;
    for (size_t which = 0; which < 3; which++) {
        const char *path = test_path("short.h5");
        hid_t file = file_new(path), group = H5Gcreate2(file, "X", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        hsize_t entries = SHORT_ROWS - 1, chunk = SHORT_CHUNK;
        const struct layout_of_file gzip = {.chunk = {chunk}, .gzip = 1};
        file_put(group, "data", H5T_IEEE_F64LE, &gzip, 1, &entries, H5T_NATIVE_DOUBLE, zeros);
        file_put(group, "indices", H5T_STD_I64LE, &gzip, 1, &entries, H5T_NATIVE_DOUBLE, zeros);
        put_zipped(group, "indptr", H5T_STD_I64LE, numbers);
        make_short(group, names[which]);
        H5Gclose(group);
        H5Fclose(file);
        is_refused(path, SHORT_ROWS - 1, false);
    }
}

static void ratings_that_inflate_short_are_refused(void)
{
    static double zeros[SHORT_ROWS];
    static const char *const names[] = {"user_id", "item_id", "rating"};
    for (size_t which = 0; which < 3; which++) {
        struct ratings ratings = {0};
        const struct ratings_request request = {.path = test_path("short.h5"), .memory = MEMORY_PLENTY};
        hid_t file = file_new(request.path);
        for (size_t i = 0; i < 3; i++)
            put_zipped(file, names[i], i == 2 ? H5T_IEEE_F64LE : H5T_STD_I64LE, zeros);
        make_short(file, names[which]);
        H5Fclose(file);
        err = (struct gm_error){0};
        CU_ASSERT_EQUAL(ratings_read(&ratings, &request, &err), GM_BAD_DATA);
        ASSERT_HOLDS(err.text, "cannot be inflated to its size");
        ratings_release(&ratings);
    }
}

TEST_MAIN("traps", TEST(a_file_that_a_writer_holds_is_read), TEST(a_file_that_was_never_closed_is_refused),
          TEST(a_file_marked_as_open_for_writing_is_refused), TEST(chunks_larger_than_the_dataset_are_read),
          TEST(extents_that_shrank_and_grew_are_as_hdf5_says),
          TEST(space_that_was_allocated_but_not_written_holds_the_fill_value),
          TEST(chunks_behind_a_userblock_are_read_in_every_index), TEST(other_filters_of_hdf5_itself_are_read_by_it),
          TEST(external_values_are_read_when_allowed), TEST(links_are_followed_within_the_file_only),
          TEST(ranks_and_chunks_have_bounds), TEST(filter_plugins_are_off), TEST(a_failing_read_prints_nothing),
          TEST(what_stands_beside_the_features_and_inflates_short_is_refused),
          TEST(sparse_rows_that_inflate_short_are_refused), TEST(ratings_that_inflate_short_are_refused))
