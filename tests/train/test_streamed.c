/*
 * Networks on data that do not fit into memory: small batches of a shuffled pass, which mixes 64 MiB of rows at a time.
 * The bytes are those of training on resident data. 76 MB of features.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include <hdf5.h>

#include "base/random.h"
#include "train/lab.h"

enum { ROWS = 100000, FEATURES = 750, SECOND = 6 };

static void put(hid_t file, const char *name, hid_t type, const hsize_t dims[2], const void *values)
{
    hid_t space = H5Screate_simple(dims[1] ? 2 : 1, dims, NULL);
    hid_t memory = type == H5T_STD_U8LE ? H5T_NATIVE_UINT8 : H5T_NATIVE_FLOAT;
    hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT_FATAL(H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(dataset);
    H5Sclose(space);
}

static const char *data(void)
{
    static const char *path;
    if (path)
        return path;
    path = test_path("bytes.h5");
    unsigned char *x = malloc((size_t)ROWS * FEATURES);
    float *y = malloc(ROWS * sizeof *y);
    struct random_key key = {11, RANDOM_CHECK, 0};
    for (size_t i = 0; i < (size_t)ROWS * FEATURES; i += 16) {
        uint32_t bits[4];
        random_bits(key, i, bits);
        memcpy(x + i, bits, sizeof bits);
    }
    for (size_t i = 0; i < ROWS; i++)
        y[i] = (float)x[i * FEATURES] - 0.5f * (float)x[i * FEATURES + 1];
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    put(file, "X", H5T_STD_U8LE, (const hsize_t[]){ROWS, FEATURES}, x);
    put(file, "second", H5T_STD_U8LE, (const hsize_t[]){ROWS, SECOND}, x);
    put(file, "y", H5T_IEEE_F32LE, (const hsize_t[]){ROWS, 0}, y);
    H5Fclose(file);
    free(x);
    free(y);
    return path;
}

static void streamed_is_resident(const char *loss, void (*adjust)(struct gm_job *))
{
    static const size_t hidden[] = {4};
    struct gm_error err;
    char path[300];
    snprintf(path, sizeof path, "%s", data());
    for (int streamed = 0; streamed < 2; streamed++) {
        struct lab lab;
        lab_job(&lab, path, loss, test_path(streamed ? "other.h5" : "first.h5"));
        lab.job.run.precision = GM_FLOAT32;
        lab.job.model.hidden = (struct gm_wholes){hidden, 1};
        lab.job.model.embedding = 3;
        lab.job.stop.max_epochs = 1;
        adjust(&lab.job);
        lab.job.run.threads = streamed ? 3 : 2;
        lab.job.run.memory = streamed ? (uint64_t)72 << 20 : 0;
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        printf("%s", err.text);
        CU_ASSERT_EQUAL(lab_summary()->resident, !streamed);
    }
    CU_ASSERT(lab_same_bytes(test_path("first.h5"), test_path("other.h5")));
}

static void small_batches(struct gm_job *job)
{
    job->optimizer.type = GM_OPTIMIZER_ADAM;
    job->optimizer.learning_rate = 0.01;
    job->optimizer.batch_size = 512;
}

static void network(struct gm_job *job)
{
    job->model.type = GM_MODEL_MLP;
    job->data.validation_fraction = 0.2;
    small_batches(job);
}

static void product(struct gm_job *job)
{
    job->model.type = GM_MODEL_TWO_TOWER;
    job->model.fuse = GM_FUSE_DOT;
    small_batches(job);
}

static void networks_in_small_batches(void)
{
    streamed_is_resident("mse", network);
}

static void towers_in_small_batches(void)
{
    streamed_is_resident("mse", product);
}

TEST_MAIN("streamed", TEST(networks_in_small_batches), TEST(towers_in_small_batches))
