/* The three ways of reading: each trap of real files gives H5Dread's bytes or a clear error, whichever way is taken. */
#include "data/files.h"

#include "base/memory.h"
#include "data/decode.h"
#include "data/layout.h"

static struct gm_error err;

struct outcome {
    enum data_io io;
    char reason[200];
    float *values; /* [rows x columns], by H5Dread's rules */
    size_t rows, columns;
};

/* Everything in storage order as float; memory 0: plenty. */
static enum gm_code read_with(struct outcome *outcome, const char *path, enum data_io io, uint64_t memory)
{
    struct data_source source = {.path = path};
    struct data_options options = {.io = io};
    struct data_set *set = NULL;
    *outcome = (struct outcome){.values = NULL};
    enum gm_code code = data_open(&set, &source, &options, &err);
    if (code != GM_OK)
        return code;
    const struct data_schema *schema = data_schema(set);
    struct lane_plan plan = small_plan(schema->rows);
    code = data_load(set, &plan, memory ? memory : MEMORY_PLENTY, 3, &err);
    struct data_pass *pass = NULL;
    struct data_order order = {.shuffled = false};
    if (code == GM_OK)
        code = data_pass_open(&pass, set, &order, &err);
    outcome->rows = schema->rows;
    outcome->columns = schema->features;
    outcome->values = malloc(schema->rows * schema->features * sizeof(float));
    const struct data_window *w = NULL;
    while (code == GM_OK && (code = data_pass_next(pass, &w, &err)) == GM_OK && w)
        for (size_t i = 0; i < w->rows; i++)
            convert_to_f32(schema->type, (const char *)w->x + i * w->stride, schema->features,
                           outcome->values + (w->first_row + i) * schema->features);
    data_pass_close(pass);
    if (code == GM_OK) {
        const char *reason;
        outcome->io = data_io(set, &reason);
        snprintf(outcome->reason, sizeof outcome->reason, "%s", reason);
    }
    data_close(set);
    return code;
}

/* AUTO takes the expected way, and every possible way gives H5Dread's values, resident and streamed. */
static void expect_way(const char *path, enum data_io expected, const char *reason)
{
    struct outcome truth, got;
    CU_ASSERT_EQUAL_FATAL(read_with(&truth, path, DATA_IO_BANDS, 0), GM_OK);
    CU_ASSERT_EQUAL(truth.io, DATA_IO_BANDS);
    size_t bytes = truth.rows * truth.columns * sizeof(float);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), dataset = H5Dopen2(file, "X", H5P_DEFAULT);
    float *direct = malloc(bytes);
    CU_ASSERT_FATAL(H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, direct) >= 0);
    CU_ASSERT_EQUAL(memcmp(direct, truth.values, bytes), 0);
    free(direct);
    H5Dclose(dataset);
    H5Fclose(file);
    static const uint64_t memories[] = {0, 100000};
    for (size_t m = 0; m < 2; m++) {
        if (memories[m] && bytes / 4 < memories[m])
            break; /* too small to stream */
        CU_ASSERT_EQUAL_FATAL(read_with(&got, path, DATA_IO_AUTO, memories[m]), GM_OK);
        CU_ASSERT_EQUAL(got.io, expected);
        ASSERT_HOLDS(got.reason, reason);
        CU_ASSERT_EQUAL(memcmp(got.values, truth.values, bytes), 0);
        free(got.values);
    }
    free(truth.values);
}

