/*
 * How close training comes to the machine's limit: full-batch gradients of linear models against the read bandwidth,
 * measured alternately in one run; NumPy's two-pass gradient beside it where python3 with numpy is there; memory of a
 * streamed training; and the time of a tiny training from start to exit.
 *
 *     training_speed [MEGABYTES [LOSS FEATURES]...]
 *
 * Each dataset has MEGABYTES (1024) of features and is written to TMPDIR or /tmp. With losses and features named, only
 * those are measured; a word behind them adds bytes against floats.
 */
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <gradmill/gradmill.h>
#include <hdf5.h>

#include "base/clock.h"
#include "datasets/datasets.h"

#define PASSES 40

static char directory[256], data_path[300];
static size_t megabytes = 1024;

static void fail(const char *what, const struct gm_error *err)
{
    fprintf(stderr, "%s: %s\n", what, err->text);
    exit(1);
}

/* ---- the limit ---- */

static uint64_t *limit_buffer;
static size_t limit_bytes;
static volatile uint64_t limit_sink;

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
__attribute__((target_clones("default", "avx2")))
#endif
static uint64_t
sum_words(const uint64_t *p, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += p[i];
    return sum;
}

/* Bytes a second of reading the buffer once on all threads. */
static double read_bandwidth(void)
{
    size_t n = limit_bytes / sizeof(uint64_t), piece = (size_t)1 << 16;
    double begun = clock_seconds();
#pragma omp parallel for schedule(dynamic, 4)
    for (size_t i = 0; i < n; i += piece)
        limit_sink += sum_words(limit_buffer + i, n - i < piece ? n - i : piece);
    return (double)limit_bytes / (clock_seconds() - begun);
}

static void make_limit_buffer(void)
{
    limit_bytes = megabytes << 20;
    limit_buffer = aligned_alloc((size_t)2 << 20, limit_bytes);
    if (!limit_buffer) {
        fprintf(stderr, "no memory for the bandwidth buffer\n");
        exit(1);
    }
    madvise(limit_buffer, limit_bytes, MADV_HUGEPAGE);
    memset(limit_buffer, 1, limit_bytes);
}

/* ---- training ---- */

struct samples {
    double pass[PASSES + 2], limit[PASSES + 2]; /* rows a second; bytes a second */
    size_t count;
};

static void sample(void *context, const struct gm_epoch *epoch)
{
    struct samples *s = context;
    if (epoch->epoch == 0 || s->count >= PASSES)
        return;
    s->pass[s->count] = epoch->rows_per_second;
    s->limit[s->count++] = read_bandwidth();
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, ascending);
    return count ? values[count / 2] : NAN;
}

static void make_data(size_t rows, size_t features, bool classes)
{
    struct gm_error err;
    struct make_options options = {.rows = rows, .features = features, .classes = 2, .noise = 0.1, .seed = 1};
    if (classes ? make_classification(data_path, &options, &err) : make_regression(data_path, &options, &err))
        fail(data_path, &err);
}

static void job_for(struct gm_job *job, struct gm_job_loss *loss, const char *name)
{
    *loss = (struct gm_job_loss){.name = name, .weight = 1};
    gm_job_init(job);
    job->data.train.path = data_path;
    job->loss.terms = loss;
    job->loss.count = 1;
    job->output.model = NULL;
    job->output.log = NULL;
    job->stop.loss_change = NAN;
    job->stop.max_epochs = PASSES;
    job->optimizer.learning_rate = 1e-4; /* fixed: an epoch is one pass */
}

static double numpy_seconds(size_t rows, size_t features)
{
    char command[700];
    snprintf(command, sizeof command,
             "python3 -c \"\nimport numpy as n, time\n"
             "x=n.random.default_rng(1).random((%zu,%zu),dtype=n.float32);y=x[:,0].copy();w=n.zeros(%zu,n.float32)\n"
             "t=[]\n"
             "for f in (lambda r:x.T@r),(lambda r:r@x):\n"
             " for i in range(7):\n  b=time.perf_counter();r=x@w;r-=y;g=f(r);t.append(time.perf_counter()-b)\n"
             "print(min(sorted(t[:7])[3],sorted(t[7:])[3]))\" 2>/dev/null",
             rows, features, features);
    FILE *pipe = popen(command, "r");
    double seconds = NAN;
    if (!pipe || fscanf(pipe, "%lf", &seconds) != 1)
        seconds = NAN;
    if (pipe)
        pclose(pipe);
    return seconds;
}

