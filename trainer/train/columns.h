/*
 * The columns that occur in a batch of sparse rows, each with its entries in the order of the rows.
 *
 * Entries are dealt to parts by a hash of their column, to as many as the batch is worth whatever the threads, so that
 * columns that occur often are spread; then each part is sorted by column. What is found, and in which order, depends
 * on the batch alone.
 */
#ifndef TRAIN_COLUMNS_H
#define TRAIN_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

#include "data/data.h"
#include "model/model.h"

enum { COLUMN_PARTS = 64, COLUMN_STRIPES = 64 };

struct columns {
    bool single;       /* values are float, else double */
    uint32_t *column;  /* [entries] dealt to parts, those of a part in the order of the rows: */
    uint32_t *row;     /* [entries] */
    void *value;       /* [entries] in the model's precision */
    uint32_t *slot;    /* [entries] where in its part's list the column is */
    uint32_t *list;    /* [entries] the columns of one part after the other */
    uint32_t *end;     /* [entries] behind the entries of a column of the list, counted from its part's first */
    uint32_t *places;  /* [entries] and */
    uint32_t *slots;   /* [4 x entries] for the tables */
    uint32_t *rows_of; /* [entries] sorted by column */
    void *values_of;   /* [entries] */
    size_t parts;      /* a power of two */
    size_t stripes, stripe_rows;                  /* of the batch, dealt by one thread each */
    uint32_t dealt[COLUMN_STRIPES][COLUMN_PARTS]; /* entries, then where the next one goes */
    uint32_t first[COLUMN_PARTS + 1];             /* entry of a part */
    uint32_t count[COLUMN_PARTS];                 /* columns of its list */
};

/* The rows of a batch: window rows index[0 .. rows-1]. */
struct columns_batch {
    const struct data_window *window;
    enum data_type type; /* of its values */
    const size_t *index;
    size_t rows;
};

#define COLUMNS_ENTRIES_MOST ((uint64_t)1 << 24) /* of a batch */

/* For batches of up to `entries` entries. GM_SYSTEM. To be released also after an error. */
enum gm_code columns_init(struct columns *c, uint64_t entries, enum model_precision precision, struct gm_error *err);
void columns_release(struct columns *c); /* a zeroed struct is fine */
uint64_t columns_bytes(uint64_t entries, enum model_precision precision);

/* By all threads of a parallel region, or outside of one. Parts are found when it returns. */
void columns_find(struct columns *c, const struct columns_batch *batch);
/* Column number k of a part's list; arrays are valid until the next columns_find. */
struct model_column columns_at(const struct columns *c, size_t part, size_t k);

#endif
