/*
 * Memory that several threads fill for the first time. The kernel clears a huge page before its first user gets it; two
 * threads that come at once both clear one, and one of the two is thrown away: with chunks that are smaller than pages
 * that was a quarter of all time. Here each page is asked for once, by one thread, right before it is written, while
 * what was cleared is still in the cache; another that wants it waits, or goes on with the next.
 */
#ifndef DATA_FRESH_H
#define DATA_FRESH_H

#include <stddef.h>
#include <stdint.h>

enum { FRESH_PAGES = 64 };
#define FRESH_PAGE ((size_t)2 << 20)

/* Of one piece of memory while it is filled. Remembers the pages that were asked for last; asking again does no harm.
 */
struct fresh {
    _Atomic uintptr_t pages[FRESH_PAGES]; /* twice the page's number, and 1 when it is there */
    uintptr_t first, end;                 /* the addresses to care for; none: too small for huge pages */
};
void fresh_init(struct fresh *fresh, const void *memory, size_t bytes);

/* Have `bytes` bytes at `to` ready for writing; their values do not change. Safe from many threads. */
void fresh_touch(struct fresh *fresh, const void *to, size_t bytes);

#endif
