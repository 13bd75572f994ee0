/* Opening one dataset, judging its shape, and reading bands of its rows. */
#include "data/stored.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hdf5_lock.h"
#include "base/memory.h"
#include "data/sizes.h"

#define UNBACKED_MOST ((uint64_t)1 << 30) /* bytes that a shape may declare without the file storing them */
#define RATIO_MOST    2048                /* decoded to stored bytes; deflate reaches 1032 */
#define CHUNKS_FREE \
    ((uint64_t)1 << 20) /* chunks that may be declared likewise: each takes time and memory to look for */
#define CHUNK_MOST ((size_t)1 << 30)

/* The row and column counts, each product checked. */
static enum gm_code set_shape(struct stored *stored, hid_t space, struct gm_error *err)
{
    int rank = H5Sget_simple_extent_ndims(space);
    if (rank < 1 || rank > H5_RANK_MOST)
        return error_set(err, GM_BAD_DATA, "%s: has %d dimensions; 1 to %d are expected, rows first.", stored->at, rank,
                         H5_RANK_MOST);
    hsize_t dims[H5_RANK_MOST];
    H5Sget_simple_extent_dims(space, dims, NULL);
    size_t size = stored->kind == H5_NUMBERS ? data_type_size(stored->value_type) : sizeof(char *), all;
    stored->rank = (size_t)rank;
    stored->columns = 1;
    bool fits = true;
    for (size_t i = 0; i < stored->rank; i++) {
        stored->dims[i] = (size_t)dims[i];
        if (i > 0)
            fits = fits && memory_product(stored->columns, stored->dims[i], &stored->columns);
    }
    stored->rows = stored->dims[0];
    fits = fits && memory_product(stored->columns, size, &stored->row_bytes) &&
           memory_product(stored->row_bytes, stored->rows, &all) && all <= SIZE_MAX / 4;
    if (!fits)
        return error_set(err, GM_BAD_DATA, "%s: the declared shape is too large for any memory; the file is damaged.",
                         stored->at);
    if (stored->rows == 0 || stored->columns == 0)
        return error_set(err, GM_BAD_DATA, "%s: has no %s.", stored->at, stored->rows == 0 ? "rows" : "columns");
    return GM_OK;
}

/* Chunks must be of a size that can be decoded; a band is a row of chunks, side by side. */
static enum gm_code set_bands(struct stored *stored, hid_t plist, struct gm_error *err)
{
    stored->band_rows = 1;
    stored->band_bytes = 0;
    if (H5Pget_layout(plist) != H5D_CHUNKED)
        return GM_OK;
    hsize_t chunk[H5_RANK_MOST] = {0};
    if (H5Pget_chunk(plist, H5_RANK_MOST, chunk) != (int)stored->rank)
        return error_set(err, GM_BAD_DATA, "%s: its chunks do not fit its shape; the file is damaged.", stored->at);
    size_t bytes = sizes_in_file(stored->dataset, stored->type), tiles = 1;
    bool fits = true;
    for (size_t i = 0; i < stored->rank; i++) {
        fits = fits && chunk[i] > 0 && memory_product(bytes, (size_t)chunk[i], &bytes);
        if (i > 0 && fits)
            tiles *= (stored->dims[i] - 1) / (size_t)chunk[i] + 1;
    }
    if (!fits || bytes > CHUNK_MOST)
        return error_set(err, GM_BAD_DATA, "%s: its chunks are larger than 1 GiB.", stored->at);
    stored->band_rows = (size_t)chunk[0];
    if (!memory_product(bytes, tiles, &stored->band_bytes))
        stored->band_bytes = SIZE_MAX;
    enum gm_code code = memory_alloc((void **)&stored->sizes, 1, sizeof *stored->sizes, "sizes of chunks", err);
    if (code == GM_OK)
        sizes_init(stored->sizes, plist, chunk, bytes);
    return code;
}

