/*
 * Items 0 .. n - 1 shared among the threads of a region, as near to a fixed share as other work on the machine allows.
 *
 * Thread t of T begins with its own items, [t n / T, (t + 1) n / T): the same in every pass, so that it finds in its
 * caches, and on its memory node (base/home.h), what it had there. Then it takes what others have not begun. Always
 * half of what is left, so that all end together. Which thread gets an item is not known beforehand: results must not
 * depend on it.
 *
 *     struct share share;
 *     share_init(&share, n, threads);
 *     #pragma omp parallel num_threads(threads)
 *     {
 *         struct share_turn turn = share_turn(&share, omp_get_thread_num());
 *         for (struct row_range items; share_take(&turn, &items);)
 *             for (size_t i = items.first; i < items.end; i++) ...
 *     }
 */
#ifndef BASE_SHARE_H
#define BASE_SHARE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/lanes.h"

#define SHARE_SEATS ((size_t)256) /* beyond so many, neighbouring threads begin with the same items */

struct share {
    size_t items, seats, threads;
    atomic_size_t next[SHARE_SEATS];
};

struct share_turn {
    struct share *share;
    size_t seat, looked_at; /* where it takes items, and how many seats have been found empty */
};

void share_init(struct share *share, size_t items, int threads);
struct share_turn share_turn(struct share *share, int thread);
/* The next items; false: none are left. */
bool share_take(struct share_turn *turn, struct row_range *items);

/* The items that thread `thread` begins with. */
struct row_range share_own(size_t items, int threads, int thread);

#endif
