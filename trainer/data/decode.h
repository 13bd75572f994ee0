/*
 * Undoing the filters of one chunk: fletcher32, deflate, shuffle, byte order. Pure functions of bytes: safe for any
 * input.
 */
#ifndef DATA_DECODE_H
#define DATA_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/layout.h"

/* Work space of one thread. A zeroed struct is empty. */
struct decoder {
    struct libdeflate_decompressor *inflater;
    unsigned char *spare; /* [chunk_bytes + 4 * LAYOUT_FILTERS_MOST] */
};
enum gm_code decoder_init(struct decoder *decoder, const struct layout *layout, struct gm_error *err);
void decoder_release(struct decoder *decoder);

/* A chunk as it is stored: `size` bytes, `mask` bit i set: filter i was left out when it was written. The bytes are
 * used as work space: room for `room` bytes, at least chunk_bytes + 4 * LAYOUT_FILTERS_MOST. */
struct decode_chunk {
    unsigned char *bytes;
    size_t size, room;
    uint32_t mask;
    bool raw; /* no filter at all: an edge chunk of a dataset with raw edges */
};

/* Decodes exactly layout->chunk_bytes to `to`, in memory order. NULL, or what is wrong. */
const char *decode_chunk(struct decoder *decoder, const struct layout *layout, const struct decode_chunk *chunk,
                         unsigned char *to);

/* The checksum of HDF5's fletcher32 filter: sums of 16-bit big-endian words modulo 2^16 - 1 (Fletcher 1982). */
uint32_t decode_fletcher32(const unsigned char *bytes, size_t size);

#endif
