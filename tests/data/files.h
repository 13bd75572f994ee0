/* HDF5 files for the tests of the data room, made with HDF5's own API. */
#ifndef TESTS_DATA_FILES_H
#define TESTS_DATA_FILES_H

#include "support.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <hdf5.h>

#include "base/lanes.h"
#include "data/data.h"

struct layout_of_file {
    hsize_t chunk[4]; /* all 0: contiguous */
    int gzip;         /* level, 0: none */
    bool shuffle, fletcher;
};

static inline hid_t file_new(const char *path)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
}

/* A dataset of `stored` type with values given as `memory` type; values NULL: nothing is written. */
static inline void file_put(hid_t file, const char *name, hid_t stored, const struct layout_of_file *layout, int rank,
                            const hsize_t *dims, hid_t memory, const void *values)
{
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(rank, dims, NULL);
    if (layout && layout->chunk[0]) {
        H5Pset_chunk(plist, rank, layout->chunk);
        if (layout->shuffle)
            H5Pset_shuffle(plist);
        if (layout->gzip)
            H5Pset_deflate(plist, (unsigned)layout->gzip);
        if (layout->fletcher)
            H5Pset_fletcher32(plist);
    }
    hid_t dataset = H5Dcreate2(file, name, stored, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    CU_ASSERT_FATAL(dataset >= 0);
    if (values)
        CU_ASSERT_FATAL(H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Pclose(plist);
}

static inline void file_put_reals(hid_t file, const char *name, size_t rows, size_t columns, const double *values)
{
    hsize_t dims[2] = {rows, columns};
    file_put(file, name, H5T_NATIVE_DOUBLE, NULL, columns ? 2 : 1, dims, H5T_NATIVE_DOUBLE, values);
}

/* A virtual dataset of a shape as large as one likes, mapped to a dataset of the same shape that is not there. */
static inline void file_put_virtual(hid_t file, const char *name, hid_t stored, int rank, const hsize_t *dims)
{
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(rank, dims, NULL);
    H5Pset_virtual(plist, space, "nowhere.h5", "/none", space);
    hid_t dataset = H5Dcreate2(file, name, stored, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    CU_ASSERT_FATAL(dataset >= 0);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Pclose(plist);
}

/* Words as variable-length (width 0) or fixed strings. */
static inline void file_put_words(hid_t object, const char *name, const char *const *words, size_t count, size_t width,
                                  bool as_attribute)
{
    hsize_t dims[1] = {count};
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, dims, NULL);
    H5Tset_size(type, width ? width : H5T_VARIABLE);
    char *fixed = calloc(count, width + 1);
    for (size_t i = 0; width && i < count; i++)
        memcpy(fixed + i * width, words[i], strlen(words[i]) < width ? strlen(words[i]) : width);
    const void *values = width ? (const void *)fixed : (const void *)words;
    if (as_attribute) {
        hid_t id = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
        H5Awrite(id, type, values);
        H5Aclose(id);
    } else {
        hid_t id = H5Dcreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
        H5Dclose(id);
    }
    free(fixed);
    H5Sclose(space);
    H5Tclose(type);
}

/* Numbers without a pattern that any layout could hide: a linear congruential sequence (Knuth's MMIX constants). */
static inline double file_noise(uint64_t i)
{
    uint64_t state = (i + 1) * 6364136223846793005u + 1442695040888963407u;
    state ^= state >> 29;
    state *= 6364136223846793005u;
    return (double)(state >> 11) * 0x1p-53;
}

/* A small plan, so that little data has several slabs, lanes and blocks. */
static inline struct lane_plan small_plan(size_t rows)
{
    struct lane_plan plan = {.rows = rows, .block_rows = 32, .run_rows = 64, .lanes = 3};
    plan.slab_rows = plan.lanes * plan.run_rows;
    plan.slabs = (rows + plan.slab_rows - 1) / plan.slab_rows;
    return plan;
}

static inline struct data_set *open_path(const char *path)
{
    struct data_source source = {.path = path};
    struct data_options options = {.need_target = false};
    struct data_set *set = NULL;
    struct gm_error err = {0};
    enum gm_code code = data_open(&set, &source, &options, &err);
    if (code != GM_OK)
        printf("\n    %s", err.text);
    CU_ASSERT_EQUAL_FATAL(code, GM_OK);
    return set;
}

static inline void load_with(struct data_set *set, const struct lane_plan *plan, uint64_t memory)
{
    struct gm_error err = {0};
    enum gm_code code = data_load(set, plan, memory, 2, &err);
    if (code != GM_OK)
        printf("\n    %s", err.text);
    CU_ASSERT_EQUAL_FATAL(code, GM_OK);
}

#define MEMORY_PLENTY ((uint64_t)1 << 32)

#endif
