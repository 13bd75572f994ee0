/* Headers of array files: NumPy's .npy (format 1 to 3) and idx (MNIST). Pure functions of the bytes. */
#ifndef DATASETS_ARRAY_HEADER_H
#define DATASETS_ARRAY_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include <gradmill/status.h>

#include "datasets/output.h"

struct array_header {
    enum data_type type;
    bool swapped; /* bytes of an element are not in this machine's order */
    struct output_shape shape;
    size_t bytes; /* of the header: the elements follow, row-major */
};

/* Bytes needed to parse any header: a prefix of the file, shorter only when the file is. */
#define ARRAY_HEADER_BYTES ((size_t)1 << 16)

bool array_is_npy(const unsigned char *bytes, size_t size);
bool array_is_idx(const unsigned char *bytes, size_t size);

/* `name` is for messages. GM_BAD_DATA: cut off, no such type (strings, objects, complex numbers, records), Fortran
 * order of a real matrix, rank 0 or above OUTPUT_RANK, a shape whose bytes do not fit into 63 bits. */
enum gm_code array_parse_npy(struct array_header *header, const unsigned char *bytes, size_t size, const char *name,
                             struct gm_error *err);
enum gm_code array_parse_idx(struct array_header *header, const unsigned char *bytes, size_t size, const char *name,
                             struct gm_error *err);

/* Bytes of all elements, and of one row. */
size_t array_bytes(const struct array_header *header);
size_t array_row_values(const struct array_header *header);

#endif
