/* Reading ahead in files whose bytes HDF5 finds: where rows are is guessed from their share of the file. */
#ifndef DATA_AHEAD_H
#define DATA_AHEAD_H

#include "data/stored.h"

struct ahead { /* a zeroed struct is closed */
    int fd;
    bool open, failed;
    uint64_t bytes; /* of the file */
};

/* Ask the system for the part of the file in which rows [first, first + rows) of `stored` lie when they are stored in
 * order. A wrong guess costs a little bandwidth, never correctness; a failure is no error. */
void ahead_want(struct ahead *ahead, const struct stored *stored, size_t first, size_t rows);
void ahead_close(struct ahead *ahead);

#endif