static void put_noise(hid_t file, hid_t stored, hid_t plist, int rank, const hsize_t *dims)
{
    size_t n = 1;
    for (int i = 0; i < rank; i++)
        n *= dims[i];
    double *values = malloc(n * sizeof *values);
    for (size_t i = 0; i < n; i++)
        values[i] = floor(200 * file_noise(i)) - 100;
    hid_t space = H5Screate_simple(rank, dims, NULL);
    hid_t dataset = H5Dcreate2(file, "X", stored, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    CU_ASSERT_FATAL(dataset >= 0 && H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(dataset);
    H5Sclose(space);
    free(values);
}

static void contiguous_data_are_mapped(void)
{
    const char *path = test_path("contiguous.h5");
    hsize_t dims[2] = {5000, 9};
    hid_t types[] = {H5T_STD_U8LE, H5T_STD_I16LE, H5T_IEEE_F32LE};
    for (size_t i = 0; i < 3; i++) {
        for (int userblock = 0; userblock < 2; userblock++) {
            hid_t create = H5Pcreate(H5P_FILE_CREATE);
            H5Pset_userblock(create, userblock ? 1024 : 0);
            hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, create, H5P_DEFAULT);
            put_noise(file, types[i], H5P_DEFAULT, 2, dims);
            H5Fclose(file);
            H5Pclose(create);
            struct outcome got, truth;
            CU_ASSERT_EQUAL_FATAL(read_with(&got, path, DATA_IO_AUTO, 0), GM_OK);
            CU_ASSERT_EQUAL_FATAL(read_with(&truth, path, DATA_IO_BANDS, 0), GM_OK);
            if (!userblock) /* with one, what H5Dget_offset counts from depends on the version: it may fall back */
                CU_ASSERT_EQUAL(got.io, DATA_IO_MAPPED);
            CU_ASSERT_EQUAL(memcmp(got.values, truth.values, 5000 * 9 * sizeof(float)), 0);
            free(got.values);
            free(truth.values);
        }
    }
}

static void never_written_data_hold_the_fill_value(void)
{
    float fill = 2.5f;
    hsize_t dims[2] = {40, 3};
    for (int userblock = 0; userblock < 2; userblock++) {
        hid_t create = H5Pcreate(H5P_FILE_CREATE), plist = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_userblock(create, userblock ? 512 : 0);
        H5Pset_fill_value(plist, H5T_NATIVE_FLOAT, &fill);
        const char *path = test_path("unwritten.h5");
        hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, create, H5P_DEFAULT), space = H5Screate_simple(2, dims, NULL);
        H5Dclose(H5Dcreate2(file, "X", H5T_IEEE_F32LE, space, H5P_DEFAULT, plist, H5P_DEFAULT));
        H5Sclose(space);
        H5Pclose(plist);
        H5Pclose(create);
        H5Fclose(file);
        expect_way(path, DATA_IO_BANDS, "never written");
    }
}

struct chunk_case {
    hsize_t dims[4], chunk[4];
    int rank;
    const char *filters; /* s: shuffle, d: deflate, f: fletcher32, in the order of writing; e: raw edges */
};

static void make_chunked(const char *path, hid_t stored, const struct chunk_case *c)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST); /* raw edges need the newer format */
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pset_chunk(plist, c->rank, c->chunk);
    for (const char *f = c->filters; *f; f++) {
        if (*f == 's')
            H5Pset_shuffle(plist);
        else if (*f == 'd')
            H5Pset_deflate(plist, 4);
        else if (*f == 'f')
            H5Pset_fletcher32(plist);
        else
            H5Pset_chunk_opts(plist, H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS);
    }
    put_noise(file, stored, plist, c->rank, c->dims);
    H5Pclose(plist);
    H5Pclose(access);
    H5Fclose(file);
}

static void every_combination_of_filters_and_edges_is_decoded(void)
{
    static const struct chunk_case cases[] = {
        {{7000, 8}, {100, 8}, 2, ""},    {{7000, 8}, {333, 3}, 2, "d"},        {{7000, 8}, {100, 8}, 2, "sd"},
        {{7000, 8}, {99, 8}, 2, "sdf"},  {{7000, 8}, {100, 5}, 2, "fsd"},      {{7000, 8}, {64, 8}, 2, "dsf"},
        {{7000, 8}, {333, 3}, 2, "sde"}, {{7000, 8}, {99, 8}, 2, "dfe"},       {{7000, 8}, {192, 8}, 2, "sd"},
        {{40000}, {999}, 1, "sd"},       {{3000, 5, 4}, {100, 2, 3}, 3, "sd"}, {{900, 3, 4, 5}, {7, 2, 4, 3}, 4, "sdf"},
        {{7000, 8}, {7000, 1}, 2, "sd"}, {{37, 3}, {20, 2}, 2, "f"},
    };
    hid_t types[] = {H5T_IEEE_F32LE, H5T_IEEE_F64BE, H5T_STD_I16BE, H5T_STD_U8LE, H5T_STD_I32LE};
    const char *path = test_path("chunked.h5");
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
            make_chunked(path, types[t], &cases[c]);
            expect_way(path, DATA_IO_CHUNKS, "chunks");
        }
}

/* Noise that deflate cannot shrink: HDF5 leaves the filter out of such chunks, and says so in the filter mask. */
static void chunks_that_do_not_compress_are_read(void)
{
    enum { ROWS = 3000, COLUMNS = 11 };
    double *values = malloc(ROWS * COLUMNS * sizeof *values);
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        values[i] = file_noise(i);
    const char *path = test_path("noise.h5");
    hsize_t dims[2] = {ROWS, COLUMNS};
    hid_t file = file_new(path);
    file_put(file, "X", H5T_IEEE_F64LE, &(struct layout_of_file){.chunk = {70, COLUMNS}, .gzip = 1, .fletcher = true},
             2, dims, H5T_NATIVE_DOUBLE, values);
    H5Fclose(file);
    free(values);
    expect_way(path, DATA_IO_CHUNKS, "chunks");
}

