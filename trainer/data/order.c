/* The order of a shuffled pass. */
#include "data/order.h"

#include "base/random.h"

#define GROUP_BYTES ((size_t)64 << 20)

size_t order_group_slabs(const struct lane_plan *plan, size_t row_bytes)
{
    size_t slab_bytes = plan->slab_rows * (row_bytes + 3 * sizeof(size_t));
    size_t slabs = GROUP_BYTES / slab_bytes;
    if (slabs > plan->slabs)
        slabs = plan->slabs;
    return slabs ? slabs : 1;
}

static void swap(size_t *a, size_t *b)
{
    size_t kept = *a;
    *a = *b;
    *b = kept;
}

void order_slabs(const struct lane_plan *plan, const struct data_order *order, size_t *to)
{
    struct random_key key = {order->seed, RANDOM_SHUFFLE_SLABS, order->epoch};
    for (size_t i = 0; i < plan->slabs; i++)
        to[i] = i;
    for (size_t i = plan->slabs; i > 1; i--)
        swap(&to[i - 1], &to[random_below(key, i - 1, i)]);
}

static bool takes_part(const struct data_order *order, size_t row)
{
    return !order->mask || (order->mask[row / 64] >> (row % 64) & 1) == order->mask_value;
}

void order_shuffle(struct order_rows *out, const struct lane_plan *plan, const struct data_order *order,
                   const struct order_group *group, int threads)
{
    out->rows = out->taken = 0;
    for (size_t i = 0; i < group->count; i++) {
        size_t first = group->slabs[i] * plan->slab_rows, end = first + plan->slab_rows;
        for (size_t row = first; row < end && row < plan->rows; row++) {
            if (takes_part(order, row))
                out->order[out->taken++] = out->rows;
            out->row_of[out->rows++] = row;
        }
    }
    struct random_key key = {order->seed, RANDOM_SHUFFLE_ROWS, order->epoch};
    size_t taken = out->taken, *picks = out->picks; /* the draws are most of the work, and need no order */
#pragma omp parallel for num_threads(threads) schedule(static) if (taken > 4096)
    for (size_t i = 1; i < taken; i++)
        picks[i] = random_below(key, group->base + i, i + 1);
    for (size_t i = taken; i > 1; i--)
        swap(&out->order[i - 1], &out->order[picks[i - 1]]);
}
