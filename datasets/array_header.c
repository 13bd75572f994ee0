/*
 * Headers of array files. npy: numpy.lib.format's description, versions 1.0, 2.0, 3.0. idx: the file format at the end
 * of Y. LeCun's MNIST page.
 */
#include "datasets/array_header.h"

#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

static bool machine_is_little(void)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
}

size_t array_row_values(const struct array_header *header)
{
    size_t values = 1;
    for (size_t i = 1; i < header->shape.rank; i++)
        values *= header->shape.dims[i];
    return values;
}

size_t array_bytes(const struct array_header *header)
{
    return header->shape.dims[0] * array_row_values(header) * output_type_size(header->type);
}

/* After this the products above do not overflow. */
static enum gm_code check_shape(const struct array_header *header, const char *name, struct gm_error *err)
{
    size_t bytes = output_type_size(header->type);
    bool fits = true, empty = false;
    for (size_t i = 0; i < header->shape.rank; i++) {
        size_t dim = header->shape.dims[i];
        empty |= dim == 0;
        fits = fits && memory_product(bytes, dim ? dim : 1, &bytes) && bytes < (size_t)1 << 62;
    }
    if (empty)
        return error_set(err, GM_BAD_DATA, "%s: the array is empty: one of its dimensions is 0.", name);
    return fits ? GM_OK : error_set(err, GM_BAD_DATA, "%s: damaged: its shape is larger than any memory.", name);
}

/* ---- npy ------------------------------------------------------------------------------------------------------------
 */

bool array_is_npy(const unsigned char *bytes, size_t size)
{
    return size >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0;
}

static enum gm_code take_descr(struct array_header *header, const char *p, const char *name, struct gm_error *err)
{
    static const struct {
        char text[3];
        enum data_type type;
    } types[] = {{"b1", DATA_U8},  {"u1", DATA_U8},  {"i1", DATA_I8},  {"u2", DATA_U16},
                 {"i2", DATA_I16}, {"u4", DATA_U32}, {"i4", DATA_I32}, {"u8", DATA_U64},
                 {"i8", DATA_I64}, {"f2", DATA_F16}, {"f4", DATA_F32}, {"f8", DATA_F64}};
    char quote = *p, order = p[0] ? p[1] : 0;
    if ((quote == '\'' || quote == '"') && strchr("<>|=", order) && order)
        for (size_t i = 0; i < sizeof types / sizeof *types; i++)
            if (strncmp(p + 2, types[i].text, 2) == 0 && p[4] == quote) {
                header->type = types[i].type;
                header->swapped = (order == '<' && !machine_is_little()) || (order == '>' && machine_is_little());
                return GM_OK;
            }
    return error_set(
        err, GM_BAD_DATA,
        "%s: elements of type %.20s cannot be features or targets: expected numbers (bool, int, uint, float up "
        "to 64 bits).",
        name, p);
}

static enum gm_code take_shape(struct array_header *header, const char *p, const char *name, struct gm_error *err)
{
    size_t rank = 0;
    if (*p++ != '(')
        goto bad;
    for (;;) {
        while (*p == ' ' || *p == ',')
            p++;
        if (*p == ')')
            break;
        if (!isdigit((unsigned char)*p))
            goto bad;
        uint64_t dim = 0;
        for (; isdigit((unsigned char)*p); p++)
            dim = dim < (uint64_t)1 << 58 ? dim * 10 + (uint64_t)(*p - '0') : (uint64_t)1 << 62;
        if (*p == 'L') /* written by Python 2 */
            p++;
        if (rank < OUTPUT_RANK)
            header->shape.dims[rank] = (size_t)dim;
        rank++;
    }
    if (rank == 0 || rank > OUTPUT_RANK)
        return error_set(err, GM_BAD_DATA, "%s: an array of %zu dimensions: expected 1 to %d.", name, rank,
                         OUTPUT_RANK);
    header->shape.rank = rank;
    return check_shape(header, name, err);
bad:
    return error_set(err, GM_BAD_DATA, "%s: damaged npy header: expected a shape as (rows, columns).", name);
}

/* The text behind 'key': in the header's dictionary, or NULL. */
static const char *value_of(const char *text, const char *key)
{
    char quoted[32];
    for (int kind = 0; kind < 2; kind++) {
        snprintf(quoted, sizeof quoted, "%c%s%c", "'\""[kind], key, "'\""[kind]);
        const char *at = strstr(text, quoted);
        if (!at)
            continue;
        at += strlen(quoted);
        at += strspn(at, " ");
        if (*at == ':')
            return at + 1 + strspn(at + 1, " ");
    }
    return NULL;
}

