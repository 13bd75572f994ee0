/*
 * How fast rows come out of HDF5 files: our reading against H5Dread of the same values, side by side, and the machine's
 * read bandwidth in the same run. Quote the ratios: the machine drifts.
 *
 *     reading_speed [MEGABYTES [THREADS [LAYOUT]]]      (default 64 MB of values a file, 2 threads, all layouts)
 *
 * "H5Dread": the whole dataset as float32 in one call. "batches": H5Dread of 64 rows at a time, as a training loop over
 * h5py reads. "first": ours, opening and reading everything into memory. "epoch": every later pass, each block
 * converted to float32 and summed; "of RAM" is that in stored bytes against reading memory. All in GB/s of stored
 * values.
 *
 * What 50 times H5Dread can mean for float16: HDF5 1.10 converts it value by value, 0.04 GB/s of stored values, which
 * is nearly all of its time when nothing has to be inflated. With gzip ours ends where inflating does, about 0.75 GB/s
 * a core: on two cores not more than 37 times.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hdf5.h>
#include <omp.h>

#include "base/clock.h"
#include "base/memory.h"
#include "data/data.h"

enum { COLUMNS = 256, REPEATS = 3, BATCH = 64, BATCHES = 24, BLOCK = 32 };

struct kind {
    const char *name;
    hid_t stored;
    size_t bytes;
};

enum chunking { NONE, MEBIBYTE, H5PY };
struct shape {
    const char *name;
    enum chunking chunking;
    bool shuffle;
    int gzip;
};

static double noise(uint64_t i)
{
    uint64_t z = (i + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* What h5py's guess_chunk gives: about 16 KiB * 2^log10(MiB of the dataset), halving one dimension after the other. */
static void h5py_chunk(hsize_t chunk[2], size_t bytes)
{
    double all = (double)(chunk[0] * chunk[1] * bytes), target = 16384 * pow(2, log10(all / 1048576));
    target = fmin(fmax(target, 8192), 1048576);
    for (size_t i = 0;; i++) {
        double now = (double)(chunk[0] * chunk[1] * bytes);
        if ((now < target || fabs(now - target) / target < 0.5) && now < 1048576)
            return;
        chunk[i % 2] = (chunk[i % 2] + 1) / 2;
    }
}

static void make_file(const char *path, const struct kind *kind, const struct shape *shape, size_t rows)
{
    hsize_t dims[2] = {rows, COLUMNS}, chunk[2] = {((size_t)1 << 20) / (COLUMNS * kind->bytes), COLUMNS};
    if (shape->chunking == H5PY) {
        chunk[0] = 1000000; /* as for a million rows: a row of chunks is then larger than HDF5's cache */
        h5py_chunk(chunk, kind->bytes);
        chunk[0] = chunk[0] < rows ? chunk[0] : rows;
    }
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, dims, NULL);
    if (shape->chunking)
        H5Pset_chunk(plist, 2, chunk);
    if (shape->shuffle)
        H5Pset_shuffle(plist);
    if (shape->gzip)
        H5Pset_deflate(plist, (unsigned)shape->gzip);
    float *values = malloc(rows * COLUMNS * sizeof *values);
    for (size_t i = 0; i < rows * COLUMNS; i++)
        values[i] = noise(2 * i) < 0.7 ? 0 : (float)floor(100 * noise(2 * i + 1));
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

/* Seconds that all rows would take, from the first batches: each costs the same. */
static double time_batches(const char *path, size_t rows)
{
    float values[BATCH * COLUMNS];
    hsize_t start[2] = {0, 0}, count[2] = {BATCH, COLUMNS};
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), dataset = H5Dopen2(file, "X", H5P_DEFAULT);
    hid_t memory = H5Screate_simple(2, count, NULL), space = H5Dget_space(dataset);
    double begun = clock_seconds();
    size_t done = 0;
    for (; done < BATCHES && clock_seconds() - begun < 1; done++) {
        start[0] = done * BATCH;
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
        H5Dread(dataset, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, values);
    }
    double seconds = clock_seconds() - begun;
    H5Sclose(space);
    H5Sclose(memory);
    H5Dclose(dataset);
    H5Fclose(file);
    return seconds / (double)(done * BATCH) * (double)rows;
}

struct times {
    double first, again;
    enum data_io io;
};

static float sum_of(const float *x, size_t n)
{
    float lanes[32] = {0}, sum = 0;
    for (size_t i = 0; i + 32 <= n; i += 32)
        for (size_t k = 0; k < 32; k++)
            lanes[k] += x[i + k];
    for (size_t k = 0; k < 32; k++)
        sum += lanes[k];
    return sum;
}

/* Every block of a window as float32, summed. */
static float use_window(const struct data_window *w, const struct data_schema *schema, int threads)
{
    float all = 0;
    size_t blocks = (w->rows + BLOCK - 1) / BLOCK;
#pragma omp parallel num_threads(threads) reduction(+ : all)
    {
        float block[BLOCK * COLUMNS];
#pragma omp for schedule(static)
        for (size_t b = 0; b < blocks; b++) {
            size_t rows = w->rows - b * BLOCK < BLOCK ? w->rows - b * BLOCK : BLOCK;
            const char *from = (const char *)w->x + b * BLOCK * w->stride;
            if (schema->type == DATA_F32) {
                all += sum_of((const float *)(const void *)from, rows * COLUMNS);
            } else {
                convert_to_f32(schema->type, from, rows * COLUMNS, block);
                all += block[0] + block[rows * COLUMNS - 1] + 1;
            }
        }
    }
    return all;
}

