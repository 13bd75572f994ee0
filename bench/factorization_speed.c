/*
 * Factorization against LIBMF: 4.5 million ratings of 70,000 users and 10,000 items, popularity as in MovieLens, rank
 * 32, squared loss, the same number of threads, in one run; and how long each takes to the same held-out RMSE.
 *
 *     factorization_speed [RATINGS] [THREADS]       4500000 and 2 when absent; files are written to TMPDIR or /tmp
 *
 * The peer is the package libmf of PyPI (0.9.2), used by the python3 that GRADMILL_BENCH_PYTHON names. What pip builds
 * uses no vector instructions; for a fair peer build its source for the processor, and name the file in LIBMF_OBJ:
 *
 *     g++ -O3 -march=native -DUSEAVX -DUSEOMP -fopenmp -std=c++11 -shared -fPIC src_cpp/libmf_interface.cpp
 * src_cpp/mf.cpp -o libmf_avx.so
 *
 * Its predictions are made from its factors (the package's own predict reads the pairs wrongly). Penalty and rate are
 * the best of a grid for it, lambda 0.05 to 0.4 and eta 0.05 to 0.2; ours has the same penalty.
 *
 * Its rate is taken between trainings of 2 and of 12 epochs, ours from the log's clock, evaluation of the held-out
 * ratings and everything else between two epochs included.
 */
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <gradmill/gradmill.h>

#include "base/archive.h"
#include "base/random.h"

#define USERS  70000
#define ITEMS  10000
#define TRUTH  8
#define RANK   32
#define EPOCHS 12
#define ROUNDS 3

static char directory[256], train_path[300], held_path[300];
static size_t ratings = 4500000;
static int threads = 2;

static void fail(const char *what, const struct gm_error *err)
{
    fprintf(stderr, "%s: %s\n", what, err->text);
    exit(1);
}

/* ---- data ---- */

struct triples {
    size_t rows;
    uint32_t *user, *item;
    float *rating;
};

static struct triples make_triples(size_t rows)
{
    struct triples t = {0, malloc(rows * sizeof(uint32_t)), malloc(rows * sizeof(uint32_t)),
                        malloc(rows * sizeof(float))};
    if (!t.user || !t.item || !t.rating)
        exit(1);
    return t;
}

/* A share of all users or items, the first ones most often: index n u^power, with u even. The most frequent item has
 * some 2.5 % of the ratings, the upper half of the items 6 %. */
static uint32_t pick(struct random_key key, uint64_t index, size_t n, double power)
{
    size_t at = (size_t)((double)n * pow(random_uniform(key, index), power));
    return (uint32_t)((at * 7919) % n); /* popular ones are not neighbours */
}

static void make_data(struct triples *train, struct triples *held)
{
    const struct random_key key = {1, RANDOM_CHECK, 0}, noise = {1, RANDOM_CHECK, 1}, truth = {1, RANDOM_CHECK, 2};
    float *factors = malloc((size_t)(USERS + ITEMS) * (TRUTH + 1) * sizeof *factors);
    if (!factors)
        exit(1);
    for (size_t i = 0; i < (size_t)(USERS + ITEMS) * (TRUTH + 1); i++)
        factors[i] = (float)(0.4 * random_normal(truth, i));
    *train = make_triples(ratings);
    *held = make_triples(ratings);
    for (size_t i = 0; i < ratings; i++) {
        struct triples *t = i % 10 == 0 ? held : train;
        uint32_t u = pick(key, 2 * i, USERS, 1.5), v = pick(key, 2 * i + 1, ITEMS, 2.2);
        const float *p = factors + (size_t)u * (TRUTH + 1), *q = factors + (size_t)(USERS + v) * (TRUTH + 1);
        float z = 3.5F + p[TRUTH] + q[TRUTH];
        for (int k = 0; k < TRUTH; k++)
            z += p[k] * q[k];
        z += 0.8F * (float)random_normal(noise, i);
        z = roundf(2 * z) / 2; /* stars by halves */
        t->user[t->rows] = u;
        t->item[t->rows] = v;
        t->rating[t->rows++] = z < 0.5F ? 0.5F : z > 5 ? 5 : z;
    }
    free(factors);
}

