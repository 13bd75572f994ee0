/* Where chunks are: a driver of files for HDF5 that notes addresses instead of reading values. */
#include "data/places.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if H5_VERSION_GE(1, 14, 0)
#include <H5FDdevelop.h>
#endif

#include "base/hdf5_lock.h"
#include "base/memory.h"
#include "data/bytes_at.h"

#define ADDRESS_MOST (((haddr_t)1 << 63) - 1)

struct places_file {
    H5FD_t head; /* HDF5's part */
    int fd;
    haddr_t end_of_allocation, end_of_file;
    bool asking;    /* values are not read: their place is noted */
    uint64_t found; /* the last one */
    size_t bytes;   /* its size */
    unsigned noted; /* so many since asking began */
};

static struct places_file *inside(H5FD_t *file)
{
    return (struct places_file *)(void *)file;
}

static const struct places_file *inside_const(const H5FD_t *file)
{
    return (const struct places_file *)(const void *)file;
}

static H5FD_t *driver_open(const char *name, unsigned flags, hid_t access, haddr_t most)
{
    (void)access, (void)most;
    struct stat status;
    struct places_file *file = flags & H5F_ACC_RDWR ? NULL : calloc(1, sizeof *file);
    if (!file)
        return NULL;
    file->fd = open(name, O_RDONLY | O_CLOEXEC);
    if (file->fd < 0 || fstat(file->fd, &status) != 0) {
        if (file->fd >= 0)
            close(file->fd);
        free(file);
        return NULL;
    }
    file->end_of_file = (haddr_t)status.st_size;
    return &file->head;
}

static herr_t driver_close(H5FD_t *file)
{
    close(inside(file)->fd);
    free(file);
    return 0;
}

static herr_t driver_query(const H5FD_t *file, unsigned long *flags)
{
    (void)file;
    *flags = 0;
    return 0;
}

static haddr_t driver_get_eoa(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return inside_const(file)->end_of_allocation;
}

static herr_t driver_set_eoa(H5FD_t *file, H5FD_mem_t type, haddr_t address)
{
    (void)type;
    inside(file)->end_of_allocation = address;
    return 0;
}

static haddr_t driver_get_eof(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return inside_const(file)->end_of_file;
}

static herr_t driver_get_handle(H5FD_t *file, hid_t access, void **handle)
{
    (void)access;
    *handle = file;
    return 0;
}

/* `address` counts from the start of the file: HDF5 has added the user block. */
static herr_t driver_read(H5FD_t *head, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size, void *to)
{
    (void)transfer;
    struct places_file *file = inside(head);
    if (type == H5FD_MEM_DRAW && file->asking) {
        file->found = address;
        file->bytes = size;
        file->noted++;
        return 0;
    }
    return bytes_at(file->fd, address, size, to) ? -1 : 0;
}

static herr_t driver_write(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size,
                           const void *from)
{
    (void)file, (void)type, (void)transfer, (void)address, (void)size, (void)from;
    return -1;
}

static const H5FD_class_t driver = {
#if H5_VERSION_GE(1, 14, 0)
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)511, /* of those left for private use */
#endif
    .name = "gradmill places",
    .maxaddr = ADDRESS_MOST,
    .fc_degree = H5F_CLOSE_WEAK,
    .open = driver_open,
    .close = driver_close,
    .query = driver_query,
    .get_eoa = driver_get_eoa,
    .set_eoa = driver_set_eoa,
    .get_eof = driver_get_eof,
    .get_handle = driver_get_handle,
    .read = driver_read,
    .write = driver_write,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

