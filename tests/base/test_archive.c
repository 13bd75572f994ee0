/* Named arrays in one small HDF5 file. What was written is also read back by HDF5's own calls, and the other way round.
 */
#include "support.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <hdf5.h>

#include "base/archive.h"
#include "base/file.h"
#include "base/memory.h"

#define SHAPE(...) (&(const struct archive_shape){__VA_ARGS__})
#define SEAL_BYTES 31 /* "gradmill-xxh3:", 16 digits, newline */

static const double weights[6] = {0.1, -2.5, DBL_MAX, DBL_MIN, 5e-324, 1.0 / 3};
static const float small[2] = {0.1f, -3e38f};
static const int64_t whole[4] = {INT64_MIN, -1, 0, INT64_MAX};
static const uint64_t natural[1] = {UINT64_MAX};
static const uint8_t bytes4[2 * 1 * 2 * 1] = {0, 127, 128, 255};
static const char *const names[3] = {"setosa", "", "virginica \xc3\xa4"};

static struct archive *filled(void)
{
    struct archive *a = NULL;
    CU_ASSERT_EQUAL_FATAL(archive_create(&a, NULL), GM_OK);
    CU_ASSERT_EQUAL(archive_put(a, "/layers/0/weights", ARCHIVE_F64, SHAPE(2, {2, 3}), weights, NULL), GM_OK);
    CU_ASSERT_EQUAL(archive_put(a, "/layers/0/bias", ARCHIVE_F32, SHAPE(1, {2}), small, NULL), GM_OK);
    CU_ASSERT_EQUAL(archive_put(a, "/layers/1/steps", ARCHIVE_I64, SHAPE(1, {4}), whole, NULL), GM_OK);
    CU_ASSERT_EQUAL(archive_put(a, "/seed", ARCHIVE_U64, SHAPE(0), natural, NULL), GM_OK);
    CU_ASSERT_EQUAL(archive_put(a, "/bytes", ARCHIVE_U8, SHAPE(4, {2, 1, 2, 1}), bytes4, NULL), GM_OK);
    CU_ASSERT_EQUAL(archive_put(a, "/none", ARCHIVE_F64, SHAPE(2, {0, 3}), weights, NULL), GM_OK);
    CU_ASSERT_EQUAL(archive_put(a, "/names", ARCHIVE_TEXT, SHAPE(1, {3}), names, NULL), GM_OK);
    CU_ASSERT_EQUAL(archive_put_text(a, "format", "gradmill model", NULL), GM_OK);
    CU_ASSERT_EQUAL(archive_put_text(a, "empty", "", NULL), GM_OK);
    CU_ASSERT_EQUAL(archive_put_real(a, "objective", 0.1, NULL), GM_OK);
    CU_ASSERT_EQUAL(archive_put_integer(a, "best_epoch", -7, NULL), GM_OK);
    CU_ASSERT_EQUAL(archive_put_texts(a, "class_names", names, 3, NULL), GM_OK);
    CU_ASSERT_EQUAL(archive_put_texts(a, "no_names", names, 0, NULL), GM_OK);
    return a;
}

static const char *saved(const char *name)
{
    const char *path = test_path(name);
    struct archive *a = filled();
    CU_ASSERT_EQUAL(archive_save(a, path, NULL), GM_OK);
    archive_close(a);
    return path;
}

static bool array_is(const struct archive *a, const char *name, enum archive_type type,
                     const struct archive_shape *shape, const void *expected, size_t size)
{
    struct archive_shape got = {shape->rank, {0}};
    struct gm_error err = {0};
    void *data = NULL;
    size_t count = 1;
    if (archive_get(a, name, type, &got, &data, &err) != GM_OK) {
        printf("\n    %s", err.text);
        return false;
    }
    bool same = got.rank == shape->rank;
    for (size_t i = 0; i < shape->rank; i++) {
        same = same && got.dims[i] == shape->dims[i];
        count *= shape->dims[i];
    }
    same = same && memcmp(data, expected, count * size) == 0;
    memory_free(data);
    return same;
}

