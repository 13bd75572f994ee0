/* Files that are whole or absent: reading and atomic replacement. Locks are in file_lock.c, hashes in file_hash.c. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file_inside.h"
#include "base/memory.h"

/* ---- opening ---- */

int file_open_above_streams(const char *path, int flags)
{
    int fd;
    do
        fd = open(path, flags | O_CLOEXEC, 0666);
    while (fd < 0 && errno == EINTR);
    if (fd >= 0 && fd <= STDERR_FILENO) {
        int higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        close(fd);
        fd = higher;
    }
    return fd;
}

enum gm_code file_refuse_create(const char *path, int reason, struct gm_error *err)
{
    enum gm_code code = reason == EACCES || reason == EPERM                     ? GM_DENIED
                        : reason == ENOSPC || reason == EDQUOT || reason == EIO ? GM_IO
                                                                                : GM_CANNOT_CREATE;
    const char *hint = reason == ENOENT ? " Its directory does not exist." : "";
    return error_set(err, code, "%s: cannot be created: %s.%s", path, strerror(reason), hint);
}

int file_open_locked(const char *file)
{
    for (;;) {
        struct stat ours, named;
        int fd = file_open_above_streams(file, O_RDWR | O_CREAT | O_NOFOLLOW);
        if (fd < 0)
            return -1;
        int failed = flock(fd, LOCK_EX | LOCK_NB) != 0 && (errno == EWOULDBLOCK || errno == EINTR) ? errno : 0;
        if (!failed && fstat(fd, &ours) == 0 && stat(file, &named) == 0 && ours.st_ino == named.st_ino &&
            ours.st_dev == named.st_dev)
            return fd;
        close(fd);
        errno = failed;
        if (failed == EWOULDBLOCK)
            return -1;
        /* otherwise its last owner renamed or removed it between our open and our lock */
    }
}

/* ---- replacing ---- */

struct replacement {
    char path[PATH_MAX];      /* the file to replace, links followed */
    char temporary[PATH_MAX]; /* beside it, always of the same name: a stale one is used again */
    int fd;                   /* of the temporary file */
};

static enum gm_code replacement_open(struct replacement *r, const char *path, struct gm_error *err)
{
    struct stat status;
    bool exists = stat(path, &status) == 0;
    if (exists && !S_ISREG(status.st_mode))
        return error_set(err, GM_CANNOT_CREATE, "%s: is %s, not a file that can be replaced.", path,
                         S_ISDIR(status.st_mode) ? "a directory" : "a device, pipe or socket");
    if (!*path || strlen(path) + sizeof ".tmp" > sizeof r->path)
        return file_refuse_create(path, *path ? ENAMETOOLONG : ENOENT, err);
    if (!exists || !realpath(path, r->path))
        strcpy(r->path, path);
    if (snprintf(r->temporary, sizeof r->temporary, "%s.tmp", r->path) >= (int)sizeof r->temporary)
        return file_refuse_create(path, ENAMETOOLONG, err);
    r->fd = file_open_locked(r->temporary);
    if (r->fd < 0 && errno == EWOULDBLOCK)
        return error_set(err, GM_DENIED, "%s: another process is writing it just now.", path);
    return r->fd < 0 ? file_refuse_create(path, errno, err) : GM_OK;
}

enum gm_code file_check_writable(const char *path, struct gm_error *err)
{
    struct replacement r = {.fd = -1};
    enum gm_code code = replacement_open(&r, path, err);
    if (code != GM_OK)
        return code;
    unlink(r.temporary);
    close(r.fd);
    return GM_OK;
}

bool file_write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        size_t part = size < ((size_t)1 << 30) ? size : (size_t)1 << 30;
        ssize_t wrote = write(fd, bytes, part);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0) {
            errno = wrote < 0 ? errno : EIO;
            return false;
        }
        bytes += wrote;
        size -= (size_t)wrote;
    }
    return true;
}

/* NFS reports a failed write when a descriptor is closed. Our own one keeps the lock, so a copy is closed. */
static bool close_copy(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    return copy >= 0 && close(copy) == 0;
}

static bool sync_directory_of(const char *path)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
    memcpy(directory, length ? path : ".", length ? length : 1);
    directory[length ? length : 1] = 0;
    int fd = file_open_above_streams(directory, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return errno == EACCES;                      /* may be written but not read: nothing more can be done */
    bool synced = fsync(fd) == 0 || errno == EINVAL; /* EINVAL: this file system syncs no directories */
    int reason = errno;
    close(fd);
    errno = reason;
    return synced;
}

