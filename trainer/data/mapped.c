/* A contiguous dataset mapped into memory. */
#include "data/mapped.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14; older kernels refuse it, and pages come one by one */
#endif

static bool map(struct mapped *mapped, uint64_t offset, size_t bytes, const struct stored *stored)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), start = offset / page * page;
    size_t length = bytes + (size_t)(offset - start);
    struct stat status;
    char *path = NULL;
    if (memory_string(&path, stored->at, NULL) != GM_OK)
        return false;
    path[stored->name - stored->at - 1] = 0; /* "FILE.h5:/X" up to the colon */
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    memory_free(path);
    bool whole = fd >= 0 && fstat(fd, &status) == 0 && offset + bytes <= (uint64_t)status.st_size;
    void *base = whole ? mmap(NULL, length, PROT_READ, MAP_SHARED, fd, (off_t)start) : MAP_FAILED;
    if (fd >= 0)
        close(fd);
    if (base == MAP_FAILED)
        return false;
    *mapped = (struct mapped){base, length, (const char *)base + (offset - start)};
    return true;
}

static bool row_is_right(const struct mapped *mapped, const struct stored *stored, size_t row, void *scratch)
{
    return stored_read(stored, row, 1, scratch, NULL) == GM_OK &&
           memcmp(scratch, (const char *)mapped->x + row * stored->row_bytes, stored->row_bytes) == 0;
}

bool mapped_open(struct mapped *mapped, const struct stored *stored, const struct layout *layout)
{
    *mapped = (struct mapped){0};
    void *scratch = NULL;
    if (memory_alloc(&scratch, stored->row_bytes, 1, "a row", NULL) != GM_OK)
        return false;
    bool right = map(mapped, layout->offset, stored->rows * stored->row_bytes, stored) &&
                 row_is_right(mapped, stored, 0, scratch) && row_is_right(mapped, stored, stored->rows - 1, scratch);
    memory_free(scratch);
    if (!right) {
        mapped_close(mapped);
        return false;
    }
    madvise(mapped->base, mapped->length, MADV_WILLNEED);      /* read ahead from a cold disk ... */
    madvise(mapped->base, mapped->length, MADV_POPULATE_READ); /* ... and set up the pages in one go; both may fail */
    return true;
}

void mapped_close(struct mapped *mapped)
{
    if (mapped->base)
        munmap(mapped->base, mapped->length);
    *mapped = (struct mapped){0};
}
