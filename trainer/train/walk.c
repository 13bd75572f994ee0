/* Visiting every row of a dataset on all threads. */
#include "train/walk.h"

#include <omp.h>

/* All of a lane's blocks in slabs [first, end) of the window. */
static void walk_lane(const struct walk *w, const struct data_window *window, const struct row_range *slabs,
                      size_t lane, int thread)
{
    const struct lane_plan *plan = w->plan;
    for (size_t slab = slabs->first; slab < slabs->end; slab++) {
        struct row_range run = lane_run(plan, slab, lane);
        for (size_t row = run.first; row < run.end; row += plan->block_rows) {
            struct walk_block block = {.window = window,
                                       .first = row - window->first_row,
                                       .rows = run.end - row < plan->block_rows ? run.end - row : plan->block_rows,
                                       .row = row,
                                       .next = row + 2 * plan->block_rows <= run.end};
            w->visit(w->context, thread, lane, &block);
        }
    }
}

static void walk_slabs(const struct walk *w, const struct data_window *window, struct row_range slabs)
{
    size_t lanes = w->plan->lanes;
    if (w->threads == 1) {
        for (size_t lane = 0; lane < lanes; lane++)
            walk_lane(w, window, &slabs, lane, 0);
        return;
    }
#pragma omp parallel for num_threads(w->threads) schedule(dynamic, 1)
    for (size_t lane = 0; lane < lanes; lane++)
        walk_lane(w, window, &slabs, lane, omp_get_thread_num());
}

/* false: the visitor wants no more. */
static bool walk_window(const struct walk *w, const struct data_window *window)
{
    size_t slab_rows = w->plan->slab_rows, end = window->first_row + window->rows;
    struct row_range slabs = {window->first_row / slab_rows, (end + slab_rows - 1) / slab_rows};
    if (!w->visited) {
        walk_slabs(w, window, slabs);
        return true;
    }
    for (size_t slab = slabs.first; slab < slabs.end; slab++) {
        size_t first = slab * slab_rows, last = first + slab_rows < end ? first + slab_rows : end;
        walk_slabs(w, window, (struct row_range){slab, slab + 1});
        if (!w->visited(w->context, first, last))
            return false;
    }
    return true;
}

enum gm_code walk_rows(const struct walk *w, struct gm_error *err)
{
    struct data_pass *pass = NULL;
    const struct data_window *window = NULL;
    enum gm_code code = data_pass_open(&pass, w->set, &(struct data_order){0}, err);
    while (!code && !(code = data_pass_next(pass, &window, err)) && window && walk_window(w, window))
        ;
    data_pass_close(pass);
    return code;
}
