/*
 * A list of the columns that occur among some entries, each once, and where in the list a column is: a table by hash,
 * in arrays of the caller's, which need no clearing.
 */
#ifndef TRAIN_COLUMN_TABLE_H
#define TRAIN_COLUMN_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct column_table {
    uint32_t *columns; /* [entries] the list */
    uint32_t *places;  /* [entries] where in the table a column of the list is */
    uint32_t *slots;   /* [4 x entries] the table: where in the list a column is */
    size_t count;      /* of the list */
    unsigned shift;    /* the table has 2^(32 - shift) places */
};

/* For at most `entries` of them. */
static inline void column_table_begin(struct column_table *t, size_t entries)
{
    t->count = 0;
    t->shift = 31;
    while (t->shift > 0 && ((size_t)1 << (32 - t->shift)) < 2 * entries)
        t->shift--;
}

/* Place of a column in the list, at whose end it is added if need be: then count grows. A place of the table is taken
 * when the list says so too: what was there before needs no clearing (Briggs and Torczon, "An efficient representation
 * for sparse sets", 1993). */
static inline size_t column_table_slot(struct column_table *t, uint32_t column)
{
    const uint32_t mask = UINT32_MAX >> t->shift;
    uint32_t at = column * 2654435769u >> t->shift; /* Knuth's multiplicative hash */
    for (;; at = (at + 1) & mask) {
        size_t slot = t->slots[at];
        if (slot >= t->count || t->places[slot] != at)
            break;
        if (t->columns[slot] == column)
            return slot;
    }
    size_t slot = t->count++;
    t->slots[at] = (uint32_t)slot;
    t->places[slot] = at;
    t->columns[slot] = column;
    return slot;
}

#endif
