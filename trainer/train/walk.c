/* Visiting every row of a dataset on all threads. */
#include "train/walk.h"

#include <omp.h>
#include <stdatomic.h>

#include "base/error.h"
#include "base/share.h"

/* A walk under way. */
struct walking {
    const struct walk *walk;
    atomic_bool stopped;
};

/* The first thread asks for all. */
static bool stops(struct walking *s, int thread)
{
    const struct walk_stop *stop = s->walk->stop;
    if (thread == 0 && stop && stop->asked && stop->asked(stop->context))
        atomic_store_explicit(&s->stopped, true, memory_order_relaxed);
    return atomic_load_explicit(&s->stopped, memory_order_relaxed);
}

/* A lane's blocks in one slab. */
static void walk_run(const struct walk *w, const struct data_window *window, size_t slab, size_t lane, int thread)
{
    const struct lane_plan *plan = w->plan;
    struct row_range run = lane_run(plan, slab, lane);
    for (size_t row = run.first; row < run.end; row += plan->block_rows) {
        struct walk_block block = {.window = window,
                                   .first = row - window->first_row,
                                   .rows = run.end - row < plan->block_rows ? run.end - row : plan->block_rows,
                                   .row = row};
        block.next = block.first + 2 * plan->block_rows <= window->rows;
        w->visit(w->context, thread, lane, &block);
    }
}

/* The lanes of one share, in slabs [first, end). A lane's blocks come in row order. */
static void walk_lanes(struct walking *s, const struct data_window *window, struct row_range slabs,
                       struct row_range lanes)
{
    int thread = omp_get_thread_num();
    for (size_t slab = slabs.first; slab < slabs.end; slab++)
        for (size_t lane = lanes.first; lane < lanes.end && !stops(s, thread); lane++)
            walk_run(s->walk, window, slab, lane, thread);
}

/* Slabs [first, end) of the window. Neighbouring lanes for one thread: it reads long stretches of memory. */
static void walk_slabs(struct walking *s, const struct data_window *window, struct row_range slabs)
{
    struct share share;
    share_init(&share, s->walk->plan->lanes, s->walk->threads);
#pragma omp parallel num_threads(s->walk->threads) if (s->walk->threads > 1)
    {
        struct share_turn turn = share_turn(&share, omp_get_thread_num());
        for (struct row_range lanes; share_take(&turn, &lanes);)
            walk_lanes(s, window, slabs, lanes);
    }
}

/* false: the visitor wants no more. */
static bool walk_window(struct walking *s, const struct data_window *window)
{
    const struct walk *w = s->walk;
    size_t slab_rows = w->plan->slab_rows, end = window->first_row + window->rows;
    struct row_range slabs = {window->first_row / slab_rows, (end + slab_rows - 1) / slab_rows};
    if (!w->visited) {
        walk_slabs(s, window, slabs);
        return true;
    }
    for (size_t slab = slabs.first; slab < slabs.end; slab++) {
        size_t first = slab * slab_rows, last = first + slab_rows < end ? first + slab_rows : end;
        walk_slabs(s, window, (struct row_range){slab, slab + 1});
        if (!w->visited(w->context, first, last))
            return false;
    }
    return true;
}

enum gm_code walk_rows(const struct walk *w, struct gm_error *err)
{
    struct walking s = {.walk = w};
    struct data_pass *pass = NULL;
    const struct data_window *window = NULL;
    enum gm_code code = data_pass_open(&pass, w->set, &(struct data_order){0}, err);
    while (!code && !s.stopped && !(code = data_pass_next(pass, &window, err)) && window && walk_window(&s, window))
        ;
    data_pass_close(pass);
    return !code && s.stopped ? error_set(err, GM_INTERRUPTED, "Interrupted in a pass over the data.") : code;
}
