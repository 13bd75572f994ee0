/* Undoing the filters of one chunk. */
#include "data/decode.h"

#include <string.h>

#include <libdeflate.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/memory.h"
#include "data/kernels.h"

enum { CHECKSUM_BYTES = 4 };

enum gm_code decoder_init(struct decoder *decoder, const struct layout *layout, struct gm_error *err)
{
    *decoder = (struct decoder){.inflater = libdeflate_alloc_decompressor()};
    if (!decoder->inflater)
        return error_memory(err, "inflating", 0);
    enum gm_code code = memory_alloc((void **)&decoder->spare,
                                     layout->chunk_bytes + CHECKSUM_BYTES * LAYOUT_FILTERS_MOST, 1, "a chunk", err);
    if (code != GM_OK)
        decoder_release(decoder);
    return code;
}

void decoder_release(struct decoder *decoder)
{
    if (decoder->inflater)
        libdeflate_free_decompressor(decoder->inflater);
    memory_free(decoder->spare);
    *decoder = (struct decoder){0};
}

/* Words are summed 360 at a time: so many fit into 32 bits before the carries must be folded in. */
uint32_t decode_fletcher32(const unsigned char *bytes, size_t size)
{
    uint32_t first = 0, second = 0;
    size_t words = size / 2;
    while (words > 0) {
        size_t n = words > 360 ? 360 : words;
        words -= n;
        for (; n > 0; n--, bytes += 2) {
            first += (uint32_t)bytes[0] << 8 | bytes[1];
            second += first;
        }
        first = (first & 0xffff) + (first >> 16);
        second = (second & 0xffff) + (second >> 16);
    }
    if (size % 2) {
        first += (uint32_t)bytes[0] << 8;
        second += first;
        first = (first & 0xffff) + (first >> 16);
        second = (second & 0xffff) + (second >> 16);
    }
    first = (first & 0xffff) + (first >> 16);
    second = (second & 0xffff) + (second >> 16);
    return second << 16 | first;
}

/* Old versions of HDF5 wrote the bytes of each half swapped on some machines; both are accepted, as HDF5 does. */
static bool checksum_fits(const unsigned char *bytes, size_t size)
{
    const unsigned char *stored = bytes + size;
    uint32_t found =
        (uint32_t)stored[0] | (uint32_t)stored[1] << 8 | (uint32_t)stored[2] << 16 | (uint32_t)stored[3] << 24;
    uint32_t sum = decode_fletcher32(bytes, size);
    uint32_t swapped = (sum & 0x00ff00ffu) << 8 | (sum & 0xff00ff00u) >> 8;
    return found == sum || found == swapped;
}

/* Single bytes are shuffled to themselves. */
static bool is_active(const struct layout *layout, const struct decode_chunk *chunk, size_t filter)
{
    bool nothing = layout->filters[filter] == LAYOUT_SHUFFLE && layout->value_bytes == 1;
    return !chunk->raw && !(chunk->mask >> filter & 1) && !nothing;
}

/* Bytes of the chunk before filter `filter` was applied: its values and the checksums of the filters before. */
static size_t size_before(const struct layout *layout, const struct decode_chunk *chunk, size_t filter)
{
    size_t size = layout->chunk_bytes;
    for (size_t i = 0; i < filter; i++)
        if (layout->filters[i] == LAYOUT_FLETCHER32 && is_active(layout, chunk, i))
            size += CHECKSUM_BYTES;
    return size;
}

/* HDF5 shuffles whole values and leaves the bytes behind them as they are. */
static void unshuffle(size_t value_bytes, const unsigned char *from, size_t size, unsigned char *to)
{
    size_t n = size / value_bytes, rest = size - n * value_bytes;
    KERNEL_PICK(decode_unshuffle, kernels_isa())(value_bytes, from, n, to);
    memcpy(to + n * value_bytes, from + n * value_bytes, rest);
}

const char *decode_chunk(struct decoder *decoder, const struct layout *layout, const struct decode_chunk *chunk,
                         unsigned char *to)
{
    unsigned char *now = chunk->bytes, *other = decoder->spare;
    size_t size = chunk->size, room = layout->chunk_bytes + CHECKSUM_BYTES * LAYOUT_FILTERS_MOST;
    for (size_t i = layout->n_filters; i-- > 0;) {
        if (!is_active(layout, chunk, i))
            continue;
        bool last = true;
        for (size_t k = 0; k < i; k++)
            last = last && !is_active(layout, chunk, k);
        unsigned char *target = last ? to : other;
        switch (layout->filters[i]) {
        case LAYOUT_FLETCHER32:
            if (size < CHECKSUM_BYTES || !checksum_fits(now, size - CHECKSUM_BYTES))
                return "a chunk does not fit its checksum";
            size -= CHECKSUM_BYTES;
            continue; /* in place */
        case LAYOUT_DEFLATE: {
            size_t before = size_before(layout, chunk, i);
            if (libdeflate_zlib_decompress(decoder->inflater, now, size, target, before, NULL) != LIBDEFLATE_SUCCESS)
                return "a chunk cannot be inflated to its size";
            size = before;
            break;
        }
        case LAYOUT_SHUFFLE:
            if (size > (last ? layout->chunk_bytes : room))
                return "a chunk has the wrong size";
            unshuffle(layout->value_bytes, now, size, target);
            break;
        }
        other = now;
        now = target;
    }
    if (size != layout->chunk_bytes)
        return "a chunk has the wrong size";
    if (now != to)
        memcpy(to, now, size);
    if (layout->swapped)
        KERNEL_PICK(decode_swap, kernels_isa())(layout->value_bytes, to, size / layout->value_bytes);
    return NULL;
}
