/*
 * One pass over the data before training: is every value finite, what are the means and scales, what is the
 * fingerprint.
 *
 * Means and variances are accumulated in double by lanes (Chan, Golub, LeVeque 1979: pairwise combination of shifted
 * sums), so they do not depend on threads or on streaming.
 *
 * Missing values, by options.missing: ERROR refuses them. SKIP gives their rows weight 0: windows of later passes carry
 * a weight even if the file has none. MEAN keeps the rows. In both, stats.fill says what a NaN feature must be replaced
 * with wherever features are converted (0 times NaN would still be NaN); for other data than the training set, use the
 * training set's.
 */
#ifndef DATA_SCAN_H
#define DATA_SCAN_H

#include "data/data.h"
#include "data/split.h"

struct data_stats {
    double *mean;       /* [features] weighted mean over training rows (weight 0 rows and NaN do not count) */
    double *deviation;  /* [features] weighted population standard deviation; 0 for a constant column */
    double *low, *high; /* [features] range over training rows */
    double *fill;       /* [features] what replaces a NaN: the mean; NULL when no feature is NaN */
    double *most;       /* [features] sparse rows only: the largest magnitude over training rows. mean, deviation, low,
                           high are NULL then */
    double weight_sum;  /* over training rows */
    double held_out_weight_sum;
    char fingerprint[33]; /* XXH3-128 of schema, features, target, weight and group values, hexadecimal; the same
                             resident or streamed, on any thread count and whatever the storage layout */
};

/* GM_BAD_DATA naming dataset, row and column of the first NaN or Inf in features (as options.missing says), target or
 * weight; a negative weight; all weights 0. The set must be loaded. */
enum gm_code scan_run(struct data_stats *stats, struct data_set *set, const struct lane_plan *plan,
                      const struct data_split *split, int threads, struct gm_error *err);
void scan_release(struct data_stats *stats);

#endif
