/*
 * How fast rows come out of HDF5 files: our reading against H5Dread of the same values, side by side, and the machine's
 * read bandwidth in the same run. Quote the ratios: the machine drifts.
 *
 *     reading_speed [MEGABYTES [THREADS [LAYOUT]]]      (default 64 MB of values a file, 2 threads, all layouts)
 *
 * "H5Dread": the whole dataset as float32 in one call, to memory that was written before. "fresh": the same to memory
 * just taken, as a program's first read and "first" below get it (huge pages, as NumPy asks for): the kernel clears it
 * meanwhile. "batches": H5Dread of 64 rows at a time, as a training loop over h5py reads. "first": ours, opening and
 * reading everything into fresh memory. "epoch": every later pass, each block
 * converted to float32 (float32 itself: summed); "of RAM" is that in stored bytes against reading memory. "trained":
 * the same pass as linear models read it, by their forward kernel on rows as they are stored, one output. "inflate":
 * libdeflate alone on all threads, the stored chunks in memory, each to a buffer that stays in the cache: the most that
 * "first" can be. All in GB/s of stored values.
 *
 * What 50 times H5Dread can mean for float16: HDF5 1.10 converts it value by value, 0.04 GB/s of stored values, which
 * is nearly all of its time when nothing has to be inflated. With gzip ours ends where inflating does: a line of its
 * own tells how far that is.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <hdf5.h>
#include <libdeflate.h>
#include <omp.h>

#include "base/clock.h"
#include "base/memory.h"
#include "data/data.h"
#include "model/dense.h"

enum { COLUMNS = 256, REPEATS = 4, PASSES = 5, BATCH = 64, BATCHES = 24, BLOCK = 16 };

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

enum memory { WARM, FRESH };

static double time_hdf5(const char *path, size_t rows, enum memory memory)
{
    float *values = NULL;
    double start = clock_seconds();
    if (memory_alloc((void **)&values, rows * COLUMNS, sizeof *values, "values", NULL) != GM_OK)
        return INFINITY;
    if (memory == WARM) {
        memset(values, 1, rows * COLUMNS * sizeof *values);
        start = clock_seconds();
    }
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), dataset = H5Dopen2(file, "X", H5P_DEFAULT);
    H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(dataset);
    H5Fclose(file);
    double seconds = clock_seconds() - start;
    memory_free(values);
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

/* Of inflating every chunk of a shuffled or plain gzip dataset, in GB/s of values; 0: it is not compressed. */
static double time_inflating(const char *path, const struct shape *shape, size_t bytes, int threads)
{
    enum { CHUNKS_MOST = 4096 };
    static void *stored[CHUNKS_MOST];
    static size_t sizes[CHUNKS_MOST];
    if (!shape->gzip)
        return 0;
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), dataset = H5Dopen2(file, "X", H5P_DEFAULT);
    hid_t plist = H5Dget_create_plist(dataset), space = H5Dget_space(dataset), type = H5Dget_type(dataset);
    hsize_t chunk[2], dims[2], start[2], size;
    H5Pget_chunk(plist, 2, chunk);
    H5Sget_simple_extent_dims(space, dims, NULL);
    size_t n = 0, plain = chunk[0] * chunk[1] * H5Tget_size(type);
    uint32_t mask;
    for (start[0] = 0; start[0] < dims[0]; start[0] += chunk[0])
        for (start[1] = 0; start[1] < dims[1] && n < CHUNKS_MOST; start[1] += chunk[1], n++) {
            H5Dget_chunk_storage_size(dataset, start, &size);
            stored[n] = malloc(size);
            sizes[n] = size;
            H5Dread_chunk(dataset, H5P_DEFAULT, start, &mask, stored[n]);
        }
    double seconds = INFINITY;
    for (int i = 0; i < 2; i++) {
        double begun = clock_seconds();
#pragma omp parallel num_threads(threads)
        {
            struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
            void *to = malloc(plain);
#pragma omp for schedule(dynamic, 1)
            for (size_t k = 0; k < n; k++)
                libdeflate_zlib_decompress(inflater, stored[k], sizes[k], to, plain, NULL);
            free(to);
            libdeflate_free_decompressor(inflater);
        }
        seconds = fmin(seconds, clock_seconds() - begun);
    }
    for (size_t k = 0; k < n; k++)
        free(stored[k]);
    bytes = n * plain < bytes ? n * plain : bytes;
    H5Tclose(type);
    H5Sclose(space);
    H5Pclose(plist);
    H5Dclose(dataset);
    H5Fclose(file);
    return (double)bytes / seconds;
}

