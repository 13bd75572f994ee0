/* What all generators share: rows made by tiles on all threads, written by bands. */
#ifndef DATASETS_MAKE_ROWS_H
#define DATASETS_MAKE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

#include "base/cpu.h"
#include "datasets/datasets.h"
#include "datasets/kernels/make.h"
#include "datasets/output.h"

/* The streams; part of "same bits for a seed". */
enum make_source {
    MAKE_FEATURES = 0,
    MAKE_TRUTH = 1,
    MAKE_NOISE = 2,
    MAKE_LABELS = 3,
    MAKE_CHOICE = 4,
    MAKE_ITEMS = 5
};

struct make_stream make_stream(uint64_t seed, enum make_source source);
/* Normals on the best instruction set at hand. */
void make_fill_normals(struct make_stream stream, struct make_tile tile, size_t columns, double *out);

/* An array made row by row. */
struct make_column {
    const char *name;
    enum data_type type;
    size_t width; /* values a row; 0: one value a row, in an array of rank 1 */
    bool flat;    /* [rows * width], rank 1, instead of [rows x width] */
};
#define MAKE_COLUMNS 4

struct make_job {
    const struct make_options *options;
    enum cpu_isa isa;
    size_t columns;
    struct make_column column[MAKE_COLUMNS];
    size_t scratch; /* doubles a row of work space for `tile` */
    /* values[c]: [rows x width] doubles of column c for the tile's rows. Column 0 is rounded to its type (and back to
     * double) between the calls of `features` and `rest`, so that the rest is true of what is stored. */
    void (*features)(const struct make_job *job, struct make_tile tile, double *const values[], double *scratch);
    void (*rest)(const struct make_job *job, struct make_tile tile, double *const values[],
                 double *scratch); /* or NULL */
    const void *truth;             /* the generator's own */
};

/* Makes and writes all arrays of the job, in bounded memory. GM_SYSTEM, GM_IO. */
enum gm_code make_rows(struct output *out, const struct make_job *job, struct gm_error *err);

/* Opens the file and writes the attributes every generator writes: format, source "gradmill make KIND", seed.
 * GM_USAGE: rows or features are 0 or too many, or noise is not a number >= 0. */
enum gm_code make_open(struct output **out, const char *to, const char *kind, const struct make_options *options,
                       struct gm_error *err);
/* Finishes (when code is GM_OK) and closes. Returns code, or what finishing returned. */
enum gm_code make_finish(struct output *out, enum gm_code code, struct gm_error *err);

/* The smallest unsigned type for 0 .. count - 1. */
enum data_type make_index_type(uint64_t count);

#endif