/* What failed, or NULL with everything of the temporary file on the disk. */
static const char *fill_temporary(const struct replacement *r, const void *bytes, size_t size)
{
    struct stat old;
    if (ftruncate(r->fd, 0) != 0)
        return "emptying its temporary file failed";
    if (!file_write_all(r->fd, bytes, size))
        return "writing failed";
    if (stat(r->path, &old) == 0 && fchmod(r->fd, old.st_mode & 0777) != 0)
        return "keeping its permissions failed";
    if (fsync(r->fd) != 0)
        return "bringing it to the disk failed";
    return close_copy(r->fd) ? NULL : "closing it failed";
}

enum gm_code file_replace(const char *path, const void *bytes, size_t size, struct gm_error *err)
{
    return file_replace_keeping(path, NULL, bytes, size, err);
}

enum gm_code file_replace_keeping(const char *path, const char *older, const void *bytes, size_t size,
                                  struct gm_error *err)
{
    struct replacement r = {.fd = -1};
    enum gm_code code = replacement_open(&r, path, err);
    if (code != GM_OK)
        return code;
    const char *failed = fill_temporary(&r, bytes, size);
    if (!failed && older && rename(r.path, older) != 0 && errno != ENOENT)
        failed = "keeping the file before it under another name failed";
    if (!failed && rename(r.temporary, r.path) != 0)
        failed = "renaming its temporary file failed";
    if (failed) {
        code = error_set(err, GM_IO, "%s: %s: %s. The file is as it was before.", path, failed, strerror(errno));
        unlink(r.temporary);
    } else if (!sync_directory_of(r.path)) {
        code = error_set(err, GM_IO, "%s: bringing its directory to the disk failed: %s.", path, strerror(errno));
    }
    close(r.fd);
    return code;
}

/* ---- reading ---- */

static enum gm_code open_input(const char *path, int *fd, size_t *expected, struct gm_error *err)
{
    struct stat status;
    *fd = file_open_above_streams(path, O_RDONLY);
    if (*fd < 0) {
        enum gm_code code = errno == EACCES || errno == EPERM ? GM_DENIED : errno == EIO ? GM_IO : GM_NO_INPUT;
        return error_set(err, code, "%s: cannot be opened: %s.", path, strerror(errno));
    }
    if (fstat(*fd, &status) == 0 && S_ISDIR(status.st_mode))
        return error_set(err, GM_NO_INPUT, "%s: is a directory, not a file.", path);
    *expected = S_ISREG(status.st_mode) && status.st_size > 0 ? (size_t)status.st_size : 4096;
    return GM_OK;
}

/* Twice the room, the old content kept. */
static enum gm_code grow(char **buffer, size_t *room, size_t used, const char *path, struct gm_error *err)
{
    void *larger;
    size_t bytes;
    if (!memory_product(*room, 2, &bytes))
        bytes = SIZE_MAX;
    enum gm_code code = memory_alloc(&larger, bytes, 1, path, err);
    if (code != GM_OK)
        return code;
    memcpy(larger, *buffer, used);
    memory_free(*buffer);
    *buffer = larger;
    *room = bytes;
    return GM_OK;
}

enum gm_code file_read(const char *path, size_t limit, void **bytes, size_t *size, struct gm_error *err)
{
    int fd;
    size_t room = 0, used = 0;
    char *buffer = NULL;
    enum gm_code code = open_input(path, &fd, &room, err);
    if (code == GM_OK && room > limit && room != 4096)
        code = error_set(err, GM_BAD_DATA, "%s: holds %zu bytes; at most %zu are read.", path, room, limit);
    room += 2; /* the zero, and one more to see the end without growing */
    if (code == GM_OK)
        code = memory_alloc((void **)&buffer, room, 1, path, err);
    while (code == GM_OK) {
        size_t part = room - 1 - used;
        ssize_t got = read(fd, buffer + used, part < ((size_t)1 << 30) ? part : (size_t)1 << 30);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            code = error_set(err, GM_IO, "%s: reading failed after %zu bytes: %s.", path, used, strerror(errno));
        used += got > 0 ? (size_t)got : 0;
        if (used > limit)
            code = error_set(err, GM_BAD_DATA, "%s: is longer than the %zu bytes that are read at most.", path, limit);
        if (code == GM_OK && used == room - 1)
            code = grow(&buffer, &room, used, path, err);
    }
    if (fd >= 0)
        close(fd);
    if (code != GM_OK) {
        memory_free(buffer);
        return code;
    }
    buffer[used] = 0;
    *bytes = buffer;
    *size = used;
    return GM_OK;
}
