/* The inside of struct data_set, shared by the files of this room and by nobody else. */
#ifndef DATA_SET_H
#define DATA_SET_H

#include "data/ahead.h"
#include "data/chunks.h"
#include "data/data.h"
#include "data/labels.h"
#include "data/mapped.h"
#include "data/sparse.h"
#include "data/stored.h"

/* Memory of a pass, kept between passes: fresh pages would cost as much as reading. */
struct pass_memory {
    void *buffers[2]; /* of features, streaming only */
    void *sides;      /* target, weights and groups of a shuffled window, streaming only */
    size_t *numbers;  /* of a shuffled pass: slabs, row_of, order, picks */
    size_t buffer_bytes, n_buffers, sides_bytes, n_numbers;
};
void pass_memory_release(struct pass_memory *memory);

struct data_set {
    struct data_schema schema;
    struct data_options options;
    struct h5_files files;
    struct stored features, target, weight, group, split; /* at == NULL: not there */
    struct sparse *sparse; /* NULL: dense rows. `features` is then a name and a shape, without a dataset; row_bytes is
                              the mean */
    char **feature_names;
    size_t feature_name_count;
    char **file_classes; /* names that the file gives to the values 0 .. count-1 of its target, or NULL */
    size_t file_class_count;

    void *target_values;  /* [rows x targets] of schema.target_type; NULL until read, and while the target is words */
    struct labels labels; /* a target of words: codes and vocabulary, until they become classes */
    char **class_names;   /* [schema.classes] */
    double *weights;      /* [rows] or NULL */
    int64_t *groups;      /* [rows] or NULL */
    uint8_t *marks;       /* [rows] of the split, or NULL */

    /* Several files (several.c): each a dataset of its own, rows one after the other. This one then has no file: its
     * `features`, `target` ... describe the whole and are not open. NULL: one file. */
    struct data_set **members;
    size_t *firsts; /* [n_members + 1] the row each begins with */
    size_t n_members;
    struct data_set *reading; /* the member whose file is open for reading */

    /* Two inputs (joined.c): each a dataset of its features alone; `features` describes the joined rows and is not
     * open. NULL: one input. */
    struct data_set *parts[2];
    void *join; /* while reading: rows of one input */

    bool loaded;
    struct lane_plan plan;
    uint64_t memory; /* bytes given to data_load */
    bool shuffled;   /* data_plan was told of shuffled passes */
    int threads;
    struct pass_memory spare; /* of the last pass, for the next one */
    enum data_io io;          /* how the features are read: MAPPED, CHUNKS or BANDS */
    struct layout layout;
    struct chunks *chunks; /* of DATA_IO_CHUNKS */
    struct mapped mapped;  /* of DATA_IO_MAPPED */
    struct ahead ahead;    /* of the others */
    void *copy;            /* of resident features that are not mapped */
    const void *x;         /* [rows x features] of schema.type: the resident features; NULL: they stream */
};

/* Read the target if that has not been done: numbers into target_values, words into labels. */
enum gm_code set_read_target(struct data_set *set, struct gm_error *err);

/* Rows [first, first + rows) of the features to `to` [rows x features], as stored_read. One thread at a time. */
enum gm_code set_read_features(struct data_set *set, size_t first, size_t rows, void *to, struct gm_error *err);

/* The file made ready for set_read_features, and its buffers given back. A set of several files does so itself. */
enum gm_code set_start_reading(struct data_set *set, struct gm_error *err);
void set_stop_reading(struct data_set *set);

/* A wish to the system: read these rows from the disk. */
void set_read_ahead(struct data_set *set, size_t first, size_t rows);

/* Of one file: weights, groups and split marks, as far as there are any. Of several: theirs, joined (sides.c). */
enum gm_code sides_read(struct data_set *set, struct gm_error *err);
enum gm_code sides_read_marks(struct data_set *set, struct gm_error *err);
enum gm_code sides_join(struct data_set *set, struct gm_error *err);
enum gm_code sides_join_target(struct data_set *set, struct gm_error *err);
/* Rows that the split gives to neither side get weight 0. */
enum gm_code sides_drop_marked(struct data_set *set, struct gm_error *err);

/* The file that holds a row, with the number of the row in it, for messages. */
const struct data_set *set_of_row(const struct data_set *set, size_t row, size_t *within);

/* A dataset of several files that are open already: takes the members, and closes them on failure. */
enum gm_code several_open(struct data_set **out, struct data_set **members, size_t count, struct gm_error *err);
void several_release(struct data_set *set); /* before the rest of it */
/* Which member holds a row, and the row's number there. */
size_t several_member(const struct data_set *set, size_t row, size_t *within);
enum gm_code several_read(struct data_set *set, size_t first, size_t rows, void *to, struct gm_error *err);

/* set->features and *second, both open and given away, become the two inputs of the set. GM_BAD_DATA: they do not fit.
 */
enum gm_code joined_open(struct data_set *set, struct stored *second, struct gm_error *err);
void joined_release(struct data_set *set);
enum gm_code joined_choose_io(struct data_set *set, struct gm_error *err);
uint64_t joined_bytes(const struct data_set *set); /* that reading takes, beside those of the inputs */
enum gm_code joined_start(struct data_set *set, struct gm_error *err);
void joined_stop(struct data_set *set);
enum gm_code joined_read(struct data_set *set, size_t first, size_t rows, void *to, struct gm_error *err);
/* The input that holds a column of the joined rows, with its number there; the set itself when there is one input. */
const struct data_set *set_of_column(const struct data_set *set, size_t column, size_t *within);

/* Bytes of the features when all of them are in memory. */
uint64_t set_feature_bytes(const struct data_set *set);

/* Bytes of everything but the features; of two windows and what reading them needs; of a row's target.
 */
uint64_t set_side_bytes(const struct data_set *set);
uint64_t set_window_bytes(const struct data_set *set);
/* Of it, for sparse rows, what is there while they are read and no longer; also while all are read. */
uint64_t set_sparse_reading(const struct data_set *set);
/* Of a pass's buffer for so many slabs of features. */
uint64_t set_buffer_bytes(const struct data_set *set, size_t slabs);
size_t set_target_row_bytes(const struct data_set *set);
/* All that is needed to be resident; columns and triples always are. */
uint64_t set_resident_bytes(const struct data_set *set);
bool set_streams(const struct data_set *set);
/* Can everything be resident in that much memory? */
bool set_fits(const struct data_set *set, uint64_t memory);
/* Plans the way of reading, by set->options.io. */
enum gm_code set_choose_io(struct data_set *set, struct gm_error *err);

#endif
