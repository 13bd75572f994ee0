/* Element types of stored values and their conversion, a block at a time. */
#ifndef DATA_CONVERT_H
#define DATA_CONVERT_H

#include <stddef.h>

enum data_type {
    DATA_U8,
    DATA_I8,
    DATA_U16,
    DATA_I16,
    DATA_U32,
    DATA_I32,
    DATA_U64,
    DATA_I64,
    DATA_F16,  /* IEEE 754 binary16 */
    DATA_BF16, /* upper half of a binary32 */
    DATA_F32,
    DATA_F64
};

size_t data_type_size(enum data_type type);      /* bytes */
const char *data_type_name(enum data_type type); /* "uint8", "float32" ... */

/* n values of `type` at `from` (any alignment) to float or double; rounding to nearest even. */
void convert_to_f32(enum data_type type, const void *from, size_t n, float *to);
void convert_to_f64(enum data_type type, const void *from, size_t n, double *to);

/* As convert_to_f32, for values whose followers in memory are converted next: those are fetched ahead. */
void convert_run_to_f32(enum data_type type, const void *from, size_t n, float *to);

#endif
