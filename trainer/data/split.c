/* Which rows are held out for validation. */
#include "data/split.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"

enum gm_code split_init(struct data_split *split, size_t rows, double fraction, uint64_t seed, const int64_t *group,
                        struct gm_error *err)
{
    *split = (struct data_split){.rows = rows};
    if (!(fraction > 0))
        return GM_OK;
    enum gm_code code = memory_alloc((void **)&split->mask, rows / 64 + 1, sizeof *split->mask, "the split", err);
    if (code != GM_OK)
        return code;
    struct random_key key = {seed, RANDOM_SPLIT, 0};
    size_t words = rows / 64 + 1;
#pragma omp parallel for schedule(static) if (words > 1024)
    for (size_t word = 0; word < words; word++)
        for (size_t row = 64 * word; row < rows && row < 64 * word + 64; row++)
            if (random_uniform(key, group ? (uint64_t)group[row] : row) < fraction)
                split->mask[word] |= (uint64_t)1 << (row % 64);
    for (size_t word = 0; word < words; word++)
        split->held_out += (size_t)__builtin_popcountll(split->mask[word]);
    if (split->held_out > 0 && split->held_out < rows)
        return GM_OK;
    char text[32];
    bool none = split->held_out == 0;
    split_release(split);
    return error_set(
        err, GM_BAD_DATA,
        "Holding out a fraction of %s of %zu %s leaves no row %s. Take another fraction or seed, or a file of its "
        "own for validation.",
        text_from_real(fraction, text), rows, group ? "rows by group" : "rows",
        none ? "for validation" : "to train on");
}

enum gm_code split_from_marks(struct data_split *split, size_t rows, const uint8_t *marks, const char *at,
                              struct gm_error *err)
{
    *split = (struct data_split){.rows = rows};
    enum gm_code code = memory_alloc((void **)&split->mask, rows / 64 + 1, sizeof *split->mask, "the split", err);
    if (code != GM_OK)
        return code;
    size_t to_train = 0;
    for (size_t row = 0; row < rows; row++) {
        to_train += marks[row] == 0;
        split->held_out += marks[row] == 1;
        if (marks[row] == 1)
            split->mask[row / 64] |= (uint64_t)1 << (row % 64);
    }
    if (split->held_out == 0)
        split_release(split);
    if (to_train > 0)
        return GM_OK;
    split_release(split);
    return error_set(err, GM_BAD_DATA, "%s: its split marks no row for training.", at);
}

void split_release(struct data_split *split)
{
    memory_free(split->mask);
    *split = (struct data_split){0};
}