static enum gm_code take_dictionary(struct array_header *header, const char *text, const char *name,
                                    struct gm_error *err)
{
    const char *descr = value_of(text, "descr"), *order = value_of(text, "fortran_order"),
               *shape = value_of(text, "shape");
    if (!descr || !order || !shape)
        return error_set(err, GM_BAD_DATA, "%s: damaged npy header: expected descr, fortran_order and shape.", name);
    enum gm_code code = take_descr(header, descr, name, err);
    if (code == GM_OK)
        code = take_shape(header, shape, name, err);
    if (code)
        return code;
    size_t wide = 0; /* dimensions that are not 1: with one of them both orders are the same */
    for (size_t i = 0; i < header->shape.rank; i++)
        wide += header->shape.dims[i] != 1;
    if (strncmp(order, "True", 4) == 0 && wide > 1)
        return error_set(err, GM_BAD_DATA,
                         "%s: stored column by column (Fortran order). Save it row by row: numpy.save(name, "
                         "numpy.ascontiguousarray(a)).",
                         name);
    return GM_OK;
}

enum gm_code array_parse_npy(struct array_header *header, const unsigned char *bytes, size_t size, const char *name,
                             struct gm_error *err)
{
    *header = (struct array_header){0};
    unsigned version = size > 6 ? bytes[6] : 0, width = version == 1 ? 2 : 4;
    if (version < 1 || version > 3 || size < 8 + width)
        return error_set(err, GM_BAD_DATA, "%s: npy format %u: expected 1, 2 or 3, or the file is cut off.", name,
                         version);
    uint64_t length = 0;
    for (unsigned i = width; i-- > 0;)
        length = length << 8 | bytes[8 + i];
    if (length > size - 8 - width)
        return error_set(err, GM_BAD_DATA, "%s: damaged npy header: %llu bytes announced, %zu found.", name,
                         (unsigned long long)length, size - 8 - width);
    char *text;
    enum gm_code code = memory_alloc((void **)&text, (size_t)length + 1, 1, "a header", err);
    if (code)
        return code;
    memcpy(text, bytes + 8 + width, (size_t)length);
    code = take_dictionary(header, text, name, err);
    header->bytes = 8 + width + (size_t)length;
    memory_free(text);
    return code;
}

/* ---- idx ------------------------------------------------------------------------------------------------------------
 */

static bool idx_type(unsigned char mark, enum data_type *type)
{
    switch (mark) {
    case 0x08:
        *type = DATA_U8;
        return true;
    case 0x09:
        *type = DATA_I8;
        return true;
    case 0x0B:
        *type = DATA_I16;
        return true;
    case 0x0C:
        *type = DATA_I32;
        return true;
    case 0x0D:
        *type = DATA_F32;
        return true;
    case 0x0E:
        *type = DATA_F64;
        return true;
    default:
        return false;
    }
}

bool array_is_idx(const unsigned char *bytes, size_t size)
{
    enum data_type type;
    return size >= 4 && bytes[0] == 0 && bytes[1] == 0 && idx_type(bytes[2], &type) && bytes[3] >= 1;
}

enum gm_code array_parse_idx(struct array_header *header, const unsigned char *bytes, size_t size, const char *name,
                             struct gm_error *err)
{
    *header = (struct array_header){.swapped = machine_is_little()};
    bool known = array_is_idx(bytes, size) && idx_type(bytes[2], &header->type);
    assert(known); /* the caller has looked */
    (void)known;
    size_t rank = bytes[3];
    if (rank > OUTPUT_RANK)
        return error_set(err, GM_BAD_DATA, "%s: an array of %zu dimensions: expected 1 to %d.", name, rank,
                         OUTPUT_RANK);
    header->bytes = 4 + 4 * rank;
    if (size < header->bytes)
        return error_set(err, GM_BAD_DATA, "%s: damaged idx header: the file is cut off.", name);
    header->shape.rank = rank;
    for (size_t i = 0; i < rank; i++) {
        const unsigned char *p = bytes + 4 + 4 * i;
        header->shape.dims[i] = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    }
    return check_shape(header, name, err);
}
