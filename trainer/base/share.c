/* Items shared among threads, each beginning with its own. */
#include "base/share.h"

static struct row_range part(size_t items, size_t parts, size_t number)
{
    size_t each = items / parts, more = items % parts; /* without a product that could overflow */
    return (struct row_range){number * each + number * more / parts, (number + 1) * each + (number + 1) * more / parts};
}

struct row_range share_own(size_t items, int threads, int thread)
{
    return part(items, (size_t)threads, (size_t)thread);
}

void share_init(struct share *share, size_t items, int threads)
{
    share->items = items;
    share->threads = threads > 1 ? (size_t)threads : 1;
    share->seats = share->threads < SHARE_SEATS ? share->threads : SHARE_SEATS;
    for (size_t seat = 0; seat < share->seats; seat++)
        atomic_init(&share->next[seat], part(items, share->seats, seat).first);
}

struct share_turn share_turn(struct share *share, int thread)
{
    return (struct share_turn){share, (size_t)thread * share->seats / share->threads, 0};
}

bool share_take(struct share_turn *turn, struct row_range *items)
{
    struct share *share = turn->share;
    for (; turn->looked_at < share->seats; turn->looked_at++) {
        atomic_size_t *next = &share->next[turn->seat];
        size_t end = part(share->items, share->seats, turn->seat).end;
        size_t first = atomic_load_explicit(next, memory_order_relaxed);
        while (first < end) {
            size_t count = (end - first + 1) / 2;
            if (!atomic_compare_exchange_weak_explicit(next, &first, first + count, memory_order_relaxed,
                                                       memory_order_relaxed))
                continue;
            *items = (struct row_range){first, first + count};
            return true;
        }
        turn->seat = turn->seat + 1 < share->seats ? turn->seat + 1 : 0;
    }
    return false;
}
