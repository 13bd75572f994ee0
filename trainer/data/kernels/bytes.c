/* Moving bytes: HDF5's shuffle filter undone, byte order reversed, narrow chunks joined to rows. */
#include <string.h>

#include "data/kernels.h"

typedef uint16_t any_u16 __attribute__((aligned(1), may_alias));
typedef uint32_t any_u32 __attribute__((aligned(1), may_alias));
typedef uint64_t any_u64 __attribute__((aligned(1), may_alias));

/* Byte k of value i stands at plane k, place i; x86 and aarch64 have the lowest byte first in memory. */
static void unshuffle_2(const unsigned char *from, size_t n, any_u16 *restrict to)
{
    const unsigned char *a = from, *b = a + n;
    for (size_t i = 0; i < n; i++)
        to[i] = (uint16_t)(a[i] | b[i] << 8);
}

static void unshuffle_4(const unsigned char *from, size_t n, any_u32 *restrict to)
{
    const unsigned char *a = from, *b = a + n, *c = b + n, *d = c + n;
    for (size_t i = 0; i < n; i++)
        to[i] = (uint32_t)a[i] | (uint32_t)b[i] << 8 | (uint32_t)c[i] << 16 | (uint32_t)d[i] << 24;
}

static void unshuffle_8(const unsigned char *from, size_t n, any_u64 *restrict to)
{
    const unsigned char *p[8];
    for (size_t k = 0; k < 8; k++)
        p[k] = from + k * n;
    for (size_t i = 0; i < n; i++) {
        uint32_t low = (uint32_t)p[0][i] | (uint32_t)p[1][i] << 8 | (uint32_t)p[2][i] << 16 | (uint32_t)p[3][i] << 24;
        uint32_t high = (uint32_t)p[4][i] | (uint32_t)p[5][i] << 8 | (uint32_t)p[6][i] << 16 | (uint32_t)p[7][i] << 24;
        to[i] = (uint64_t)high << 32 | low;
    }
}

void KERNEL(decode_unshuffle)(size_t size, const unsigned char *from, size_t n, unsigned char *to)
{
    switch (size) {
    case 1:
        memcpy(to, from, n);
        return;
    case 2:
        unshuffle_2(from, n, (any_u16 *)(void *)to);
        return;
    case 4:
        unshuffle_4(from, n, (any_u32 *)(void *)to);
        return;
    case 8:
        unshuffle_8(from, n, (any_u64 *)(void *)to);
        return;
    default:
        for (size_t k = 0; k < size; k++)
            for (size_t i = 0; i < n; i++)
                to[i * size + k] = from[k * n + i];
    }
}

void KERNEL(decode_swap)(size_t size, unsigned char *values, size_t n)
{
    any_u16 *two = (any_u16 *)(void *)values;
    any_u32 *four = (any_u32 *)(void *)values;
    any_u64 *eight = (any_u64 *)(void *)values;
    if (size == 2)
        for (size_t i = 0; i < n; i++)
            two[i] = __builtin_bswap16(two[i]);
    else if (size == 4)
        for (size_t i = 0; i < n; i++)
            four[i] = __builtin_bswap32(four[i]);
    else if (size == 8)
        for (size_t i = 0; i < n; i++)
            eight[i] = __builtin_bswap64(eight[i]);
}

#define ROWS_AHEAD 16 /* whose lines are fetched for writing: rows are too far apart for the processor to guess */

/* `n` runs of `size` bytes of each row, from chunks side by side: a line of the cache is filled at once. */
static inline __attribute__((always_inline)) void lines(const struct bytes_join *join, size_t chunk, size_t n,
                                                        size_t size)
{
    const unsigned char *from = join->from + chunk * join->from_step;
    unsigned char *to = join->to + chunk * size;
    for (size_t row = 0; row < join->rows; row++, from += size, to += join->to_step) {
        __builtin_prefetch(to + (row + ROWS_AHEAD < join->rows ? ROWS_AHEAD * join->to_step : 0), 1);
#pragma GCC unroll 16
        for (size_t k = 0; k < n; k++)
            memcpy(to + k * size, from + k * join->from_step, size);
    }
}

static inline __attribute__((always_inline)) void copies(const struct bytes_join *join, size_t chunk, size_t size)
{
    const unsigned char *from = join->from + chunk * join->from_step;
    unsigned char *to = join->to + chunk * join->run;
    for (size_t row = 0; row < join->rows; row++, from += join->run, to += join->to_step)
        memcpy(to, from, size);
}

/* `size` bytes of each row from one chunk. Runs are short: a call of memcpy for each would take as long as inflating
 * them. */
static void one(const struct bytes_join *join, size_t chunk, size_t size)
{
    switch (size) {
    case 4:
        copies(join, chunk, 4);
        break;
    case 8:
        copies(join, chunk, 8);
        break;
    case 16:
        copies(join, chunk, 16);
        break;
    case 32:
        copies(join, chunk, 32);
        break;
    case 64:
        copies(join, chunk, 64);
        break;
    default:
        copies(join, chunk, size);
    }
}

/* Whole chunks, as far as they fill lines; returns how many. */
#define LINES(size)                                                             \
    for (; (chunk + 64 / (size)) * (size) <= join->bytes; chunk += 64 / (size)) \
        lines(join, chunk, 64 / (size), size);                                  \
    break

void KERNEL(bytes_join)(const struct bytes_join *join)
{
    size_t chunk = 0;
    switch (join->run) { /* chunks of h5py's own choice are a few columns wide */
    case 4:
        LINES(4);
    case 8:
        LINES(8);
    case 16:
        LINES(16);
    case 32:
        LINES(32);
    case 64:
        LINES(64);
    default:
        break;
    }
    for (; chunk * join->run < join->bytes; chunk++) {
        size_t left = join->bytes - chunk * join->run;
        one(join, chunk, left < join->run ? left : join->run);
    }
}
