/*
 * Training on a gzipped file eight times larger than run.memory: does it stay within its budget, and how near does it
 * come to the rate at which the file can be decoded at all?
 *
 *     streaming_speed [MEGABYTES]      (run.memory; default 64: a file of 512 MB of values)
 *
 * "decode": passes over the rows that do nothing with them. "train": epochs of gd on mse, one pass each. Both stream
 * with the same budget on the same threads, in turn; each in a process of its own, so that its peak of memory is its
 * own.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hdf5.h>

#include <gradmill/gradmill.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/memory.h"
#include "data/data.h"

enum { COLUMNS = 256, ROUNDS = 3, EPOCHS = 3 };

static char path[300];

struct outcome {
    double seconds; /* of one pass */
    double peak;    /* bytes */
    bool streamed;
};

static double noise(uint64_t i)
{
    uint64_t z = (i + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* float32 counts, 70 % of them 0, in chunks of 1 MiB, shuffled and deflated. */
static void make_file(size_t rows)
{
    hsize_t dims[2] = {rows, COLUMNS}, chunk[2] = {1024, COLUMNS}, start[2] = {0, 0}, count[2] = {1024, COLUMNS};
    static float band[1024 * COLUMNS];
    float *y = malloc(rows * sizeof *y);
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, dims, NULL),
          line = H5Screate_simple(1, dims, NULL), memory = H5Screate_simple(2, count, NULL);
    H5Pset_chunk(plist, 2, chunk);
    H5Pset_shuffle(plist);
    H5Pset_deflate(plist, 4);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t x = H5Dcreate2(file, "X", H5T_IEEE_F32LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    for (start[0] = 0; start[0] < rows; start[0] += 1024) {
        for (size_t i = 0; i < 1024 * COLUMNS; i++) {
            uint64_t at = start[0] * COLUMNS + i;
            band[i] = noise(2 * at) < 0.7 ? 0 : (float)floor(100 * noise(2 * at + 1));
        }
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
        H5Dwrite(x, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, band);
    }
    for (size_t i = 0; i < rows; i++)
        y[i] = (float)noise(7 * i);
    hid_t target = H5Dcreate2(file, "y", H5T_IEEE_F32LE, line, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(target, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, y);
    H5Dclose(target);
    H5Dclose(x);
    H5Fclose(file);
    H5Sclose(memory);
    H5Sclose(line);
    H5Sclose(space);
    H5Pclose(plist);
    free(y);
}

static enum gm_code decode(struct outcome *out, uint64_t memory, struct gm_error *err)
{
    struct data_set *set = NULL;
    struct data_pass *pass = NULL;
    const struct data_window *w = NULL;
    enum gm_code code = data_open(&set, &(struct data_source){.path = path}, &(struct data_options){0}, err);
    if (code)
        return code;
    const struct data_schema *s = data_schema(set);
    struct lane_plan plan = lane_plan_make(s->rows, s->features * sizeof(float), (s->features + 1) * sizeof(double));
    code = data_load(set, &plan, memory, cpu_threads(), err);
    double start = clock_seconds();
    for (int i = 0; !code && i < EPOCHS; i++) {
        code = data_pass_open(&pass, set, &(struct data_order){.shuffled = false}, err);
        while (!code && !(code = data_pass_next(pass, &w, err)) && w)
            ;
        data_pass_close(pass);
    }
    *out = (struct outcome){(clock_seconds() - start) / EPOCHS, (double)memory_peak(), !data_is_resident(set)};
    data_close(set);
    return code;
}

/* Time between the first and the last epoch that is heard of. */
struct epochs {
    double first, last;
    size_t count;
};

static void hear(void *context, const struct gm_epoch *epoch)
{
    struct epochs *e = context;
    e->last = clock_seconds();
    if (e->count++ == 0)
        e->first = e->last;
    (void)epoch;
}

static enum gm_code train(struct outcome *out, uint64_t memory, struct gm_error *err)
{
    struct gm_job job;
    struct gm_summary summary;
    const struct gm_job_loss loss = {.name = "mse", .weight = 1};
    struct epochs epochs = {.count = 0};
    const struct gm_watch watch = {.context = &epochs, .epoch = hear};
    gm_job_init(&job);
    job.data.train.path = path;
    job.loss.terms = &loss;
    job.loss.count = 1;
    job.output.model = NULL;
    job.output.log = NULL;
    job.stop.loss_change = NAN;
    job.stop.max_epochs = EPOCHS;
    job.optimizer.learning_rate = 1e-4; /* fixed: an epoch is one pass */
    job.run.memory = memory;
    enum gm_code code = gm_train(&job, &watch, &summary, err);
    if (code == GM_OK)
        *out = (struct outcome){(epochs.last - epochs.first) / (double)(epochs.count - 1), (double)memory_peak(),
                                !summary.resident};
    gm_summary_release(&summary);
    return code;
}

/* In a child: peaks are per process. */
static bool in_child(struct outcome *out, enum gm_code (*work)(struct outcome *, uint64_t, struct gm_error *),
                     uint64_t memory)
{
    int fds[2];
    fflush(NULL);
    if (pipe(fds) != 0)
        return false;
    pid_t child = fork();
    if (child == 0) {
        struct gm_error err = {0};
        enum gm_code code = work(out, memory, &err);
        if (code)
            fprintf(stderr, "%s\n", err.text);
        _exit(code || write(fds[1], out, sizeof *out) != sizeof *out);
    }
    close(fds[1]);
    bool got = read(fds[0], out, sizeof *out) == sizeof *out;
    close(fds[0]);
    waitpid(child, NULL, 0);
    return got;
}

int main(int argc, char **argv)
{
    size_t megabytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 64;
    const char *base = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/gradmill-streaming-%ld.h5", base ? base : "/tmp", (long)getpid());
    uint64_t memory = (uint64_t)megabytes << 20;
    size_t rows = (size_t)(8 * memory) / (COLUMNS * sizeof(float));
    if (fork() == 0) { /* what making the file takes is not ours */
        make_file(rows);
        _exit(0);
    }
    wait(NULL);
    double bytes = (double)(rows * COLUMNS * sizeof(float)), decoded[ROUNDS], trained[ROUNDS], peak = 0;
    bool streamed = true;
    for (int i = 0; i < ROUNDS; i++) {
        struct outcome out;
        if (!in_child(&out, decode, memory))
            return 1;
        decoded[i] = out.seconds;
        streamed = streamed && out.streamed;
        if (!in_child(&out, train, memory))
            return 1;
        trained[i] = out.seconds;
        streamed = streamed && out.streamed;
        peak = fmax(peak, out.peak);
        printf("decode %.2f GB/s, train %.2f GB/s: %.2f\n", bytes / decoded[i] / 1e9, bytes / trained[i] / 1e9,
               decoded[i] / trained[i]);
    }
    double least_decoded = decoded[0], least_trained = trained[0];
    for (int i = 1; i < ROUNDS; i++) {
        least_decoded = fmin(least_decoded, decoded[i]);
        least_trained = fmin(least_trained, trained[i]);
    }
    printf(
        "%s %.0f MB of gzipped float32 with run.memory %zu MiB, best of %d: train / decode %.2f (promised 0.8), peak "
        "budget %+.1f MiB (promised at most +64)\n",
        streamed ? "streamed" : "NOT STREAMED", bytes / 1e6, megabytes, ROUNDS, least_decoded / least_trained,
        (peak - (double)memory) / 0x1p20);
    unlink(path);
    return 0;
}
