/* Checked, zeroed, cache-line aligned allocation, and how much memory this process may use. */
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/error.h"

#ifdef GRADMILL_SANITIZED

/* An exact block, so that the sanitizers see the first byte beyond its end. */
static void *block_take(size_t bytes, bool walked)
{
    (void)walked;
    void *block = NULL;
    if (posix_memalign(&block, MEMORY_ALIGN, bytes) != 0)
        return NULL;
    return memset(block, 0, bytes);
}

static void block_give(void *pointer)
{
    free(pointer);
}

#else

#define HUGE_BYTES  ((size_t)4 << 20) /* worth asking for huge pages */
#define HUGE_WALKED ((size_t)512 << 10)
#define HUGE_PAGE   ((size_t)2 << 20)

/* calloc, because pages that come from the kernel are zero already: they are then first touched by the thread that
 * works on them, not here. The address of calloc's block stands right before the aligned one. */
static void *block_take(size_t bytes, bool walked)
{
    bool huge = bytes >= (walked ? HUGE_WALKED : HUGE_BYTES);
    size_t align = huge ? HUGE_PAGE : MEMORY_ALIGN; /* pages in front that are never touched cost none */
    if (bytes > SIZE_MAX - 2 * HUGE_PAGE)
        return NULL;
    if (huge && bytes < HUGE_PAGE) /* nothing else shall share its one page */
        bytes = HUGE_PAGE;
    char *block = calloc(1, bytes + align);
    if (!block)
        return NULL;
    char *aligned = block + align - (uintptr_t)block % align;
    memcpy(aligned - sizeof block, &block, sizeof block);
    if (huge)
        (void)madvise(aligned, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE); /* a wish: it may fail */
    return aligned;
}

static void block_give(void *pointer)
{
    char *block;
    memcpy(&block, (char *)pointer - sizeof block, sizeof block);
    free(block);
}

#endif

static enum gm_code take(void **out, const size_t shape[2], bool walked, const char *what, struct gm_error *err)
{
    size_t count = shape[0], size = shape[1];
    size_t bytes;
    *out = NULL;
    if (!memory_product(count, size, &bytes))
        return error_set(err, GM_SYSTEM, "Out of memory: %zu x %zu bytes for %s are more than can be addressed.", count,
                         size, what);
    *out = block_take(bytes ? bytes : 1, walked);
    return *out ? GM_OK : error_memory(err, what, bytes);
}

enum gm_code memory_alloc(void **out, size_t count, size_t size, const char *what, struct gm_error *err)
{
    return take(out, (const size_t[]){count, size}, false, what, err);
}

enum gm_code memory_alloc_walked(void **out, size_t count, size_t size, const char *what, struct gm_error *err)
{
    return take(out, (const size_t[]){count, size}, true, what, err);
}

void memory_free(void *pointer)
{
    if (pointer)
        block_give(pointer);
}

enum gm_code memory_string(char **out, const char *text, struct gm_error *err)
{
    size_t bytes = strlen(text) + 1;
    void *copy;
    enum gm_code code = memory_alloc(&copy, bytes, 1, "a text", err);
    *out = code == GM_OK ? memcpy(copy, text, bytes) : NULL;
    return code;
}

bool memory_product(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

uint64_t memory_limit(void)
{
    uint64_t limit = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t group = cgroup_limits("").memory;
    struct rlimit space;
    limit = group < limit ? group : limit;
    if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY && space.rlim_cur < limit)
        limit = space.rlim_cur;
    return limit;
}

/* VmHWM and not getrusage's ru_maxrss: the latter starts with what the parent had when it forked us. */
uint64_t memory_peak(void)
{
    char line[256];
    unsigned long long kib = 0;
    FILE *status = fopen("/proc/self/status", "re");
    if (!status)
        return 0;
    while (fgets(line, sizeof line, status) && sscanf(line, "VmHWM: %llu kB", &kib) != 1)
        ;
    fclose(status);
    return (uint64_t)kib * 1024;
}