/* For us as HDF5; for the peer as triples of float32. */
static void write_data(const char *path, const struct triples *t)
{
    struct archive *a = NULL;
    struct gm_error err;
    const struct archive_shape shape = {1, {t->rows}};
    uint64_t *wide = malloc(t->rows * sizeof *wide);
    char raw[320];
    if (!wide || archive_create(&a, &err))
        exit(1);
    const uint32_t *ids[2] = {t->user, t->item};
    for (int s = 0; s < 2; s++) {
        for (size_t i = 0; i < t->rows; i++)
            wide[i] = ids[s][i];
        if (archive_put(a, s ? "/item_id" : "/user_id", ARCHIVE_U64, &shape, wide, &err))
            fail(path, &err);
    }
    if (archive_put(a, "/rating", ARCHIVE_F32, &shape, t->rating, &err) || archive_save(a, path, &err))
        fail(path, &err);
    archive_close(a);
    free(wide);
    snprintf(raw, sizeof raw, "%s.bin", path);
    FILE *file = fopen(raw, "wb");
    for (size_t i = 0; file && i < t->rows; i++) {
        const float row[3] = {(float)t->user[i], (float)t->item[i], t->rating[i]};
        fwrite(row, sizeof row, 1, file);
    }
    if (!file || fclose(file) != 0)
        exit(1);
}

/* ---- the peer ---- */

struct result {
    double rate;    /* ratings a second */
    double work;    /* ratings a second of processor time */
    double rmse;    /* held out, after EPOCHS */
    double seconds; /* of EPOCHS epochs; ours: to the peer's RMSE, NaN: not reached */
};

static struct result libmf(void)
{
    struct result r = {NAN, NAN, NAN, NAN};
    char command[2400], line[256];
    const char *python = getenv("GRADMILL_BENCH_PYTHON");
    snprintf(
        command, sizeof command,
        "%s -W ignore -c \"\n"
        "import numpy as n, time\n"
        "from libmf import mf\n"
        "t=n.fromfile('%s.bin',dtype=n.float32).reshape(-1,3);h=n.fromfile('%s.bin',dtype=n.float32).reshape(-1,3)\n"
        "def run(e):\n"
        " m=mf.MF(k=%d,nr_threads=%d,nr_iters=e,lambda_p2=0.1,lambda_q2=0.1,lambda_p1=0.0,lambda_q1=0.0,eta=0.2,"
        "quiet=True)\n"
        " w=time.perf_counter();c=time.process_time();m.fit(t)\n"
        " return time.perf_counter()-w,time.process_time()-c,m\n"
        "a=run(2);b=run(%d);m=b[2];k=%d\n"
        "P,Q=m.p_factors(),m.q_factors();i=h[:,:2].astype(int)\n"
        "p=n.einsum('ij,ij->i',P[i[:,0]],Q[i[:,1]]);ok=n.isfinite(p);d=p[ok].astype(n.float64)-h[ok,2]\n"
        "print('RESULT',k*len(t)/(b[0]-a[0]),k*len(t)/(b[1]-a[1]),n.sqrt(n.mean(d*d)),(b[0]-a[0])/k*(k+2))\" "
        "2>/dev/null",
        python ? python : "python3", train_path, held_path, RANK, threads, EPOCHS, EPOCHS - 2);
    FILE *pipe = popen(command, "r");
    while (pipe && fgets(line, sizeof line, pipe))
        if (sscanf(line, "RESULT %lf %lf %lf %lf", &r.rate, &r.work, &r.rmse, &r.seconds) == 4)
            break;
    if (pipe)
        pclose(pipe);
    return r;
}

/* ---- ours ---- */

struct watched {
    double seconds[EPOCHS + 1], processor[EPOCHS + 1], loss[EPOCHS + 1];
    size_t epochs;
};

static void see(void *context, const struct gm_epoch *epoch)
{
    struct watched *w = context;
    if (epoch->epoch <= EPOCHS) {
        w->seconds[epoch->epoch] = epoch->seconds;
        w->processor[epoch->epoch] = (double)clock() / CLOCKS_PER_SEC;
        w->loss[epoch->epoch] = epoch->validation_loss;
        w->epochs = epoch->epoch;
    }
}

