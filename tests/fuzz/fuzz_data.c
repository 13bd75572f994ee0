/*
 * Fuzzing the reading of datasets: the planner of ways and the decoder of chunks.
 *
 * First byte % 3. 0: the rest is a file as it is; damage that HDF5 itself does not survive must be found in the child
 * process that tries it. 1: the rest is a recipe for a file that HDF5 takes for good: type, shape, layout, filters, and
 * chunks of any bytes with any filter mask; what two ways of reading both read must be the same. 2: the rest is a
 * layout and one stored chunk for the decoder alone.
 */
#include <hdf5.h>

#include "base/error.h"
#include "data/chunks.h"
#include "data/decode.h"
#include "data/mapped.h"
#include "tests/fuzz/fuzz.h"

struct recipe {
    const uint8_t *bytes;
    size_t left;
};

static uint8_t next(struct recipe *r)
{
    if (r->left == 0)
        return 0;
    r->left--;
    return *r->bytes++;
}

/* ---- whole files ---- */

/* All values in storage order as they are in memory; NULL with a reason. */
static void *read_all(const char *path, enum data_io io, uint64_t memory, size_t *bytes)
{
    struct gm_error err = {0};
    struct data_set *set = NULL;
    struct data_pass *pass = NULL;
    const struct data_window *w = NULL;
    char *values = NULL;
    size_t at = 0;
    enum gm_code code = data_open(&set, &(struct data_source){.path = path}, &(struct data_options){.io = io}, &err);
    require_reason(code, &err);
    if (code != GM_OK)
        return NULL;
    const struct data_schema *s = data_schema(set);
    struct lane_plan plan = {.rows = s->rows, .block_rows = 32, .run_rows = 32, .lanes = 2, .slab_rows = 64};
    plan.slabs = (s->rows + 63) / 64;
    *bytes = s->rows * s->features * data_type_size(s->type);
    bool small = *bytes < (size_t)1 << 24;
    if (small && !s->target_is_text && !(code = data_load(set, &plan, memory, 2, &err)))
        code = data_pass_open(&pass, set, &(struct data_order){.shuffled = false}, &err);
    values = pass ? malloc(*bytes) : NULL;
    while (values && !code && !(code = data_pass_next(pass, &w, &err)) && w) {
        require(at + w->rows * w->stride <= *bytes, "no more rows than there are");
        memcpy(values + at, w->x, w->rows * w->stride);
        at += w->rows * w->stride;
    }
    require_reason(code, &err);
    require(code || !values || at == *bytes, "every row once");
    data_pass_close(pass);
    data_close(set);
    if (code) {
        free(values);
        values = NULL;
    }
    return values;
}

static void read_file(const char *path)
{
    size_t n = 0, m = 0;
    void *resident = read_all(path, DATA_IO_AUTO, (uint64_t)1 << 28, &n);
    void *streamed = resident ? read_all(path, DATA_IO_AUTO, 40000, &m) : NULL;
    require(!resident || !streamed || (n == m && memcmp(resident, streamed, n) == 0), "streaming gives the same");
    free(resident);
    free(streamed);
}

/* ---- the ways of reading, without the trial in a child process ---- */

static enum gm_code read_chunks(const struct stored *stored, const struct layout *layout, char *to,
                                struct gm_error *err)
{
    struct chunks *chunks = NULL;
    size_t step = stored->rows / 3 + 1; /* cuts through bands */
    enum gm_code code = chunks_open(&chunks, stored, layout, 1, err);
    require(code == GM_OK, "buffers for chunks");
    for (size_t row = 0, rows; code == GM_OK && row < stored->rows; row += rows) {
        rows = stored->rows - row < step ? stored->rows - row : step;
        code = chunks_read(chunks, row, rows, to + row * stored->row_bytes, err);
    }
    chunks_close(chunks);
    return code;
}

static enum gm_code read_mapped(const struct stored *stored, const struct layout *layout, char *to,
                                struct gm_error *err)
{
    struct mapped mapped;
    if (!mapped_open(&mapped, stored, layout))
        return error_set(err, GM_BAD_DATA, "not where it should be");
    enum gm_code code = mapped_read(&mapped, (struct row_range){0, stored->rows}, 1, to, err);
    mapped_close(&mapped);
    return code;
}

