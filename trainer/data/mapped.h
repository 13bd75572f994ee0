/* A contiguous dataset mapped into memory: its rows without a copy. */
#ifndef DATA_MAPPED_H
#define DATA_MAPPED_H

#include "data/layout.h"

struct mapped {
    void *base; /* NULL: not mapped */
    size_t length;
    const void *x; /* the first value */
};

/* Maps the values of `stored`. The first and the last row are compared with what HDF5 reads: a wrong offset is found
 * here. False when it cannot be done; then nothing is mapped. */
bool mapped_open(struct mapped *mapped, const struct stored *stored, const struct layout *layout);
void mapped_close(struct mapped *mapped); /* a zeroed struct is fine */

#endif
