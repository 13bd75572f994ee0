/*
 * The order of rows of a minibatch epoch for losses that take groups whole: the groups that train are shuffled, the
 * rows of each stay together and in order. A pure function of the groups, the split, the seed and the epoch.
 */
#ifndef TRAIN_GROUP_ORDER_H
#define TRAIN_GROUP_ORDER_H

#include "train/problem.h"

struct group_order {
    size_t groups, rows; /* that train; groups 0: the loss takes rows one by one, or full batches */
    size_t *start;       /* [groups + 1] first row of each, in `sorted` */
    size_t *sorted;      /* [rows] rows that train, in storage order */
    size_t *shuffled;    /* [groups] */
    size_t *order;       /* [rows] of the epoch */
};

/* Empty unless p trains on batches with a loss that takes groups. GM_BAD_JOB: the data stream. */
enum gm_code group_order_init(struct group_order *o, const struct problem *p, struct gm_error *err);
void group_order_release(struct group_order *o); /* a zeroed struct is fine */

/* The window of an epoch: all rows, with its order. */
struct data_window group_order_window(struct group_order *o, const struct problem *p, uint32_t epoch);
/* Rows of the batch that begins at order[at]: whole groups, at most `most` rows or one group. */
size_t group_order_batch(const struct data_window *window, size_t at, size_t most);

#endif
