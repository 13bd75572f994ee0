/* Where in a sparse row the columns from a bound on begin. */
#ifndef TRAIN_SPARSE_CUT_H
#define TRAIN_SPARSE_CUT_H

#include <stddef.h>
#include <stdint.h>

/* Entries below column `bound` of index [count], which ascends. about: how many are likely; it is found fast then. */
size_t sparse_cut(const uint32_t *index, size_t count, size_t about, uint32_t bound);

#endif
