/* Where in a sparse row the columns from a bound on begin: rows are short and many, so no branch may be guessed wrong.
 */
#include "train/sparse_cut.h"

#define NEAR ((size_t)16) /* entries that are all looked at, in vector registers */

/* Binary search without a branch on what is found. */
static inline size_t below(const uint32_t *index, size_t count, uint32_t bound)
{
    const uint32_t *at = index;
    while (count > 0) {
        size_t half = (count + 1) / 2;
        at += half & -(size_t)(at[half - 1] < bound);
        count -= half;
    }
    return (size_t)(at - index);
}

size_t sparse_cut(const uint32_t *index, size_t count, size_t about, uint32_t bound)
{
    if (count < NEAR)
        return below(index, count, bound);
    size_t low = about > NEAR / 2 ? about - NEAR / 2 : 0;
    low = low < count - NEAR ? low : count - NEAR;
    uint32_t less = 0;
    for (size_t i = 0; i < NEAR; i++)
        less += index[low + i] < bound;
    if (less == 0)
        return below(index, low, bound);
    if (less == NEAR)
        return low + NEAR + below(index + low + NEAR, count - low - NEAR, bound);
    return low + less;
}