static void what_is_put_is_got(void)
{
    struct archive *a = NULL;
    CU_ASSERT_EQUAL_FATAL(archive_open(&a, saved("round.h5"), NULL), GM_OK);
    CU_ASSERT(array_is(a, "/layers/0/weights", ARCHIVE_F64, SHAPE(2, {2, 3}), weights, sizeof *weights));
    CU_ASSERT(array_is(a, "/layers/0/bias", ARCHIVE_F32, SHAPE(1, {2}), small, sizeof *small));
    CU_ASSERT(array_is(a, "/layers/1/steps", ARCHIVE_I64, SHAPE(1, {4}), whole, sizeof *whole));
    CU_ASSERT(array_is(a, "/seed", ARCHIVE_U64, SHAPE(0), natural, sizeof *natural));
    CU_ASSERT(array_is(a, "/bytes", ARCHIVE_U8, SHAPE(4, {2, 1, 2, 1}), bytes4, 1));
    CU_ASSERT(array_is(a, "/none", ARCHIVE_F64, SHAPE(2, {0, 3}), weights, sizeof *weights));
    CU_ASSERT(archive_has(a, "/seed") && archive_has(a, "/layers/1/steps"));
    CU_ASSERT_FALSE(archive_has(a, "/layers") || archive_has(a, "/layers/2/steps") || archive_has(a, "/objective"));
    CU_ASSERT_FALSE(archive_has(a, "") || archive_has(a, "/") || archive_has(a, "//") || archive_has(a, "/seed/"));
    CU_ASSERT(archive_has_attribute(a, "objective") && !archive_has_attribute(a, "seed"));
    archive_close(a);
    archive_close(NULL);
}

static void attributes_are_got(void)
{
    struct archive *a = NULL;
    char *text = NULL;
    double real = 0;
    int64_t integer = 0;
    CU_ASSERT_EQUAL_FATAL(archive_open(&a, saved("attributes.h5"), NULL), GM_OK);
    CU_ASSERT_EQUAL_FATAL(archive_get_text(a, "format", &text, NULL), GM_OK);
    CU_ASSERT_STRING_EQUAL(text, "gradmill model");
    memory_free(text);
    CU_ASSERT_EQUAL_FATAL(archive_get_text(a, "empty", &text, NULL), GM_OK);
    CU_ASSERT_STRING_EQUAL(text, "");
    memory_free(text);
    CU_ASSERT(archive_get_real(a, "objective", &real, NULL) == GM_OK && real == 0.1);
    CU_ASSERT(archive_get_integer(a, "best_epoch", &integer, NULL) == GM_OK && integer == -7);
    CU_ASSERT(archive_get_real(a, "best_epoch", &real, NULL) == GM_OK && real == -7);
    archive_close(a);
}

static bool texts_are(const struct archive *a, const char *name, const char *const *expected, size_t expected_count)
{
    char **texts;
    size_t count;
    if (archive_get_texts(a, name, &texts, &count, NULL) != GM_OK)
        return false;
    bool same = count == expected_count;
    for (size_t i = 0; i < count; i++) {
        same = same && strcmp(texts[i], expected[i]) == 0;
        memory_free(texts[i]);
    }
    memory_free(texts);
    return same;
}

static void lists_of_texts_are_got_however_long(void)
{
    enum { MANY = 10000 };
    static char words[MANY][16];
    static const char *list[MANY];
    const char *path = test_path("texts.h5");
    struct archive *a = filled();
    for (size_t i = 0; i < MANY; i++) {
        snprintf(words[i], sizeof words[i], "feature %zu", i);
        list[i] = words[i];
    }
    CU_ASSERT_EQUAL(archive_put_texts(a, "feature_names", list, MANY, NULL), GM_OK);
    CU_ASSERT_EQUAL(archive_put_texts(a, "few_names", list, 3000, NULL), GM_OK);
    CU_ASSERT_EQUAL(archive_save(a, path, NULL), GM_OK);
    archive_close(a);
    CU_ASSERT_EQUAL_FATAL(archive_open(&a, path, NULL), GM_OK);
    CU_ASSERT(texts_are(a, "class_names", names, 3));
    CU_ASSERT(texts_are(a, "no_names", names, 0));
    CU_ASSERT(texts_are(a, "/names", names, 3));
    CU_ASSERT(texts_are(a, "feature_names", list, MANY));
    CU_ASSERT(texts_are(a, "few_names", list, 3000));
    CU_ASSERT(archive_has(a, "/feature_names") && archive_has_attribute(a, "few_names"));
    archive_close(a);
}

