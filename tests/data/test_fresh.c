/* Memory that is asked for before it is written: its values stay, what is beside it is not touched, and it is there
 * afterwards (mincore). */
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "data/fresh.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum { PAGE = 4096 };

static unsigned char *map(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_FATAL(at != MAP_FAILED);
    return at;
}

static size_t pages_there(unsigned char *at, size_t bytes)
{
    size_t there = 0, n = bytes / PAGE;
    unsigned char *in = malloc(n);
    CU_ASSERT_EQUAL_FATAL(mincore(at, bytes, in), 0);
    for (size_t i = 0; i < n; i++)
        there += in[i] & 1;
    free(in);
    return there;
}

static void pages_are_there_and_those_beside_are_not(void)
{
    size_t bytes = 5 * FRESH_PAGE, edge = 3 * PAGE;
    unsigned char *at = map(bytes + 2 * edge);
    bool able = madvise(at + edge, PAGE, MADV_POPULATE_WRITE) == 0; /* since Linux 5.14 */
    madvise(at, bytes + 2 * edge, MADV_NOHUGEPAGE);
    struct fresh fresh;
    fresh_init(&fresh, at + edge, bytes);
    fresh_touch(&fresh, at + edge, bytes);
    if (able)
        CU_ASSERT_EQUAL(pages_there(at + edge, bytes), bytes / PAGE);
    CU_ASSERT_EQUAL(pages_there(at, edge) + pages_there(at + edge + bytes, edge), 0);
    munmap(at, bytes + 2 * edge);
}

/* Of the eight pages that are used two each share what is remembered of them. */
static void values_stay_whoever_asks(void)
{
    size_t bytes = (FRESH_PAGES + 4) * FRESH_PAGE, wrong = 0;
    unsigned char *at = map(bytes);
    struct fresh fresh;
    fresh_init(&fresh, at + 100, bytes - 200);
#pragma omp parallel for num_threads(5) schedule(dynamic, 1)
    for (size_t i = 0; i < 400; i++) {
        size_t page = i * 7 % 4 + (i % 2 ? FRESH_PAGES : 0), first = page ? page * FRESH_PAGE : 100;
        fresh_touch(&fresh, at + first, i % 3 || page % 4 == 3 ? 10 : 2 * FRESH_PAGE);
        at[first + 5000 + i] = (unsigned char)(i % 255 + 1);
    }
    for (size_t i = 0; i < 400; i++) {
        size_t page = i * 7 % 4 + (i % 2 ? FRESH_PAGES : 0), first = page ? page * FRESH_PAGE : 100;
        wrong += at[first + 5000 + i] != (unsigned char)(i % 255 + 1);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    munmap(at, bytes);
}

static void what_is_small_is_left_alone(void)
{
    unsigned char *at = map(FRESH_PAGE);
    struct fresh fresh;
    fresh_init(&fresh, at, FRESH_PAGE);
    fresh_touch(&fresh, at, FRESH_PAGE);
    CU_ASSERT_EQUAL(pages_there(at, FRESH_PAGE), 0);
    munmap(at, FRESH_PAGE);
}

TEST_MAIN("fresh memory", TEST(pages_are_there_and_those_beside_are_not), TEST(values_stay_whoever_asks),
          TEST(what_is_small_is_left_alone))
