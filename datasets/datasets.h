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
    size_t features; /* libsvm: columns in all, for a file that lacks the last ones; 0: the largest index */
    /* libsvm and arrays: files with the names of features and classes, a line each (up to a tab); NULL: none. libsvm
     * has then as many columns as there are names of features. */
    const char *feature_names, *class_names;
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

/* libsvm (svmlight) text, "label [qid:N] index:value ... # comment", to sparse rows: the group /X with data, indices,
 * indptr and the attributes encoding-type "csr_matrix" and shape; /y, and /qid where given. Indices count from 1 unless
 * a 0 occurs, and must ascend. Types as for CSV. Several files are one dataset. 8 bytes a row are held in memory. */
enum gm_code import_libsvm(const char *const *from, size_t files, const char *to, const struct import_options *options,
                           struct import_report *report, struct gm_error *err);

/* Arrays: NumPy's .npy and .npz, and idx (MNIST's format), plain or gzipped; "FILE.npz:NAME" is one member. One array
 * is the features; of two, the target is the one named y, label(s), target(s), *-labels* or the like, else the one of
 * rank 1. Types are kept (bool becomes uint8), bytes swapped where needed, the shape behind the rows is kept in /X.
 * GM_USAGE when it is not clear which array is what: they are listed with their shapes. */
enum gm_code import_arrays(const char *const *from, size_t files, const char *to, const struct import_options *options,
                           struct import_report *report, struct gm_error *err);

/* Any of the formats above, by the ending of the first name (.csv .tsv .libsvm .svmlight .svm .npy .npz .idx *-ubyte,
 * each also with .gz), else by the first bytes. GM_USAGE: neither tells. */
enum gm_code import_file(const char *const *from, size_t files, const char *to, const struct import_options *options,
                         struct import_report *report, struct gm_error *err);

/* A zeroed struct with rows and features set is valid: the defaults are named behind each field. */
struct make_options {
    size_t rows, features; /* ratings: rows is the number of ratings, features is not used */
    size_t classes;        /* classification, blobs; 0: 2 (blobs: 3) */
    size_t informative;    /* features with a non-zero coefficient, chosen by the seed; 0: all */
    double
        noise; /* regression, ratings: standard deviation of the target's noise. classification, sparse: share of
                  labels replaced by one drawn evenly. blobs: standard deviation around the centre. Never a default */
    uint64_t seed;
    bool float64;                   /* X (and a real target) as float64; the same numbers, not rounded to float32 */
    int threads;                    /* 0: all there are; the numbers do not depend on it */
    datasets_progress_fn *progress; /* in rows */
    void *context;
    bool compress;
    size_t users, items, rank; /* ratings; 0: 1000 users, 500 items, rank 8 */
    size_t nonzeros;           /* sparse: values a row; 0: 50, or all features when they are fewer */
};

/*
 * Synthetic data. Every number is a function of (seed, row, column) only: more rows or more features leave those that
 * were there as they are, threads and processor change no bit. All arrays of the truth are float64. N is the standard
 * normal. Errors: GM_USAGE (counts that make no sense), GM_SYSTEM, GM_IO, GM_CANNOT_CREATE, GM_DENIED.
 */

/* /X ~ N, /y = X w + b + noise * N with w, b ~ N: /truth/coefficients [1 x features], /truth/intercept [1]. */
enum gm_code make_regression(const char *to, const struct make_options *options, struct gm_error *err);
/* /X ~ N, /y drawn from softmax(X W + b) with W ~ 3 / sqrt(informative) * N, so that the scores spread by 3 whatever
 * the features, and b ~ N: /truth/coefficients [classes x features], /truth/intercept [classes]. */
enum gm_code make_classification(const char *to, const struct make_options *options, struct gm_error *err);
/* /y drawn evenly, /X = centre of the class + noise * N with centres ~ 4 * N: /truth/centroids [classes x features]. */
enum gm_code make_blobs(const char *to, const struct make_options *options, struct gm_error *err);
/* /user_id, /item_id, /rating [rows]: distinct pairs drawn evenly, rating = mean + user bias + item bias + p_user .
 * q_item + noise * N, with mean 3.5, biases ~ N / 2, p and q ~ rank^(-1/4) * N (p . q has variance 1): /truth/mean,
 * /truth/users/{factors,bias}, /truth/items/{factors,bias}. Root attribute shape: users, items. */
enum gm_code make_ratings(const char *to, const struct make_options *options, struct gm_error *err);
/* /X as CSR rows (group with data, indices, indptr; attributes encoding-type csr_matrix, shape): `nonzeros` values ~ N
 * a row, one in each of as many equal ranges of columns; /y is 0 or 1 with probability sigmoid(X w + b), w ~ 3 /
 * sqrt(nonzeros) * N, b ~ N: /truth/coefficients [1 x features], /truth/intercept [1]. */
enum gm_code make_sparse(const char *to, const struct make_options *options, struct gm_error *err);

/* All of them, for `gradmill make KIND`. */
struct make_kind {
    const char *name, *summary;
    enum gm_code (*make)(const char *to, const struct make_options *options, struct gm_error *err);
};
extern const struct make_kind make_kinds[];
extern const size_t make_kind_count;

#endif