static enum gm_code check_storage(const struct stored *stored, const struct h5_file *file, hid_t plist,
                                  struct gm_error *err)
{
    bool is_virtual = H5Pget_layout(plist) == H5D_VIRTUAL, is_external = H5Pget_external_count(plist) > 0;
    if ((is_virtual || is_external) && !file->allow_external)
        return error_set(err, GM_BAD_DATA,
                         "%s: %s, which is refused unless data.allow_external is set: it would read other files.",
                         stored->at, is_virtual ? "a virtual dataset" : "its values are stored in another file");
    if (is_virtual)
        return GM_OK;
    uint64_t declared = (uint64_t)stored->rows * stored->row_bytes;
    if (declared <= UNBACKED_MOST)
        return GM_OK;
    uint64_t bytes = H5Dget_storage_size(stored->dataset);
    if (declared / RATIO_MOST > bytes)
        return error_set(
            err, GM_BAD_DATA,
            "%s: declares %zu x %zu values but the file holds only %llu bytes of them; it is damaged or was "
            "never filled.",
            stored->at, stored->rows, stored->columns, (unsigned long long)bytes);
    return GM_OK;
}

/* Each chunk that is stored takes a byte and more. */
static enum gm_code check_count(const struct stored *stored, hid_t plist, struct gm_error *err)
{
    hsize_t chunk[H5_RANK_MOST];
    uint64_t n = 1;
    if (H5Pget_layout(plist) != H5D_CHUNKED || H5Pget_chunk(plist, H5_RANK_MOST, chunk) != (int)stored->rank)
        return GM_OK;
    for (size_t i = 0; i < stored->rank; i++) /* no more than values, whose number was checked */
        n *= (stored->dims[i] - 1) / (size_t)chunk[i] + 1;
    uint64_t bytes = n > CHUNKS_FREE ? H5Dget_storage_size(stored->dataset) : 0;
    if (n <= CHUNKS_FREE || n / RATIO_MOST <= bytes)
        return GM_OK;
    return error_set(err, GM_BAD_DATA,
                     "%s: declares %llu chunks but the file holds only %llu bytes of them; it is damaged or was never "
                     "filled.",
                     stored->at, (unsigned long long)n, (unsigned long long)bytes);
}

static enum gm_code check_filters(const struct stored *stored, hid_t plist, struct gm_error *err)
{
    int count = H5Pget_nfilters(plist);
    for (unsigned i = 0; (int)i < count; i++) {
        unsigned flags;
        size_t values = 0;
        char name[64] = "";
        H5Z_filter_t filter = H5Pget_filter2(plist, i, &flags, &values, NULL, sizeof name, name, NULL);
        if (filter < 0 || H5Zfilter_avail(filter) <= 0)
            return error_set(
                err, GM_BAD_DATA,
                "%s: is compressed with filter %d%s%s%s, which needs a plugin that gradmill does not load. "
                "Rewrite it, for example with `h5repack -f GZIP=4`.",
                stored->at, (int)filter, *name ? " (" : "", name, *name ? ")" : "");
    }
    return GM_OK;
}

/* Reopened with a chunk cache of one band and some: the size counts only at the first open of a dataset. */
static hid_t open_with_cache(const struct stored *stored, const struct h5_file *file)
{
    hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
    size_t bytes = stored->band_bytes < STORED_BAND_MOST ? stored->band_bytes + (stored->band_bytes >> 2) : 0;
    if (bytes < ((size_t)1 << 20))
        bytes = (size_t)1 << 20;
    H5Pset_chunk_cache(access, 12421, bytes, 1.0); /* 1.0: chunks that were read whole go first */
    hid_t dataset = H5Dopen2(file->id, stored->name, access);
    H5Pclose(access);
    return dataset;
}