static void compare(const char *path, bool spoiled)
{
    struct h5_files files = {.count = 0};
    struct h5_file *file = NULL;
    struct stored stored;
    struct layout layout;
    struct gm_error err = {0}, slow_err = {0};
    require(h5_open(&file, &files, path, &err) == GM_OK, "a file that HDF5 made itself");
    enum gm_code code = stored_open(&stored, file, "/X", &err);
    require_reason(code, &err);
    if (code == GM_OK) {
        size_t bytes = stored.rows * stored.row_bytes;
        char *fast = malloc(bytes), *slow = malloc(bytes);
        layout_plan(&layout, &stored);
        require((layout.io == DATA_IO_MAPPED) == (layout.reason[0] == 0), "a reason for every way but the best");
        /* HDF5 does not survive every chunk that a filter has to undo; of others the sizes are looked at before. */
        bool trusted = !spoiled || (stored.sizes && stored.sizes->filters == 0);
        enum gm_code slow_code = trusted ? stored_read(&stored, 0, stored.rows, slow, &slow_err)
                                         : error_set(&slow_err, GM_BAD_DATA, "not tried");
        code = layout.io == DATA_IO_CHUNKS   ? read_chunks(&stored, &layout, fast, &err)
               : layout.io == DATA_IO_MAPPED ? read_mapped(&stored, &layout, fast, &err)
                                             : slow_code;
        require_reason(slow_code, &slow_err);
        require(layout.io == DATA_IO_BANDS || code == GM_OK || (err.code == code && err.text[0]), "a reason");
        require(!trusted || layout.io == DATA_IO_BANDS || code == slow_code, "what HDF5 made is read");
        require(code || slow_code || layout.io == DATA_IO_BANDS || memcmp(fast, slow, bytes) == 0,
                "both ways give the same");
        free(fast);
        free(slow);
        stored_close(&stored);
    }
    h5_close(&files);
}

/* ---- recipes ---- */

static hid_t type_of(uint8_t byte)
{
    const hid_t types[] = {H5T_STD_U8LE,   H5T_STD_I8BE,   H5T_STD_U16BE, H5T_STD_I16LE,  H5T_STD_U32LE,
                           H5T_STD_I32BE,  H5T_STD_U64BE,  H5T_STD_I64LE, H5T_IEEE_F32LE, H5T_IEEE_F32BE,
                           H5T_IEEE_F64LE, H5T_IEEE_F64BE, H5T_STD_B8LE};
    hid_t type = H5Tcopy(types[byte % (sizeof types / sizeof *types)]);
    if (byte >= 200 && H5Tget_class(type) == H5T_INTEGER)
        H5Tset_precision(type, H5Tget_size(type) * 8 - 3); /* needs HDF5's conversion */
    return type;
}

static hid_t layout_of(struct recipe *r, int rank, const hsize_t *dims, hsize_t *chunk)
{
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    uint8_t how = next(r), filters = next(r);
    double fill = next(r);
    if (how & 1)
        H5Pset_fill_value(plist, H5T_NATIVE_DOUBLE, &fill);
    H5Pset_alloc_time(plist, how & 2 ? H5D_ALLOC_TIME_EARLY : H5D_ALLOC_TIME_DEFAULT);
    if (how & 4) {
        H5Pset_layout(plist, how & 8 ? H5D_COMPACT : H5D_CONTIGUOUS);
        return plist;
    }
    for (int i = 0; i < rank; i++)
        chunk[i] = 1 + next(r) % (dims[i] + 2 < 200 ? dims[i] + 2 : 200);
    H5Pset_chunk(plist, rank, chunk);
    for (int i = 0; i < 4; i++, filters /= 4)
        if (filters % 4 == 1)
            H5Pset_shuffle(plist);
        else if (filters % 4 == 2)
            H5Pset_deflate(plist, 1 + how % 9);
        else if (filters % 4 == 3)
            H5Pset_fletcher32(plist);
    if (how & 16)
        H5Pset_chunk_opts(plist, H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS);
    return plist;
}

