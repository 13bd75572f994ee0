/*
 * Faults of the system, injected with LD_PRELOAD. What happens is said by the environment:
 *
 *   FAULT_CALLS  names, as in "write,fsync"; the others pass
 *   FAULT_PATH   only calls on files whose name holds this; empty: all. Allocations have no name
 *   FAULT_N      at which of those calls, from 1; "N+" from there on
 *   FAULT_HOW    a number: fail with that errno. kill: SIGKILL instead of the call. killed: SIGKILL behind it. short:
 *                do a part of it. eintr: be interrupted, once. clock: the wall clock jumps at every look. late: the
 * child of a fork gets its first turn after FAULT_LATE milliseconds FAULT_LOG    append the name of every such call,
 * and of its file, to this file: to see order and number
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static atomic_long seen;
static _Thread_local bool inside; /* our own calls pass */

static bool listed(const char *call)
{
    const char *calls = getenv("FAULT_CALLS");
    size_t length = strlen(call);
    for (const char *c = calls; c && *c; c += strcspn(c, ","), c += *c == ',')
        if (strcspn(c, ",") == length && strncmp(c, call, length) == 0)
            return true;
    return false;
}

/* "call name": of a file, the last part of its path. */
static void note(const char *call, const char *path)
{
    const char *log = getenv("FAULT_LOG");
    int fd = log ? (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
    if (fd < 0)
        return;
    char line[128];
    const char *name = path && strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    int size = snprintf(line, sizeof line, "%s%s%.80s\n", call, name ? " " : "", name ? name : "");
    (void)!syscall(SYS_write, fd, line, size);
    syscall(SYS_close, fd);
}

enum fault { NONE, FAIL, SHORT, KILLED };

/* What becomes of this call. path NULL: of no file. */
static enum fault judge(const char *call, const char *path)
{
    const char *want = getenv("FAULT_PATH"), *n = getenv("FAULT_N"), *how = getenv("FAULT_HOW");
    if (inside || !listed(call) || (want && *want && (!path || !strstr(path, want))))
        return NONE;
    inside = true;
    note(call, path);
    inside = false;
    long number = ++seen, at = n ? atol(n) : 0;
    bool on = n && strchr(n, '+') ? number >= at : number == at;
    if (!on || !how)
        return NONE;
    if (strcmp(how, "kill") == 0)
        raise(SIGKILL);
    if (strcmp(how, "killed") == 0)
        return KILLED;
    if (strcmp(how, "short") == 0)
        return SHORT;
    errno = strcmp(how, "eintr") == 0 ? EINTR : atoi(how);
    return FAIL;
}

static enum fault judge_fd(const char *call, int fd)
{
    char link[64], path[4096];
    if (!listed(call))
        return NONE;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    path[size > 0 ? size : 0] = 0;
    return judge(call, path);
}

#define AFTER(fault, result)   \
    do {                       \
        if ((fault) == KILLED) \
            raise(SIGKILL);    \
        return result;         \
    } while (0)

ssize_t write(int fd, const void *bytes, size_t size)
{
    enum fault f = judge_fd("write", fd);
    if (f == FAIL)
        return -1;
    ssize_t wrote = syscall(SYS_write, fd, bytes, f == SHORT && size > 1 ? size / 2 : size);
    AFTER(f, wrote);
}

ssize_t read(int fd, void *bytes, size_t size)
{
    enum fault f = judge_fd("read", fd);
    if (f == FAIL)
        return -1;
    ssize_t got = syscall(SYS_read, fd, bytes, f == SHORT && size > 1 ? size / 2 : size);
    AFTER(f, got);
}

static ssize_t read_at(int fd, void *bytes, size_t size, off_t offset)
{
    enum fault f = judge_fd("pread", fd);
    if (f == FAIL)
        return -1;
    ssize_t got = syscall(SYS_pread64, fd, bytes, f == SHORT && size > 1 ? size / 2 : size, offset);
    AFTER(f, got);
}

ssize_t pread(int fd, void *bytes, size_t size, off_t offset)
{
    return read_at(fd, bytes, size, offset);
}

ssize_t pread64(int fd, void *bytes, size_t size, off64_t offset)
{
    return read_at(fd, bytes, size, offset);
}

int fsync(int fd)
{
    enum fault f = judge_fd("fsync", fd);
    if (f == FAIL)
        return -1;
    int result = (int)syscall(SYS_fsync, fd);
    AFTER(f, result);
}

int fdatasync(int fd)
{
    enum fault f = judge_fd("fdatasync", fd);
    if (f == FAIL)
        return -1;
    int result = (int)syscall(SYS_fdatasync, fd);
    AFTER(f, result);
}

int ftruncate(int fd, off_t size)
{
    enum fault f = judge_fd("ftruncate", fd);
    if (f == FAIL)
        return -1;
    int result = (int)syscall(SYS_ftruncate, fd, size);
    AFTER(f, result);
}

int close(int fd)
{
    enum fault f = judge_fd("close", fd);
    int result = (int)syscall(SYS_close, fd), kept = errno;
    if (f == FAIL) {
        errno = EIO;
        return -1;
    }
    errno = kept;
    AFTER(f, result);
}

int rename(const char *from, const char *to)
{
    enum fault f = judge("rename", to);
    if (f == FAIL)
        return -1;
    int result = (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
    AFTER(f, result);
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
    va_end(args);
    enum fault f = judge("open", path);
    if (f == FAIL)
        return -1;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    AFTER(f, fd);
}

/* A machine that is busy: who has just been forked waits for a processor. */
pid_t fork(void)
{
    static pid_t (*real)(void);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "fork");
    const char *how = getenv("FAULT_HOW"), *late = getenv("FAULT_LATE");
    pid_t child = real();
    if (child == 0 && how && strcmp(how, "late") == 0 && late)
        usleep((useconds_t)atol(late) * 1000);
    return child;
}

/* ---- memory: the functions that dlsym itself may call are served by glibc's own names ---- */

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

/* Is this place in the program HDF5's? FAULT_FOREIGN: first and last address, hexadecimal, "-" when there are none. */
static bool foreign(size_t place)
{
    const char *range = getenv("FAULT_FOREIGN");
    char *last = NULL;
    size_t first = range ? strtoull(range, &last, 16) : 0;
    return first && *last == '-' && place >= first && place <= strtoull(last + 1, NULL, 16);
}

/* Only what the program itself asks for: HDF5 1.10 and libgomp do not survive that their own allocations fail. */
static bool no_memory(const void *caller)
{
    Dl_info who;
    if (!listed("malloc") || inside)
        return false;
    inside = true;
    bool ours = dladdr(caller, &who) && who.dli_fname && strstr(who.dli_fname, "gradmill") &&
                !strstr(who.dli_fname, ".so") && !foreign((size_t)((const char *)caller - (const char *)who.dli_fbase));
    inside = false;
    return ours && judge("malloc", NULL) == FAIL;
}

void *malloc(size_t size)
{
    return no_memory(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return no_memory(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *pointer, size_t size)
{
    return no_memory(__builtin_return_address(0)) ? NULL : __libc_realloc(pointer, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return no_memory(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *memory = no_memory(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, size);
    if (!memory)
        return ENOMEM;
    *out = memory;
    return 0;
}

/* ---- the wall clock ---- */

static bool jumps(void)
{
    const char *how = getenv("FAULT_HOW");
    return how && strcmp(how, "clock") == 0;
}

int clock_gettime(clockid_t which, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, which, now);
    if (result == 0 && which == CLOCK_REALTIME && jumps())
        now->tv_sec += ++seen % 2 ? 40000000 : -40000000;
    return result;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}