struct times {
    double first, again, trained, bandwidth;
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

/* How the rows of a window are used: converted to float32, or by the kernel that linear models read them with. */
enum use { CONVERTED, TRAINED };

struct user {
    enum use use;
    struct dense_kernels dense;
    float weights[COLUMNS];
    double wide_weights[COLUMNS];
};

static float use_block(const struct user *user, enum data_type type, const void *x, size_t rows)
{
    static const enum dense_stored stored[] = {
        [DATA_U8] = DENSE_U8, [DATA_I16] = DENSE_I16, [DATA_F16] = DENSE_F16, [DATA_F32] = DENSE_REAL};
    float block[BLOCK * COLUMNS], z[BLOCK];
    double wide[BLOCK];
    if (user->use == TRAINED && type == DATA_F64) {
        struct dense_f64 b = {.x = x, .stride = COLUMNS, .rows = rows, .features = COLUMNS};
        user->dense.forward_f64(&b, user->wide_weights, 1, wide);
        return (float)wide[0] + (float)wide[rows - 1];
    }
    if (user->use == TRAINED && user->dense.forward_stored[stored[type]]) {
        struct dense_f32 b = {.x = x, .stride = COLUMNS, .rows = rows, .features = COLUMNS};
        user->dense.forward_stored[stored[type]](&b, user->weights, 1, z);
        return z[0] + z[rows - 1];
    }
    if (type == DATA_F32)
        return sum_of(x, rows * COLUMNS);
    convert_run_to_f32(type, x, rows * COLUMNS, block);
    return block[0] + block[rows * COLUMNS - 1] + 1;
}

/* Every block of a window. */
static float use_window(const struct user *user, const struct data_window *w, enum data_type type, int threads)
{
    float all = 0;
    size_t blocks = (w->rows + BLOCK - 1) / BLOCK;
#pragma omp parallel for num_threads(threads) schedule(static) reduction(+ : all)
    for (size_t b = 0; b < blocks; b++) {
        size_t rows = w->rows - b * BLOCK < BLOCK ? w->rows - b * BLOCK : BLOCK;
        all += use_block(user, type, (const char *)w->x + b * BLOCK * w->stride, rows);
    }
    return all;
}

static enum gm_code epoch(struct data_set *set, enum use use, int threads, float *sum, struct gm_error *err)
{
    struct user user = {.use = use, .dense = dense_kernels_for(cpu_isa())};
    struct data_pass *pass = NULL;
    const struct data_window *w = NULL;
    for (size_t i = 0; i < COLUMNS; i++)
        user.wide_weights[i] = user.weights[i] = 1;
    enum gm_code code = data_pass_open(&pass, set, &(struct data_order){.shuffled = false}, err);
    while (code == GM_OK && (code = data_pass_next(pass, &w, err)) == GM_OK && w)
        *sum += use_window(&user, w, data_schema(set)->type, threads);
    data_pass_close(pass);
    return code;
}

/* Sum of a buffer that no cache holds: bytes per second of reading. */
static double read_bandwidth(int threads)
{
    static float *values;
    size_t n = (size_t)64 << 20, pieces = 256;
    if (!values) {
        values = aligned_alloc(4096, n * sizeof *values);
        for (size_t i = 0; i < n; i++)
            values[i] = 1;
        /* or the trial in a child process, which is part of "first", would copy its page tables */
        madvise(values, n * sizeof *values, MADV_DONTFORK);
    }
    float sum = 0;
    double start = clock_seconds();
#pragma omp parallel for num_threads(threads) schedule(static) reduction(+ : sum)
    for (size_t i = 0; i < pieces; i++)
        sum += sum_of(values + i * (n / pieces), n / pieces);
    double seconds = clock_seconds() - start;
    return sum > 0 ? (double)(n * sizeof *values) / seconds : 0;
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
        times->again = times->trained = INFINITY;
        times->bandwidth = 0;
        for (int i = 0; code == GM_OK && i < 2 * PASSES; i++) { /* the first passes touch the pages */
            times->bandwidth = fmax(times->bandwidth, read_bandwidth(threads));
            start = clock_seconds();
            code = epoch(set, i % 2 ? TRAINED : CONVERTED, threads, &sum, &err);
            double *best = i % 2 ? &times->trained : &times->again;
            *best = fmin(*best, clock_seconds() - start);
        }
        times->io = code == GM_OK ? data_io(set, NULL) : DATA_IO_AUTO;
    }
    if (code != GM_OK)
        fprintf(stderr, "%s\n", err.text);
    data_close(set);
    return code == GM_OK && sum > 0;
}

