/*
 * Reading rows of chunks that have no filter: from their places in the file (places.h), without HDF5, each value copied
 * once to a buffer that stays in the cache and from there to its row, on all threads; chunks of whole rows straight to
 * theirs. Any range of rows: no chunk is read further than its rows are wanted.
 */
#ifndef DATA_PLACED_H
#define DATA_PLACED_H

#include "data/layout.h"

struct placed;

/* Is it worth trying? No filters, and side by side in one dimension only. */
bool placed_fits(const struct stored *stored, const struct layout *layout);

/* `stored` and `layout` are borrowed until placed_close. *out is NULL, without an error, when the places cannot be
 * found. GM_SYSTEM. */
enum gm_code placed_open(struct placed **out, const struct stored *stored, const struct layout *layout, int threads,
                         struct gm_error *err);
void placed_close(struct placed *placed); /* NULL is fine */

/* Rows [first, first + rows) to `to`, as stored_read; one call at a time. GM_IO, GM_BAD_DATA, GM_SYSTEM. */
enum gm_code placed_read(struct placed *placed, size_t first, size_t rows, void *to, struct gm_error *err);

/* Bytes it needs beside the rows it fills. */
uint64_t placed_bytes(const struct stored *stored, const struct layout *layout, int threads);

#endif
