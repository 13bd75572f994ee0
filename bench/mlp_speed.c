/*
 * How close networks come to the machine's arithmetic: training by adam against the rate of sgemm on the same threads,
 * measured after each epoch of the same run; PyTorch beside it where a python3 with torch is there.
 *
 *     mlp_speed [ROWS]
 *
 * sgemm is that of a BLAS that the system has (libopenblas.so.0, libmkl_rt.so.2, libblas.so.3), one thread each; where
 * there is none, our own product stands in, and the program says so. GRADMILL_PYTHON names another python.
 */
#include <dlfcn.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gradmill/gradmill.h>

#include "base/clock.h"
#include "datasets/datasets.h"
#include "model/panel.h"

#define EPOCHS 9
#define IN     784
#define OUT    10

static char directory[256], data_path[300];
static size_t rows = 20480;

static void fail(const char *what, const struct gm_error *err)
{
    fprintf(stderr, "%s: %s\n", what, err->text);
    exit(1);
}

/* ---- the limit ---- */

enum { SIZE = 1024 };
typedef void sgemm_fn(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int);
static sgemm_fn *sgemm;
static const char *limit_name = "our own product: no BLAS was found";

static void find_blas(void)
{
    static const char *const names[] = {"libopenblas.so.0", "libmkl_rt.so.2", "libblas.so.3"};
    for (size_t i = 0; !sgemm && i < sizeof names / sizeof *names; i++) {
        void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL),
             *symbol = library ? dlsym(library, "cblas_sgemm") : NULL;
        if (!symbol)
            continue;
        memcpy(&sgemm, &symbol, sizeof sgemm);
        limit_name = names[i];
        void (*set_threads)(int) = NULL;
        if ((symbol = dlsym(library, "openblas_set_num_threads"))) {
            memcpy(&set_threads, &symbol, sizeof set_threads);
            set_threads(1);
        }
    }
}

/* c [SIZE x SIZE] = a b by whichever there is. */
static void product(const float *a, const float *b, float *c)
{
    static const float zeros[PANEL_F32] __attribute__((aligned(PANEL_BYTES)));
    if (sgemm) {
        sgemm(101, 111, 111, SIZE, SIZE, SIZE, 1, a, SIZE, b, SIZE, 0, c, SIZE);
        return;
    }
    struct panel_kernels k = panel_kernels_for(cpu_isa());
    for (size_t i = 0; i < SIZE; i += 64)
        for (size_t p = 0; p < SIZE / PANEL_F32; p++) {
            struct panel_rows r = {.a = a + i * PANEL_F32,
                                   .a_stride = SIZE * PANEL_F32,
                                   .rows = 64,
                                   .k_panels = SIZE / PANEL_F32,
                                   .panels = 1,
                                   .b = b + p * SIZE * PANEL_F32,
                                   .start = zeros,
                                   .c = c + (p * SIZE + i) * PANEL_F32};
            k.rows_f32(&r);
        }
}

/* Floating-point operations a second, every thread with products of its own. */
static double arithmetic(void)
{
    static float *buffers;
    const size_t one = (size_t)SIZE * SIZE;
    size_t threads = (size_t)omp_get_max_threads();
    if (!buffers) {
        buffers = aligned_alloc(PANEL_BYTES, 3 * one * threads * sizeof *buffers);
        if (!buffers)
            exit(1);
        for (size_t i = 0; i < 3 * one * threads; i++)
            buffers[i] = (float)(i % 7) - 3;
    }
    double begun = clock_seconds();
#pragma omp parallel
    {
        float *a = buffers + 3 * one * (size_t)omp_get_thread_num();
        product(a, a + one, a + 2 * one);
    }
    return 2.0 * SIZE * SIZE * SIZE * (double)threads / (clock_seconds() - begun);
}

/* ---- training ---- */

struct samples {
    double pass[EPOCHS], limit[EPOCHS]; /* rows a second; operations a second */
    size_t count;
};