static void numbers_are_converted_when_they_fit(void)
{
    static const double reals[3] = {1.5, -2, 1e30};
    static const int64_t wholes[3] = {3, 255, 256};
    const double wide[3] = {3, 255, 256};
    const float narrow[3] = {1.5f, -2, 1e30f};
    const char *path = test_path("convert.h5");
    struct archive *a = NULL;
    struct gm_error err = {0};
    struct archive_shape shape = {0};
    void *data;
    CU_ASSERT_EQUAL_FATAL(archive_create(&a, NULL), GM_OK);
    archive_put(a, "/reals", ARCHIVE_F64, SHAPE(1, {3}), reals, NULL);
    archive_put(a, "/wholes", ARCHIVE_I64, SHAPE(1, {3}), wholes, NULL);
    archive_put(a, "/huge", ARCHIVE_F64, SHAPE(1, {3}), weights, NULL);
    CU_ASSERT_EQUAL(archive_save(a, path, NULL), GM_OK);
    archive_close(a);
    CU_ASSERT_EQUAL_FATAL(archive_open(&a, path, NULL), GM_OK);
    CU_ASSERT(array_is(a, "/reals", ARCHIVE_F32, SHAPE(1, {3}), narrow, sizeof *narrow));
    CU_ASSERT(array_is(a, "/wholes", ARCHIVE_F64, SHAPE(1, {3}), wide, sizeof *wide));
    CU_ASSERT(array_is(a, "/wholes", ARCHIVE_U64, SHAPE(1, {3}), wholes, sizeof *wholes));
    CU_ASSERT_EQUAL(archive_get(a, "/wholes", ARCHIVE_U8, &shape, &data, &err), GM_BAD_DATA); /* 256 */
    ASSERT_HOLDS(err.text, "does not fit");
    CU_ASSERT_EQUAL(archive_get(a, "/huge", ARCHIVE_F32, &shape, &data, &err), GM_BAD_DATA); /* DBL_MAX */
    CU_ASSERT_EQUAL(archive_get(a, "/reals", ARCHIVE_I64, &shape, &data, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "whole numbers");
    archive_close(a);
}

static void what_is_not_there_or_of_another_kind_says_so(void)
{
    struct archive *a = NULL;
    struct gm_error err = {0};
    struct archive_shape shape = {1, {0}}, any = {0};
    void *data = &err;
    char *text, **texts;
    size_t count;
    double real;
    int64_t integer;
    CU_ASSERT_EQUAL_FATAL(archive_open(&a, saved("kinds.h5"), NULL), GM_OK);
    CU_ASSERT_EQUAL(archive_get(a, "/coefficients", ARCHIVE_F64, &any, &data, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "kinds.h5: \"/coefficients\" is not in this file");
    CU_ASSERT_PTR_NULL(data);
    CU_ASSERT_EQUAL(archive_get(a, "/layers", ARCHIVE_F64, &any, &data, &err), GM_BAD_DATA);
    CU_ASSERT_EQUAL(archive_get(a, "/names", ARCHIVE_F64, &any, &data, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "\"/names\" does not hold numbers");
    CU_ASSERT_EQUAL(archive_get(a, "/layers/0/weights", ARCHIVE_F64, &shape, &data, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "2 dimensions where 1");
    CU_ASSERT_EQUAL(archive_get_text(a, "objective", &text, &err), GM_BAD_DATA);
    CU_ASSERT_EQUAL(archive_get_text(a, "class_names", &text, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "is not a single text");
    ASSERT_HOLDS(err.text, "single");
    CU_ASSERT_PTR_NULL(text);
    CU_ASSERT_EQUAL(archive_get_texts(a, "missing", &texts, &count, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "\"missing\" is not in this file");
    CU_ASSERT_EQUAL(archive_get_texts(a, "/layers/0/weights", &texts, &count, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "does not hold texts");
    CU_ASSERT_EQUAL(archive_get_real(a, "format", &real, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "is not a number");
    CU_ASSERT_EQUAL(archive_get_real(a, "missing", &real, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "is not an attribute of this file");
    CU_ASSERT_EQUAL(archive_get_integer(a, "objective", &integer, &err), GM_BAD_DATA);
    archive_close(a);
}

static void a_name_is_taken_once(void)
{
    struct archive *a = filled();
    struct gm_error err = {0};
    CU_ASSERT_EQUAL(archive_put(a, "/seed", ARCHIVE_U64, SHAPE(0), natural, &err), GM_SYSTEM);
    ASSERT_HOLDS(err.text, "\"/seed\"");
    CU_ASSERT_EQUAL(archive_put(a, "/seed/below", ARCHIVE_U64, SHAPE(0), natural, &err), GM_SYSTEM);
    CU_ASSERT_EQUAL(archive_put_real(a, "objective", 1, &err), GM_SYSTEM);
    archive_close(a);
}

static bool same_bytes(const char *one, const char *two)
{
    void *a = NULL, *b = NULL;
    size_t a_size = 0, b_size = 1;
    bool same = file_read(one, SIZE_MAX - 8, &a, &a_size, NULL) == GM_OK &&
                file_read(two, SIZE_MAX - 8, &b, &b_size, NULL) == GM_OK && a_size == b_size && !memcmp(a, b, a_size);
    memory_free(a);
    memory_free(b);
    return same;
}

static void equal_archives_are_equal_bytes(void)
{
    struct timespec pause = {1, 100000000}; /* HDF5's times have seconds */
    const char *one = saved("one.h5"), *again = test_path("again.h5");
    nanosleep(&pause, NULL);
    for (size_t size = 16; size < 1 << 22; size *= 2) { /* soil the heap: no byte of it may get into a file */
        void *dirt = malloc(size);
        memset(dirt, 0xA5, size);
        free(dirt);
    }
    const char *two = saved("two.h5");
    CU_ASSERT(same_bytes(one, two));
    struct archive *a = filled();
    CU_ASSERT_EQUAL(archive_save(a, again, NULL), GM_OK);
    CU_ASSERT_EQUAL(archive_save(a, again, NULL), GM_OK); /* the archive stays open, and as it is */
    archive_close(a);
    CU_ASSERT(same_bytes(one, again));
}

static void several_archives_are_open_at_once(void)
{
    struct archive *a = filled(), *b = NULL, *c = NULL;
    static const double other[1] = {42};
    CU_ASSERT_EQUAL_FATAL(archive_create(&b, NULL), GM_OK);
    CU_ASSERT_EQUAL(archive_put(b, "/seed", ARCHIVE_F64, SHAPE(0), other, NULL), GM_OK);
    CU_ASSERT_EQUAL(archive_save(a, test_path("a.h5"), NULL), GM_OK);
    CU_ASSERT_EQUAL(archive_save(b, test_path("b.h5"), NULL), GM_OK);
    archive_close(a);
    CU_ASSERT_EQUAL_FATAL(archive_open(&a, test_path("a.h5"), NULL), GM_OK);
    CU_ASSERT_EQUAL_FATAL(archive_open(&c, test_path("b.h5"), NULL), GM_OK);
    CU_ASSERT(array_is(a, "/seed", ARCHIVE_U64, SHAPE(0), natural, sizeof *natural));
    CU_ASSERT(array_is(c, "/seed", ARCHIVE_F64, SHAPE(0), other, sizeof *other));
    archive_close(a);
    archive_close(b);
    archive_close(c);
}

static void hdf5_reads_it_without_us(void)
{
    const char *path = saved("plain.h5");
    double values[6] = {0};
    char *text = NULL;
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), set = H5Dopen2(file, "/layers/0/weights", H5P_DEFAULT);
    CU_ASSERT(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    CU_ASSERT_EQUAL(memcmp(values, weights, sizeof weights), 0);
    hid_t attribute = H5Aopen(file, "format", H5P_DEFAULT), type = H5Aget_type(attribute);
    CU_ASSERT(H5Tis_variable_str(type) > 0 && H5Tget_cset(type) == H5T_CSET_UTF8);
    CU_ASSERT(H5Aread(attribute, type, &text) >= 0);
    CU_ASSERT_STRING_EQUAL(text, "gradmill model");
    H5free_memory(text);
    H5Tclose(type);
    H5Aclose(attribute);
    H5Dclose(set);
    CU_ASSERT(H5Fclose(file) >= 0);
}

/* Another program may change a model; HDF5 then cuts the seal off, and the file counts as it is. */
static void what_another_program_changed_is_read(void)
{
    static const double changed[6] = {1, 2, 3, 4, 5, 6};
    const char *path = saved("changed.h5");
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), set = H5Dopen2(file, "/layers/0/weights", H5P_DEFAULT);
    CU_ASSERT(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, changed) >= 0);
    H5Dclose(set);
    H5Fclose(file);
    struct archive *a = NULL;
    CU_ASSERT_EQUAL_FATAL(archive_open(&a, path, NULL), GM_OK);
    CU_ASSERT(array_is(a, "/layers/0/weights", ARCHIVE_F64, SHAPE(2, {2, 3}), changed, sizeof *changed));
    archive_close(a);
}

static void make_set(hid_t file, const char *name, hid_t how)
{
    hsize_t dims[1] = {6};
    hid_t space = H5Screate_simple(1, dims, NULL);
    hid_t set = H5Dcreate2(file, name, H5T_IEEE_F64BE, space, H5P_DEFAULT, how, H5P_DEFAULT);
    if (set >= 0) {
        H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, weights);
        H5Dclose(set);
    }
    H5Sclose(space);
}

/* Files of other programs: the other byte order and deflate are read; what leads out of the file, or is not all there,
 * is refused. */
static void only_plain_storage_is_accepted(void)
{
    static const char *const refused[] = {"/outside", "/never_written", "/soft", "/away"};
    const char *path = test_path("foreign.h5");
    hsize_t chunk[1] = {4}, dims[1] = {1u << 30};
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t deflated = H5Pcreate(H5P_DATASET_CREATE), outside = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(deflated, 1, chunk);
    H5Pset_deflate(deflated, 6);
    H5Pset_external(outside, test_path("outside.raw"), 0, sizeof weights);
    make_set(file, "/other_order", H5P_DEFAULT);
    make_set(file, "/deflated", deflated);
    make_set(file, "/outside", outside);
    H5Lcreate_soft("/deflated", file, "/soft", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external(saved("there.h5"), "/seed", file, "/away", H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, dims, NULL);
    H5Dclose(H5Dcreate2(file, "/never_written", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
    H5Pclose(deflated);
    H5Pclose(outside);
    H5Fclose(file);
    struct archive *a = NULL;
    struct gm_error err = {0};
    CU_ASSERT_EQUAL_FATAL(archive_open(&a, path, NULL), GM_OK);
    CU_ASSERT(array_is(a, "/other_order", ARCHIVE_F64, SHAPE(1, {6}), weights, sizeof *weights));
    CU_ASSERT(array_is(a, "/deflated", ARCHIVE_F64, SHAPE(1, {6}), weights, sizeof *weights));
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct archive_shape any = {0};
        void *data;
        CU_ASSERT_EQUAL(archive_get(a, refused[i], ARCHIVE_F64, &any, &data, &err), GM_BAD_DATA);
        bool is_link = strcmp(refused[i], "/soft") == 0 || strcmp(refused[i], "/away") == 0;
        ASSERT_HOLDS(err.text,
                     is_link ? "is not in this file" : "is damaged, or stored in a way that is not accepted here");
    }
    archive_close(a);
}

static void what_is_not_an_archive_says_so(void)
{
    struct archive *a = NULL;
    struct gm_error err = {0};
    const char *path = test_path("text.h5");
    CU_ASSERT_EQUAL(archive_open(&a, test_path("missing.h5"), &err), GM_NO_INPUT);
    test_write(path, "");
    CU_ASSERT_EQUAL(archive_open(&a, path, &err), GM_BAD_DATA);
    test_write(path, "this is not HDF5\n");
    CU_ASSERT_EQUAL(archive_open(&a, path, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "text.h5: is not an HDF5 file");
    CU_ASSERT_PTR_NULL(a);
    a = filled();
    CU_ASSERT_EQUAL(archive_save(a, test_path("no/such/m.h5"), &err), GM_CANNOT_CREATE);
    archive_close(a);
}

/* Everything that can be read of a file, whatever it says. */
static bool reads_cleanly(const char *path)
{
    static const char *const arrays[] = {"/layers/0/weights", "/layers/0/bias", "/layers/1/steps", "/seed", "/bytes"};
    struct archive *a = NULL;
    char **texts, *text;
    size_t count;
    double real;
    bool clean = archive_open(&a, path, NULL) == GM_OK;
    for (size_t i = 0; clean && i < sizeof arrays / sizeof *arrays; i++) {
        struct archive_shape any = {0};
        void *data = NULL;
        clean = archive_get(a, arrays[i], ARCHIVE_F64, &any, &data, NULL) == GM_OK;
        memory_free(data);
    }
    if (clean && (clean = archive_get_texts(a, "class_names", &texts, &count, NULL) == GM_OK)) {
        for (size_t i = 0; i < count; i++)
            memory_free(texts[i]);
        memory_free(texts);
    }
    if (clean && (clean = archive_get_text(a, "format", &text, NULL) == GM_OK))
        memory_free(text);
    clean = clean && archive_get_real(a, "objective", &real, NULL) == GM_OK;
    archive_close(a);
    return clean;
}

/* Runs `damage` on copies of a saved archive in a child; true when it came back with its verdict. */
static bool in_child(bool (*damage)(unsigned char *bytes, size_t size))
{
    void *bytes = NULL;
    size_t size = 0;
    if (file_read(saved("victim.h5"), SIZE_MAX - 8, &bytes, &size, NULL) != GM_OK)
        return false;
    pid_t child = fork();
    if (child == 0)
        _exit(damage(bytes, size) ? 0 : 1);
    int status = -1;
    waitpid(child, &status, 0);
    memory_free(bytes);
    return status == 0;
}

/* One flipped bit anywhere is found: by the seal, or, in the seal's own name, by nobody because nothing else is wrong.
 */
static bool flip_sealed(unsigned char *bytes, size_t size)
{
    size_t believed = 0;
    for (size_t at = 0; at < size; at += 7) {
        bytes[at] ^= 0x10;
        if (file_replace("flip.h5", bytes, size, NULL) != GM_OK)
            return false;
        believed += reads_cleanly("flip.h5") && at < size - SEAL_BYTES;
        bytes[at] ^= 0x10;
    }
    return believed == 0;
}

static bool cut_anywhere(unsigned char *bytes, size_t size)
{
    size_t believed = 0;
    for (size_t end = 0; end < size - SEAL_BYTES; end += 61) {
        if (file_replace("cut.h5", bytes, end, NULL) != GM_OK)
            return false;
        believed += reads_cleanly("cut.h5");
    }
    return believed == 0;
}

static void damage_is_found_and_never_a_crash(void)
{
    CU_ASSERT_EQUAL_FATAL(chdir(test_directory()), 0);
    CU_ASSERT(in_child(flip_sealed));
    CU_ASSERT(in_child(cut_anywhere));
}

TEST_MAIN("archive", TEST(what_is_put_is_got), TEST(attributes_are_got), TEST(lists_of_texts_are_got_however_long),
          TEST(numbers_are_converted_when_they_fit), TEST(what_is_not_there_or_of_another_kind_says_so),
          TEST(a_name_is_taken_once), TEST(equal_archives_are_equal_bytes), TEST(several_archives_are_open_at_once),
          TEST(hdf5_reads_it_without_us), TEST(what_another_program_changed_is_read),
          TEST(only_plain_storage_is_accepted), TEST(what_is_not_an_archive_says_so),
          TEST(damage_is_found_and_never_a_crash))
