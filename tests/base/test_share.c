/* Items shared among threads: each once, one's own first. Expected values are counts, and floor(t n / T). */
#include "support.h"

#include <omp.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "base/share.h"

#define ITEMS_MOST 5000

static void each_item_is_taken_once(void)
{
    static const size_t counts[] = {0, 1, 2, 7, 64, 255, ITEMS_MOST};
    static const int threads[] = THREADS_COMPARED;
    static unsigned char taken[ITEMS_MOST]; /* not atomic: the thread sanitizer would see an item that two have */
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
            struct share share;
            memset(taken, 0, sizeof taken);
            share_init(&share, counts[c], threads[t]);
#pragma omp parallel num_threads(threads[t])
            {
                struct share_turn turn = share_turn(&share, omp_get_thread_num());
                for (struct row_range items; share_take(&turn, &items);)
                    for (size_t i = items.first; i < items.end; i++)
                        taken[i]++;
            }
            for (size_t i = 0; i < ITEMS_MOST; i++)
                CU_ASSERT_EQUAL_FATAL(taken[i], i < counts[c]);
        }
}

static void a_thread_begins_with_its_own(void)
{
    static const size_t counts[] = {1, 3, 64, 1000, SIZE_MAX};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (int threads = 1; threads <= 300; threads += 13)
            for (int t = 0; t < threads; t++) {
                size_t first = (size_t)((unsigned __int128)counts[c] * (unsigned)t / (unsigned)threads);
                size_t end = (size_t)((unsigned __int128)counts[c] * (unsigned)(t + 1) / (unsigned)threads);
                struct row_range own = share_own(counts[c], threads, t), items;
                CU_ASSERT(own.first == first && own.end == end);
                struct share share;
                share_init(&share, counts[c], threads);
                struct share_turn turn = share_turn(&share, t);
                CU_ASSERT_FATAL(share_take(&turn, &items));
                if (own.first < own.end && threads <= (int)SHARE_SEATS)
                    CU_ASSERT(items.first == own.first && items.end == own.first + (own.end - own.first + 1) / 2);
            }
}

/* One thread alone does what it has, half by half, and then what the others have not begun. */
static void what_others_have_not_begun_is_taken(void)
{
    struct share share;
    struct row_range items, expected[] = {{32, 48}, {48, 56}, {56, 60}, {60, 62}, {62, 63}, {63, 64},
                                          {0, 16},  {16, 24}, {24, 28}, {28, 30}, {30, 31}, {31, 32}};
    share_init(&share, 64, 2);
    struct share_turn turn = share_turn(&share, 1);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        CU_ASSERT_FATAL(share_take(&turn, &items));
        CU_ASSERT(items.first == expected[i].first && items.end == expected[i].end);
    }
    CU_ASSERT(!share_take(&turn, &items));
    CU_ASSERT(!share_take(&turn, &items));
}

TEST_MAIN("share", TEST(each_item_is_taken_once), TEST(a_thread_begins_with_its_own),
          TEST(what_others_have_not_begun_is_taken))
