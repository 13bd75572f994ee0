/* A contiguous dataset read without HDF5. */
#include "data/mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/pulse.h"
#include "data/bytes_at.h"
#include "data/fresh.h"
#include "data/kernels.h"

#define POPULATE_BYTES ((size_t)256 << 20) /* a step of setting up pages, after which something has come */
#define PIECE_BYTES                                                                                  \
    ((size_t)1 << 20) /* of one read: longer ones gain nothing, and the swap finds them in the cache \
                       */

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14; older kernels refuse it, and pages come one by one */
#endif

static bool row_is_right(const struct mapped *mapped, const struct stored *stored, size_t row, char *scratch)
{
    return stored_read(stored, row, 1, scratch, NULL) == GM_OK &&
           mapped_read(mapped, (struct row_range){row, row + 1}, 1, scratch + stored->row_bytes, NULL) == GM_OK &&
           memcmp(scratch, scratch + stored->row_bytes, stored->row_bytes) == 0;
}

bool mapped_open(struct mapped *mapped, const struct stored *stored, const struct layout *layout)
{
    *mapped = (struct mapped){.fd = stored_reopen(stored),
                              .swapped = layout->swapped,
                              .value_bytes = layout->value_bytes,
                              .row_bytes = stored->row_bytes,
                              .offset = layout->offset,
                              .at = stored->at};
    if (mapped->fd < 0)
        return false;
    mapped->open = true;
    void *scratch = NULL;
    bool right = memory_alloc(&scratch, 2, stored->row_bytes, "two rows", NULL) == GM_OK &&
                 row_is_right(mapped, stored, 0, scratch) && row_is_right(mapped, stored, stored->rows - 1, scratch);
    memory_free(scratch);
    if (!right)
        mapped_close(mapped);
    return right;
}

void mapped_close(struct mapped *mapped)
{
    if (mapped->base)
        munmap(mapped->base, mapped->length);
    if (mapped->open)
        close(mapped->fd);
    *mapped = (struct mapped){0};
}

const void *mapped_view(struct mapped *mapped, uint64_t bytes)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), start = mapped->offset / page * page;
    size_t length = (size_t)(bytes + (mapped->offset - start));
    void *base = mmap(NULL, length, PROT_READ, MAP_SHARED, mapped->fd, (off_t)start);
    if (base == MAP_FAILED)
        return NULL;
    mapped->base = base;
    mapped->length = length;
    madvise(base, length, MADV_WILLNEED);                    /* read ahead from a cold disk ... */
    for (size_t at = 0; at < length; at += POPULATE_BYTES) { /* ... and set up the pages; both may fail */
        size_t left = length - at;
        madvise((char *)base + at, left < POPULATE_BYTES ? left : POPULATE_BYTES, MADV_POPULATE_READ);
        pulse_progress(&pulse_disk);
    }
    return (const char *)base + (mapped->offset - start);
}

static int read_piece(const struct mapped *mapped, uint64_t offset, size_t bytes, unsigned char *to)
{
    int status = bytes_at(mapped->fd, offset, bytes, to);
    if (status == 0 && mapped->swapped)
        KERNEL_PICK(decode_swap, kernels_isa())(mapped->value_bytes, to, bytes / mapped->value_bytes);
    return status;
}

enum gm_code mapped_read(const struct mapped *mapped, struct row_range rows, int threads, void *to,
                         struct gm_error *err)
{
    uint64_t first = mapped->offset + (uint64_t)rows.first * mapped->row_bytes;
    size_t bytes = (rows.end - rows.first) * mapped->row_bytes, pieces = (bytes + PIECE_BYTES - 1) / PIECE_BYTES;
    int failed = 0;
    struct fresh fresh;
    fresh_init(&fresh, to, bytes);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1) reduction(max : failed) if (pieces > 1)
    for (size_t i = 0; i < pieces; i++) {
        size_t at = i * PIECE_BYTES, size = bytes - at < PIECE_BYTES ? bytes - at : PIECE_BYTES;
        fresh_touch(&fresh, (unsigned char *)to + at, size);
        int status = read_piece(mapped, first + at, size, (unsigned char *)to + at);
        failed = status > failed ? status : failed;
    }
    if (failed == EOVERFLOW)
        return error_set(err, GM_BAD_DATA, "%s: the file ends before its values do; it is cut off.", mapped->at);
    if (failed)
        return error_set(err, GM_IO, "%s: rows %zu to %zu cannot be read: %s.", mapped->at, rows.first, rows.end - 1,
                         strerror(failed));
    return GM_OK;
}

void mapped_ahead(const struct mapped *mapped, struct row_range rows)
{
    off_t first = (off_t)(mapped->offset + (uint64_t)rows.first * mapped->row_bytes);
    (void)posix_fadvise(mapped->fd, first, (off_t)((rows.end - rows.first) * mapped->row_bytes), POSIX_FADV_WILLNEED);
}
