/* Trying something on a file in a child process first. */
#include "base/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hdf5_lock.h"

#define PROBE_MEMORY ((rlim_t)1 << 30) /* bytes beyond what the process has mapped already */
#ifndef PROBE_CPU
#define PROBE_CPU 20 /* seconds of computing */
#endif
#define PROBE_SECONDS 120 /* and of waiting: a slow network disk is no damage */

/* What the child reports; a whole one fits into a pipe at once. */
struct verdict {
    enum gm_code code;
    struct gm_error err;
};

static void lower_limit(int resource, rlim_t value)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) == 0 && (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > value)) {
        limit.rlim_cur = value;
        setrlimit(resource, &limit);
    }
}

static rlim_t mapped_bytes(void)
{
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file) {
        if (fscanf(file, "%llu", &pages) != 1)
            pages = 0;
        fclose(file);
    }
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* A crash in here is an answer, not an accident: no core file, no words on the terminal, no handlers of the caller's.
 * Who stops a whole group of processes means the caller, which then ends as it likes: that is no answer. */
static void enter_child(void)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM, SIGXCPU};
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        signal(fatal[i], SIG_DFL);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0)
        dup2(null, STDERR_FILENO);
    lower_limit(RLIMIT_CORE, 0);
    lower_limit(RLIMIT_CPU, PROBE_CPU);
#ifndef GRADMILL_SANITIZED /* the sanitizers map terabytes of address space */
    rlim_t mapped = mapped_bytes();
    if (mapped)
        lower_limit(RLIMIT_AS, mapped + PROBE_MEMORY);
#else
    (void)mapped_bytes;
#endif
    alarm(PROBE_SECONDS);
}

/* It holds what its parent holds, locks too: it does not outlive it. */
static void end_with(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it had ended before */
        _exit(1);
}

static void run_child(probe_fn *attempt, void *context, int fd)
{
    enter_child();
    struct verdict verdict = {0};
    verdict.code = attempt(context, &verdict.err);
    const char *bytes = (const char *)&verdict;
    for (size_t sent = 0; sent < sizeof verdict;) {
        ssize_t wrote = write(fd, bytes + sent, sizeof verdict - sent);
        if (wrote < 0 && errno != EINTR)
            _exit(1);
        sent += wrote > 0 ? (size_t)wrote : 0;
    }
    _exit(0);
}

static bool receive(int fd, struct verdict *verdict)
{
    char *bytes = (char *)verdict;
    size_t got = 0;
    while (got < sizeof *verdict) {
        ssize_t size = read(fd, bytes + got, sizeof *verdict - got);
        if (size == 0 || (size < 0 && errno != EINTR))
            break;
        got += size > 0 ? (size_t)size : 0;
    }
    return got == sizeof *verdict;
}

/* Not by what it did. */
static bool is_lost(int status)
{
    int by = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return by == SIGKILL || by == SIGTERM || by == SIGINT || by == SIGHUP;
}

enum gm_code probe_run(probe_fn *attempt, void *context, const char *what, struct gm_error *err)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return error_set(err, GM_SYSTEM, "%s: no pipe to look at it safely: %s.", what, strerror(errno));
    pid_t parent = getpid(), child = hdf5_fork();
    if (child == 0) {
        end_with(parent);
        run_child(attempt, context, fds[1]);
    }
    int reason = errno;
    close(fds[1]);
    struct verdict verdict;
    bool whole = child > 0 && receive(fds[0], &verdict);
    close(fds[0]);
    int status = 0;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (child < 0)
        return error_set(err, GM_SYSTEM, "%s: no process to look at it safely: %s.", what, strerror(reason));
    if (!whole && WIFSIGNALED(status) && (WTERMSIG(status) == SIGALRM || WTERMSIG(status) == SIGXCPU))
        return error_set(err, GM_BAD_DATA, "%s: the file is damaged: looking at it did not end.", what);
    if (!whole && is_lost(status))
        return error_set(err, GM_PEER_LOST,
                         "%s: the process that looks at the file first was killed (signal %d): by somebody, or by the "
                         "system for want of memory. Start again.",
                         what, WTERMSIG(status));
    if (!whole)
        return error_set(err, GM_BAD_DATA,
                         "%s: the file is damaged: it crashed the HDF5 library in a trial (status %d).", what, status);
    if (verdict.code != GM_OK && err)
        *err = verdict.err;
    return verdict.code;
}
