/*
 * How the values of one dataset lie in its file, and which of our own ways can read them.
 *
 * DATA_IO_MAPPED: contiguous, read from the file without HDF5; in native order the resident file is mapped and nothing
 * is copied. DATA_IO_CHUNKS: chunks whose filters are among shuffle, deflate and fletcher32: HDF5 fetches the stored
 * bytes, we decode them on all threads; without filters we read them where HDF5 says they are. DATA_IO_BANDS:
 * everything else, through H5Dread.
 */
#ifndef DATA_LAYOUT_H
#define DATA_LAYOUT_H

#include "data/data.h"
#include "data/stored.h"

enum { LAYOUT_FILTERS_MOST = 4 };

enum layout_filter { LAYOUT_SHUFFLE, LAYOUT_DEFLATE, LAYOUT_FLETCHER32 };

struct layout {
    enum data_io io;    /* the best way: MAPPED, CHUNKS or BANDS */
    char reason[160];   /* why not a better one; "" for MAPPED */
    size_t value_bytes; /* of one stored value */
    bool swapped;       /* stored in the other byte order */
    uint64_t offset;    /* MAPPED: of the first value, from the start of the file */
    bool as_is;         /* MAPPED: native order and aligned: values can be used where they are */
    size_t chunk[H5_RANK_MOST];
    size_t chunk_bytes;                              /* of a decoded chunk */
    bool raw_edges;                                  /* chunks that reach over the edge are stored without filters */
    enum layout_filter filters[LAYOUT_FILTERS_MOST]; /* in the order of writing */
    size_t n_filters;
};

/* Never fails: what cannot be read in another way is DATA_IO_BANDS. Takes hdf5_lock. */
void layout_plan(struct layout *layout, const struct stored *stored);

#endif
