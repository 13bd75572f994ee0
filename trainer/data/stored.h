/*
 * One dataset of a file, opened as rows: the first dimension counts rows, the others are flattened to columns.
 *
 * Takes hdf5_lock itself. Nothing is read before stored_read or stored_each_word.
 */
#ifndef DATA_STORED_H
#define DATA_STORED_H

#include "data/h5.h"

#define STORED_BAND_MOST ((size_t)256 << 20) /* bytes of a band that HDF5's chunk cache is made large enough for */

/* Of a dataset in chunks: are they as large as they must be (sizes.h)? */
struct stored_sizes {
    bool known;
    size_t wrong_row; /* of a chunk that is not; SIZE_MAX: none */
    size_t chunk[H5_RANK_MOST], chunk_bytes;
    int filters;
    uint32_t compressing, summing; /* bit i: filter i changes the size, or adds a checksum */
    bool raw_edges;                /* chunks that reach over the edge have no filter */
};

struct stored {
    hid_t dataset, type, memory_type; /* 0 or negative: not open */
    char *at;                         /* "digits.h5:/X" */
    const char *name;                 /* "/X", points into `at` */
    enum h5_kind kind;                /* H5_NUMBERS or H5_WORDS */
    enum data_type value_type;        /* of H5_NUMBERS: in memory */
    size_t rank, dims[H5_RANK_MOST];
    size_t rows, columns;
    size_t row_bytes;           /* of H5_NUMBERS: columns * size of value_type */
    size_t band_rows;           /* rows of a chunk; 1 when contiguous */
    size_t band_bytes;          /* of a band as HDF5 caches it while its chunks are read in part; 0 when contiguous */
    struct stored_sizes *sizes; /* NULL: not in chunks */
};

/* Opens dataset `name`, absolute, of the file. GM_NO_INPUT (no such dataset: the nearest name is told), GM_BAD_DATA
 * (not a dataset, unusable type, rank over 8, a shape that overflows, 0 rows, a shape far beyond what the file stores,
 * external parts), GM_SYSTEM. */
enum gm_code stored_open(struct stored *stored, const struct h5_file *file, const char *name, struct gm_error *err);
void stored_close(struct stored *stored); /* a zeroed struct is fine */

/* Is `fd` the file that the dataset was opened in, not one that took its name since? Takes hdf5_lock. */
bool stored_is_in(const struct stored *stored, int fd);

/* The file once more, for reading without HDF5; -1 on failure, also when another has taken its name. */
int stored_reopen(const struct stored *stored);

/* Rows [first, first + rows) of H5_NUMBERS as value_type to `to` [rows x columns]. GM_IO (the disk), GM_BAD_DATA
 * (damage). */
enum gm_code stored_read(const struct stored *stored, size_t first, size_t rows, void *to, struct gm_error *err);

/* The block at `start`, `block` values in each dimension, to `to` [block], in memory order; what lies beyond the edge
 * of the dataset is left as it is. */
enum gm_code stored_read_block(const struct stored *stored, const hsize_t *start, const hsize_t *block, void *to,
                               struct gm_error *err);

/* Every word of H5_WORDS with one column, in order, until `word` fails. As stored_read, GM_SYSTEM, or what `word`
 * returned. */
typedef enum gm_code stored_word_fn(void *context, size_t row, const char *text, struct gm_error *err);
enum gm_code stored_each_word(const struct stored *stored, stored_word_fn *word, void *context, struct gm_error *err);

#endif
