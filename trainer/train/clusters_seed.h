/* The best of some restarts of k-means++ and Lloyd's iteration on rows in memory. */
#ifndef TRAIN_CLUSTERS_SEED_H
#define TRAIN_CLUSTERS_SEED_H

#include <stdint.h>

#include <gradmill/status.h>

#include <stddef.h>

struct seed_request {
    const double *rows;    /* [count x stride] padded with zeros */
    const double *weights; /* [count] */
    size_t count, stride, centres, restarts;
    uint64_t seed;
    int threads;
};

/* centres_out [centres x stride]. The same bits on any number of threads: a restart runs on one. */
enum gm_code clusters_seed(const struct seed_request *q, double *centres_out, struct gm_error *err);

#endif