/* Of the read bandwidth. */
static const struct promise {
    const char *loss;
    size_t features;
    double ratio;
} promises[] = {{"mse", 16, 0.7}, {"mse", 64, 0.8}, {"mse", 256, 0.7}, {"mse", 1000, 0.7}, {"logistic", 64, 0.6}};

static double promised_ratio(const char *loss, size_t features)
{
    for (size_t i = 0; i < sizeof promises / sizeof *promises; i++)
        if (promises[i].features == features && strcmp(promises[i].loss, loss) == 0)
            return promises[i].ratio;
    return NAN;
}

/* Full-batch training on the dataset, the read bandwidth measured after each pass. */
static void train(const char *loss, struct samples *samples, struct gm_summary *summary)
{
    struct gm_job job;
    struct gm_job_loss term;
    struct gm_error err;
    *samples = (struct samples){.count = 0};
    job_for(&job, &term, loss);
    const struct gm_watch watch = {.context = samples, .epoch = sample};
    if (gm_train(&job, &watch, summary, &err))
        fail(loss, &err);
}

static void training_row(const char *loss, size_t features)
{
    size_t rows = (megabytes << 20) / (features * sizeof(float));
    make_data(rows, features, strcmp(loss, "logistic") == 0);
    struct gm_summary summary;
    struct samples samples;
    train(loss, &samples, &summary);
    double ratios[PASSES], bytes = (double)summary.data_bytes_per_pass / (double)rows;
    for (size_t i = 0; i < samples.count; i++)
        ratios[i] = samples.pass[i] * bytes / samples.limit[i];
    double rate = median(samples.pass, samples.count), limit = median(samples.limit, samples.count);
    double peer = numpy_seconds(rows, features);
    printf("%-9s %8zu %9zu %8.1f M %9.1f %9.1f %7.2f %9.2f", loss, features, rows, rate / 1e6, rate * bytes / 1e9,
           limit / 1e9, median(ratios, samples.count), promised_ratio(loss, features));
    if (isnan(peer))
        printf("   no python3 with numpy\n");
    else
        printf(" %8.1fx\n", rate / ((double)rows / peer));
    fflush(stdout);
    gm_summary_release(&summary);
    unlink(data_path);
}

/* ---- bytes against floats ---- */