/* Seconds of everything that is compared, in turn, the best of each. size: rows, and bytes of a value. */
struct figures {
    double hdf5, fresh, batches;
    double inflate; /* bytes a second; 0: nothing to inflate */
    struct times ours;
};

static bool measure(struct figures *best, const char *path, const struct shape *shape, const size_t size[2],
                    int threads)
{
    struct times now, *ours = &best->ours;
    size_t rows = size[0], all = size[0] * COLUMNS * size[1];
    *best = (struct figures){INFINITY, INFINITY, INFINITY, 0, {INFINITY, INFINITY, INFINITY, 0, DATA_IO_AUTO}};
    for (int i = 0; i < REPEATS; i++) {
        best->hdf5 = fmin(best->hdf5, time_hdf5(path, rows, WARM));
        best->fresh = fmin(best->fresh, time_hdf5(path, rows, FRESH));
        if (!time_ours(&now, path, threads))
            return false;
        ours->first = fmin(ours->first, now.first);
        ours->again = fmin(ours->again, now.again);
        ours->trained = fmin(ours->trained, now.trained);
        ours->bandwidth = fmax(ours->bandwidth, now.bandwidth);
        ours->io = now.io;
        best->batches = fmin(best->batches, time_batches(path, rows));
        best->inflate = fmax(best->inflate, time_inflating(path, shape, all, threads));
    }
    return true;
}

static void compare(const char *path, const struct kind *kind, const struct shape *shape, size_t megabytes, int threads)
{
    static const char *const names[] = {"?", "mapped", "chunks", "bands"};
    size_t rows = megabytes * 1000000 / (COLUMNS * kind->bytes);
    double bytes = (double)(rows * COLUMNS * kind->bytes), inflate;
    struct figures f;
    make_file(path, kind, shape, rows);
    if (!measure(&f, path, shape, (const size_t[2]){rows, kind->bytes}, threads))
        return;
    const struct times *ours = &f.ours;
    inflate = f.inflate;
    printf("%-10s %-8s %-7s %7.2f %7.2f %7.3f %7.2f %7.1fx %7.1fx %7.1fx %7.2f %7.2f %8.2f %7.2f", shape->name,
           kind->name, names[ours->io], bytes / f.hdf5 / 1e9, bytes / f.fresh / 1e9, bytes / f.batches / 1e9,
           bytes / ours->first / 1e9, f.hdf5 / ours->first, f.fresh / ours->first, f.batches / ours->first,
           bytes / ours->again / 1e9, bytes / ours->again / ours->bandwidth, bytes / ours->trained / 1e9,
           bytes / ours->trained / ours->bandwidth);
    if (inflate > 0)
        printf(" %8.2f %6.1fx", inflate / 1e9, inflate * f.hdf5 / bytes);
    printf("\n");
    if (inflate > 0 && strcmp(kind->name, "float16") == 0)
        printf(
            "%-10s %-8s 50 times H5Dread would be %.2f GB/s; libdeflate alone gives %.2f, and first is %.2f of that\n",
            "", "", 50 * bytes / f.hdf5 / 1e9, inflate / 1e9, bytes / ours->first / inflate);
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
    printf("%-10s %-8s %-7s %7s %7s %7s %7s %8s %8s %8s %7s %7s %8s %7s %8s %7s\n", "layout", "type", "way", "H5Dread",
           "fresh", "batches", "first", "/H5Dread", "/fresh", "/batches", "epoch", "of RAM", "trained", "of RAM",
           "inflate", "/H5Dread");
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds && (argc <= 3 || strcmp(argv[3], shapes[s].name) == 0); k++)
            compare(path, &kinds[k], &shapes[s], megabytes, threads);
    unlink(path);
    return 0;
}
