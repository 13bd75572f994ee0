/*
 * Where the chunks of a dataset are in its file, asked of HDF5 without reading them.
 *
 * H5Dget_chunk_info walks over all chunks for each answer, in every version up to 1.14. H5Dread_chunk finds one in
 * logarithmic time but does not say where: it is called on a second opening of the file, whose driver is ours and notes
 * the address that it is asked to read.
 */
#ifndef DATA_PLACES_H
#define DATA_PLACES_H

#include "data/layout.h"

#define PLACE_NONE  UINT64_MAX       /* HDF5 must be asked: never written, as a rule */
#define PLACE_WRONG (UINT64_MAX - 1) /* stored in another size than it can have, which HDF5 does not survive */

struct places {
    hid_t file, dataset;
    struct places_file *driver; /* HDF5's, while `file` is open */
    unsigned char *unused;      /* [chunk_bytes] what HDF5 is told to read to */
    size_t chunk_bytes;
    int fd; /* of the file, for reading from it; places_close closes it */
};

/* The last chunk, where it was never written the first, is compared with what HDF5 reads. False: it cannot be done, and
 * nothing is open. Takes hdf5_lock. */
bool places_open(struct places *places, const struct stored *stored, const struct layout *layout);
void places_close(struct places *places); /* a zeroed struct is fine */

/* What the file says of the chunk at `start`: which filters were left out, and its size. False: it was never written,
 * as a rule. The caller holds hdf5_lock. */
bool places_size(const struct places *places, const hsize_t *start, uint32_t *mask, size_t *bytes);

/* The offset in the file of the chunk at `start`, all of whose bytes lie within the file; or PLACE_NONE, PLACE_WRONG.
 * The caller holds hdf5_lock. */
uint64_t places_find(const struct places *places, const hsize_t *start);

#endif
