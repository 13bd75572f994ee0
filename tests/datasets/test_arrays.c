/*
 * npy, npz and idx to HDF5. The files are byte arrays written here by hand from the formats' descriptions:
 * numpy.lib.format, the idx format of the MNIST page, PKWARE's APPNOTE for ZIP.
 */
#include "support.h"

#include <math.h>
#include <unistd.h>

#include <zlib.h>

#include "datasets/array_header.h"
#include "datasets/datasets.h"
#include "h5read.h"

static const struct import_options plain = {0};

static void write_bytes(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(test_path(name), "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* A version 1.0 .npy in `to`: header padded to 64 bytes, then the data. Returns its size. */
static size_t npy(unsigned char *to, const char *descr, const char *shape, const void *data, size_t size)
{
    char text[256];
    int length = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape);
    size_t header = (10 + (size_t)length + 1 + 63) / 64 * 64;
    memset(to, ' ', header);
    memcpy(to, "\x93NUMPY\1\0", 8);
    to[8] = (unsigned char)(header - 10);
    to[9] = (unsigned char)((header - 10) >> 8);
    memcpy(to + 10, text, (size_t)length);
    to[header - 1] = '\n';
    memcpy(to + header, data, size);
    return header + size;
}

static void write_npy(const char *name, const char *descr, const char *shape, const void *data, size_t size)
{
    unsigned char bytes[4096];
    write_bytes(name, bytes, npy(bytes, descr, shape, data, size));
}

static enum gm_code import(const char *one, const char *two, struct import_report *report, struct gm_error *err)
{
    const char *from[] = {test_path(one), two ? test_path(two) : NULL};
    unlink(test_path("out.h5"));
    *err = (struct gm_error){0};
    return import_arrays(from, two ? 2 : 1, test_path("out.h5"), &plain, report, err);
}

static void expect_array(const char *name, const double *values, size_t rank, size_t count, size_t size)
{
    struct h5array a = h5array(test_path("out.h5"), name);
    CU_ASSERT_EQUAL(a.rank, rank);
    CU_ASSERT_EQUAL(a.size, size);
    CU_ASSERT_EQUAL_FATAL(a.rows * a.columns, count);
    for (size_t i = 0; i < count; i++)
        CU_ASSERT(a.values[i] == values[i] || (isnan(a.values[i]) && isnan(values[i])));
    h5free(&a);
}

static void expect_error(enum gm_code code, const char *one, const char *two, const char *part)
{
    struct gm_error err;
    CU_ASSERT_EQUAL(import(one, two, NULL, &err), code);
    ASSERT_HOLDS(err.text, part);
    CU_ASSERT(access(test_path("out.h5"), F_OK) != 0 && access(test_path("out.h5.tmp"), F_OK) != 0);
}

/* ---- npy ---- */

static void every_type_and_byte_order_is_read(void)
{
    static const struct {
        const char *descr;
        unsigned char bytes[16]; /* of two elements */
        size_t size;             /* of one */
        double values[2];
    } cases[] = {
        {"|b1", {1, 0}, 1, {1, 0}},
        {"|u1", {255, 7}, 1, {255, 7}},
        {"|i1", {255, 7}, 1, {-1, 7}},
        {"<u2", {0x34, 0x12, 0xff, 0xff}, 2, {0x1234, 65535}},
        {">u2", {0x12, 0x34, 0xff, 0xff}, 2, {0x1234, 65535}},
        {"<i2", {0xfe, 0xff, 1, 0}, 2, {-2, 1}},
        {">i4", {0xff, 0xff, 0xff, 0xfe, 0, 1, 0, 0}, 4, {-2, 65536}},
        {"<u4", {0, 0, 0, 0x80, 1, 0, 0, 0}, 4, {2147483648.0, 1}},
        {"<i8", {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 1, 0, 0, 0}, 8, {-1, 4294967296.0}},
        {">u8", {0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9}, 8, {4294967296.0, 9}},
        {"<f2", {0x00, 0x3c, 0x00, 0xc0}, 2, {1, -2}},                 /* binary16: 0x3c00 = 1, 0xc000 = -2 */
        {">f2", {0x35, 0x55, 0x7b, 0xff}, 2, {0.333251953125, 65504}}, /* 0x3555 = 1365 / 4096, 0x7bff the largest */
        {"<f4", {0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc1}, 4, {1, -10}},    /* 0x3f800000, 0xc1200000 */
        {">f4", {0x3f, 0x80, 0, 0, 0xc1, 0x20, 0, 0}, 4, {1, -10}},
        {"<f8", {0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f}, 8, {1, NAN}},
        {">f8", {0x40, 0x09, 0x21, 0xfb, 0x54, 0x44, 0x2d, 0x18, 0, 0, 0, 0, 0, 0, 0, 0}, 8, {3.141592653589793, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gm_error err;
        struct import_report report;
        write_npy("a.npy", cases[i].descr, "(2, 1)", cases[i].bytes, 2 * cases[i].size);
        CU_ASSERT_EQUAL_FATAL(import("a.npy", NULL, &report, &err), GM_OK);
        CU_ASSERT(report.rows == 2 && report.features == 1 && report.missing == (size_t)isnan(cases[i].values[1]));
        expect_array("X", cases[i].values, 2, 2, cases[i].size);
        CU_ASSERT(!h5has(test_path("out.h5"), "y"));
    }
}

static void features_and_target_are_told_apart(void)
{
    static const unsigned char x[] = {1, 2, 3, 4, 5, 6}, y[] = {7, 8}, y2[] = {7, 8, 9, 10};
    static const double xs[] = {1, 2, 3, 4, 5, 6}, ys[] = {7, 8, 9, 10};
    struct gm_error err;
    struct import_report report;
    write_npy("x.npy", "|u1", "(2, 3)", x, 6);
    write_npy("other.npy", "|u1", "(2,)", y, 2); /* by its rank */
    write_npy("y.npy", "|u1", "(2, 2)", y2, 4);  /* by its name */
    write_npy("labels.npy", "|u1", "(2, 1)", y, 2);
    CU_ASSERT_EQUAL_FATAL(import("other.npy", "x.npy", &report, &err), GM_OK);
    CU_ASSERT_STRING_EQUAL(report.target, "other");
    expect_array("X", xs, 2, 6, 1);
    expect_array("y", ys, 1, 2, 1);
    CU_ASSERT_STRING_EQUAL(h5text(test_path("out.h5"), "/", "source"), "x.npy, other.npy");
    CU_ASSERT_EQUAL_FATAL(import("x.npy", "y.npy", &report, &err), GM_OK);
    expect_array("y", ys, 2, 4, 1);
    CU_ASSERT_EQUAL_FATAL(import("x.npy", "labels.npy", &report, &err), GM_OK);
    expect_array("y", ys, 1, 2, 1);
    write_npy("z.npy", "|u1", "(2, 3)", x, 6);
    expect_error(GM_USAGE, "x.npy", "z.npy", "Found x.npy (2 x 3), z.npy (2 x 3)");
    expect_error(GM_USAGE, "other.npy", NULL, "Found other.npy (2)");
    write_npy("short_y.npy", "|u1", "(3,)", x, 3);
    expect_error(GM_BAD_DATA, "x.npy", "short_y.npy", "x.npy has 2 rows");
}

static void the_shape_behind_the_rows_is_kept(void)
{
    static const unsigned char x[24] = {0};
    struct gm_error err;
    struct import_report report;
    write_npy("nd.npy", "|u1", "(2, 3, 4)", x, 24);
    CU_ASSERT_EQUAL_FATAL(import("nd.npy", NULL, &report, &err), GM_OK);
    CU_ASSERT(report.rows == 2 && report.features == 12);
    struct h5array a = h5array(test_path("out.h5"), "X");
    CU_ASSERT(a.rank == 3 && a.rows == 2 && a.columns == 12);
    h5free(&a);
}

static void headers_of_all_versions_are_read(void)
{
    unsigned char bytes[200] = "\x93NUMPY\2\0";
    static const char text[] = "{\"shape\": (3L, 1), \"fortran_order\": True, \"descr\": \"<i2\"}\n";
    bytes[8] = sizeof text - 1; /* four bytes of length */
    memcpy(bytes + 12, text, sizeof text - 1);
    struct array_header header;
    struct gm_error err = {0};
    for (int version = 2; version <= 3; version++) {
        bytes[6] = (unsigned char)version;
        CU_ASSERT_EQUAL_FATAL(array_parse_npy(&header, bytes, sizeof bytes, "t", &err),
                              GM_OK); /* one column: any order */
        CU_ASSERT(header.shape.rank == 2 && header.shape.dims[0] == 3 && header.shape.dims[1] == 1);
        CU_ASSERT(header.type == DATA_I16 && header.bytes == 12 + sizeof text - 1);
    }
    bytes[6] = 4;
    CU_ASSERT_EQUAL(array_parse_npy(&header, bytes, sizeof bytes, "t", &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "npy format 4");
}

static void bad_arrays_are_named(void)
{
    static const unsigned char data[64] = {0};
    static const struct {
        const char *descr, *shape, *part;
    } cases[] = {
        {"<c8", "(2, 2)", "elements of type '<c8'"},
        {"|O", "(2, 2)", "expected numbers"},
        {"<U3", "(2, 2)", "expected numbers"},
        {"|u1", "()", "0 dimensions"},
        {"|u1", "(0, 2)", "the array is empty"},
        {"|u1", "(2, 2, 2, 2, 2, 2, 2, 2, 2)", "9 dimensions: expected 1 to 8"},
        {"<f8", "(4611686018427387904, 4611686018427387904)", "larger than any memory"},
        {"<f8", "(99999999999999999999999999, 2)", "larger than any memory"},
        {"<f8", "(1000000000, 100)", "its shape needs 800000000000 bytes"},
        {"<f8", "(3, 3)", "ends too early: its shape needs 8 bytes more"},
        {"<f8", "2, 2", "expected a shape as"},
        {"<f8", "(-2, 2)", "expected a shape as"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_npy("bad.npy", cases[i].descr, cases[i].shape, data, 64);
        expect_error(GM_BAD_DATA, "bad.npy", NULL, cases[i].part);
    }
    unsigned char bytes[512];
    size_t size = npy(bytes, "<f8", "(2, 2)", data, 32);
    memcpy(bytes + 10 + 34, " True", 5); /* over False */
    write_bytes("fortran.npy", bytes, size);
    expect_error(GM_BAD_DATA, "fortran.npy", NULL, "Fortran order");
    write_bytes("cut.npy", bytes, 50);
    expect_error(GM_BAD_DATA, "cut.npy", NULL, "damaged npy header");
    write_bytes("text.npy", "hello, world", 12);
    expect_error(GM_BAD_DATA, "text.npy", NULL, "neither npy nor idx");
    expect_error(GM_NO_INPUT, "none.npy", NULL, "none.npy");
}

/* ---- idx ---- */

/* Two images of 2 x 3 and their labels, as the MNIST page describes its files. */
static const unsigned char images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0,   0,   0,   2,   0,   0,
                                       0, 3, 0, 1, 2, 3, 4, 5, 255, 254, 253, 252, 251, 250};
static const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 9, 4};
static const double pixels[] = {0, 1, 2, 3, 4, 5, 255, 254, 253, 252, 251, 250}, digits[] = {9, 4};

static void mnist_files_become_images_and_labels(void)
{
    struct gm_error err;
    struct import_report report;
    write_bytes("train-images-idx3-ubyte", images, sizeof images);
    write_bytes("train-labels-idx1-ubyte", labels, sizeof labels);
    CU_ASSERT_EQUAL_FATAL(import("train-images-idx3-ubyte", "train-labels-idx1-ubyte", &report, &err), GM_OK);
    CU_ASSERT(report.rows == 2 && report.features == 6);
    CU_ASSERT_STRING_EQUAL(report.target, "train-labels-idx1-ubyte");
    expect_array("X", pixels, 3, 12, 1);
    expect_array("y", digits, 1, 2, 1);
}

static void gzipped_idx_is_inflated(void)
{
    gzFile file = gzopen(test_path("t10k-images-idx3-ubyte.gz"), "wb");
    CU_ASSERT_EQUAL(gzwrite(file, images, sizeof images), (int)sizeof images);
    gzclose(file);
    struct gm_error err;
    write_bytes("t10k-labels-idx1-ubyte", labels, sizeof labels);
    CU_ASSERT_EQUAL_FATAL(import("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte", NULL, &err), GM_OK);
    expect_array("X", pixels, 3, 12, 1);
}

static void idx_elements_are_big_endian(void)
{
    static const unsigned char shorts[] = {0, 0, 0x0B, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xfe, 1, 0};
    static const unsigned char floats[] = {0, 0, 0x0D, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0x3f, 0x80, 0, 0};
    static const double short_values[] = {-2, 256}, float_values[] = {1};
    struct gm_error err;
    write_bytes("s.idx", shorts, sizeof shorts);
    CU_ASSERT_EQUAL_FATAL(import("s.idx", NULL, NULL, &err), GM_OK);
    expect_array("X", short_values, 2, 2, 2);
    write_bytes("f.idx", floats, sizeof floats);
    CU_ASSERT_EQUAL_FATAL(import("f.idx", NULL, NULL, &err), GM_OK);
    expect_array("X", float_values, 2, 1, 4);
    write_bytes("cut.idx", images, sizeof images - 1);
    expect_error(GM_BAD_DATA, "cut.idx", NULL, "ends too early: its shape needs 1 bytes more");
    write_bytes("cut.idx", images, 11);
    expect_error(GM_BAD_DATA, "cut.idx", NULL, "damaged idx header");
}

/* ---- npz ---- */

struct archive {
    unsigned char bytes[1 << 16], central[4096];
    size_t size, central_size, members;
};

static void put(unsigned char *to, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        to[i] = (unsigned char)(value >> 8 * i);
}

/* Append a member, deflated or stored; `wide`: its sizes are in the 64-bit extra field of the directory. */
static void add_member(struct archive *a, const char *name, const unsigned char *data, size_t size, bool deflated,
                       bool wide)
{
    unsigned char packed[8192];
    size_t packed_size = size, name_size = strlen(name), header = a->size;
    memcpy(packed, data, size);
    if (deflated) {
        z_stream z = {0};
        CU_ASSERT_EQUAL(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
        z.next_in = (unsigned char *)(size_t)data;
        z.avail_in = (uInt)size;
        z.next_out = packed;
        z.avail_out = sizeof packed;
        CU_ASSERT_EQUAL(deflate(&z, Z_FINISH), Z_STREAM_END);
        packed_size = z.total_out;
        deflateEnd(&z);
    }
    unsigned char *p = a->bytes + a->size, *c = a->central + a->central_size;
    uint64_t crc = crc32(crc32(0, NULL, 0), data, (uInt)size);
    memcpy(p, "PK\3\4", 4);
    put(p + 8, deflated ? 8 : 0, 2);
    put(p + 26, name_size, 2);
    memcpy(p + 30, name, name_size);
    memcpy(p + 30 + name_size, packed, packed_size);
    a->size += 30 + name_size + packed_size;
    memcpy(c, "PK\1\2", 4);
    put(c + 10, deflated ? 8 : 0, 2);
    put(c + 16, crc, 4);
    put(c + 20, wide ? UINT32_MAX : packed_size, 4);
    put(c + 24, wide ? UINT32_MAX : size, 4);
    put(c + 28, name_size, 2);
    put(c + 30, wide ? 20 : 0, 2);
    put(c + 42, header, 4);
    memcpy(c + 46, name, name_size);
    c += 46 + name_size;
    if (wide) {
        put(c, 1, 2);
        put(c + 2, 16, 2);
        put(c + 4, size, 8);
        put(c + 12, packed_size, 8);
    }
    a->central_size += 46 + name_size + (wide ? 20 : 0);
    a->members++;
}

static void write_archive(const char *name, struct archive *a, const char *comment)
{
    unsigned char *p = a->bytes + a->size;
    memcpy(p, a->central, a->central_size);
    p += a->central_size;
    memcpy(p, "PK\5\6", 4);
    put(p + 8, a->members, 2);
    put(p + 10, a->members, 2);
    put(p + 12, a->central_size, 4);
    put(p + 16, a->size, 4);
    put(p + 20, strlen(comment), 2);
    memcpy(p + 22, comment, strlen(comment));
    write_bytes(name, a->bytes, a->size + a->central_size + 22 + strlen(comment));
}

static void members_of_npz_are_found(void)
{
    static const unsigned char x[] = {1, 2, 3, 4, 5, 6}, y[] = {7, 8};
    static const double xs[] = {1, 2, 3, 4, 5, 6}, ys[] = {7, 8};
    for (int kind = 0; kind < 4; kind++) {
        static struct archive a;
        unsigned char bytes[512];
        struct gm_error err;
        a = (struct archive){0};
        add_member(&a, "y.npy", bytes, npy(bytes, "|u1", "(2,)", y, 2), kind & 1, kind & 2);
        add_member(&a, "X.npy", bytes, npy(bytes, "|u1", "(2, 3)", x, 6), kind & 1, kind & 2);
        write_archive("d.npz", &a, kind ? "a comment" : "");
        CU_ASSERT_EQUAL_FATAL(import("d.npz", NULL, NULL, &err), GM_OK);
        expect_array("X", xs, 2, 6, 1);
        expect_array("y", ys, 1, 2, 1);
        CU_ASSERT_STRING_EQUAL(h5text(test_path("out.h5"), "/", "source"), "d.npz:X.npy, d.npz:y.npy");
    }
}

static void single_members_can_be_named(void)
{
    static const unsigned char x[] = {1, 2, 3, 4}, y[] = {7, 8};
    static const double test[] = {3, 4};
    static struct archive a;
    unsigned char bytes[512];
    struct gm_error err;
    add_member(&a, "x_train.npy", bytes, npy(bytes, "|u1", "(2, 1)", x, 2), false, false);
    add_member(&a, "y_train.npy", bytes, npy(bytes, "|u1", "(2,)", y, 2), false, false);
    add_member(&a, "x_test.npy", bytes, npy(bytes, "|u1", "(2, 1)", x + 2, 2), false, false);
    add_member(&a, "y_test.npy", bytes, npy(bytes, "|u1", "(2,)", y, 2), false, false);
    write_archive("all.npz", &a, "");
    expect_error(GM_USAGE, "all.npz", NULL, "all.npz:x_train.npy (2 x 1), all.npz:y_train.npy (2)");
    CU_ASSERT_EQUAL_FATAL(import("all.npz:x_test", "all.npz:y_test.npy", NULL, &err), GM_OK);
    expect_array("X", test, 2, 2, 1);
    expect_error(GM_NO_INPUT, "all.npz:x_valid", NULL, "holds no array x_valid");
    expect_error(GM_NO_INPUT, "nothing.npz:x", NULL, "no such file");
}

static void damaged_archives_are_refused(void)
{
    static const unsigned char x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    static struct archive a;
    unsigned char bytes[512];
    add_member(&a, "X.npy", bytes, npy(bytes, "|u1", "(5, 2)", x, 10), true, false);
    write_archive("good.npz", &a, "");
    size_t total = a.size + a.central_size + 22;
    unsigned char copy[2048];
    memcpy(copy, a.bytes, total);
    size_t refused = 0;
    for (size_t cut = 4; cut < total; cut++) { /* every length */
        struct gm_error err;
        write_bytes("cut.npz", copy, cut);
        CU_ASSERT_EQUAL(import("cut.npz", NULL, NULL, &err), GM_BAD_DATA);
        refused++;
    }
    CU_ASSERT_EQUAL(refused, total - 4);
    unsigned char first = copy[35];
    copy[35] |= 6; /* the kind of the first block of the compressed data: there is none of that number */
    write_bytes("bad.npz", copy, total);
    expect_error(GM_BAD_DATA, "bad.npz", NULL, "damaged ZIP archive: its compressed data are broken");
    copy[35] = first;
    copy[a.size + 8] = 1; /* the flag of encryption */
    write_bytes("bad.npz", copy, total);
    expect_error(GM_BAD_DATA, "bad.npz", NULL, "is encrypted");
    copy[a.size + 8] = 0;
    copy[a.size + 10] = 12; /* bzip2 */
    write_bytes("bad.npz", copy, total);
    expect_error(GM_BAD_DATA, "bad.npz", NULL,
                 "member X.npy is compressed by method 12: only stored and deflate are read");
    copy[a.size + 10] = 8;
    copy[a.size + 16] ^= 0x55; /* the checksum */
    write_bytes("bad.npz", copy, total);
    expect_error(GM_BAD_DATA, "bad.npz", NULL, "damaged ZIP archive: a member does not match its checksum");
}

/* ---- order, repeats, choice of importer ---- */

static void arrays_are_shuffled_row_by_row_in_any_memory(void)
{
    enum { rows = 1500 };
    unsigned char bytes[4 * rows + 128], data[2 * rows * 2], target[2 * rows];
    for (size_t i = 0; i < rows; i++) {
        put(data + 4 * i, i, 2);
        put(data + 4 * i + 2, rows - i, 2);
        put(target + 2 * i, i, 2);
    }
    write_bytes("sx.npy", bytes, npy(bytes, "<u2", "(1500, 2)", data, sizeof data));
    write_bytes("sy.npy", bytes, npy(bytes, "<u2", "(1500,)", target, sizeof target));
    const char *from[] = {test_path("sx.npy"), test_path("sy.npy")};
    struct gm_error err = {0};
    struct import_options options = {.shuffle = true, .seed = 5};
    CU_ASSERT_EQUAL_FATAL(import_file(from, 2, test_path("whole.h5"), &options, NULL, &err), GM_OK);
    options.memory = 1000;
    CU_ASSERT_EQUAL_FATAL(import_file(from, 2, test_path("parts.h5"), &options, NULL, &err), GM_OK);
    CU_ASSERT(same_files(test_path("whole.h5"), test_path("parts.h5")));
    struct h5array x = h5array(test_path("parts.h5"), "X"), y = h5array(test_path("parts.h5"), "y");
    char seen[rows] = {0};
    for (size_t i = 0; i < rows; i++) {
        size_t row = (size_t)y.values[i];
        CU_ASSERT_FATAL(row < rows && !seen[row]);
        seen[row] = 1;
        CU_ASSERT(x.values[2 * i] == (double)row && x.values[2 * i + 1] == (double)(rows - row));
    }
    h5free(&x), h5free(&y);
}

static void the_importer_follows_the_name_or_the_content(void)
{
    struct gm_error err = {0};
    struct import_report report;
    static const unsigned char x[] = {1, 2};
    test_write(test_path("t.csv"), "a,b\n1,2\n");
    test_write(test_path("t.tsv"), "a\tb\n1\t2\n");
    test_write(test_path("t.svmlight"), "1 1:1 2:2\n");
    test_write(test_path("t.txt"), "a,b\n1,2\n");
    write_npy("t.npy", "|u1", "(1, 2)", x, 2);
    write_npy("array.bin", "|u1", "(1, 2)", x, 2);
    static const char *const names[] = {"t.csv", "t.tsv", "t.svmlight", "t.npy", "array.bin"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *from = test_path(names[i]);
        CU_ASSERT_EQUAL_FATAL(import_file(&from, 1, test_path("out.h5"), &plain, &report, &err), GM_OK);
        CU_ASSERT(report.rows == 1 && report.features == 2);
    }
    const char *unknown = test_path("t.txt"), *mixed[] = {test_path("t.csv"), test_path("t.npy")};
    CU_ASSERT_EQUAL(import_file(&unknown, 1, test_path("out.h5"), &plain, &report, &err), GM_USAGE);
    ASSERT_HOLDS(err.text, "unknown format");
    CU_ASSERT_EQUAL(import_file(mixed, 2, test_path("out.h5"), &plain, &report, &err), GM_USAGE);
    ASSERT_HOLDS(err.text, "give files of one format");
    CU_ASSERT_EQUAL(import_file(mixed, 0, test_path("out.h5"), &plain, &report, &err), GM_USAGE);
    ASSERT_HOLDS(err.text, "No input file.");
    struct import_options target = {.target = "1"};
    CU_ASSERT_EQUAL(import_file(mixed + 1, 1, test_path("out.h5"), &target, &report, &err), GM_USAGE);
    ASSERT_HOLDS(err.text, "array of its own");
}

TEST_MAIN("arrays", TEST(every_type_and_byte_order_is_read), TEST(features_and_target_are_told_apart),
          TEST(the_shape_behind_the_rows_is_kept), TEST(headers_of_all_versions_are_read), TEST(bad_arrays_are_named),
          TEST(mnist_files_become_images_and_labels), TEST(gzipped_idx_is_inflated), TEST(idx_elements_are_big_endian),
          TEST(members_of_npz_are_found), TEST(single_members_can_be_named), TEST(damaged_archives_are_refused),
          TEST(arrays_are_shuffled_row_by_row_in_any_memory), TEST(the_importer_follows_the_name_or_the_content))
