/* Reading rows of one dataset through H5Dread: numbers by bands, words one by one. */
#include "data/stored.h"

#include <string.h>

#include "base/error.h"
#include "base/hdf5_lock.h"
#include "base/lanes.h"
#include "base/memory.h"
#include "base/pulse.h"
#include "base/size.h"
#include "data/sizes.h"

#define WORDS_AT_ONCE ((size_t)4096)
#define WORDS_BYTES   ((size_t)16 << 20)

/* A block of the dataset: `count` values in each dimension from `start` on; in memory they go to the corner of [room].
 */
struct block {
    hsize_t start[H5_RANK_MOST], count[H5_RANK_MOST], room[H5_RANK_MOST];
};

/* The reason of a failure must be taken before the next call of HDF5 forgets it. */
struct reason {
    char text[256];
};

static bool read_block(const struct stored *stored, hid_t type, const struct block *block, void *to,
                       struct reason *reason)
{
    static const hsize_t corner[H5_RANK_MOST] = {0};
    hid_t file_space = H5Dget_space(stored->dataset),
          memory_space = H5Screate_simple((int)stored->rank, block->room, NULL);
    bool done = file_space >= 0 && memory_space >= 0 &&
                H5Sselect_hyperslab(file_space, H5S_SELECT_SET, block->start, NULL, block->count, NULL) >= 0 &&
                H5Sselect_hyperslab(memory_space, H5S_SELECT_SET, corner, NULL, block->count, NULL) >= 0 &&
                H5Dread(stored->dataset, type, memory_space, file_space, H5P_DEFAULT, to) >= 0;
    if (!done)
        h5_reason(reason->text, sizeof reason->text);
    if (memory_space >= 0)
        H5Sclose(memory_space);
    if (file_space >= 0)
        H5Sclose(file_space);
    pulse_progress(&pulse_disk);
    return done;
}

/* Rows [first, first + rows), all columns. */
static bool read_rows(const struct stored *stored, hid_t type, struct row_range rows, void *to, struct reason *reason)
{
    struct block block = {.start = {rows.first}, .count = {rows.end - rows.first}, .room = {rows.end - rows.first}};
    for (size_t i = 1; i < stored->rank; i++)
        block.count[i] = block.room[i] = stored->dims[i];
    return read_block(stored, type, &block, to, reason);
}

/* A failure of the operating system carries its errno in HDF5's message; anything else is damage. */
static enum gm_code say_unreadable(const struct stored *stored, struct row_range rows, const struct reason *reason,
                                   struct gm_error *err)
{
    bool disk = strstr(reason->text, "errno = ") != NULL;
    return error_set(err, disk ? GM_IO : GM_BAD_DATA, "%s: rows %zu to %zu cannot be read: %s (HDF5: %s).", stored->at,
                     rows.first, rows.end - 1, disk ? "reading failed" : "the file is damaged", reason->text);
}

enum gm_code stored_read(const struct stored *stored, size_t first, size_t rows, void *to, struct gm_error *err)
{
    struct row_range range = {first, first + rows};
    struct reason reason;
    memset(to, 0, rows * stored->row_bytes); /* HDF5 leaves as it is what was never written and has no fill value */
    hdf5_lock();
    enum gm_code code = sizes_check(stored, err);
    if (code == GM_OK && rows > 0 && !read_rows(stored, stored->memory_type, range, to, &reason))
        code = say_unreadable(stored, range, &reason, err);
    hdf5_unlock();
    return code;
}

enum gm_code stored_read_block(const struct stored *stored, const hsize_t *start, const hsize_t *block, void *to,
                               struct gm_error *err)
{
    struct block part;
    struct reason reason;
    size_t bytes = data_type_size(stored->value_type);
    for (size_t i = 0; i < stored->rank; i++) {
        bytes *= (size_t)block[i];
        part.start[i] = start[i];
        part.room[i] = block[i];
        part.count[i] = start[i] + block[i] <= stored->dims[i] ? block[i] : stored->dims[i] - start[i];
    }
    memset(to, 0, bytes); /* HDF5 leaves as it is what was never written and has no fill value */
    hdf5_lock();
    enum gm_code code = sizes_check(stored, err);
    if (code == GM_OK && !read_block(stored, stored->memory_type, &part, to, &reason))
        code = say_unreadable(stored, (struct row_range){part.start[0], part.start[0] + part.count[0]}, &reason, err);
    hdf5_unlock();
    return code;
}

/* A string type that HDF5 converts the stored one to without loss: same character set, terminated. */
static hid_t word_type(const struct stored *stored, size_t *bytes)
{
    bool variable = H5Tis_variable_str(stored->type) > 0;
    size_t size = variable ? H5T_VARIABLE : H5Tget_size(stored->type) + 1;
    *bytes = variable ? sizeof(char *) : size;
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 && (H5Tset_size(type, size) < 0 || H5Tset_cset(type, H5Tget_cset(stored->type)) < 0)) {
        H5Tclose(type);
        type = -1;
    }
    return type;
}

static void reclaim(hid_t type, size_t rows, void *words)
{
    hsize_t count = rows;
    hid_t space = H5Screate_simple(1, &count, NULL);
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, words);
    H5Sclose(space);
}

enum gm_code stored_each_word(const struct stored *stored, stored_word_fn *word, void *context, struct gm_error *err)
{
    char *words = NULL;
    size_t bytes = 0;
    hdf5_lock();
    hid_t type = word_type(stored, &bytes);
    bool variable = type >= 0 && H5Tis_variable_str(type) > 0;
    size_t at_once = bytes > WORDS_BYTES ? 1 : size_least(WORDS_AT_ONCE, WORDS_BYTES / (bytes ? bytes : 1));
    enum gm_code code =
        type >= 0 ? sizes_check(stored, err) : error_set(err, GM_BAD_DATA, "%s: its words cannot be read.", stored->at);
    if (code == GM_OK)
        code = memory_alloc((void **)&words, at_once, bytes, "words", err);
    for (size_t first = 0, rows; code == GM_OK && first < stored->rows; first += rows) {
        rows = size_least(stored->rows - first, at_once);
        struct row_range range = {first, first + rows};
        struct reason reason;
        if (!read_rows(stored, type, range, words, &reason)) {
            code = say_unreadable(stored, range, &reason, err);
            break;
        }
        for (size_t i = 0; code == GM_OK && i < rows; i++) {
            const char *text = variable ? ((char **)(void *)words)[i] : words + i * bytes;
            code = word(context, first + i, text ? text : "", err);
        }
        if (variable)
            reclaim(type, rows, words);
    }
    if (type >= 0)
        H5Tclose(type);
    hdf5_unlock();
    memory_free(words);
    return code;
}
