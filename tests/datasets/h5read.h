/* Reading results back with HDF5's own API, for the tests of datasets. Failures end the program: they are not the
 * subject. */
#ifndef TESTS_DATASETS_H5READ_H
#define TESTS_DATASETS_H5READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hdf5.h>

struct h5array {
    size_t rank, rows, columns; /* columns: 1 for rank 1 */
    bool is_float, is_signed, is_chunked;
    size_t size;    /* bytes of an element as stored */
    double *values; /* [rows x columns], converted by HDF5 */
};

__attribute__((unused)) static struct h5array h5array(const char *path, const char *name)
{
    struct h5array a = {0};
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    if (file < 0 || set < 0) {
        fprintf(stderr, "%s: no %s\n", path, name);
        exit(99);
    }
    hid_t space = H5Dget_space(set), type = H5Dget_type(set), storage = H5Dget_create_plist(set);
    hsize_t dims[4] = {1, 1, 1, 1};
    a.rank = (size_t)H5Sget_simple_extent_dims(space, dims, NULL);
    a.rows = dims[0];
    a.columns = dims[1] * dims[2] * dims[3];
    a.is_float = H5Tget_class(type) == H5T_FLOAT;
    a.is_signed = !a.is_float && H5Tget_sign(type) == H5T_SGN_2;
    a.size = H5Tget_size(type);
    a.is_chunked = H5Pget_layout(storage) == H5D_CHUNKED;
    a.values = malloc((a.rows * a.columns + 1) * sizeof(double));
    if (H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, a.values) < 0)
        exit(99);
    H5Pclose(storage);
    H5Tclose(type);
    H5Sclose(space);
    H5Dclose(set);
    H5Fclose(file);
    return a;
}

__attribute__((unused)) static void h5free(struct h5array *a)
{
    free(a->values);
    *a = (struct h5array){0};
}

__attribute__((unused)) static bool h5has(const char *path, const char *name)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    bool has = file >= 0 && H5Lexists(file, name, H5P_DEFAULT) > 0;
    if (file >= 0)
        H5Fclose(file);
    return has;
}

/* A text attribute, or a list of them joined by '|'; "" when there is none. In one static buffer. */
__attribute__((unused)) static const char *h5text(const char *path, const char *where, const char *name)
{
    static char text[1 << 16];
    text[0] = 0;
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (H5Aexists_by_name(file, where, name, H5P_DEFAULT) > 0) {
        hid_t id = H5Aopen_by_name(file, where, name, H5P_DEFAULT, H5P_DEFAULT);
        hid_t type = H5Aget_type(id), space = H5Aget_space(id);
        size_t count = (size_t)H5Sget_simple_extent_npoints(space), used = 0;
        char **texts = calloc(count, sizeof *texts);
        if (H5Aread(id, type, texts) < 0)
            exit(99);
        for (size_t i = 0; i < count; i++)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? "|" : "", texts[i]);
        H5Dvlen_reclaim(type, space, H5P_DEFAULT, texts);
        free(texts);
        H5Sclose(space);
        H5Tclose(type);
        H5Aclose(id);
    }
    H5Fclose(file);
    return text;
}

/* The numbers of an attribute; returns how many. */
__attribute__((unused)) static size_t h5numbers(const char *path, const char *where, const char *name, uint64_t *to)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t id = H5Aopen_by_name(file, where, name, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Aget_space(id);
    size_t count = (size_t)H5Sget_simple_extent_npoints(space);
    if (H5Aread(id, H5T_NATIVE_UINT64, to) < 0)
        exit(99);
    H5Sclose(space);
    H5Aclose(id);
    H5Fclose(file);
    return count;
}

__attribute__((unused)) static bool same_files(const char *a, const char *b)
{
    FILE *one = fopen(a, "rb"), *two = fopen(b, "rb");
    bool same = one && two;
    for (int c = 0; same && c != EOF;) {
        c = fgetc(one);
        same = c == fgetc(two);
    }
    if (one)
        fclose(one);
    if (two)
        fclose(two);
    return same;
}

#endif
