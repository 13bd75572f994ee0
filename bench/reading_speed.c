/*
 * How fast rows come out of HDF5 files: our reading against H5Dread of the same values, side by side, and the machine's
 * read bandwidth in the same run. Quote the ratios: the machine drifts.
 *
 *     reading_speed [MEGABYTES [THREADS]]      (default 128 MB of values a file, 2 threads)
 *
 * "first" is opening and reading everything into memory; "again" a pass over the resident rows (the scan: finite test,
 * sums and fingerprint), as every later epoch finds them.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hdf5.h>

#include "base/clock.h"
#include "base/memory.h"
#include "data/scan.h"

enum { COLUMNS = 256, REPEATS = 3 };

struct kind {
    const char *name;
    hid_t stored;
    size_t bytes;
};

struct shape {
    const char *name;
    bool chunked, automatic;
    int gzip;
};

static double noise(uint64_t i)
{
    uint64_t z = (i + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* Chunks of 1 MiB and full width, or what h5py chooses for (1e6, 256) float32: 7813 x 4. */
static void make_file(const char *path, const struct kind *kind, const struct shape *shape, size_t rows)
{
    hsize_t dims[2] = {rows, COLUMNS}, chunk[2] = {((size_t)1 << 20) / (COLUMNS * kind->bytes), COLUMNS};
    if (shape->automatic) {
        chunk[0] = rows / 128 + 1;
        chunk[1] = 4;
    }
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, dims, NULL);
    if (shape->chunked)
        H5Pset_chunk(plist, 2, chunk);
    if (shape->gzip) {
        H5Pset_shuffle(plist);
        H5Pset_deflate(plist, (unsigned)shape->gzip);
    }
    float *values = malloc(rows * COLUMNS * sizeof *values);
    for (size_t i = 0; i < rows * COLUMNS; i++)
        values[i] = (float)floor(100 * noise(i));
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t dataset = H5Dcreate2(file, "X", kind->stored, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(dataset);
    H5Fclose(file);
    H5Sclose(space);
    H5Pclose(plist);
    free(values);
}

static double time_hdf5(const char *path, size_t rows)
{
    float *values = malloc(rows * COLUMNS * sizeof *values);
    memset(values, 1, rows * COLUMNS * sizeof *values);
    double start = clock_seconds();
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), dataset = H5Dopen2(file, "X", H5P_DEFAULT);
    H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(dataset);
    H5Fclose(file);
    double seconds = clock_seconds() - start;
    free(values);
    return seconds;
}

struct times {
    double first, again;
    enum data_io io;
};

static bool time_ours(struct times *times, const char *path, int threads)
{
    struct gm_error err = {0};
    struct data_source source = {.path = path};
    struct data_options options = {.io = DATA_IO_AUTO};
    struct data_set *set = NULL;
    struct data_stats stats = {0};
    double start = clock_seconds();
    enum gm_code code = data_open(&set, &source, &options, &err);
    if (code == GM_OK) {
        const struct data_schema *schema = data_schema(set);
        struct lane_plan plan = lane_plan_make(schema->rows, schema->features * 4, schema->features * 8);
        code = data_load(set, &plan, memory_limit(), threads, &err);
        times->first = clock_seconds() - start;
        if (code == GM_OK)
            code = scan_run(&stats, set, &plan, NULL, threads, &err);
        times->again = clock_seconds() - start - times->first;
        times->io = code == GM_OK ? data_io(set, NULL) : DATA_IO_AUTO;
    }
    if (code != GM_OK)
        fprintf(stderr, "%s\n", err.text);
    scan_release(&stats);
    data_close(set);
    return code == GM_OK;
}

/* Sum of a buffer that no cache holds: bytes per second of reading. */
static double read_bandwidth(int threads)
{
    size_t n = (size_t)32 << 20;
    uint64_t *values = malloc(n * sizeof *values), sum = 0;
    memset(values, 1, n * sizeof *values);
    double start = clock_seconds();
#pragma omp parallel for num_threads(threads) schedule(static) reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    double seconds = clock_seconds() - start;
    free(values);
    return sum ? (double)(n * sizeof *values) / seconds : 0;
}

static void compare(const char *path, const struct kind *kind, const struct shape *shape, size_t megabytes, int threads)
{
    static const char *const names[] = {"?", "mapped", "chunks", "bands"};
    size_t rows = megabytes * 1000000 / (COLUMNS * kind->bytes);
    double bytes = (double)(rows * COLUMNS * kind->bytes), hdf5 = INFINITY, bandwidth = 0;
    struct times best = {INFINITY, INFINITY, DATA_IO_AUTO}, now;
    make_file(path, kind, shape, rows);
    for (int i = 0; i < REPEATS; i++) { /* alternating, the best of each */
        hdf5 = fmin(hdf5, time_hdf5(path, rows));
        bandwidth = fmax(bandwidth, read_bandwidth(threads));
        if (!time_ours(&now, path, threads))
            return;
        best = (struct times){fmin(best.first, now.first), fmin(best.again, now.again), now.io};
    }
    printf("%-12s %-8s %-7s %9.2f %9.2f %7.1fx %9.2f %7.2f\n", shape->name, kind->name, names[best.io],
           bytes / hdf5 / 1e9, bytes / best.first / 1e9, hdf5 / best.first, bytes / best.again / 1e9,
           bytes / best.again / bandwidth);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    size_t megabytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 128;
    int threads = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 2;
    const struct kind kinds[] = {{"uint8", H5T_STD_U8LE, 1},
                                 {"int16", H5T_STD_I16LE, 2},
                                 {"float32", H5T_IEEE_F32LE, 4},
                                 {"float64", H5T_IEEE_F64LE, 8}};
    static const struct shape shapes[] = {{"contiguous", false, false, 0},
                                          {"1 MiB", true, false, 0},
                                          {"1 MiB gzip", true, false, 4},
                                          {"h5py", true, true, 0},
                                          {"h5py gzip", true, true, 4}};
    char path[64];
    snprintf(path, sizeof path, "/tmp/gradmill-reading-%ld.h5", (long)getpid());
    printf("%zu MB of values a file, %d columns, %d threads; GB/s of stored values, best of %d\n", megabytes, COLUMNS,
           threads, REPEATS);
    printf("%-12s %-8s %-7s %9s %9s %8s %9s %7s\n", "layout", "type", "way", "H5Dread", "first", "ratio", "again",
           "of RAM");
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            compare(path, &kinds[k], &shapes[s], megabytes, threads);
    unlink(path);
    return 0;
}
