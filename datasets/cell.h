/* What a cell of text holds, and the smallest type that holds a column of them. */
#ifndef DATASETS_CELL_H
#define DATASETS_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/convert.h"

enum cell_kind { CELL_MISSING, CELL_WHOLE, CELL_REAL, CELL_WORD };

struct cell {
    enum cell_kind kind;
    int64_t whole; /* CELL_WHOLE: the value, exact */
    double real;   /* the value; NaN when missing */
    /* float32 loses nothing the text says: the nearest float32, written with as many digits as the text has, is the
     * text again. True for up to 6 significant digits, often for 7 to 9, hardly ever beyond. */
    bool survives_float32;
};

/* Missing: "", "NA", "N/A", "NaN", "null", "none", "?" in any case. Numbers: the C locale's decimal notation, "inf". */
struct cell cell_parse(const char *text);

/* Facts about many cells. A zeroed struct has seen none. */
struct cell_range {
    size_t whole, real, missing;
    bool loses_float32;  /* some cell does not survive float32 */
    int64_t least, most; /* of the whole numbers */
};
void cell_range_add(struct cell_range *range, const struct cell *cell);
void cell_range_join(struct cell_range *range, const struct cell_range *other);

/* All whole and none missing: the first of uint8, int8, uint16, int16, uint32, int32, int64 that holds all of them.
 * Else float32 when every cell survives it, else float64. */
enum data_type cell_range_type(const struct cell_range *range);

/* Store a value as element `at` of an array of `type`. Whole types: the cell must be CELL_WHOLE and in range. */
void cell_store(const struct cell *cell, enum data_type type, void *array, size_t at);

#endif
