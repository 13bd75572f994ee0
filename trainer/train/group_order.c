/* The order of rows of a minibatch epoch for losses that take groups whole. */
#include "train/group_order.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "optim/optim.h"

static enum gm_code take_memory(struct group_order *o, size_t rows, struct gm_error *err)
{
    static const char what[] = "the order of groups";
    enum gm_code code;
    if ((code = memory_alloc((void **)&o->start, rows + 1, sizeof(size_t), what, err)) ||
        (code = memory_alloc((void **)&o->sorted, rows, sizeof(size_t), what, err)) ||
        (code = memory_alloc((void **)&o->shuffled, rows, sizeof(size_t), what, err)))
        return code;
    return memory_alloc((void **)&o->order, rows, sizeof(size_t), what, err);
}

enum gm_code group_order_init(struct group_order *o, const struct problem *p, struct gm_error *err)
{
    struct data_window window;
    *o = (struct group_order){0};
    if (p->loss.spec.coupling != GM_ROWS_GROUPED ||
        optim_is_full_batch((enum optim_method)p->job->optimizer.type)) /* others shuffle, also a batch of all rows */
        return GM_OK;
    if (!data_whole(p->train.set, &window)) {
        return error_set(
            err, GM_BAD_JOB,
            "optimizer.batch_size: batches of whole groups need the data in memory, and they stream. Raise "
            "run.memory, or train on the full batch (gd, lbfgs), which streams.");
    }
    enum gm_code code = take_memory(o, window.rows, err);
    if (code) {
        group_order_release(o);
        return code;
    }
    const int64_t *group = window.group;
    for (size_t row = 0; row < window.rows; row++) {
        if (split_held_out(&p->split, row))
            continue;
        if (!o->rows || group[row] != group[o->sorted[o->rows - 1]])
            o->start[o->groups++] = o->rows;
        o->sorted[o->rows++] = row;
    }
    o->start[o->groups] = o->rows;
    return GM_OK;
}

void group_order_release(struct group_order *o)
{
    memory_free(o->start);
    memory_free(o->sorted);
    memory_free(o->shuffled);
    memory_free(o->order);
    *o = (struct group_order){0};
}

/* Fisher and Yates, as the rows of other losses are shuffled. */
static void shuffle(struct group_order *o, uint64_t seed, uint32_t epoch)
{
    struct random_key key = {seed, RANDOM_SHUFFLE_ROWS, epoch};
    for (size_t i = 0; i < o->groups; i++)
        o->shuffled[i] = i;
    for (size_t i = o->groups; i > 1; i--) {
        size_t pick = random_below(key, i - 1, i), kept = o->shuffled[i - 1];
        o->shuffled[i - 1] = o->shuffled[pick];
        o->shuffled[pick] = kept;
    }
}

struct data_window group_order_window(struct group_order *o, const struct problem *p, uint32_t epoch)
{
    struct data_window window;
    data_whole(p->train.set, &window);
    shuffle(o, p->job->run.seed, epoch);
    for (size_t i = 0, at = 0; i < o->groups; i++) {
        size_t first = o->start[o->shuffled[i]], rows = o->start[o->shuffled[i] + 1] - first;
        memcpy(o->order + at, o->sorted + first, rows * sizeof *o->order);
        at += rows;
    }
    window.order = o->order;
    window.order_rows = o->rows;
    return window;
}

size_t group_order_batch(const struct data_window *window, size_t at, size_t most)
{
    size_t end = pieces_group_end(window->group, window->order, at, window->order_rows);
    while (end < window->order_rows) {
        size_t next = pieces_group_end(window->group, window->order, end, window->order_rows);
        if (next - at > most)
            break;
        end = next;
    }
    return end - at;
}
