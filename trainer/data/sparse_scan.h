/* The pass over sparse rows before training: as scan.h says, for them. */
#ifndef DATA_SPARSE_SCAN_H
#define DATA_SPARSE_SCAN_H

#include "data/fingerprint.h"
#include "data/scan.h"

/* Fills most and the weight sums, and adds the entries to the fingerprint. NaN is GM_BAD_DATA whatever data.missing
 * says: a missing value of sparse rows is an entry that is not there. */
enum gm_code sparse_scan(struct data_stats *stats, struct data_set *set, const struct data_split *split,
                         struct fingerprint *fingerprint, struct gm_error *err);

#endif
