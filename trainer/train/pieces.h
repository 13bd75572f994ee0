/*
 * In which calls the rows of a dataset come to a loss that couples them: a ranking loss gets groups whole, a batch
 * loss a batch whole. A pure function of the data, of the split and of the size of a batch.
 */
#ifndef TRAIN_PIECES_H
#define TRAIN_PIECES_H

#include <stdint.h>

#include "data/data.h"
#include "data/split.h"

/* A batch loss compares all rows of a call with each other: more than these in one call are refused unless asked for.
 */
#define PIECES_BATCH_MOST ((size_t)8192)

struct pieces {
    size_t *index;         /* [rows] rows: those that train in storage order, then those held out */
    size_t *first;         /* [count + 1] a call gets rows index[first[i]] .. index[first[i + 1] - 1] */
    size_t count, n_train; /* calls; those with rows that train come first */
    size_t rows, most;     /* rows in all; in the largest call */
    size_t largest_group;  /* rows */
};

struct pieces_request {
    const struct data_set *set;
    const struct data_split *split; /* NULL or without a mask: nothing is held out */
    const char *loss;               /* for messages */
    bool grouped;                   /* whole groups; else whole batches */
    size_t batch_rows;              /* rows of a batch; 0: all that train at once */
    bool trains;                    /* else a batch may be cut where it is too large */
};

/* GM_BAD_DATA: there are no groups, or the rows of one do not stand together (with the row); a full batch of too many
 * rows. */
enum gm_code pieces_init(struct pieces *p, const struct pieces_request *request, struct gm_error *err);
void pieces_release(struct pieces *p); /* a zeroed struct is fine */

/* Cut `rows` rows of whole groups, given by their numbers, into calls: first [rows + 1]. Returns how many. */
size_t pieces_cut_groups(const int64_t *group, size_t rows, size_t *first);
/* The end of the group that begins at `row` of an order (NULL: storage order). */
size_t pieces_group_end(const int64_t *group, const size_t *order, size_t row, size_t rows);

#endif
