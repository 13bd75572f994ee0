/* Memory that is wanted soon, and that the processor cannot see coming: runs too short for a stream, or anywhere. */
#ifndef BASE_FETCH_H
#define BASE_FETCH_H

#include <stddef.h>

#define FETCH_LINE ((size_t)64)

/* gcc takes a function that does nothing but fetch for one without effects, and leaves out its calls; this is one. */
static inline void fetch_is_wanted(void)
{
    __asm__ volatile("");
}

static inline void fetch_to_read(const void *from, size_t bytes)
{
    fetch_is_wanted();
    for (size_t i = 0; i < bytes; i += FETCH_LINE)
        __builtin_prefetch((const char *)from + i);
}

static inline void fetch_to_write(const void *to, size_t bytes)
{
    fetch_is_wanted();
    for (size_t i = 0; i < bytes; i += FETCH_LINE)
        __builtin_prefetch((const char *)to + i, 1);
}

#endif
