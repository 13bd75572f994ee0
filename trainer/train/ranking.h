/*
 * Metrics of the order of all rows: the exact area under the ROC curve, and NDCG within groups. They need every row's
 * score at once, so scores are kept: 32 bytes a row.
 */
#ifndef TRAIN_RANKING_H
#define TRAIN_RANKING_H

#include <stdint.h>

#include "data/split.h"

#define RANKING_FIRST 10 /* places that count for NDCG */

struct ranked_row {
    double score;
    double value; /* AUC: the row's weight, below 0 for the negative class; NDCG: its relevance */
};

struct ranking {
    struct ranked_row *rows;    /* [count] in the dataset's order */
    struct ranked_row *sorting; /* [count] working space */
    size_t count;
};

/* More than `most` bytes: GM_OK with rows NULL, and the metrics are left out. */
enum gm_code ranking_init(struct ranking *r, size_t count, uint64_t most, struct gm_error *err);
void ranking_release(struct ranking *r);

/* sides[0]: rows that train, sides[1]: rows that are held out (split NULL: none). Probability that a positive row has a
 * higher score than a negative one, ties a half (Hanley and McNeil 1982), weighted. NaN where a class is missing. */
void ranking_auc(struct ranking *r, const struct data_split *split, double sides[2]);
/* Mean over groups (equal numbers, rows together) of DCG / ideal DCG over the first places, gain 2^relevance - 1,
 * discount 1 / log2(1 + place) (Jarvelin and Kekalainen 2002; Burges et al. 2005). Rows of equal score share the mean
 * gain (McSherry and Najork 2008). Groups without a relevant row do not count; NaN without any. */
void ranking_ndcg(struct ranking *r, const int64_t *group, const struct data_split *split, double sides[2]);

#endif
