/* Users or items of a dataset of ratings: from ids to indices. */
#ifndef DATA_RATINGS_IDS_H
#define DATA_RATINGS_IDS_H

#include "data/ratings.h"
#include "data/stored.h"

/* index [rows] for every id of `stored`, numbers or words: looked up in `known`, or, where that is NULL, in the sorted
 * vocabulary of what is found, which goes to `found`. GM_BAD_DATA: a negative id, ids of another kind; GM_SYSTEM. */
enum gm_code ratings_ids_read(uint32_t *index, struct ratings_ids *found, const struct stored *stored,
                              const struct ratings_ids *known, struct gm_error *err);
/* The same for the rows of a sparse matrix: stored is indptr, entries the number of its non-zeros. */
enum gm_code ratings_ids_expand(uint32_t *index, struct ratings_ids *found, const struct stored *stored, size_t entries,
                                const struct ratings_ids *known, struct gm_error *err);

#endif
