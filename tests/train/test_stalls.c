/*
 * A disk that does not answer: what the watchdog tells of it, when features are read for the first time and when they
 * stream. The linker puts __wrap_pread in place of pread, which waits before it reads, and __wrap_clock_seconds in
 * place of the clock, which runs a hundred times as fast: the 30 seconds after which a note appears are 0.3.
 */
#include "support.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hdf5.h>

#include "train/lab.h"

enum { ROWS = 200000, FEATURES = 48 };

static atomic_int waits; /* so many reads still wait */
static atomic_int notes;
static char last_note[GM_ERROR_TEXT];

double __real_clock_seconds(void);
double __wrap_clock_seconds(void);
ssize_t __real_pread(int fd, void *to, size_t size, off_t at);
ssize_t __wrap_pread(int fd, void *to, size_t size, off_t at);

double __wrap_clock_seconds(void)
{
    return 100 * __real_clock_seconds();
}

ssize_t __wrap_pread(int fd, void *to, size_t size, off_t at)
{
    char link[64], path[4096] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    bool values = size > 100000 && length > 5 && strcmp(path + length - 5, "/d.h5") == 0;
    if (values && atomic_fetch_sub(&waits, 1) > 0)
        for (int i = 0; i < 1000 && !notes; i++) /* until it was told, 10 seconds at most */
            usleep(10000);
    return __real_pread(fd, to, size, at);
}

static void stalled(void *context, enum gm_code code, const char *text)
{
    (void)context;
    if (code != GM_OK)
        return;
    snprintf(last_note, sizeof last_note, "%s", text);
    notes++;
}

static void put(hid_t file, const char *name, hid_t type, int rank, const void *values)
{
    const hsize_t dims[2] = {ROWS, FEATURES};
    hid_t space = H5Screate_simple(rank, dims, NULL);
    hid_t id = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT_FATAL(H5Dwrite(id, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(id);
    H5Sclose(space);
}

/* Big-endian floats: the trainer reads them itself, by pread, since they cannot be used where they lie. */
static void make_data(void)
{
    float *x = malloc(sizeof *x * ROWS * FEATURES);
    CU_ASSERT_EQUAL_FATAL(chdir(test_directory()), 0);
    for (size_t i = 0; i < (size_t)ROWS * FEATURES; i++)
        x[i] = (float)(i * 7 % 13);
    hid_t file = H5Fcreate("d.h5", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    put(file, "X", H5T_IEEE_F32BE, 2, x);
    put(file, "y", H5T_IEEE_F32LE, 1, x);
    H5Fclose(file);
    free(x);
}

static enum gm_code train(uint64_t memory, int stalls)
{
    struct lab lab;
    struct gm_error err = {0};
    struct gm_summary summary = {0};
    const struct gm_watch watch = {.stalled = stalled};
    lab_job(&lab, "d.h5", "mse", NULL);
    lab.job.run.memory = memory;
    lab.job.stop.max_epochs = 2;
    lab.job.optimizer.learning_rate = 0.01;
    waits = stalls;
    notes = 0;
    enum gm_code code = gm_train(&lab.job, &watch, &summary, &err);
    if (code)
        printf("\n    %s", err.text);
    CU_ASSERT_EQUAL(summary.resident, memory == 0);
    gm_summary_release(&summary);
    return code;
}

static void the_first_read_of_a_resident_run_is_watched(void)
{
    make_data();
    CU_ASSERT_EQUAL(train(0, 1), GM_OK);
    CU_ASSERT(notes >= 1);
    ASSERT_HOLDS(last_note, "d.h5:/X: still waiting for the disk after ");
    ASSERT_HOLDS(last_note, "it is slow, or does not answer");
}

static void the_reads_of_a_streaming_run_are_watched(void)
{
    CU_ASSERT_EQUAL(train((uint64_t)24 << 20, 1), GM_OK);
    CU_ASSERT(notes >= 1);
    ASSERT_HOLDS(last_note, "d.h5:/X: still waiting for the disk after ");
}

/* A page that does not come. */
static void *wait_for_a_page(void *context)
{
    (void)context;
    test_wait_as_for_a_disk(1.5);
    return NULL;
}

static void wait_for_a_note(void *context, const struct gm_epoch *epoch)
{
    (void)context, (void)epoch;
    for (int i = 0; i < 1000 && !notes; i++)
        usleep(10000);
}

static void a_page_of_a_mapped_file_that_does_not_come_is_told(void)
{
    struct lab lab;
    struct gm_error err = {0};
    struct gm_summary summary = {0};
    pthread_t thread;
    const struct gm_watch watch = {.stalled = stalled, .epoch = wait_for_a_note};
    lab_job(&lab, "d.h5", "mse", NULL);
    lab.job.stop.max_epochs = 1;
    notes = 0;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, wait_for_a_page, NULL), 0);
    CU_ASSERT_EQUAL(gm_train(&lab.job, &watch, &summary, &err), GM_OK);
    pthread_join(thread, NULL);
    CU_ASSERT(notes >= 1);
    ASSERT_HOLDS(last_note, ": still waiting for the disk after ");
    gm_summary_release(&summary);
}

TEST_MAIN("stalls", TEST(the_first_read_of_a_resident_run_is_watched), TEST(the_reads_of_a_streaming_run_are_watched),
          TEST(a_page_of_a_mapped_file_that_does_not_come_is_told))