static void sample(void *context, const struct gm_epoch *epoch)
{
    struct samples *s = context;
    if (epoch->epoch < 2 || s->count == EPOCHS)
        return;
    s->pass[s->count] = epoch->rows_per_second;
    s->limit[s->count++] = arithmetic();
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

/* Operations for one row: forward, weight gradients, and data gradients but for the first layer's. */
static double row_work(const struct gm_wholes *hidden)
{
    double work = 0, in = IN;
    for (size_t l = 0; l <= hidden->count; l++) {
        double out = l < hidden->count ? (double)hidden->values[l] : OUT;
        work += 2 * in * out * (l ? 3 : 2);
        in = out;
    }
    return work;
}

/* Rows a second of the same training in PyTorch; NaN: no such python. */
static double torch_rate(const struct gm_wholes *hidden, size_t batch)
{
    char sizes[128] = "784", command[1800];
    for (size_t l = 0, used = 3; l <= hidden->count; l++)
        used +=
            (size_t)snprintf(sizes + used, sizeof sizes - used, ",%zu", l < hidden->count ? hidden->values[l] : OUT);
    const char *python = getenv("GRADMILL_PYTHON");
    snprintf(command, sizeof command,
             "%s -c \"\nimport torch as t, time\nt.set_num_threads(%d)\ns=[%s]\nL=[]\n"
             "for a,b in zip(s,s[1:]): L+=[t.nn.Linear(a,b),t.nn.ReLU()]\n"
             "m=t.nn.Sequential(*L[:-1]); o=t.optim.Adam(m.parameters(),lr=1e-3); f=t.nn.CrossEntropyLoss()\n"
             "x=t.randn(8192,784); y=t.randint(0,10,(8192,)); T=[]\n"
             "for e in range(5):\n b=time.perf_counter(); p=t.randperm(8192)\n"
             " for i in range(0,8192,%zu):\n  j=p[i:i+%zu]; o.zero_grad(); l=f(m(x[j]),y[j]); l.backward(); o.step()\n"
             " T.append(time.perf_counter()-b)\nprint(8192/sorted(T)[2])\" 2>/dev/null",
             python ? python : "python3", omp_get_max_threads(), sizes, batch, batch);
    FILE *pipe = popen(command, "r");
    double rate = NAN;
    if (!pipe || fscanf(pipe, "%lf", &rate) != 1)
        rate = NAN;
    if (pipe)
        pclose(pipe);
    return rate;
}

static void training_row(struct gm_wholes hidden, size_t batch, double promised)
{
    struct gm_job job;
    struct gm_job_loss term = {.name = "cross_entropy", .weight = 1};
    struct gm_summary summary;
    struct gm_error err;
    struct samples samples = {.count = 0};
    const struct gm_watch watch = {.context = &samples, .epoch = sample};
    gm_job_init(&job);
    job.data.train.path = data_path;
    job.model.type = GM_MODEL_MLP;
    job.model.hidden = hidden;
    job.loss.terms = &term;
    job.loss.count = 1;
    job.optimizer.type = GM_OPTIMIZER_ADAM;
    job.optimizer.learning_rate = 1e-3;
    job.optimizer.batch_size = batch;
    job.stop.loss_change = NAN;
    job.stop.max_epochs = EPOCHS + 1;
    job.output.model = NULL;
    job.output.log = NULL;
    job.run.threads = omp_get_max_threads();
    if (gm_train(&job, &watch, &summary, &err))
        fail("training", &err);
    gm_summary_release(&summary);
    double ratios[EPOCHS], work = row_work(&hidden), peer = torch_rate(&hidden, batch);
    for (size_t i = 0; i < samples.count; i++)
        ratios[i] = samples.pass[i] * work / samples.limit[i];
    double rate = median(samples.pass, samples.count), limit = median(samples.limit, samples.count);
    char name[64] = "784";
    for (size_t l = 0, used = 3; l <= hidden.count; l++)
        used += (size_t)snprintf(name + used, sizeof name - used, "-%zu", l < hidden.count ? hidden.values[l] : OUT);
    printf("%-16s %6zu %9.1f k %8.1f %8.1f %7.2f %9.2f", name, batch, rate / 1e3, rate * work / 1e9, limit / 1e9,
           median(ratios, samples.count), promised);
    if (isnan(peer))
        printf("   no python3 with torch\n");
    else
        printf(" %8.1fx\n", rate / peer);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const size_t one[] = {256}, two[] = {512, 256};
    struct gm_error err;
    const char *base = getenv("TMPDIR");
    if (argc > 1)
        rows = strtoul(argv[1], NULL, 10);
    snprintf(directory, sizeof directory, "%s/gradmill-bench-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(directory)) {
        perror(directory);
        return 1;
    }
    snprintf(data_path, sizeof data_path, "%s/data.h5", directory);
    struct make_options options = {.rows = rows, .features = IN, .classes = OUT, .noise = 0.1, .seed = 1};
    if (make_classification(data_path, &options, &err))
        fail(data_path, &err);
    find_blas();
    arithmetic();
    printf("%zu rows, float32, adam, %d threads; limit: sgemm of %d (%s), measured after each epoch\n\n", rows,
           omp_get_max_threads(), SIZE, limit_name);
    printf("%-16s %6s %11s %8s %8s %7s %9s %9s\n", "network", "batch", "rows/s", "Gflop/s", "limit", "ratio",
           "promised", "PyTorch");
    training_row((struct gm_wholes){one, 1}, 1024, 0.75);
    training_row((struct gm_wholes){one, 1}, 128, 0.6);
    training_row((struct gm_wholes){two, 2}, 1024, 0.75);
    unlink(data_path);
    return rmdir(directory) != 0;
}
