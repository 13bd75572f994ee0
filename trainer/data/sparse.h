/*
 * Sparse rows: features stored as compressed rows (CSR), compressed columns (CSC) or triples (COO).
 *
 *   CSR  a group of data, indices, indptr: AnnData (attributes encoding-type csr_matrix, shape), 10x (/matrix, shape is
 *        features x barcodes, a barcode is a row), plain with or without a shape (attribute or dataset).
 *   CSC  the same with encoding-type csc_matrix, or whose indptr fits the columns only. Turned into rows in memory.
 *   COO  a group of row, col, data, with or without a shape. Turned into rows in memory.
 *
 * In memory: where each row starts (uint64, always resident), columns as uint32, ascending within a row, values in
 * their stored type. A row that names a column twice is refused: whether that means a sum, only its maker knows. What
 * is read is checked each time it is read, so that a column is never out of range, whatever happens to the file.
 */
#ifndef DATA_SPARSE_H
#define DATA_SPARSE_H

#include "data/dataset.h"
#include "data/find.h"

enum sparse_form { SPARSE_CSR, SPARSE_CSC, SPARSE_COO };

struct sparse {
    char *at; /* "cells.h5:/X" */
    enum sparse_form form;
    struct dataset values;
    struct dataset columns; /* CSR: of each entry; CSC: its row; COO: its column */
    struct dataset row_of;  /* COO: the row of each entry */
    struct stored pointers; /* CSR: indptr of rows; CSC: of columns */
    size_t rows, features;
    uint64_t entries;

    uint64_t *start;       /* [rows + 1] after sparse_load */
    uint64_t lengths[65];  /* rows by the bits of their length, */
    uint64_t contents[65]; /* and the entries of those rows */
    uint64_t slab_most;    /* entries of the largest slab */
    uint32_t *index;       /* [entries] when resident */
    void *value;           /* [entries] of values.stored.value_type, when resident */
    void *scratch;         /* for indices of another width than 32 bits */

    struct sparse *
        *parts;     /* [n_parts] rows of several files, one after the other; borrowed. Then there is no array of */
    size_t n_parts; /* its own above */
    int threads;    /* for the part that is being read */
};

/* Is the place, or one of the usual names in it, a group of sparse rows? `name` [size] gets its absolute name. */
bool sparse_find(const struct place *place, char *name, size_t size);

/* The shape that a group gives, as an attribute or a dataset; false: none. The caller holds hdf5_lock. */
bool sparse_given_shape(hid_t group, int64_t shape[2]);
/* Open the arrays of group `name` and learn the shape. GM_BAD_DATA with the array and what is wrong. */
enum gm_code sparse_open(struct sparse **out, const struct h5_file *file, const char *name, struct gm_error *err);
void sparse_close(struct sparse *s); /* NULL is fine */

/* Several files as one; borrowed until it is closed, which is done also after an error. GM_BAD_DATA: not compressed
 * rows. */
enum gm_code sparse_join(struct sparse **out, struct sparse *const *parts, size_t count, struct gm_error *err);

/* In a trial: touch what later reading will touch. */
enum gm_code sparse_touch(const struct sparse *s, struct gm_error *err);

size_t sparse_entry_bytes(const struct sparse *s);   /* of one entry in memory */
uint64_t sparse_bytes(const struct sparse *s);       /* of all entries in memory */
uint64_t sparse_start_bytes(const struct sparse *s); /* of what stays in memory in any case */

/* Read and check where rows start, for CSR; find the largest slab. */
enum gm_code sparse_starts(struct sparse *s, const struct lane_plan *plan, struct gm_error *err);
/* After sparse_starts: what reading takes beside the entries, while it lasts: chunks, bands, wider indices, and what
 * turns columns and triples into rows. */
uint64_t sparse_reading_bytes(const struct sparse *s, int threads);
/* Ready to read rows [first, first + rows) by sparse_read. */
enum gm_code sparse_ready(struct sparse *s, int threads, struct gm_error *err);
/* All entries into memory; CSC and COO become rows on the way. */
enum gm_code sparse_make_resident(struct sparse *s, const struct lane_plan *plan, int threads, struct gm_error *err);

/* Entries of rows [first, first + rows) of CSR to value and index, columns ascending in each row. */
enum gm_code sparse_read(const struct sparse *s, size_t first, size_t rows, void *value, uint32_t *index,
                         struct gm_error *err);

/* The most entries that any `rows` rows can have together (an upper bound, within a factor of 2); of columns and
 * triples a guess until they are resident. */
uint64_t sparse_most(const struct sparse *s, size_t rows);

/* ---- between the files of this part ---- */

/* Where rows of CSR start, without measuring. */
enum gm_code sparse_read_starts(struct sparse *s, struct gm_error *err);
/* What sparse_ready took is given back. */
void sparse_rest(struct sparse *s);
/* Of several files: into s->start; as sparse_read. */
enum gm_code sparse_joined_starts(struct sparse *s, struct gm_error *err);
enum gm_code sparse_joined_read(const struct sparse *s, struct row_range rows, void *value, uint32_t *index,
                                struct gm_error *err);
/* Entries [first, first + count) of an integer array as uint32; a number that is negative or not below `limit` is
 * GM_BAD_DATA and called `what`. scratch: SPARSE_BAND * 8 bytes. */
enum { SPARSE_BAND = 1 << 16 };
struct sparse_limit {
    const char *what; /* "column" */
    uint64_t limit;
};
enum gm_code sparse_read_index(const struct dataset *array, const struct sparse_limit *limit, uint64_t first,
                               size_t count, uint32_t *to, void *scratch, struct gm_error *err);
/* Columns ascending in each of rows [first, first + rows), whose entries begin at value and index. */
enum gm_code sparse_put_in_order(const struct sparse *s, size_t first, size_t rows, void *value, uint32_t *index,
                                 struct gm_error *err);
/* Integers of any width as uint64: negative ones are refused. */
enum gm_code sparse_read_whole(const struct stored *stored, uint64_t *to, struct gm_error *err);
/* Fill lengths and contents from start. */
void sparse_measure(struct sparse *s, const struct lane_plan *plan);

#endif
