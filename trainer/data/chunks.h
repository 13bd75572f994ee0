/*
 * Reading rows of a chunked dataset on all threads: each thread in turn fetches the stored bytes of a chunk through
 * HDF5, under the lock, and then decodes and places it beside the others. Chunks without filters are read from their
 * places in the file, without HDF5 (placed.h).
 */
#ifndef DATA_CHUNKS_H
#define DATA_CHUNKS_H

#include "data/layout.h"

struct chunks;

/* `stored` and `layout` are borrowed until chunks_close; layout->io must be DATA_IO_CHUNKS. GM_SYSTEM. */
enum gm_code chunks_open(struct chunks **out, const struct stored *stored, const struct layout *layout, int threads,
                         struct gm_error *err);
void chunks_close(struct chunks *chunks); /* NULL is fine */

/* Rows [first, first + rows) to `to`, as stored_read. A band of filtered chunks that is cut by the end of the range is
 * kept for the next call, so that reading on decodes no chunk twice. GM_IO, GM_BAD_DATA, GM_SYSTEM; the lowest failing
 * chunk is reported.
 */
enum gm_code chunks_read(struct chunks *chunks, size_t first, size_t rows, void *to, struct gm_error *err);

/* Bytes a reader needs beside the rows it fills, for windows of `window_rows` rows. */
uint64_t chunks_bytes(const struct stored *stored, const struct layout *layout, size_t window_rows, int threads);

#endif