/* Chunks of any bytes. At least as many as a checksum has: HDF5 1.10 itself reads before the start of shorter ones. */
static bool spoil(struct recipe *r, hid_t dataset, int rank, const hsize_t *dims, const hsize_t *chunk)
{
    unsigned char bytes[256];
    bool done = false;
    for (int n = 0; n < 4 && r->left; n++) {
        hsize_t start[3];
        uint32_t mask = next(r) & 31;
        size_t size = 4 + next(r) % 200;
        for (int i = 0; i < rank; i++)
            start[i] = next(r) % ((dims[i] - 1) / chunk[i] + 1) * chunk[i];
        for (size_t k = 0; k < size; k++)
            bytes[k] = next(r);
        done = H5Dwrite_chunk(dataset, H5P_DEFAULT, mask, start, size, bytes) >= 0 || done;
    }
    return done;
}

/* Did it put any bytes into chunks? */
static bool cook(struct recipe *r, const char *path)
{
    bool spoiled = false;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    uint8_t head = next(r);
    hid_t create = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_userblock(create, head & 1 ? 512 : 0);
    if (head & 2)
        H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, create, access);
    int rank = 1 + head / 4 % 3;
    hsize_t dims[3] = {1 + next(r) * (head & 128 ? 4u : 1u), 1, 1}, chunk[3] = {1, 1, 1};
    for (int i = 1; i < rank; i++)
        dims[i] = 1 + next(r) % 12;
    hid_t type = type_of(next(r)), space = H5Screate_simple(rank, dims, NULL);
    hid_t plist = layout_of(r, rank, dims, chunk);
    bool written = next(r) % 4 != 0;
    hid_t dataset = H5Dcreate2(file, "X", type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    size_t n = (size_t)(dims[0] * dims[1] * dims[2]), bytes = n * H5Tget_size(type);
    unsigned char *values = malloc(bytes);
    for (size_t i = 0; i < bytes; i++)
        values[i] = (unsigned char)(i % 5 ? i / 7 : next(r));
    if (dataset >= 0 && written)
        H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    if (dataset >= 0 && H5Pget_layout(plist) == H5D_CHUNKED)
        spoiled = next(r) % 2 && spoil(r, dataset, rank, dims, chunk);
    free(values);
    H5Dclose(dataset);
    H5Pclose(plist);
    H5Sclose(space);
    H5Tclose(type);
    H5Fclose(file);
    H5Pclose(access);
    H5Pclose(create);
    return spoiled;
}

/* ---- the decoder alone ---- */

static void decode(struct recipe *r)
{
    static const size_t sizes[] = {1, 2, 3, 4, 8, 16};
    struct layout layout = {.io = DATA_IO_CHUNKS, .value_bytes = sizes[next(r) % 6], .swapped = next(r) & 1};
    layout.chunk_bytes = layout.value_bytes * (1 + next(r));
    layout.n_filters = next(r) % (LAYOUT_FILTERS_MOST + 1);
    bool deflates = false;
    for (size_t i = 0; i < layout.n_filters; i++) {
        layout.filters[i] = (enum layout_filter)(next(r) % 3);
        if (layout.filters[i] == LAYOUT_DEFLATE && deflates) /* the planner lets one through */
            layout.filters[i] = LAYOUT_FLETCHER32;
        deflates = deflates || layout.filters[i] == LAYOUT_DEFLATE;
    }
    struct gm_error err;
    struct decoder decoder;
    require(decoder_init(&decoder, &layout, &err) == GM_OK, "a decoder");
    struct decode_chunk chunk = {.mask = next(r), .raw = next(r) % 8 == 0};
    chunk.size = r->left;
    chunk.room = layout.chunk_bytes + layout.chunk_bytes / 8 + 256;
    if (chunk.size <= chunk.room) { /* what is larger is refused before */
        unsigned char *bytes = malloc(chunk.room), *to = malloc(layout.chunk_bytes);
        if (chunk.size)
            memcpy(bytes, r->bytes, chunk.size);
        chunk.bytes = bytes;
        const char *problem = decode_chunk(&decoder, &layout, &chunk, to);
        require(!problem || problem[0], "a reason");
        free(bytes);
        free(to);
    }
    decoder_release(&decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[256];
    if (size == 0)
        return 0;
    struct recipe r = {data + 1, size - 1};
    if (data[0] % 3 == 2) {
        decode(&r);
        return 0;
    }
    in_directory(path, "data.h5");
    if (data[0] % 3 == 1) {
        bool spoiled = cook(&r, path);
        compare(path, spoiled);
    } else {
        write_input(path, data + 1, size - 1);
        read_file(path);
    }
    unlink(path);
    return 0;
}
