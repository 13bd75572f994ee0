/* The columns of a CSV file: their names, and what each is for. */
#ifndef DATASETS_CSV_COLUMNS_H
#define DATASETS_CSV_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include <gradmill/status.h>

#include "datasets/csv_rows.h"
#include "datasets/datasets.h"
#include "datasets/list.h"

enum csv_role { CSV_FEATURE, CSV_TARGET, CSV_DROPPED };

struct csv_columns { /* a zeroed struct may be released */
    size_t count, features;
    bool has_header;
    struct list_texts names; /* "column3" where the file has none */
    unsigned char *roles;    /* [count] of enum csv_role */
    size_t target;           /* its column, or SIZE_MAX */
};

/* From the first record. GM_USAGE: options->target or options->drop name no column or several; GM_BAD_DATA: no feature
 * is left. */
enum gm_code csv_columns_init(struct csv_columns *columns, const struct csv_record *first,
                              const struct import_options *options, struct gm_error *err);
void csv_columns_release(struct csv_columns *columns);

/* The first record of another file: GM_BAD_DATA when it has another number of columns or other names. *is_header: it is
 * no row. */
enum gm_code csv_columns_match(const struct csv_columns *columns, const struct csv_record *first,
                               const struct import_options *options, bool *is_header, struct gm_error *err);

#endif
