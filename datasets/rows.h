/*
 * Rows on their way into the arrays X and y: gathered in a window in memory, written a window at a time.
 *
 * In input order the window moves along. Shuffled, row i goes to place p(i) of a permutation (Fisher and Yates, drawn
 * from the seed: 8 bytes a row in memory); rows whose place is outside the window are left for another pass over the
 * input, so any file can be shuffled in bounded memory: rows_passes tells how often the input must be read.
 */
#ifndef DATASETS_ROWS_H
#define DATASETS_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

#include "datasets/output.h"

struct rows_options {
    size_t rows, features;
    enum data_type type;
    struct output_shape inner; /* shape of a row where it has one, of `features` values in all; rank 0: [features] */
    bool has_target;
    size_t targets; /* values a row; 0: one, in an array of rank 1 */
    enum data_type target_type;
    bool shuffle;
    uint64_t seed;
    uint64_t memory; /* bytes for the window of a shuffled file; 0: half of what this process may use */
};

struct rows { /* a zeroed struct may be released */
    struct rows_options options;
    struct output_array *x, *y;
    size_t row_bytes, target_bytes; /* of one row */
    unsigned char *features;        /* [window x features] of options.type */
    unsigned char *targets;         /* [window x targets] of options.target_type */
    uint64_t *place;                /* [rows] where row i goes; NULL: to i */
    size_t first, window;           /* places [first, first + window) are in memory */
    size_t filled;                  /* in input order: rows of the window so far */
    size_t passes;
};

#define ROWS_ELSEWHERE SIZE_MAX

/* Makes the arrays "X" [rows x features] and "y" [rows] in `out`. GM_SYSTEM. */
enum gm_code rows_init(struct rows *r, struct output *out, const struct rows_options *options, struct gm_error *err);
void rows_release(struct rows *r);

/* The window index where input row `row` is to be stored: features at rows_features(r, slot), the target as element
 * slot of r->targets. ROWS_ELSEWHERE: skip it in this pass. Rows are asked for in input order. */
enum gm_code rows_slot(struct rows *r, size_t row, size_t *slot, struct gm_error *err);
static inline void *rows_features(const struct rows *r, size_t slot)
{
    return r->features + slot * r->row_bytes;
}
/* After each pass over the input: writes the window and moves on. */
enum gm_code rows_end_pass(struct rows *r, struct gm_error *err);

/* place[i] for i < rows: a permutation that depends on the seed and rows only. */
void rows_permutation(uint64_t *place, size_t rows, uint64_t seed);

#endif
