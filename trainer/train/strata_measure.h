/* Loss and metrics of a factorization over some ratings, the same bits at any number of threads. */
#ifndef TRAIN_STRATA_MEASURE_H
#define TRAIN_STRATA_MEASURE_H

#include "train/strata.h"

/* Mean loss of f over a set of ratings, or over events and their negatives (drawn evenly from all items, the same in
 * every call). GM_PLUGIN_BROKEN. */
enum gm_code strata_loss(const struct strata *s, const struct factorization *f, const struct grid_set *set,
                         double *loss, struct gm_error *err);

/* With ratings: rmse, mae, r2 or accuracy, as for other models. With events: how the model ranks each one among
 * STRATA_CANDIDATES items drawn evenly (the same in every call): hit_rate (it is among the first 10), ndcg (at 10), auc
 * (share of candidates below it, a tie is half). He et al., "Neural collaborative filtering", WWW 2017, section 4.1. */
#define STRATA_CANDIDATES 100
enum gm_code strata_metrics(const struct strata *s, const struct factorization *f, const struct grid_set *set,
                            struct gm_metrics *metrics, struct gm_error *err);

#endif
