/*
 * Class labels as small numbers: each different label gets a code in the order of first sight.
 *
 * A label is a string of bytes: the characters of a word, or the eight bytes of a number. An open-addressing table over
 * XXH3 finds it again, so memory is that of the codes and of the vocabulary, not of the words read.
 */
#ifndef DATA_LABELS_H
#define DATA_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

enum { LABELS_MOST = 1 << 16 }; /* different labels */

struct label {
    char *bytes; /* a zero behind them */
    size_t size;
};

struct labels {
    uint32_t *codes; /* [rows] */
    size_t rows;
    struct label *list; /* [count] */
    size_t count, room;
    uint32_t *slots; /* [n_slots] code + 1, 0: free */
    size_t n_slots;
    size_t most; /* different labels at most: LABELS_MOST, unless changed after labels_init */
};

enum gm_code labels_init(struct labels *labels, size_t rows, struct gm_error *err);
void labels_release(struct labels *labels); /* a zeroed struct is fine */

/* The label of a row. False when there are more than `most` different ones or no memory. */
bool labels_add(struct labels *labels, size_t row, const void *bytes, size_t size);

#endif
