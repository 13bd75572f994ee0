/* HDF5 files that are whole or absent, equal for equal calls. What the arrays mean is for the callers. */
#include "datasets/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <hdf5.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "datasets/output_inside.h"

#define CHUNK_BYTES     ((size_t)1 << 20)
#define ATTRIBUTE_BYTES ((size_t)60000)    /* HDF5 holds attributes of 64 KiB less a header in the object */
#define MAPPED_FROM     ((hsize_t)1 << 16) /* arrays of this many bytes start on a page */
#define PAGE            ((hsize_t)4096)
#define DEFLATE_LEVEL   4

struct output_array {
    struct output *file;
    hid_t id, memory_type;
    size_t rank, chunk_rows;
    hsize_t dims[OUTPUT_RANK];
    struct output_array *next;
};

/* IEEE 754 binary16, which HDF5 has no name for. */
static hid_t half_type(void)
{
    hid_t type = H5Tcopy(H5T_IEEE_F32LE);
    H5Tset_fields(type, 15, 10, 5, 0, 10);
    H5Tset_size(type, 2);
    H5Tset_ebias(type, 15);
    return type;
}

/* A type of its own, little-endian in the file; `native`: as in memory. Close it. */
static hid_t make_type(enum data_type type, bool native)
{
    hid_t made = -1;
    switch (type) {
    case DATA_U8:
        made = H5Tcopy(H5T_STD_U8LE);
        break;
    case DATA_I8:
        made = H5Tcopy(H5T_STD_I8LE);
        break;
    case DATA_U16:
        made = H5Tcopy(H5T_STD_U16LE);
        break;
    case DATA_I16:
        made = H5Tcopy(H5T_STD_I16LE);
        break;
    case DATA_U32:
        made = H5Tcopy(H5T_STD_U32LE);
        break;
    case DATA_I32:
        made = H5Tcopy(H5T_STD_I32LE);
        break;
    case DATA_U64:
        made = H5Tcopy(H5T_STD_U64LE);
        break;
    case DATA_I64:
        made = H5Tcopy(H5T_STD_I64LE);
        break;
    case DATA_F16:
        made = half_type();
        break;
    case DATA_F32:
        made = H5Tcopy(H5T_IEEE_F32LE);
        break;
    case DATA_F64:
        made = H5Tcopy(H5T_IEEE_F64LE);
        break;
    case DATA_BF16:
        break;
    }
    if (native && made >= 0)
        H5Tset_order(made, H5Tget_order(H5T_NATIVE_INT));
    return made;
}

size_t output_type_size(enum data_type type)
{
    static const unsigned char sizes[] = {
        [DATA_U8] = 1,  [DATA_I8] = 1,  [DATA_U16] = 2, [DATA_I16] = 2, [DATA_U32] = 4, [DATA_I32] = 4,
        [DATA_U64] = 8, [DATA_I64] = 8, [DATA_F16] = 2, [DATA_F32] = 4, [DATA_F64] = 8};
    return (size_t)type < sizeof sizes ? sizes[type] : 0;
}

enum gm_code output_failed(const struct output *out, const char *what, struct gm_error *err)
{
    int reason = errno;
    return error_set(err, GM_IO, "%s: writing %s failed: %s. The old file, if any, is untouched.", out->path, what,
                     reason ? strerror(reason) : "HDF5 reports an error");
}

/* ---- the file --------------------------------------------------------------------------------------------------- */

enum gm_code output_open(struct output **result, const char *path, bool compress, struct gm_error *err)
{
    *result = NULL;
    struct output *out = NULL;
    size_t length = strlen(path);
    enum gm_code code = file_check_writable(path, err);
    if (code)
        return code;
    code = memory_alloc((void **)&out, 1, sizeof *out, "an output file", err);
    if (code)
        return code;
    out->compress = compress;
    out->id = -1;
    if ((code = memory_string(&out->path, path, err)) ||
        (code = memory_alloc((void **)&out->temporary, length + 5, 1, "a file name", err))) {
        output_close(out);
        return code;
    }
    snprintf(out->temporary, length + 5, "%s.tmp", path);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* failures become our messages */
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_alignment(access, MAPPED_FROM, PAGE);
    errno = 0;
    out->id = H5Fcreate(out->temporary, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
    if (out->id < 0) {
        code = error_set(err, GM_CANNOT_CREATE, "%s: cannot be created: %s.", out->temporary,
                         errno ? strerror(errno) : "is another program writing it?");
        output_close(out);
        return code;
    }
    out->made = true;
    *result = out;
    return GM_OK;
}

static herr_t close_arrays(struct output *out)
{
    herr_t worst = 0;
    while (out->arrays) {
        struct output_array *array = out->arrays;
        out->arrays = array->next;
        if (array->id >= 0 && H5Dclose(array->id) < 0)
            worst = -1;
        if (array->memory_type >= 0)
            H5Tclose(array->memory_type);
        memory_free(array);
    }
    return worst;
}

void output_close(struct output *out)
{
    if (!out)
        return;
    close_arrays(out);
    if (out->id >= 0)
        H5Fclose(out->id);
    if (out->made && !out->finished)
        unlink(out->temporary);
    memory_free(out->path);
    memory_free(out->temporary);
    memory_free(out);
}

static int sync_name(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int failure = fsync(fd);
    int reason = errno;
    if (close(fd) != 0 && failure == 0)
        return -1;
    errno = reason;
    return failure;
}

/* The directory's entry is on disk only after this. File systems that cannot sync a directory say EINVAL. */
static int sync_directory(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash)
        return sync_name(".", O_RDONLY | O_DIRECTORY);
    char kept = slash[1];
    slash[1] = 0;
    int failure = sync_name(path, O_RDONLY | O_DIRECTORY);
    slash[1] = kept;
    return failure && errno != EINVAL ? -1 : 0;
}

