/*
 * Making HDF5 datasets: importers of other formats, and generators of synthetic data.
 *
 * Everything streams in bounded memory and is written to a temporary file that replaces the output at the end. Two runs
 * write the same bytes. Layout: /X [rows x features], /y [rows] or [rows x targets]; attributes of the root: format
 * "gradmill-dataset", feature_names, class_names where there are any, source.
 */
#ifndef DATASETS_DATASETS_H
#define DATASETS_DATASETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

/* Called now and then with the bytes (or rows) done and in all; all == 0: unknown. May be NULL. */
typedef void datasets_progress_fn(void *context, uint64_t done, uint64_t all);

/* csv: is the first line a header? AUTO: it is when no cell of it is a number. */
enum import_header { IMPORT_HEADER_AUTO, IMPORT_HEADER_YES, IMPORT_HEADER_NO };
/* Type of the features that are not whole. AUTO: float32 when it loses nothing of any cell (cell.h), else float64. */
enum import_floats { IMPORT_FLOATS_AUTO, IMPORT_FLOAT32, IMPORT_FLOAT64 };

struct import_options {
    const char *target; /* column name or 1-based number; NULL: the column named target, label, y or class, else none */
    bool no_target;     /* every column is a feature */
    bool compress;      /* shuffle + deflate, full-width chunks of at most 1 MiB */
    bool shuffle;       /* rows in the order of `seed` */
    uint64_t seed;
    datasets_progress_fn *progress;
    void *context;
    const char *drop; /* csv: columns left out, names or 1-based numbers with commas between; NULL: none */
    enum import_header header;
    enum import_floats floats;
    uint64_t memory; /* bytes for shuffling; 0: half of what this process may use */
};

struct import_report {              /* what was written */
    size_t rows, features, classes; /* classes 0: numeric target or none */
    char target[128];               /* name of the target column, "" when none */
    size_t missing;                 /* empty or NA cells, written as NaN */
};

/* Comma-separated values (RFC 4180; ',' ';' or tab, found from the first line), plain or gzipped: header or none,
 * quoted fields, byte order mark, any line ends. Read twice: once for the types, once for the values. Features are
 * numbers of one type: the smallest of uint8, int8, uint16, int16, uint32, int32, int64 when every cell of every
 * feature is whole and none is missing; else float32 when it loses nothing that the text says (cell.h has the rule);
 * else float64. Missing cells (empty, NA, N/A, NaN, null, none, ?) become NaN and are counted.
 * The target's type is chosen likewise, so numeric class labels stay numbers; when its first cell is a word, all its
 * cells are class names, stored as indices into class_names (sorted by strcmp). GM_BAD_DATA with file, line and column
 * of the first bad cell; GM_USAGE for a target or dropped column that is not there, and for a pipe. */
enum gm_code import_csv(const char *from, const char *to, const struct import_options *options,
                        struct import_report *report, struct gm_error *err);

/* Several CSV files with the same columns as one dataset, in the order given. */
enum gm_code import_csv_files(const char *const *from, size_t files, const char *to,
                              const struct import_options *options, struct import_report *report, struct gm_error *err);

struct make_options {
    size_t rows, features, classes; /* classes: classification */
    size_t informative;             /* features with a non-zero coefficient; 0: all */
    double noise;                   /* standard deviation of the target's noise (regression); share of flipped labels */
    uint64_t seed;
    bool float64;
    int threads;
    datasets_progress_fn *progress;
    void *context;
};

/* y = X w + b + noise * N(0,1), X ~ N(0,1), w ~ N(0,1) on the informative features; true w, b stored as /truth/... */
enum gm_code make_regression(const char *to, const struct make_options *options, struct gm_error *err);
/* Labels drawn from softmax(X W + b); `noise` of the rows get a label at random. */
enum gm_code make_classification(const char *to, const struct make_options *options, struct gm_error *err);

#endif
