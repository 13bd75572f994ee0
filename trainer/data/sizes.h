/*
 * Chunks that are not compressed have one size, whatever the index of chunks says of them; also those of a dataset with
 * filters, where the index says of single ones that their filters were left out. HDF5 takes the index at its word: it
 * reads beyond the end of a chunk that is said to be smaller. So all are looked at before HDF5 reads the first.
 */
#ifndef DATA_SIZES_H
#define DATA_SIZES_H

#include "data/stored.h"

/* How the dataset is stored; chunk [H5_RANK_MOST], 0 beyond the rank; bytes: of a chunk that is not compressed. */
void sizes_init(struct stored_sizes *sizes, hid_t plist, const hsize_t *chunk, size_t bytes);

/* Once a dataset, at the first call: O(chunks). GM_BAD_DATA with the row. The caller holds hdf5_lock. */
enum gm_code sizes_check(const struct stored *stored, struct gm_error *err);

/* In a trial in a child process: look at none. What a wrong one does there harms nobody, and it is told later. */
void sizes_trust(const struct stored *stored);

/* The same, for a small dataset that is not opened as rows: false where a size is wrong. */
bool sizes_are_right(hid_t dataset);

/* Bytes of a value in the file, of the type that H5Dget_type tells: that is the one in memory, where a word of any
 * length is a pointer. */
size_t sizes_in_file(hid_t dataset, hid_t type);

#endif