enum gm_code output_finish(struct output *out, struct gm_error *err)
{
    errno = 0;
    herr_t arrays = close_arrays(out);
    herr_t file = H5Fclose(out->id);
    out->id = -1;
    if (arrays < 0 || file < 0)
        return output_failed(out, "the end", err);
    if (sync_name(out->temporary, O_RDWR) != 0 || rename(out->temporary, out->path) != 0)
        return output_failed(out, "the file", err);
    out->finished = true;
    if (sync_directory(out->path) != 0)
        return output_failed(out, "the directory", err);
    return GM_OK;
}

/* ---- arrays ----------------------------------------------------------------------------------------------------- */

/* Storage of an array: contiguous, or full-width chunks within 1 MiB where the array is larger than a chunk is worth.
 */
static hid_t creation(const struct output *out, struct output_array *array, size_t type_size)
{
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(plist, false);
    /* Contiguous arrays are written once and whole; the last chunk has room behind the data, which must be zeros. */
    H5Pset_fill_time(plist, out->compress ? H5D_FILL_TIME_ALLOC : H5D_FILL_TIME_NEVER);
    array->chunk_rows = 1;
    size_t row_bytes = type_size;
    for (size_t i = 1; i < array->rank; i++)
        row_bytes *= array->dims[i];
    if (!out->compress || array->rank == 0 || array->dims[0] == 0 || row_bytes == 0)
        return plist;
    size_t rows = CHUNK_BYTES / row_bytes;
    rows = rows == 0 ? 1 : rows;
    rows = rows > array->dims[0] ? array->dims[0] : rows;
    hsize_t chunk[OUTPUT_RANK];
    memcpy(chunk, array->dims, sizeof chunk);
    chunk[0] = rows;
    if (row_bytes > CHUNK_BYTES) /* one row is wider than a chunk: cut the last dimension */
        chunk[array->rank - 1] = chunk[array->rank - 1] / (row_bytes / CHUNK_BYTES + 1) + 1;
    H5Pset_chunk(plist, (int)array->rank, chunk);
    H5Pset_shuffle(plist);
    H5Pset_deflate(plist, DEFLATE_LEVEL);
    array->chunk_rows = rows;
    return plist;
}

enum gm_code output_array(struct output *out, const char *name, enum data_type type, const struct output_shape *shape,
                          struct output_array **result, struct gm_error *err)
{
    struct output_array *array = NULL;
    enum gm_code code = memory_alloc((void **)&array, 1, sizeof *array, "an output array", err);
    if (code)
        return code;
    array->file = out;
    array->rank = shape->rank;
    for (size_t i = 0; i < shape->rank; i++)
        array->dims[i] = shape->dims[i];
    array->id = array->memory_type = -1;
    array->next = out->arrays;
    out->arrays = array;
    hid_t space = shape->rank ? H5Screate_simple((int)shape->rank, array->dims, NULL) : H5Screate(H5S_SCALAR);
    hid_t storage = creation(out, array, output_type_size(type));
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    errno = 0;
    hid_t stored = make_type(type, false);
    array->memory_type = make_type(type, true);
    array->id = H5Dcreate2(out->id, name, stored, space, links, storage, H5P_DEFAULT);
    H5Tclose(stored);
    H5Pclose(links);
    H5Pclose(storage);
    H5Sclose(space);
    if (array->id < 0)
        return output_failed(out, name, err);
    *result = array;
    return GM_OK;
}

enum gm_code output_rows(struct output_array *array, size_t first, size_t rows, const void *data, struct gm_error *err)
{
    if (rows == 0)
        return GM_OK;
    hsize_t start[OUTPUT_RANK] = {first}, count[OUTPUT_RANK];
    memcpy(count, array->dims, sizeof count);
    count[0] = rows;
    hid_t file = H5Dget_space(array->id);
    hid_t memory = H5Screate_simple((int)array->rank, count, NULL);
    errno = 0;
    herr_t status = H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, count, NULL);
    if (status >= 0)
        status = H5Dwrite(array->id, array->memory_type, memory, file, H5P_DEFAULT, data);
    H5Sclose(memory);
    H5Sclose(file);
    return status < 0 ? output_failed(array->file, "rows", err) : GM_OK;
}

enum gm_code output_whole(struct output *out, const char *name, enum data_type type, const struct output_shape *shape,
                          const void *data, struct gm_error *err)
{
    struct output_array *array;
    enum gm_code code = output_array(out, name, type, shape, &array, err);
    if (code)
        return code;
    errno = 0;
    if (H5Dwrite(array->id, array->memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        return output_failed(out, name, err);
    return GM_OK;
}

size_t output_chunk_rows(const struct output_array *array)
{
    return array->chunk_rows;
}
