/* Data in several files, and splits that the data store: the same model as from one file, or from files of their own.
 */
#include "support.h"

#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/lab.h"

enum { ROWS = 900, FEATURES = 4 };

static struct gm_error err;

/* y = x w + a wave that no line fits, so that losses differ between parts. */
static void fill(double *x, double *y)
{
    for (size_t i = 0; i < ROWS; i++) {
        y[i] = sin((double)i);
        for (size_t j = 0; j < FEATURES; j++) {
            x[i * FEATURES + j] = cos((double)(i * (j + 2) + j * j));
            y[i] += (double)(j + 1) * x[i * FEATURES + j];
        }
    }
}

static void put(const char *path, const char *name, hid_t type, const void *values)
{
    hsize_t dims[1] = {ROWS};
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), space = H5Screate_simple(1, dims, NULL);
    hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT_FATAL(dataset >= 0 && H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Fclose(file);
}

static void several_files_give_the_model_of_one(void)
{
    double x[ROWS * FEATURES], y[ROWS];
    fill(x, y);
    lab_write(test_path("whole.h5"), x, y, ROWS, FEATURES);
    static const size_t cuts[] = {0, 1, 500, ROWS};
    char name[32];
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "piece%zu.h5", i);
        lab_write(test_path(name), x + cuts[i] * FEATURES, y + cuts[i], cuts[i + 1] - cuts[i], FEATURES);
    }
    char pattern[300];
    snprintf(pattern, sizeof pattern, "%s", test_path("piece*.h5"));
    static const enum gm_optimizer methods[] = {GM_OPTIMIZER_GD, GM_OPTIMIZER_ADAM};
    for (size_t m = 0; m < 2; m++) {
        for (int several = 0; several < 2; several++) {
            struct lab lab;
            lab_job(&lab, several ? pattern : test_path("whole.h5"), "mse", test_path(several ? "s.h5" : "w.h5"));
            lab.job.optimizer.type = methods[m];
            lab.job.optimizer.batch_size = m ? 64 : 0;
            lab.job.data.validation_fraction = 0.2;
            lab.job.stop.max_epochs = 4;
            CU_ASSERT_EQUAL_FATAL(lab_train(&lab, &err), GM_OK);
            CU_ASSERT_EQUAL(lab_summary()->rows, ROWS);
        }
        CU_ASSERT(lab_same_bytes(test_path("w.h5"), test_path("s.h5")));
    }
}

/* Rows 0, 3, 6 ... train; 1, 4 ... validate; 2, 5 ... take no part: as if each third had a file of its own. */
static void a_stored_split_is_as_files_of_their_own(void)
{
    double x[ROWS * FEATURES], y[ROWS];
    unsigned char marks[ROWS];
    fill(x, y);
    for (size_t i = 0; i < ROWS; i++)
        marks[i] = (unsigned char)(i % 3);
    lab_write(test_path("marked.h5"), x, y, ROWS, FEATURES);
    put(test_path("marked.h5"), "split", H5T_NATIVE_UCHAR, marks);
    double px[ROWS * FEATURES], py[ROWS];
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < ROWS / 3; i++) {
            memcpy(px + i * FEATURES, x + (3 * i + k) * FEATURES, FEATURES * sizeof *px);
            py[i] = y[3 * i + k];
        }
        lab_write(test_path(k ? "val.h5" : "train.h5"), px, py, ROWS / 3, FEATURES);
    }
    double train_loss[2], validation_loss[2], coefficient[2];
    for (int stored = 0; stored < 2; stored++) {
        struct lab lab;
        lab_job(&lab, test_path(stored ? "marked.h5" : "train.h5"), "mse", test_path("m.h5"));
        if (stored)
            lab.job.data.split = "stored";
        else
            lab.job.data.validation.path = test_path("val.h5");
        lab.job.stop.max_epochs = 60;
        lab.job.stop.restore_best = false;
        CU_ASSERT_EQUAL_FATAL(lab_train(&lab, &err), GM_OK);
        train_loss[stored] = lab_summary()->train.loss;
        validation_loss[stored] = lab_summary()->validation.loss;
        CU_ASSERT_EQUAL(lab_summary()->validation.weight_sum, ROWS / 3.0);
        struct lab_model m = lab_read(test_path("m.h5"));
        coefficient[stored] = m.coefficients[2];
        lab_free(&m);
    }
    ASSERT_CLOSE(train_loss[1], train_loss[0], 1e-9);
    ASSERT_CLOSE(validation_loss[1], validation_loss[0], 1e-7);
    ASSERT_CLOSE(coefficient[1], coefficient[0], 1e-7);
}

static void a_split_by_group_keeps_groups_whole(void)
{
    double x[ROWS * FEATURES], y[ROWS];
    int group[ROWS];
    fill(x, y);
    for (size_t i = 0; i < ROWS; i++)
        group[i] = (int)(i / 90); /* 10 groups of 90 rows */
    struct lab lab;
    lab_write(test_path("groups.h5"), x, y, ROWS, FEATURES);
    lab_job(&lab, test_path("groups.h5"), "mse", NULL);
    lab.job.data.split = "group";
    lab.job.stop.max_epochs = 2;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "needs the share");
    lab.job.data.validation_fraction = 0.4;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "there are no groups");
    put(test_path("groups.h5"), "group", H5T_NATIVE_INT, group);
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    size_t held = (size_t)lab_summary()->validation.weight_sum;
    CU_ASSERT(held > 0 && held < ROWS && held % 90 == 0);
    lab.job.data.split = "stored";
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "leave one out");
}

TEST_MAIN("files of a training", TEST(several_files_give_the_model_of_one),
          TEST(a_stored_split_is_as_files_of_their_own), TEST(a_split_by_group_keeps_groups_whole))
