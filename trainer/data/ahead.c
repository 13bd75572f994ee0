/* Reading ahead in files whose bytes HDF5 finds. */
#include "data/ahead.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

void ahead_want(struct ahead *ahead, const struct stored *stored, size_t first, size_t rows)
{
    if (!ahead->open && !ahead->failed) {
        struct stat status;
        ahead->fd = stored_reopen(stored);
        ahead->open = ahead->fd >= 0 && fstat(ahead->fd, &status) == 0;
        ahead->failed = !ahead->open;
        ahead->bytes = ahead->open ? (uint64_t)status.st_size : 0;
    }
    if (!ahead->open)
        return;
    double row = (double)ahead->bytes / (double)stored->rows;
    (void)posix_fadvise(ahead->fd, (off_t)(row * (double)first), (off_t)(row * (double)rows) + 1, POSIX_FADV_WILLNEED);
}

void ahead_close(struct ahead *ahead)
{
    if (ahead->open)
        close(ahead->fd);
    *ahead = (struct ahead){0};
}
