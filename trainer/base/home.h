/*
 * Where memory lives. Linux puts a page on the memory node of the thread that writes it first, so each thread writes
 * the pages first that it will work on: those of the items it begins with (base/share.h). On a machine with one node,
 * or for few bytes, nothing is touched.
 *
 * For memory that memory_alloc has just given and nobody has written: it stays zeroed. `threads` are those that will
 * work on it, and the calling thread is their first.
 */
#ifndef BASE_HOME_H
#define BASE_HOME_H

#include <stddef.h>
#include <stdint.h>

#include "base/lanes.h"

/* Memory whose parts belong to the threads in turn, as ranges of parameters do. */
void home_of_items(void *memory, size_t bytes, int threads);
/* Rows of a dataset, or of a window of it that begins with a slab, by the lanes they belong to: row i is values
 * start[i] .. start[i + 1] - 1, `bytes` each; start NULL: it is one value. */
void home_of_rows(void *memory, size_t bytes, const uint64_t *start, const struct lane_plan *plan, int threads);

#endif
