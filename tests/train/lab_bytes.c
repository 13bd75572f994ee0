/* Large datasets of bytes. */
#include <stdlib.h>
#include <string.h>

#include <hdf5.h>

#include "base/random.h"
#include "support.h"
#include "train/lab.h"

static void put(hid_t file, const char *name, hid_t type, const hsize_t dims[2], const void *values)
{
    hid_t space = H5Screate_simple(dims[1] ? 2 : 1, dims, NULL);
    hid_t memory = type == H5T_STD_U8LE ? H5T_NATIVE_UINT8 : H5T_NATIVE_FLOAT;
    hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT_FATAL(H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(dataset);
    H5Sclose(space);
}

void lab_write_bytes(const char *path, size_t rows, size_t features, size_t second, double noise)
{
    unsigned char *x = malloc(rows * features);
    float *y = malloc(rows * sizeof *y);
    struct random_key key = {11, RANDOM_CHECK, 0};
    for (size_t i = 0; i < rows * features; i += 16) {
        uint32_t bits[4];
        random_bits(key, i, bits);
        memcpy(x + i, bits, sizeof bits);
    }
    for (size_t i = 0; i < rows; i++)
        y[i] = (float)x[i * features] - 0.5f * (float)x[i * features + 1] + (float)(noise * random_normal(key, i));
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    put(file, "X", H5T_STD_U8LE, (const hsize_t[]){rows, features}, x);
    if (second)
        put(file, "second", H5T_STD_U8LE, (const hsize_t[]){rows, second}, x);
    put(file, "y", H5T_IEEE_F32LE, (const hsize_t[]){rows, 0}, y);
    H5Fclose(file);
    free(x);
    free(y);
}
