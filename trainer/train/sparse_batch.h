/*
 * A batch of sparse rows on a few threads: forward, and who updates which columns.
 *
 * For the update the columns are cut into ranges, each taken by one thread: within a column entries come in the order
 * of the rows whoever has its range. Rows go forward in parts, each by one thread; where there is one output, entries
 * were multiplied by the weights range by range before, and a part only adds. So a weight stays in the cache of one
 * core: to fetch what another has changed takes longer than to compute with it, twice as long where the two share no
 * cache. The bits depend neither on threads nor on where the ranges end. Even small batches are shared, by a team whose
 * threads wait awake (base/team.h).
 */
#ifndef TRAIN_SPARSE_BATCH_H
#define TRAIN_SPARSE_BATCH_H

#include "base/team.h"
#include "train/engine.h"

enum { SPARSE_PARTS = 64 }; /* of a batch's rows, at most; each has a struct lane_sums of the engine */

struct sparse_batch {
    struct engine *engine;
    struct team *team; /* NULL: one thread */
    size_t width, block_rows;
    size_t most;     /* ranges */
    uint32_t *cuts;  /* [most + 1] columns where the ranges of a shared batch begin */
    bool chosen;     /* they are */
    void *value;     /* [entries] of rows that must be converted, with */
    uint32_t *index; /* their columns; else NULL */
    uint64_t *start; /* [rows + ahead] where the entries of a row are in the arrays of `all` */
    uint32_t *count; /* [rows + ahead] */
    uint64_t *first; /* [most x rows] and where those of a range */
    uint32_t *part;  /* [most x rows] */
    uint64_t *sizes; /* [most] entries of a range */
    void *product;   /* [most x entries] of the ranges' entries with their weights; NULL: rows go forward whole */
    uint32_t *at;    /* [most x rows] where in it those of a row begin */
    double *slopes;  /* [rows x width] the loss's derivatives */
    size_t room;     /* rows, with those ahead */
    uint64_t most_entries;
    /* of the batch at hand */
    const struct engine_batch *batch;
    struct model_block all; /* its rows, in the model's precision */
    size_t rows, ranges, parts, part_rows;
    uint64_t entries;
    bool cut;      /* first, part and sizes are of this batch */
    double factor; /* on the predictions */
    /* what is done with a range */
    team_fn *range_fn;
    void *range_context;
};

/* For batches of up to `rows` rows with `entries` entries. GM_SYSTEM. To be closed also after an error. */
enum gm_code sparse_batch_open(struct sparse_batch *s, struct engine *e, size_t rows, uint64_t entries,
                               struct gm_error *err);
void sparse_batch_close(struct sparse_batch *s); /* a zeroed struct is fine */

/* Begin with a batch. */
void sparse_batch_plan(struct sparse_batch *s, const struct engine_batch *b);
/* Predictions, times `factor`, and loss: slopes, and own: the batch's sums. GM_PLUGIN_BROKEN. */
enum gm_code sparse_batch_forward(struct sparse_batch *s, double factor, struct engine_totals *own,
                                  struct gm_error *err);
/* fn for each range of the columns; NULL: they are only cut. */
void sparse_batch_ranges(struct sparse_batch *s, team_fn *fn, void *context);
/* fn for TEAM_ITEMS parts of something else, on the team: OpenMP's threads, once woken, would spin beside it. */
void sparse_batch_share(struct sparse_batch *s, team_fn *fn, void *context);
/* The entries of a range, inside of fn: all rows of the batch. */
struct model_block sparse_batch_block(const struct sparse_batch *s, size_t range);
/* Where in an array for all entries of the batch those of the range may be kept: entries of the ranges before it, known
 * after a first sparse_batch_ranges. */
size_t sparse_batch_offset(const struct sparse_batch *s, size_t range);

#endif
