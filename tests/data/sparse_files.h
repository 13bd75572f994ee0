/* Sparse rows in the layouts that people's files have, made with HDF5's own API from one table. */
#ifndef TESTS_DATA_SPARSE_FILES_H
#define TESTS_DATA_SPARSE_FILES_H

#include "data/files.h"

enum { SPARSE_ROWS = 300, SPARSE_COLUMNS = 40, SPARSE_ROOM = SPARSE_ROWS * SPARSE_COLUMNS };

/* Compressed rows (or columns) of the table, or triples. */
struct sparse_table {
    size_t rows, columns, entries;
    int64_t pointers[SPARSE_ROWS + 2];
    int64_t index[SPARSE_ROOM], row[SPARSE_ROOM];
    double value[SPARSE_ROOM];
};

/* The table: whole numbers 1 to 100 (exact in every type but int8); about one cell in six; each tenth row is empty, and
 * column 7 never occurs. */
static inline double sparse_cell(size_t row, size_t column)
{
    double noise = file_noise(row * SPARSE_COLUMNS + column);
    return row % 10 == 3 || column == 7 || noise > 0.16 ? 0 : 1 + floor(noise * 600);
}

/* By rows, or with by_columns column by column. Triples are filled in as well. */
static inline struct sparse_table *sparse_table(bool by_columns)
{
    struct sparse_table *t = calloc(1, sizeof *t);
    t->rows = SPARSE_ROWS;
    t->columns = SPARSE_COLUMNS;
    size_t outer = by_columns ? SPARSE_COLUMNS : SPARSE_ROWS, inner = by_columns ? SPARSE_ROWS : SPARSE_COLUMNS;
    for (size_t i = 0; i < outer; i++) {
        for (size_t j = 0; j < inner; j++) {
            double cell = by_columns ? sparse_cell(j, i) : sparse_cell(i, j);
            if (cell == 0)
                continue;
            t->value[t->entries] = cell;
            t->row[t->entries] = (int64_t)i;
            t->index[t->entries++] = (int64_t)j;
        }
        t->pointers[i + 1] = (int64_t)t->entries;
    }
    return t;
}

/* How the arrays are stored. */
struct sparse_style {
    hid_t value, index;
    const struct layout_of_file *layout;
    const char *group;    /* "X" */
    const char *encoding; /* attribute encoding-type, or NULL */
    int shape;            /* 0: none, 1: attribute, 2: dataset, 3: dataset the other way round with barcodes (10x) */
};

static inline void sparse_put_shape(hid_t group, const struct sparse_table *t, int how)
{
    int64_t shape[2] = {(int64_t)(how == 3 ? t->columns : t->rows), (int64_t)(how == 3 ? t->rows : t->columns)};
    hsize_t two = 2;
    hid_t space = H5Screate_simple(1, &two, NULL);
    if (how == 1) {
        hid_t id = H5Acreate2(group, "shape", H5T_NATIVE_INT64, space, H5P_DEFAULT, H5P_DEFAULT);
        H5Awrite(id, H5T_NATIVE_INT64, shape);
        H5Aclose(id);
    } else if (how > 1) {
        file_put(group, "shape", H5T_STD_I32LE, NULL, 1, &two, H5T_NATIVE_INT64, shape);
    }
    H5Sclose(space);
    const char *codes[] = {"AAA", "AAC"};
    if (how == 3)
        file_put_words(group, "barcodes", codes, 2, 0, false);
}

static inline void sparse_put_word(hid_t group, const char *name, const char *text)
{
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, H5T_VARIABLE);
    hid_t id = H5Acreate2(group, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(id, type, &text);
    H5Aclose(id);
    H5Sclose(space);
    H5Tclose(type);
}

/* The group in `file`; pointers: as many numbers as there are rows (or columns) and one. */
static inline void sparse_put(hid_t file, const struct sparse_table *t, size_t pointers,
                              const struct sparse_style *style)
{
    hid_t group = H5Gcreate2(file, style->group, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hsize_t entries = t->entries, count = pointers;
    file_put(group, "data", style->value, style->layout, 1, &entries, H5T_NATIVE_DOUBLE, t->value);
    file_put(group, "indices", style->index, style->layout, 1, &entries, H5T_NATIVE_INT64, t->index);
    file_put(group, "indptr", style->index, NULL, 1, &count, H5T_NATIVE_INT64, t->pointers);
    if (style->encoding)
        sparse_put_word(group, "encoding-type", style->encoding);
    sparse_put_shape(group, t, style->shape);
    H5Gclose(group);
}

static inline void sparse_put_target(hid_t file, size_t rows)
{
    double y[SPARSE_ROWS];
    for (size_t i = 0; i < rows; i++)
        y[i] = file_noise(77 + i) > 0.5;
    file_put_reals(file, "y", rows, 0, y);
}

#endif