/* The dataset once more, in the file opened through our driver. */
static bool open_again(struct places *places, const struct stored *stored)
{
    char *path = NULL;
    void *handle = NULL;
    if (memory_string(&path, stored->at, NULL) != GM_OK)
        return false;
    path[stored->name - stored->at - 1] = 0; /* "FILE.h5:/X" up to the colon */
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), id = H5FDregister(&driver);
    if (access >= 0 && id >= 0 && H5Pset_driver(access, id, NULL) >= 0)
        places->file = H5Fopen(path, H5F_ACC_RDONLY, access);
    memory_free(path);
    if (id >= 0)
        H5FDunregister(id); /* the file holds it */
    if (access >= 0)
        H5Pclose(access);
    if (places->file <= 0 || H5Fget_vfd_handle(places->file, H5P_DEFAULT, &handle) < 0)
        return false;
    places->driver = handle;
    places->fd = places->driver->fd;
    if (!stored_is_in(stored, places->fd))
        return false;
    hid_t within = H5Pcreate(H5P_DATASET_ACCESS);
    if (within >= 0 && h5_refuse_external(within))
        places->dataset = H5Dopen2(places->file, stored->name, within);
    H5Pclose(within);
    return places->dataset > 0;
}

/* Is the chunk at `start` where we say, or nowhere? */
static bool is_right(const struct places *places, const struct stored *stored, const hsize_t *start)
{
    uint64_t at = places_find(places, start);
    if (at == PLACE_NONE || at == PLACE_WRONG)
        return true; /* it will be read through HDF5, or refused */
    unsigned char *bytes = NULL;
    uint32_t mask;
    bool right = memory_alloc((void **)&bytes, 2, places->chunk_bytes, "two chunks", NULL) == GM_OK &&
                 H5Dread_chunk(stored->dataset, H5P_DEFAULT, start, &mask, bytes) >= 0 &&
                 bytes_at(places->fd, at, places->chunk_bytes, bytes + places->chunk_bytes) == 0 &&
                 memcmp(bytes, bytes + places->chunk_bytes, places->chunk_bytes) == 0;
    memory_free(bytes);
    return right;
}

bool places_open(struct places *places, const struct stored *stored, const struct layout *layout)
{
    *places = (struct places){.chunk_bytes = layout->chunk_bytes, .fd = -1};
    const hsize_t first[H5_RANK_MOST] = {0};
    hsize_t last[H5_RANK_MOST];
    for (size_t i = 0; i < stored->rank; i++)
        last[i] = (stored->dims[i] - 1) / layout->chunk[i] * layout->chunk[i];
    if (memory_alloc((void **)&places->unused, layout->chunk_bytes, 1, "a chunk", NULL) != GM_OK)
        return false;
    hdf5_lock();
    bool right = open_again(places, stored);
    if (right)
        right = is_right(places, stored, places_find(places, last) < PLACE_WRONG ? last : first);
    hdf5_unlock();
    if (!right)
        places_close(places);
    return right;
}

void places_close(struct places *places)
{
    hdf5_lock();
    if (places->dataset > 0)
        H5Dclose(places->dataset);
    if (places->file > 0)
        H5Fclose(places->file);
    hdf5_unlock();
    memory_free(places->unused);
    *places = (struct places){0};
}

/* The size that HDF5 tells first is a guess; what the driver is asked for is what the file says. Of a size of 0 it is
 * not told. */
bool places_size(const struct places *places, const hsize_t *start, uint32_t *mask, size_t *bytes)
{
    struct places_file *file = places->driver;
    hsize_t size = 0;
    if (H5Dget_chunk_storage_size(places->dataset, start, &size) < 0 || size == 0)
        return false;
    file->asking = true;
    file->noted = 0;
    bool done = H5Dread_chunk(places->dataset, H5P_DEFAULT, start, mask, places->unused) >= 0;
    file->asking = false;
    *bytes = file->noted == 1 ? file->bytes : 0;
    return done;
}

uint64_t places_find(const struct places *places, const hsize_t *start)
{
    const struct places_file *file = places->driver;
    uint32_t mask;
    size_t bytes;
    if (!places_size(places, start, &mask, &bytes))
        return PLACE_NONE;
    if (bytes != places->chunk_bytes)
        return PLACE_WRONG;
    bool within = file->found <= file->end_of_file && file->bytes <= file->end_of_file - file->found;
    return within ? file->found : PLACE_NONE;
}
