/*
 * An HDF5 file being made: arrays written a band of rows at a time into "<path>.tmp", which replaces <path> at the end.
 *
 * The file holds no times and no leftovers of memory: equal calls give equal bytes. Arrays are contiguous and
 * page-aligned (a reader can map them), or with `compress` cut into full-width chunks of at most 1 MiB, shuffled and
 * deflated.
 */
#ifndef DATASETS_OUTPUT_H
#define DATASETS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

#include "data/convert.h"

struct output;       /* the file */
struct output_array; /* an array in it; owned by the file */

#define OUTPUT_RANK 8
struct output_shape {
    size_t rank; /* 0: a scalar */
    size_t dims[OUTPUT_RANK];
};

size_t output_type_size(enum data_type type); /* bytes; 0 for bfloat16, which is never written */

/* Errors of file_check_writable. */
enum gm_code output_open(struct output **out, const char *path, bool compress, struct gm_error *err);
/* Removes the temporary file unless output_finish was called. NULL is fine. */
void output_close(struct output *out);
/* Flush, fsync, rename, fsync of the directory. GM_IO. */
enum gm_code output_finish(struct output *out, struct gm_error *err);

/* A new array; groups on the way are made. Dimension 0 is the rows. */
enum gm_code output_array(struct output *out, const char *name, enum data_type type, const struct output_shape *shape,
                          struct output_array **array, struct gm_error *err);
/* Rows [first, first + rows) from `data`, row-major in the array's type. GM_IO. */
enum gm_code output_rows(struct output_array *array, size_t first, size_t rows, const void *data, struct gm_error *err);
/* A whole array at once. */
enum gm_code output_whole(struct output *out, const char *name, enum data_type type, const struct output_shape *shape,
                          const void *data, struct gm_error *err);
/* Rows that a band should hold a multiple of, so that a chunk is compressed once. 1 when not compressed. */
size_t output_chunk_rows(const struct output_array *array);

/* Attributes, variable-length UTF-8, of the object at `where` ("/" is the root). */
enum gm_code output_text(struct output *out, const char *where, const char *name, const char *text,
                         struct gm_error *err);
enum gm_code output_number(struct output *out, const char *where, const char *name, uint64_t value,
                           struct gm_error *err);
enum gm_code output_numbers(struct output *out, const char *where, const char *name, const uint64_t *values,
                            size_t count, struct gm_error *err);
/* Strings as an attribute of the root; as a dataset "/<name>" when they would not fit into 64 KiB. */
enum gm_code output_texts(struct output *out, const char *name, const char *const *texts, size_t count,
                          struct gm_error *err);

#endif
