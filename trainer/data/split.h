/* Which rows are held out for validation: a pure function of (seed, row), stored as one bit a row. */
#ifndef DATA_SPLIT_H
#define DATA_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

struct data_split {
    uint64_t *mask; /* [ceil(rows / 64)] bit i % 64 of word i / 64: row i is held out; NULL: no row is */
    size_t rows, held_out;
};

/* Row i is held out when uniform(seed, RANDOM_SPLIT, i) < fraction. With groups ([rows] or NULL) the group number is
 * hashed instead of the row, so that groups stay whole. fraction 0: no mask. GM_BAD_DATA when one side is left empty.
 */
enum gm_code split_init(struct data_split *split, size_t rows, double fraction, uint64_t seed, const int64_t *group,
                        struct gm_error *err);
/* Row i is held out when marks[i] is 1 (data_split_marks). GM_BAD_DATA when no row is left to train on; no held-out row
 * is fine: then there is no mask. `at` is for the message. */
enum gm_code split_from_marks(struct data_split *split, size_t rows, const uint8_t *marks, const char *at,
                              struct gm_error *err);
void split_release(struct data_split *split);

static inline bool split_held_out(const struct data_split *split, size_t row)
{
    return split->mask && (split->mask[row / 64] >> (row % 64) & 1);
}

#endif