static struct result gradmill(enum gm_optimizer method, double rate, double peer_rmse, size_t rows)
{
    struct gm_job_loss loss = {.name = "mse", .weight = 1};
    struct gm_job job;
    struct gm_summary summary;
    struct gm_error err;
    struct watched w = {.epochs = 0};
    const struct gm_watch watch = {.context = &w, .epoch = see};
    gm_job_init(&job);
    job.data.train.path = train_path;
    job.data.validation.path = held_path;
    job.model.type = GM_MODEL_FACTORIZATION;
    job.model.rank = RANK;
    job.loss.terms = &loss;
    job.loss.count = 1;
    job.optimizer.type = method;
    job.optimizer.learning_rate = rate;
    job.optimizer.l2 = 0.2; /* mse has no half: LIBMF's 0.1 */
    job.stop.max_epochs = EPOCHS;
    job.stop.loss_change = NAN;
    job.output.model = NULL;
    job.output.log = NULL;
    job.run.threads = threads;
    if (gm_train(&job, &watch, &summary, &err))
        fail(train_path, &err);
    struct result r = {.seconds = NAN};
    r.rate = (double)rows * (EPOCHS - 2) / (w.seconds[EPOCHS] - w.seconds[2]);
    r.work = (double)rows * (EPOCHS - 2) / (w.processor[EPOCHS] - w.processor[2]);
    r.rmse = sqrt(w.loss[summary.best_epoch]);
    for (size_t e = w.epochs; e > 0; e--)
        if (sqrt(w.loss[e]) <= peer_rmse)
            r.seconds = w.seconds[e];
    gm_summary_release(&summary);
    return r;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, ascending);
    return values[ROUNDS / 2];
}

/* One method of ours against the peer, both already measured. */
static void tell(const char *method, const struct result ours[ROUNDS], const struct result peer[ROUNDS])
{
    double rate[ROUNDS], peer_rate[ROUNDS], ratio[ROUNDS], work[ROUNDS], seconds[ROUNDS], peer_seconds[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        rate[i] = ours[i].rate / 1e6;
        peer_rate[i] = peer[i].rate / 1e6;
        ratio[i] = ours[i].rate / peer[i].rate;
        work[i] = ours[i].work / peer[i].work;
        seconds[i] = ours[i].seconds;
        peer_seconds[i] = peer[i].seconds;
    }
    printf("%-8s %9.1f M %8.4f %9.1f M %8.4f %7.2f %10.2f %9.2f", method, median(rate), ours[0].rmse, median(peer_rate),
           peer[0].rmse, median(ratio), median(work), 1.0);
    if (isnan(peer[0].rate))
        printf("   the peer is missing: python3 with libmf and numpy\n");
    else
        printf("   %.2f s against %.2f s\n", median(seconds), median(peer_seconds));
}

int main(int argc, char **argv)
{
    const char *base = getenv("TMPDIR");
    struct triples train, held;
    if (argc > 1)
        ratings = strtoul(argv[1], NULL, 10);
    if (argc > 2)
        threads = (int)strtol(argv[2], NULL, 10);
    snprintf(directory, sizeof directory, "%s/gradmill-bench-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(directory)) {
        perror(directory);
        return 1;
    }
    snprintf(train_path, sizeof train_path, "%s/train.h5", directory);
    snprintf(held_path, sizeof held_path, "%s/held.h5", directory);
    make_data(&train, &held);
    write_data(train_path, &train);
    write_data(held_path, &held);
    printf("%zu ratings, %zu held out, rank %d, squared loss, %d threads; medians of %d alternate runs;\nratio of "
           "rates, and of ratings a second of processor time (what is left on a busy machine)\n\n",
           train.rows, held.rows, RANK, threads, ROUNDS);
    printf("%-8s %11s %8s %11s %8s %7s %10s %9s   %s\n", "method", "ratings/s", "rmse", "LIBMF", "rmse", "ratio",
           "processor", "promised", "time to LIBMF's rmse");
    struct result peer[ROUNDS], adagrad[ROUNDS], sgd[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        peer[i] = libmf();
        adagrad[i] = gradmill(GM_OPTIMIZER_ADAGRAD, 0.1, peer[i].rmse, train.rows);
        sgd[i] = gradmill(GM_OPTIMIZER_SGD, NAN, peer[i].rmse, train.rows);
    }
    tell("adagrad", adagrad, peer);
    tell("sgd auto", sgd, peer);
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    return system(command) != 0;
}