/* A chunk written by hand with some of its filters left out. */
static void filter_masks_are_obeyed(void)
{
    hsize_t dims[2] = {64, 4}, chunk[2] = {32, 4}, start[2] = {32, 0};
    float values[128];
    for (size_t i = 0; i < 128; i++)
        values[i] = (float)i;
    const char *path = test_path("mask.h5");
    hid_t file = file_new(path), plist = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, dims, NULL);
    H5Pset_chunk(plist, 2, chunk);
    H5Pset_shuffle(plist);
    H5Pset_deflate(plist, 1);
    hid_t dataset = H5Dcreate2(file, "X", H5T_IEEE_F32LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    CU_ASSERT(H5Dwrite_chunk(dataset, H5P_DEFAULT, 3, start, sizeof values, values) >=
              0);      /* bits 0 and 1: both left out */
    H5Dclose(dataset); /* the first chunk is missing */
    H5Sclose(space);
    H5Pclose(plist);
    H5Fclose(file);
    expect_way(path, DATA_IO_CHUNKS, "chunks");
}

static void other_filters_and_types_take_the_slow_path_and_say_why(void)
{
    hsize_t dims[2] = {500, 6}, chunk[2] = {100, 6};
    const char *path = test_path("slow.h5");
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE), file = file_new(path);
    H5Pset_chunk(plist, 2, chunk);
    H5Pset_scaleoffset(plist, H5Z_SO_INT, 0);
    put_noise(file, H5T_STD_I32LE, plist, 2, dims);
    H5Fclose(file);
    expect_way(path, DATA_IO_BANDS, "filter scaleoffset (6)");
    H5Pclose(plist);

    hid_t odd = H5Tcopy(H5T_STD_I32LE); /* 24 bits in 4 bytes */
    H5Tset_precision(odd, 24);
    file = file_new(path);
    put_noise(file, odd, H5P_DEFAULT, 2, dims);
    H5Fclose(file);
    H5Tclose(odd);
    expect_way(path, DATA_IO_BANDS, "conversion");

    plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_layout(plist, H5D_COMPACT);
    dims[0] = 20;
    file = file_new(path);
    put_noise(file, H5T_IEEE_F32LE, plist, 2, dims);
    H5Fclose(file);
    H5Pclose(plist);
    expect_way(path, DATA_IO_BANDS, "header");
}

static void the_other_byte_order_is_swapped_on_our_own(void)
{
    const char *path = test_path("swapped.h5");
    hid_t types[] = {H5T_IEEE_F32BE, H5T_IEEE_F64BE, H5T_STD_I16BE, H5T_STD_U32BE};
    hsize_t dims[2] = {5000, 7};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        hid_t file = file_new(path);
        put_noise(file, types[i], H5P_DEFAULT, 2, dims);
        H5Fclose(file);
        expect_way(path, DATA_IO_MAPPED, "");
    }
}

/* PyTables stores truth values as bit fields, which HDF5 converts to no number: the bytes are taken as they are. */
static void bit_fields_are_bytes(void)
{
    hsize_t dims[2] = {100, 3};
    unsigned char bits[300];
    for (size_t i = 0; i < 300; i++)
        bits[i] = (unsigned char)(i % 2);
    const char *path = test_path("bits.h5");
    hid_t file = file_new(path);
    file_put(file, "X", H5T_STD_B8LE, NULL, 2, dims, H5T_STD_B8LE, bits);
    H5Fclose(file);
    struct outcome got;
    for (enum data_io io = DATA_IO_MAPPED; io <= DATA_IO_BANDS; io += 2) {
        CU_ASSERT_EQUAL_FATAL(read_with(&got, path, io, 0), GM_OK);
        CU_ASSERT_EQUAL(got.io, io);
        for (size_t i = 0; i < 300; i++)
            CU_ASSERT_EQUAL(got.values[i], (float)bits[i]);
        free(got.values);
    }
}

static void a_way_that_cannot_be_taken_is_refused_with_the_reason(void)
{
    struct outcome outcome;
    hsize_t dims[2] = {20, 2};
    const char *path = test_path("wish.h5");
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE), file = file_new(path);
    H5Pset_layout(plist, H5D_COMPACT);
    put_noise(file, H5T_IEEE_F32LE, plist, 2, dims);
    H5Fclose(file);
    H5Pclose(plist);
    CU_ASSERT_EQUAL(read_with(&outcome, path, DATA_IO_MAPPED, 0), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "header");
    free(outcome.values);
    CU_ASSERT_EQUAL(read_with(&outcome, path, DATA_IO_CHUNKS, 0), GM_BAD_DATA);
    free(outcome.values);
}