/* X [rows x features] of whole numbers 0 .. 255, stored as `stored`, and y [rows]. */
static void make_stored(hid_t stored, size_t rows, size_t features)
{
    hsize_t shape[2] = {rows, features};
    hid_t file = H5Fcreate(data_path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t all = H5Screate_simple(2, shape, NULL), line = H5Screate_simple(1, shape, NULL);
    hid_t x = H5Dcreate2(file, "X", stored, all, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t y = H5Dcreate2(file, "y", H5T_NATIVE_FLOAT, line, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    unsigned char *values = malloc(rows * features);
    unsigned long long state = 1;
    for (size_t i = 0; values && i < rows * features; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        values[i] = (unsigned char)(state >> 56);
    }
    if (!values || H5Dwrite(x, H5T_NATIVE_UCHAR, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0 ||
        H5Dwrite(y, H5T_NATIVE_UCHAR, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
        fprintf(stderr, "%s was not written\n", data_path);
    free(values);
    H5Dclose(x);
    H5Dclose(y);
    H5Sclose(all);
    H5Sclose(line);
    H5Fclose(file);
}

/* Rows a second over what the memory gave at that moment. */
static double rows_per_limit(hid_t stored, size_t rows, size_t features)
{
    struct gm_summary summary;
    struct samples samples;
    double ratios[PASSES];
    make_stored(stored, rows, features);
    train("mse", &samples, &summary);
    for (size_t i = 0; i < samples.count; i++)
        ratios[i] = samples.pass[i] / samples.limit[i];
    gm_summary_release(&summary);
    unlink(data_path);
    return median(ratios, samples.count);
}

static void bytes_against_floats(void)
{
    size_t features = 256, rows = (megabytes << 20) / (features * sizeof(float));
    double bytes = rows_per_limit(H5T_NATIVE_UCHAR, rows, features);
    double floats = rows_per_limit(H5T_NATIVE_FLOAT, rows, features);
    printf("\n%zu rows of %zu features stored as uint8 train %.2f times as fast as float32 (promised: 2.50)\n", rows,
           features, bytes / floats);
}

/* ---- whole programs: memory of a streamed training, time of a tiny one ---- */

/* "exec .../gradmill train JOB ..." for the program beside this one, on the dataset. */
static void train_command(char *command, size_t size, const char *options)
{
    char program[300] = "", job_path[300];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 16);
    program[length < 0 ? 0 : length] = 0;
    char *slash = strrchr(program, '/');
    strcpy(slash ? slash + 1 : program, "gradmill");
    snprintf(job_path, sizeof job_path, "%s/job.yaml", directory);
    FILE *file = fopen(job_path, "w");
    if (file) {
        fprintf(file, "data: {train: %s}\nloss: mse\noutput: {model: %s/m.h5, log: %s/l.jsonl}\n", data_path, directory,
                directory);
        fclose(file);
    }
    snprintf(command, size, "exec '%s' train '%s' --quiet %s 2>/dev/null", program, job_path, options);
}

static void streaming(void)
{
    size_t budget = 64, rows = (4 * budget << 20) / 256;
    char command[1000], line[8192] = "";
    make_data(rows, 64, false);
    train_command(command, sizeof command, "--json --set run.memory=64MiB --set stop.max_epochs=3");
    FILE *pipe = popen(command, "r");
    if (pipe && !fgets(line, sizeof line, pipe))
        line[0] = 0;
    if (pipe)
        pclose(pipe);
    const char *peak = strstr(line, "\"peak_memory_bytes\":");
    double bytes = peak ? strtod(peak + strlen("\"peak_memory_bytes\":"), NULL) : NAN;
    printf("streaming %zu MiB with run.memory %zu MiB: %s, peak %.1f MiB = budget %+.1f MiB (promised: at most +64)\n",
           4 * budget, budget, strstr(line, "\"resident\":false") ? "streamed" : "NOT STREAMED", bytes / 0x1p20,
           bytes / 0x1p20 - (double)budget);
    unlink(data_path);
}

static void tiny(void)
{
    char command[1000];
    double seconds[21];
    make_data(100, 10, false);
    train_command(command, sizeof command, ">/dev/null");
    for (int i = 0; i < 21; i++) {
        double begun = clock_seconds();
        if (system(command) != 0)
            printf("the tiny training failed\n");
        seconds[i] = clock_seconds() - begun;
    }
    printf("training of 100 rows, start to exit: %.1f ms (median of 21; promised: 30)\n", 1e3 * median(seconds, 21));
}

int main(int argc, char **argv)
{
    const char *base = getenv("TMPDIR");
    if (argc > 1)
        megabytes = strtoul(argv[1], NULL, 10);
    snprintf(directory, sizeof directory, "%s/gradmill-bench-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(directory)) {
        perror(directory);
        return 1;
    }
    snprintf(data_path, sizeof data_path, "%s/data.h5", directory);
    if (argc <= 2) {
        tiny();
        streaming();
    }
    make_limit_buffer();
    printf("\n%zu MiB of float32, full-batch gradient, %d threads; limit: reading memory, measured after each pass\n\n",
           megabytes, omp_get_max_threads());
    printf("%-9s %8s %9s %10s %9s %9s %7s %9s %9s\n", "loss", "features", "rows", "rows/s", "GB/s", "limit", "ratio",
           "promised", "NumPy");
    for (int i = 2; i + 1 < argc; i += 2)
        training_row(argv[i], strtoul(argv[i + 1], NULL, 10));
    for (size_t i = 0; argc <= 2 && i < sizeof promises / sizeof *promises; i++)
        training_row(promises[i].loss, promises[i].features);
    if (argc <= 2 || argc % 2)
        bytes_against_floats();
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    return system(command) != 0;
}
