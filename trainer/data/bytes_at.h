/* Bytes of a file, read without HDF5. */
#ifndef DATA_BYTES_AT_H
#define DATA_BYTES_AT_H

#include <stddef.h>
#include <stdint.h>

/* `bytes` bytes from `offset` on to `to`. 0, or an errno; EOVERFLOW: the file ends before. Tells pulse_disk of what
 * comes. */
int bytes_at(int fd, uint64_t offset, size_t bytes, void *to);

#endif