/* Change bytes in the middle of the file, where the chunks are. */
static void damage(const char *path)
{
    FILE *file = fopen(path, "r+b");
    fseek(file, 0, SEEK_END);
    fseek(file, ftell(file) / 2, SEEK_SET);
    for (size_t i = 0; i < 64; i++)
        fputc((int)(255 * file_noise(i)), file);
    fclose(file);
}

static void damaged_chunks_are_bad_data_and_named(void)
{
    static const char *const filters[] = {"sd", "f", "sdf"};
    struct outcome outcome;
    for (size_t i = 0; i < 3; i++) {
        const char *path = test_path("damaged.h5");
        struct chunk_case c = {{7000, 8}, {100, 8}, 2, filters[i]};
        make_chunked(path, H5T_IEEE_F32LE, &c);
        damage(path);
        CU_ASSERT_EQUAL(read_with(&outcome, path, DATA_IO_AUTO, 0), GM_BAD_DATA);
        ASSERT_HOLDS(err.text, "damaged.h5:/X");
        ASSERT_HOLDS(err.text, "chunk at row");
        free(outcome.values);
        CU_ASSERT_EQUAL(read_with(&outcome, path, DATA_IO_AUTO, 100000), GM_BAD_DATA); /* streamed */
        free(outcome.values);
    }
}

/* Wikipedia, "Fletcher's checksum", has test vectors for little-endian words; HDF5's are big-endian, so the bytes of
 * each pair are exchanged here: "abcde" -> F04FC729 becomes the sums over "ba", "dc", "e\0" read the other way. */
static void fletcher32_has_its_published_values(void)
{
    CU_ASSERT_EQUAL(decode_fletcher32((const unsigned char *)"badc\0e", 6), 0xF04FC729u);
    CU_ASSERT_EQUAL(decode_fletcher32((const unsigned char *)"badcfe", 6), 0x56502D2Au);
    CU_ASSERT_EQUAL(decode_fletcher32((const unsigned char *)"badcfehg", 8), 0xEBE19591u);
}

/* Any bytes: decoding ends, with exactly the right size or a reason. The sanitizers watch the bounds. */
static void any_bytes_are_decoded_or_refused(void)
{
    static const struct layout shapes[] = {
        {.value_bytes = 4, .chunk_bytes = 400, .filters = {LAYOUT_SHUFFLE, LAYOUT_DEFLATE}, .n_filters = 2},
        {.value_bytes = 8,
         .chunk_bytes = 808,
         .filters = {LAYOUT_DEFLATE, LAYOUT_SHUFFLE, LAYOUT_FLETCHER32},
         .n_filters = 3},
        {.value_bytes = 2,
         .chunk_bytes = 30,
         .filters = {LAYOUT_FLETCHER32, LAYOUT_SHUFFLE},
         .n_filters = 2,
         .swapped = true},
    };
    for (size_t s = 0; s < 3; s++) {
        const struct layout *layout = &shapes[s];
        size_t room = layout->chunk_bytes + layout->chunk_bytes / 8 + 256;
        struct decoder decoder;
        CU_ASSERT_EQUAL_FATAL(decoder_init(&decoder, layout, &err), GM_OK);
        unsigned char *bytes = malloc(room), *to = malloc(layout->chunk_bytes);
        for (size_t i = 0; i < 20000; i++) {
            size_t size = (size_t)(file_noise(2 * i) * (double)room);
            if (i % 3 == 0)
                size = layout->chunk_bytes + (i % 9 == 0 ? 4 : 0);
            for (size_t k = 0; k < size; k++)
                bytes[k] = (unsigned char)(file_noise(i * 977 + k) * 256);
            struct decode_chunk chunk = {bytes, size, room, (uint32_t)(file_noise(2 * i + 1) * 8), i % 50 == 0};
            bool whole = chunk.raw && size == layout->chunk_bytes;
            const char *problem = decode_chunk(&decoder, layout, &chunk, to);
            CU_ASSERT(!whole || problem == NULL);
            CU_ASSERT(!chunk.raw || whole || problem != NULL);
        }
        free(bytes);
        free(to);
        decoder_release(&decoder);
    }
}

TEST_MAIN("ways of reading", TEST(contiguous_data_are_mapped), TEST(never_written_data_hold_the_fill_value),
          TEST(every_combination_of_filters_and_edges_is_decoded), TEST(chunks_that_do_not_compress_are_read),
          TEST(filter_masks_are_obeyed), TEST(other_filters_and_types_take_the_slow_path_and_say_why),
          TEST(the_other_byte_order_is_swapped_on_our_own), TEST(bit_fields_are_bytes),
          TEST(a_way_that_cannot_be_taken_is_refused_with_the_reason), TEST(damaged_chunks_are_bad_data_and_named),
          TEST(fletcher32_has_its_published_values), TEST(any_bytes_are_decoded_or_refused))
