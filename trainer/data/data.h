/*
 * Datasets: HDF5 files seen as rows.
 *
 * data_open finds the datasets and their shapes; data_load decides, within a memory budget, whether the rows are
 * resident or stream; a pass walks over the rows in windows. What a pass yields never depends on which of the two it
 * is.
 *
 * This is the only room that reads datasets from HDF5. Values stay in their stored type (native byte order) until a
 * block of rows is converted by whoever computes on it (convert.h).
 */
#ifndef DATA_DATA_H
#define DATA_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

#include "base/lanes.h"
#include "data/convert.h"

struct data_set; /* an opened dataset */

/* Where the rows are: "FILE.h5", "FILE.h5:/group" or, for one dataset, "FILE.h5:/group/dataset". Several files are one
 * dataset, their rows one after the other: a pattern ("part-*.h5", in the order of strcmp) or, for `path`, a list. */
struct data_source {
    const char *path;     /* file or group holding features and target by convention; NULL when `features` is given */
    const char *features; /* one dataset; NULL: by convention */
    const char *target;   /* one dataset; NULL: by convention (or none) */
    const char
        *weight; /* one dataset [rows]; NULL: `weight`, `weights` or `sample_weight` beside the features, if any */
    const char *second; /* a second input [rows x its features] for models that take two: one dataset, or a file or
                           group that holds it as its features; NULL: options.need_second decides */
    const char *group;  /* one dataset [rows] of integers; NULL: `group`, `groups` or `qid`, if any */
    const char *split;  /* one dataset [rows] that marks what is held out, see data_split_marks; NULL: none */
    bool find_split;    /* the dataset `split` beside the features */
    const char *const *paths; /* [n_paths] in place of `path`; n_paths 0: `path` counts */
    size_t n_paths;
};

enum data_missing { DATA_MISSING_ERROR, DATA_MISSING_SKIP, DATA_MISSING_MEAN };
enum data_io { DATA_IO_AUTO, DATA_IO_MAPPED, DATA_IO_CHUNKS, DATA_IO_BANDS };

struct data_options {
    bool need_target;          /* a missing target is an error (GM_BAD_DATA with the candidates) */
    bool need_second;          /* there are two inputs; where none is named: `second` or `X2` beside the features */
    bool allow_external;       /* external links and storage, virtual datasets */
    enum data_missing missing; /* what a NaN feature means */
    enum data_io io;
};

/* Facts known after data_open. Borrowed from the data_set. */
struct data_schema {
    size_t rows, features, targets;   /* targets: columns of the target, 0 when there is none */
    size_t first_features;            /* of two inputs, whose rows are joined: columns of the first, the others are the
                                         second's; 0: one input */
    bool sparse;                      /* features are sparse rows: windows have start and index */
    uint64_t entries;                 /* of sparse rows, in all */
    enum data_type type;              /* of the features as held in memory */
    enum data_type target_type;       /* of the target as held in memory; DATA_F64 once data_make_classes was called */
    bool target_is_text;              /* class labels as words: data_make_classes is needed before the first pass */
    bool target_is_whole;             /* integer, bool or enum storage */
    size_t classes;                   /* after data_make_classes, else 0 */
    const char *const *class_names;   /* [classes] */
    const char *const *feature_names; /* [features] or NULL */
    size_t feature_rank;              /* of N-dimensional features, flattened: shape behind the row dimension */
    size_t feature_dims[8];
    bool has_weight, has_group;
    const char *features_at; /* "digits.h5:/X", what was chosen */
    const char *target_at;   /* "digits.h5:/y" or NULL */
};

/* Find, check and describe. Nothing large is read. GM_NO_INPUT (no such file or dataset), GM_BAD_DATA (not HDF5,
 * damaged, no or several candidates: they are listed; shapes that do not fit; 0 rows), GM_DENIED. */
enum gm_code data_open(struct data_set **out, const struct data_source *source, const struct data_options *options,
                       struct gm_error *err);
void data_close(struct data_set *set); /* NULL is fine */
const struct data_schema *data_schema(const struct data_set *set);

/* Make the target a class index 0..classes-1. names == NULL: the vocabulary is the sorted set of labels found (words by
 * strcmp, numbers by value; numbers must be whole) and becomes class_names; otherwise labels are looked up in
 * names[count], as with a validation file or `predict`, and an unknown one is GM_BAD_DATA with its row. */
enum gm_code data_make_classes(struct data_set *set, const char *const *names, size_t count, struct gm_error *err);

/* Columns of class numbers among other columns of the target: 1 + the largest of `column`. GM_BAD_DATA with the row of
 * one that is not 0, 1, 2 ... */
enum gm_code data_count_classes(struct data_set *set, size_t column, size_t *classes, struct gm_error *err);

/* Does the file name the classes that an integer target indexes? */
bool data_has_class_names(const struct data_set *set);

