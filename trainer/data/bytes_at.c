/* Bytes of a file, read without HDF5. */
#include "data/bytes_at.h"

#include <errno.h>
#include <unistd.h>

#include "base/pulse.h"

int bytes_at(int fd, uint64_t offset, size_t bytes, void *to)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t got = pread(fd, (unsigned char *)to + done, bytes - done, (off_t)(offset + done));
        if (got == 0)
            return EOVERFLOW;
        if (got < 0 && errno != EINTR)
            return errno;
        done += got > 0 ? (size_t)got : 0;
        pulse_progress(&pulse_disk);
    }
    return 0;
}
