/*
 * One dataset of rows, read without HDF5 where that works: from its chunks, decoded by us, or from its place in the
 * file. Where it does not, HDF5 reads it.
 */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include "data/chunks.h"
#include "data/layout.h"
#include "data/mapped.h"
#include "data/stored.h"

struct dataset {
    struct stored stored; /* not open: the dataset is not there, and the functions below do nothing */
    struct layout layout;
    struct chunks *chunks;
    struct mapped mapped;
    int threads; /* to read it */
};

/* How it will be read, before the first of what follows. */
void dataset_plan(struct dataset *dataset);
/* Ready for dataset_read, on up to so many threads. What that takes lasts until dataset_rest. GM_SYSTEM. */
enum gm_code dataset_open(struct dataset *dataset, int threads, struct gm_error *err);
void dataset_rest(struct dataset *dataset); /* a zeroed struct is fine; `stored` stays open */
/* Bytes that it takes meanwhile. */
uint64_t dataset_bytes(const struct dataset *dataset, int threads);

/* Rows [first, first + count), as stored_read. */
enum gm_code dataset_read(const struct dataset *dataset, size_t first, size_t count, void *to, struct gm_error *err);

/* What stands beside the features, ready to be read once by one thread; `stored` is borrowed until dataset_rest. HDF5
 * reads it as fast as we would, but not chunks with filters: it reads beyond the end of one that inflates short. */
enum gm_code dataset_beside(struct dataset *dataset, const struct stored *stored, struct gm_error *err);

#endif