static enum gm_code epoch(struct data_set *set, int threads, float *sum, struct gm_error *err)
{
    struct data_pass *pass = NULL;
    const struct data_window *w = NULL;
    enum gm_code code = data_pass_open(&pass, set, &(struct data_order){.shuffled = false}, err);
    while (code == GM_OK && (code = data_pass_next(pass, &w, err)) == GM_OK && w)
        *sum += use_window(w, data_schema(set), threads);
    data_pass_close(pass);
    return code;
}

static bool time_ours(struct times *times, const char *path, int threads)
{
    struct gm_error err = {0};
    struct data_source source = {.path = path};
    struct data_options options = {.io = DATA_IO_AUTO};
    struct data_set *set = NULL;
    float sum = 0;
    double start = clock_seconds();
    enum gm_code code = data_open(&set, &source, &options, &err);
    if (code == GM_OK) {
        const struct data_schema *schema = data_schema(set);
        struct lane_plan plan = lane_plan_make(schema->rows, schema->features * 4, schema->features * 8);
        code = data_load(set, &plan, memory_limit(), threads, &err);
        times->first = clock_seconds() - start;
        for (int i = 0; code == GM_OK && i < 2; i++) { /* the first pass touches the pages */
            start = clock_seconds();
            code = epoch(set, threads, &sum, &err);
            times->again = clock_seconds() - start;
        }
        times->io = code == GM_OK ? data_io(set, NULL) : DATA_IO_AUTO;
    }
    if (code != GM_OK)
        fprintf(stderr, "%s\n", err.text);
    data_close(set);
    return code == GM_OK && sum > 0;
}

/* Sum of a buffer that no cache holds: bytes per second of reading. */
static double read_bandwidth(int threads)
{
    static float *values;
    size_t n = (size_t)64 << 20, pieces = 256;
    if (!values) {
        values = malloc(n * sizeof *values);
        for (size_t i = 0; i < n; i++)
            values[i] = 1;
    }
    float sum = 0;
    double start = clock_seconds();
#pragma omp parallel for num_threads(threads) schedule(static) reduction(+ : sum)
    for (size_t i = 0; i < pieces; i++)
        sum += sum_of(values + i * (n / pieces), n / pieces);
    double seconds = clock_seconds() - start;
    return sum > 0 ? (double)(n * sizeof *values) / seconds : 0;
}

static void compare(const char *path, const struct kind *kind, const struct shape *shape, size_t megabytes, int threads)
{
    static const char *const names[] = {"?", "mapped", "chunks", "bands"};
    size_t rows = megabytes * 1000000 / (COLUMNS * kind->bytes);
    double bytes = (double)(rows * COLUMNS * kind->bytes), hdf5 = INFINITY, batches = INFINITY, bandwidth = 0;
    struct times best = {INFINITY, INFINITY, DATA_IO_AUTO}, now;
    make_file(path, kind, shape, rows);
    for (int i = 0; i < REPEATS; i++) { /* alternating, the best of each */
        hdf5 = fmin(hdf5, time_hdf5(path, rows));
        bandwidth = fmax(bandwidth, read_bandwidth(threads));
        if (!time_ours(&now, path, threads))
            return;
        best = (struct times){fmin(best.first, now.first), fmin(best.again, now.again), now.io};
        bandwidth = fmax(bandwidth, read_bandwidth(threads));
        batches = fmin(batches, time_batches(path, rows));
    }
    printf("%-12s %-8s %-7s %8.2f %8.3f %8.2f %7.1fx %7.1fx %8.2f %7.1fx %7.2f\n", shape->name, kind->name,
           names[best.io], bytes / hdf5 / 1e9, bytes / batches / 1e9, bytes / best.first / 1e9, hdf5 / best.first,
           batches / best.first, bytes / best.again / 1e9, hdf5 / best.again, bytes / best.again / bandwidth);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    size_t megabytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 64;
    int threads = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 2;
    hid_t half = H5Tcopy(H5T_IEEE_F32LE); /* as h5py writes float16 */
    H5Tset_fields(half, 15, 10, 5, 0, 10);
    H5Tset_size(half, 2);
    H5Tset_ebias(half, 15);
    const struct kind kinds[] = {{"uint8", H5T_STD_U8LE, 1},
                                 {"int16", H5T_STD_I16LE, 2},
                                 {"float16", half, 2},
                                 {"float32", H5T_IEEE_F32LE, 4},
                                 {"float64", H5T_IEEE_F64LE, 8}};
    static const struct shape shapes[] = {{"contiguous", NONE, false, 0},
                                          {"1MiB", MEBIBYTE, false, 0},
                                          {"1MiB-gzip", MEBIBYTE, true, 4}, /* as `gradmill import --compress` */
                                          {"h5py", H5PY, false, 0},
                                          {"h5py-gzip", H5PY, false, 4}}; /* as create_dataset(compression="gzip") */
    const char *base = getenv("TMPDIR");
    char path[300];
    snprintf(path, sizeof path, "%s/gradmill-reading-%ld.h5", base ? base : "/tmp", (long)getpid());
    printf("%zu MB of values a file, %d columns, %d threads; GB/s of stored values, best of %d\n", megabytes, COLUMNS,
           threads, REPEATS);
    printf("%-12s %-8s %-7s %8s %8s %8s %8s %8s %8s %8s %7s\n", "layout", "type", "way", "H5Dread", "batches", "first",
           "/H5Dread", "/batches", "epoch", "/H5Dread", "of RAM");
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds && (argc <= 3 || strcmp(argv[3], shapes[s].name) == 0); k++)
            compare(path, &kinds[k], &shapes[s], megabytes, threads);
    unlink(path);
    return 0;
}
