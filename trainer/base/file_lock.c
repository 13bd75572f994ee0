/* Locks on outputs. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_inside.h"
#include "base/memory.h"

/* Seconds to wait for a lock whose owner is gone. */
#define WAIT 5

/* What its owner wrote into the lock: its process number, "" when nothing. */
static void read_owner(const char *lock_path, char owner[32])
{
    int fd = file_open_above_streams(lock_path, O_RDONLY);
    ssize_t size = fd >= 0 ? read(fd, owner, 31) : 0;
    owner[size > 0 ? size : 0] = 0;
    owner[strcspn(owner, "\n")] = 0;
    if (fd >= 0)
        close(fd);
}

static bool is_alive(const char *owner)
{
    pid_t process = (pid_t)atol(owner);
    return process <= 0 || kill(process, 0) == 0 || errno != ESRCH;
}

/* An owner that was killed while it had a child try out a file (base/probe.h) leaves the lock to that child, which ends
 * as soon as it gets its turn: who is started again at once waits for that. */
static int open_when_free(const char *lock_path, char owner[32])
{
    double start = clock_seconds();
    int fd;
    while ((fd = file_open_locked(lock_path)) < 0 && errno == EWOULDBLOCK) {
        read_owner(lock_path, owner);
        if (is_alive(owner) || clock_seconds() - start > WAIT) {
            errno = EWOULDBLOCK;
            return -1;
        }
        usleep(10000);
    }
    return fd;
}

enum gm_code file_lock_take(struct file_lock *lock, const char *path, struct gm_error *err)
{
    char name[PATH_MAX], owner[32] = "";
    *lock = (struct file_lock){0};
    if (snprintf(name, sizeof name, "%s.lock", path) >= (int)sizeof name)
        return file_refuse_create(path, ENAMETOOLONG, err);
    enum gm_code code = memory_string(&lock->path, name, err);
    if (code != GM_OK)
        return code;
    int fd = open_when_free(name, owner);
    if (fd >= 0) {
        lock->fd = fd;
        int size = snprintf(name, sizeof name, "%ld\n", (long)getpid());
        bool told = ftruncate(fd, 0) == 0 && file_write_all(fd, name, (size_t)size);
        (void)told; /* only for the message to others: a full disk does not stop us here */
        return GM_OK;
    }
    code = errno != EWOULDBLOCK
               ? file_refuse_create(name, errno, err)
               : error_set(err, GM_DENIED,
                           "%s: another run (process %s) is writing it; it holds %s. Wait for that run or name another "
                           "output.",
                           path, *owner ? owner : "unknown", name);
    file_lock_release(lock);
    return code;
}

void file_lock_release(struct file_lock *lock)
{
    if (lock->fd > 0) {
        unlink(lock->path);
        close(lock->fd);
    }
    memory_free(lock->path);
    *lock = (struct file_lock){0};
}
