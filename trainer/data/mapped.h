/* A contiguous dataset read without HDF5: its rows where they are in the file, or copied. */
#ifndef DATA_MAPPED_H
#define DATA_MAPPED_H

#include "data/layout.h"

struct mapped {
    int fd; /* -1 or, zeroed with base == NULL and !open: not open */
    bool open;
    bool swapped;
    size_t value_bytes, row_bytes;
    uint64_t offset; /* of the first value */
    void *base;      /* of the mapping; NULL: none */
    size_t length;
    const char *at; /* "FILE.h5:/X", borrowed, for messages */
};

/* Opens the file again for reading on our own. The first and the last row are compared with what HDF5 reads: a wrong
 * offset is found here. False when it cannot be done; then nothing is open. */
bool mapped_open(struct mapped *mapped, const struct stored *stored, const struct layout *layout);
void mapped_close(struct mapped *mapped); /* a zeroed struct is fine */

/* All `bytes` bytes of values in place, read ahead; layout->as_is must hold. NULL: a file system that cannot map. */
const void *mapped_view(struct mapped *mapped, uint64_t bytes);

/* Rows [first, first + rows) in native order to `to`, on up to `threads` threads. GM_IO, GM_BAD_DATA (cut off). */
enum gm_code mapped_read(const struct mapped *mapped, struct row_range rows, int threads, void *to,
                         struct gm_error *err);

/* A wish to the system: read these rows from the disk, while something else is done. */
void mapped_ahead(const struct mapped *mapped, struct row_range rows);

#endif