/* What data_load and passes will take, known before a feature is read. GM_BAD_DATA: options.io cannot be. */
struct data_budget {
    uint64_t memory; /* bytes */
    int threads;
    bool shuffled; /* there will be shuffled passes */
};
struct data_need {
    bool resident;
    uint64_t sides;    /* target, weights, groups */
    uint64_t features; /* resident ones, mapped or copied */
    uint64_t buffers;  /* windows of a stream, what decoding needs, the order of a shuffled pass */
    uint64_t least;    /* with less memory than this data_load or a pass fails */
};
enum gm_code data_plan(struct data_set *set, const struct lane_plan *plan, const struct data_budget *budget,
                       struct data_need *need, struct gm_error *err);

/* Does the target depend so much on the place in the file that a shuffled pass, which mixes rows of about 64 MiB at a
 * time, does not mix it? *share: of its variance that lies between parts of the file. After data_load. */
bool data_is_sorted(const struct data_set *set, double *share);

/* Read the target, weights and groups (always resident) and, when they fit into `memory` bytes, the features; otherwise
 * plan to stream. `plan` fixes the slabs. GM_SYSTEM when `memory` cannot hold two windows: the message names the
 * minimum. */
enum gm_code data_load(struct data_set *set, const struct lane_plan *plan, uint64_t memory, int threads,
                       struct gm_error *err);
/* After data_load: [rows] 0 train, 1 held out for validation, 2 neither (those rows have weight 0); NULL when the
 * source names no split. Stored as numbers 0, 1, 2 or as words: train, training; validation, valid, val, dev; test. */
const uint8_t *data_split_marks(const struct data_set *set);
const int64_t *data_groups(const struct data_set *set); /* [rows] after data_load, or NULL */

bool data_is_resident(const struct data_set *set);
/* How the features are read, after data_load: MAPPED (contiguous, without HDF5), CHUNKS (decoded by us on
 * all threads) or BANDS (H5Dread, the slow path). *reason, where not NULL: why not a better one, "it has the filter lzf
 * (32000)", "" for MAPPED. */
enum data_io data_io(const struct data_set *set, const char **reason);
uint64_t data_bytes(const struct data_set *set); /* of everything the set holds or will hold in memory */
/* Sparse rows: the most entries that any `rows` rows have together, after data_load an upper bound, before it of
 * columns and triples a guess. */
uint64_t data_entries_most(const struct data_set *set, size_t rows);

/* ---- walking over the rows -------------------------------------------------------------------------------------- */

/* Rows in memory. Row i of the window is row first_row + i of the dataset, unless `order` is set. */
struct data_window {
    size_t first_row, rows;
    const void *x; /* [rows x features] of schema->type, rows `stride` bytes apart */
    size_t stride;
    /* Sparse rows: row i has the entries e from start[i] - base to start[i + 1] - base: x[e] of schema->type in column
     * index[e], columns ascending. NULL: dense rows. */
    const uint64_t *start; /* [rows + 1] */
    const uint32_t *index;
    uint64_t base;
    const void *target;   /* [rows x targets] of schema->target_type; NULL when there is none */
    const double *weight; /* [rows] or NULL */
    const int64_t *group; /* [rows] or NULL */
    /* Shuffled passes: take the window's rows order[0 .. order_rows-1], in this order, as indices into x, target ...
     * NULL: all rows in storage order. */
    const size_t *order;
    size_t order_rows;
    /* Dataset row of window row i is row_of[i] when set, else first_row + i. */
    const size_t *row_of;
};

/* Storage order: windows are whole slabs, one after the other. Shuffled: slabs are permuted by (seed, epoch), gathered
 * into groups whose size is a pure function of the shape, and the rows of a group are permuted: CorgiPile, Xu et al.,
 * SIGMOD 2022. */
struct data_order {
    bool shuffled;
    uint64_t seed;
    uint32_t epoch;
    /* Only rows whose bit in `mask` equals `mask_value` take part in a shuffled pass; mask NULL: all rows. Bit i of
     * mask[i / 64] is 1 << (i % 64). Passes in storage order yield all rows: the caller looks at the mask. */
    const uint64_t *mask;
    bool mask_value;
};

struct data_pass;
enum gm_code data_pass_open(struct data_pass **out, struct data_set *set, const struct data_order *order,
                            struct gm_error *err);
/* The next window, or NULL in *window past the last. It stays valid until the next call; streaming reads ahead on a
 * thread of its own. GM_IO, GM_BAD_DATA when the file turned out damaged. */
enum gm_code data_pass_next(struct data_pass *pass, const struct data_window **window, struct gm_error *err);
void data_pass_close(struct data_pass *pass); /* NULL is fine; may be called before the end */
/* A window onto all rows of a resident set; false when they stream. */
bool data_whole(const struct data_set *set, struct data_window *window);

/* Can this file name be a dataset? "FILE.h5:/group" split in place: the part behind the last ':' that starts with '/'.
 * Returns NULL for the location when there is none. `file` is memory_free'd by the caller. */
enum gm_code data_split_name(const char *name, char **file, char **location, struct gm_error *err);

#endif
