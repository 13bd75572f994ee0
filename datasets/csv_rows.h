/* The records of a CSV file (RFC 4180), one at a time, with the line each begins on. */
#ifndef DATASETS_CSV_ROWS_H
#define DATASETS_CSV_ROWS_H

#include <stddef.h>

#include <gradmill/status.h>

#include "datasets/input.h"

struct csv_record {
    const char *path;
    size_t line;  /* 1-based, of its first byte */
    size_t count; /* >= 1 */
    char **cells; /* [count], without quotes and without blanks around; valid during the call */
};
/* A code other than GM_OK ends the reading and is passed on. */
typedef enum gm_code csv_record_fn(void *context, const struct csv_record *record, struct gm_error *err);
/* Called after each buffer of input. */
typedef void csv_buffer_fn(void *context, const struct input *in);

struct csv_reading {
    csv_record_fn *record;
    csv_buffer_fn *buffer; /* or NULL */
    void *context;
};

/* Every record of `in` from its current position, which is its start. Empty lines are passed over. The delimiter is the
 * most frequent of ',' ';' and tab on the first line. A byte order mark is passed over. GM_BAD_DATA: bad quotes, a zero
 * byte, UTF-16, an HDF5 file, a field of more than 16 MiB. */
enum gm_code csv_read(struct input *in, const struct csv_reading *reading, struct gm_error *err);

/* ',' ';' or '\t' for a text that begins with a first line. */
char csv_delimiter(const char *text, size_t size);

#endif
