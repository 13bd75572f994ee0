/* Memory that several threads fill for the first time. */
#include "data/fresh.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "base/size.h"

#define LEAST_BYTES ((size_t)4 << 20) /* from here on memory_alloc asks for huge pages */
#define SMALL_PAGE  ((uintptr_t)4096)

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14; older kernels refuse it, and pages come as they are written */
#endif

void fresh_init(struct fresh *fresh, const void *memory, size_t bytes)
{
    uintptr_t at = (uintptr_t)memory;
    for (size_t i = 0; i < FRESH_PAGES; i++)
        atomic_init(&fresh->pages[i], 0);
    fresh->first = (at + SMALL_PAGE - 1) / SMALL_PAGE * SMALL_PAGE;
    fresh->end = bytes < LEAST_BYTES ? 0 : (at + bytes) / SMALL_PAGE * SMALL_PAGE;
}

static _Atomic uintptr_t *slot_of(struct fresh *fresh, uintptr_t page)
{
    return &fresh->pages[page % FRESH_PAGES];
}

/* Ask for it, unless somebody has or does. */
static void ask(struct fresh *fresh, uintptr_t page)
{
    uintptr_t seen = atomic_load_explicit(slot_of(fresh, page), memory_order_acquire);
    if (seen / 2 == page || !atomic_compare_exchange_strong(slot_of(fresh, page), &seen, 2 * page))
        return;
    uintptr_t first = size_most(page * FRESH_PAGE, fresh->first), end = size_least((page + 1) * FRESH_PAGE, fresh->end);
    if (first < end)
        (void)madvise((void *)first, end - first, MADV_POPULATE_WRITE); /* a wish */
    uintptr_t mine = 2 * page;
    atomic_compare_exchange_strong(slot_of(fresh, page), &mine, 2 * page + 1);
}

void fresh_touch(struct fresh *fresh, const void *to, size_t bytes)
{
    uintptr_t at = (uintptr_t)to, page = at / FRESH_PAGE, end = (at + bytes - 1) / FRESH_PAGE + 1;
    if (fresh->end == 0 || bytes == 0)
        return;
    for (uintptr_t p = page; p < end; p++)
        ask(fresh, p);
    for (uintptr_t p = page; p < end; p++)
        while (atomic_load_explicit(slot_of(fresh, p), memory_order_acquire) == 2 * p)
            sched_yield();
}
