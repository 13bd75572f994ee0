/* The sizes of chunks that are not compressed. */
#include "data/sizes.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/layout.h"
#include "data/places.h"

#define ROW_NONE  SIZE_MAX        /* as stored_open leaves it */
#define LIST_MOST ((hsize_t)4096) /* HDF5 walks over all chunks for each one it describes: beyond, their sum counts */
#define SUM_BYTES ((size_t)4)     /* of a checksum */
#define FEW       ((hsize_t)64)   /* sooner listed than the file is opened once more */

void sizes_init(struct stored_sizes *sizes, hid_t plist, const hsize_t *chunk, size_t bytes)
{
    unsigned options = 0;
    *sizes = (struct stored_sizes){.wrong_row = ROW_NONE, .chunk_bytes = bytes, .filters = H5Pget_nfilters(plist)};
    H5Pget_chunk_opts(plist, &options);
    for (size_t i = 0; i < H5_RANK_MOST; i++)
        sizes->chunk[i] = (size_t)chunk[i];
    sizes->raw_edges = options & H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS;
    for (int i = 0; i < sizes->filters && i < 32; i++) {
        unsigned flags;
        size_t values = 0;
        H5Z_filter_t filter = H5Pget_filter2(plist, (unsigned)i, &flags, &values, NULL, 0, NULL, NULL);
        if (filter == H5Z_FILTER_FLETCHER32)
            sizes->summing |= (uint32_t)1 << i;
        else if (filter != H5Z_FILTER_SHUFFLE)
            sizes->compressing |= (uint32_t)1 << i;
    }
}

/* Of the dataset whose chunks are looked at. */
struct extent {
    size_t rank;
    hsize_t dims[H5_RANK_MOST];
};

static bool can_be(const struct stored_sizes *sizes, const struct extent *extent, const hsize_t *start, uint32_t mask,
                   size_t bytes)
{
    bool raw = false;
    for (size_t i = 0; sizes->raw_edges && i < extent->rank; i++)
        raw = raw || start[i] + sizes->chunk[i] > extent->dims[i];
    uint32_t done = raw ? 0 : ~mask; /* filters that were not left out */
    return (done & sizes->compressing) != 0 ||
           bytes == sizes->chunk_bytes + SUM_BYTES * (size_t)__builtin_popcount(done & sizes->summing);
}

/* The row of the first chunk, in storage order, that has another size. */
static size_t wrong_row(const struct stored_sizes *sizes, const struct extent *extent, const struct places *places)
{
    hsize_t start[H5_RANK_MOST] = {0};
    for (;;) {
        uint32_t mask;
        size_t bytes;
        if (places_size(places, start, &mask, &bytes) && !can_be(sizes, extent, start, mask, bytes))
            return (size_t)start[0];
        size_t i = extent->rank;
        while (i-- > 0) {
            start[i] += sizes->chunk[i];
            if (start[i] < extent->dims[i])
                break;
            start[i] = 0;
        }
        if (i == SIZE_MAX)
            return ROW_NONE;
    }
}

/* The same without our driver: for few chunks, or where it cannot open the file: that was renamed, or the dataset is
 * behind an external link. *n: chunks in all. */
static size_t wrong_row_listed(hid_t dataset, const struct stored_sizes *sizes, hsize_t most, hsize_t *n)
{
    hsize_t start[H5_RANK_MOST] = {0};
    struct extent extent;
    hid_t space = H5Dget_space(dataset);
    *n = 0;
    bool known = space >= 0 && H5Dget_num_chunks(dataset, space, n) >= 0;
    extent.rank = known ? (size_t)H5Sget_simple_extent_dims(space, extent.dims, NULL) : 0;
    size_t row = known && (sizes->filters || H5Dget_storage_size(dataset) == *n * sizes->chunk_bytes) ? ROW_NONE : 0;
    for (hsize_t i = 0; known && *n <= most && i < *n; i++) {
        hsize_t size = 0;
        unsigned mask;
        haddr_t at;
        if (H5Dget_chunk_info(dataset, space, i, start, &mask, &at, &size) < 0 ||
            !can_be(sizes, &extent, start, mask, (size_t)size)) {
            row = (size_t)start[0];
            break;
        }
    }
    if (space >= 0)
        H5Sclose(space);
    return row;
}

static void look(const struct stored *stored, struct stored_sizes *sizes)
{
    struct layout layout = {.chunk_bytes = sizes->chunk_bytes};
    struct extent extent = {.rank = stored->rank};
    struct places places;
    hsize_t n;
    for (size_t i = 0; i < stored->rank; i++) {
        layout.chunk[i] = sizes->chunk[i];
        extent.dims[i] = stored->dims[i];
    }
    sizes->wrong_row = wrong_row_listed(stored->dataset, sizes, FEW, &n);
    if (n > FEW && places_open(&places, stored, &layout)) {
        sizes->wrong_row = wrong_row(sizes, &extent, &places);
        places_close(&places);
    } else if (n > FEW) {
        sizes->wrong_row = wrong_row_listed(stored->dataset, sizes, LIST_MOST, &n);
    }
    sizes->known = true;
}

enum gm_code sizes_check(const struct stored *stored, struct gm_error *err)
{
    struct stored_sizes *sizes = stored->sizes;
    if (!sizes)
        return GM_OK;
    if (!sizes->known)
        look(stored, sizes);
    if (sizes->wrong_row == ROW_NONE)
        return GM_OK;
    return error_set(err, GM_BAD_DATA, "%s: the chunk at row %zu cannot be read: a chunk has the wrong size.",
                     stored->at, sizes->wrong_row);
}

void sizes_trust(const struct stored *stored)
{
    if (stored->sizes)
        stored->sizes->known = true;
}

/* A word of any length is its length, and where it stands: the address of a heap and a number in it (the format of HDF5
 * files, "variable-length"). */
size_t sizes_in_file(hid_t dataset, hid_t type)
{
    size_t address = sizeof(uint64_t), length;
    if (H5Tis_variable_str(type) <= 0)
        return H5Tget_size(type);
    hid_t file = H5Iget_file_id(dataset), plist = file >= 0 ? H5Fget_create_plist(file) : -1;
    if (plist >= 0) {
        H5Pget_sizes(plist, &address, &length);
        H5Pclose(plist);
    }
    if (file >= 0)
        H5Fclose(file);
    return sizeof(uint32_t) + address + sizeof(uint32_t);
}

bool sizes_are_right(hid_t dataset)
{
    hid_t plist = H5Dget_create_plist(dataset), type = H5Dget_type(dataset);
    hsize_t chunk[H5_RANK_MOST] = {0}, n;
    bool right = plist >= 0 && type >= 0;
    if (right && H5Pget_layout(plist) == H5D_CHUNKED) {
        int rank = H5Pget_chunk(plist, H5_RANK_MOST, chunk);
        size_t bytes = sizes_in_file(dataset, type);
        struct stored_sizes sizes;
        right = rank > 0 && rank <= H5_RANK_MOST;
        for (int i = 0; right && i < rank; i++)
            right = memory_product(bytes, (size_t)chunk[i], &bytes);
        if (right)
            sizes_init(&sizes, plist, chunk, bytes);
        right = right && wrong_row_listed(dataset, &sizes, LIST_MOST, &n) == ROW_NONE;
    }
    if (type >= 0)
        H5Tclose(type);
    if (plist >= 0)
        H5Pclose(plist);
    return right;
}