static enum gm_code describe(struct stored *stored, const struct h5_file *file, struct gm_error *err)
{
    stored->type = H5Dget_type(stored->dataset);
    hid_t space = H5Dget_space(stored->dataset), plist = H5Dget_create_plist(stored->dataset);
    enum gm_code code = GM_OK;
    char text[256];
    if (stored->type < 0 || space < 0 || plist < 0)
        code =
            error_set(err, GM_BAD_DATA, "%s: type, shape or layout cannot be read: the file is damaged.", stored->at);
    else if ((stored->kind = h5_classify(stored->type, &stored->value_type)) == H5_OTHER)
        code = error_set(err, GM_BAD_DATA, "%s: its type cannot be used: %s; numbers or words are expected.",
                         stored->at, h5_describe(stored->dataset, text, sizeof text));
    if (code == GM_OK)
        code = set_shape(stored, space, err);
    if (code == GM_OK)
        code = set_bands(stored, plist, err);
    if (code == GM_OK)
        code = check_storage(stored, file, plist, err);
    if (code == GM_OK)
        code = check_count(stored, plist, err);
    if (code == GM_OK)
        code = check_filters(stored, plist, err);
    if (code == GM_OK && stored->kind == H5_NUMBERS &&
        (stored->memory_type = h5_memory_type(stored->type, stored->value_type)) < 0)
        code = error_set(err, GM_BAD_DATA, "%s: its type cannot be converted.", stored->at);
    H5Pclose(plist);
    H5Sclose(space);
    return code;
}

static enum gm_code open_locked(struct stored *stored, const struct h5_file *file, struct gm_error *err)
{
    enum gm_code code = h5_open_dataset(&stored->dataset, file, stored->name, err);
    if (code == GM_OK)
        code = describe(stored, file, err);
    if (code != GM_OK || stored->band_bytes <= ((size_t)1 << 20) * 3 / 4)
        return code;
    H5Dclose(stored->dataset);
    stored->dataset = open_with_cache(stored, file);
    return stored->dataset >= 0 ? GM_OK : error_set(err, GM_BAD_DATA, "%s: cannot be opened again.", stored->at);
}

enum gm_code stored_open(struct stored *stored, const struct h5_file *file, const char *name, struct gm_error *err)
{
    *stored = (struct stored){0};
    size_t length = strlen(file->path) + strlen(name) + 2;
    enum gm_code code = memory_alloc((void **)&stored->at, length, 1, "a dataset's name", err);
    if (code != GM_OK)
        return code;
    snprintf(stored->at, length, "%s:%s", file->path, name);
    stored->name = stored->at + strlen(file->path) + 1;
    hdf5_lock();
    code = open_locked(stored, file, err);
    hdf5_unlock();
    if (code != GM_OK)
        stored_close(stored);
    return code;
}

/* The default driver, which h5.c uses, hands out a pointer to its descriptor. */
bool stored_is_in(const struct stored *stored, int fd)
{
    void *theirs = NULL;
    struct stat a, b;
    hdf5_lock();
    hid_t file = H5Iget_file_id(stored->dataset);
    bool same = file >= 0 && H5Fget_vfd_handle(file, H5P_DEFAULT, &theirs) >= 0 && theirs &&
                fstat(*(int *)theirs, &a) == 0 && fstat(fd, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
    if (file >= 0)
        H5Fclose(file);
    hdf5_unlock();
    return same;
}

int stored_reopen(const struct stored *stored)
{
    char *path = NULL;
    if (memory_string(&path, stored->at, NULL) != GM_OK)
        return -1;
    path[stored->name - stored->at - 1] = 0; /* "FILE.h5:/X" up to the colon */
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    memory_free(path);
    if (fd >= 0 && !stored_is_in(stored, fd)) {
        close(fd);
        return -1;
    }
    return fd;
}

void stored_close(struct stored *stored)
{
    hdf5_lock();
    if (stored->memory_type > 0)
        H5Tclose(stored->memory_type);
    if (stored->type > 0)
        H5Tclose(stored->type);
    if (stored->dataset > 0)
        H5Dclose(stored->dataset);
    hdf5_unlock();
    memory_free(stored->sizes);
    memory_free(stored->at);
    *stored = (struct stored){0};
}
