/*
 * Time to the optimum of a convex problem: logistic regression, newton and lbfgs, against scikit-learn's
 * newton-cholesky and lbfgs on the same rows in the same run.
 *
 *     convex_speed [ROWS [FEATURES]]      1,000,000 x 100 when absent; written to TMPDIR or /tmp
 *
 * scikit-learn is asked for through the python in GRADMILL_PYTHON, or python3; without it our figures stand alone.
 * Every solver gets the loosest tolerance of its gradient, of a ladder, with which it comes within 1e-9 (relative) of
 * the optimal loss; times are those of training alone, on float32 data in memory, the best of five; scikit-learn's
 * are of float32 and of float64 data. All on as many threads as OMP_NUM_THREADS says.
 */
#include <hdf5.h>
#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <gradmill/gradmill.h>

#include "datasets/datasets.h"

#define CLOSE 1e-9
#define TRIES 5

static char directory[256], data_path[300], model_path[300], raw_path[300];
static size_t rows = 1000000, features = 100;

static void fail(const char *what, const struct gm_error *err)
{
    fprintf(stderr, "%s: %s\n", what, err->text);
    exit(1);
}

/* ---- ours ---- */

/* Mean loss of the model that was written, in double. */
static double loss_of_model(void)
{
    struct gm_model *model;
    struct gm_metrics metrics;
    struct gm_error err;
    const struct gm_data data = {.path = data_path};
    if (gm_model_open(&model, model_path, NULL, &err) || gm_evaluate(model, &data, NULL, &metrics, &err))
        fail(model_path, &err);
    double loss = metrics.loss;
    gm_metrics_release(&metrics);
    gm_model_close(model);
    return loss;
}

struct taken {
    double seconds, processor; /* of training; processor time of all threads */
    size_t passes;
};

struct watched {
    double first, last;
    size_t epochs;
};

static void see(void *context, const struct gm_epoch *epoch)
{
    struct watched *w = context;
    w->last = (double)clock() / CLOCKS_PER_SEC;
    if (epoch->epoch == 0)
        w->first = w->last;
    w->epochs = epoch->epoch;
}

static struct taken train(enum gm_optimizer optimizer, enum gm_precision precision, double tolerance)
{
    struct watched watched = {0};
    const struct gm_watch watch = {.context = &watched, .epoch = see};
    struct gm_job job;
    struct gm_job_loss loss = {.name = "logistic", .weight = 1};
    struct gm_summary summary;
    struct gm_error err;
    gm_job_init(&job);
    job.data.train.path = data_path;
    job.loss.terms = &loss;
    job.loss.count = 1;
    job.optimizer.type = optimizer;
    job.run.precision = precision;
    job.stop.loss_change = NAN;
    job.stop.gradient_norm = tolerance;
    job.output.model = model_path;
    job.output.log = NULL;
    job.run.threads = omp_get_max_threads();
    if (gm_train(&job, &watch, &summary, &err))
        fail("train", &err);
    struct taken t = {.seconds = summary.seconds, .passes = summary.passes};
    t.processor = (watched.last - watched.first) * (double)t.passes / (double)(t.passes - 1); /* the first is unseen */
    gm_summary_release(&summary);
    return t;
}

/* With the loosest tolerance that is close enough. */
static struct taken ours(enum gm_optimizer optimizer, double optimum, const char *name)
{
    struct taken best = {INFINITY, INFINITY, 0};
    double excess = INFINITY, tolerance = 1e-2;
    for (; tolerance > 1e-9; tolerance /= 10) {
        train(optimizer, GM_FLOAT32, tolerance);
        excess = loss_of_model() / optimum - 1;
        if (excess <= CLOSE)
            break;
    }
    for (int i = 0; i < TRIES && excess <= CLOSE; i++) {
        struct taken t = train(optimizer, GM_FLOAT32, tolerance);
        best = (struct taken){fmin(best.seconds, t.seconds), fmin(best.processor, t.processor), t.passes};
    }
    printf("%-36s %8.3f s %8.3f s %5zu passes     %9.1e\n", name, best.seconds, best.processor, best.passes, excess);
    fflush(stdout);
    return best;
}

/* ---- theirs ---- */

/* The rows as plain numbers, X then y. */
static void write_raw(void)
{
    size_t n = rows * (features + 1);
    float *values = malloc(n * sizeof *values);
    hid_t file = H5Fopen(data_path, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t x = H5Dopen2(file, "/X", H5P_DEFAULT), y = H5Dopen2(file, "/y", H5P_DEFAULT);
    FILE *out = fopen(raw_path, "wb");
    if (!values || !out || H5Dread(x, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0 ||
        H5Dread(y, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values + rows * features) < 0 ||
        fwrite(values, sizeof *values, n, out) != n || fclose(out) != 0) {
        fprintf(stderr, "%s: cannot be written\n", raw_path);
        exit(1);
    }
    H5Dclose(x);
    H5Dclose(y);
    H5Fclose(file);
    free(values);
}

static const char script[] =
    "import sys, time, warnings\n"
    "import numpy as np\n"
    "from sklearn.linear_model import LogisticRegression\n"
    "warnings.simplefilter('ignore')\n"
    "path, n, d, optimum, solver, close = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), "
    "sys.argv[5], float(sys.argv[6])\n"
    "raw = np.fromfile(path, np.float32)\n"
    "X, y = raw[:n * d].reshape(n, d), raw[n * d:]\n"
    "def loss(model):\n"
    "    total = 0.0\n"
    "    w, b = model.coef_[0].astype(np.float64), float(model.intercept_[0])\n"
    "    for i in range(0, n, 65536):\n"
    "        z = X[i:i + 65536].astype(np.float64) @ w + b\n"
    "        total += np.sum(np.logaddexp(0, z) - y[i:i + 65536] * z)\n"
    "    return total / n\n"
    "for kind in (np.float32, np.float64):\n"
    "    A, b = X.astype(kind), y.astype(kind)\n"
    "    for tol in (1e-5, 1e-6, 1e-7):\n"
    "        m = LogisticRegression(C=np.inf, solver=solver, tol=tol, max_iter=1000)\n"
    "        t, c = time.perf_counter(), time.process_time()\n"
    "        m.fit(A, b)\n"
    "        seconds, work = time.perf_counter() - t, time.process_time() - c\n"
    "        excess = loss(m) / optimum - 1\n"
    "        if excess <= close:\n"
    "            break\n"
    "    print(kind.__name__, seconds, work, int(m.n_iter_[0]), excess, flush=True)\n";

/* Of both precisions: seconds to a loss that is close enough, NaN where no tolerance of the ladder leads there. */
struct peer {
    double seconds[2], processor[2];
};

static struct peer theirs(const char *solver, double optimum)
{
    char command[2000], script_path[300], precision[16] = "";
    struct peer peer = {{NAN, NAN}, {NAN, NAN}};
    double seconds = NAN, processor = NAN, excess = NAN;
    unsigned iterations = 0;
    const char *python = getenv("GRADMILL_PYTHON");
    snprintf(script_path, sizeof script_path, "%s/peer.py", directory);
    FILE *file = fopen(script_path, "w");
    if (!file || fputs(script, file) < 0 || fclose(file) != 0)
        return peer;
    snprintf(command, sizeof command, "'%s' '%s' '%s' %zu %zu %.17g %s %g 2>/dev/null", python ? python : "python3",
             script_path, raw_path, rows, features, optimum, solver, CLOSE);
    FILE *pipe = popen(command, "r");
    int kind = 0;
    while (pipe && kind < 2 &&
           fscanf(pipe, "%15s %lf %lf %u %lf", precision, &seconds, &processor, &iterations, &excess) == 5) {
        bool close = excess <= CLOSE;
        peer.seconds[kind] = close ? seconds : NAN;
        peer.processor[kind++] = close ? processor : NAN;
        printf("scikit-learn %-15s %s %8.3f s %8.3f s %5u iterations %9.1e%s\n", solver, precision, seconds, processor,
               iterations, excess, close ? "" : " (does not get there)");
        fflush(stdout);
    }
    if (pipe)
        pclose(pipe);
    if (kind == 0)
        printf("scikit-learn %-19s missing: no python with scikit-learn (GRADMILL_PYTHON names one)\n", solver);
    return peer;
}

static void ratio(const char *name, const struct peer *peer, const struct taken *t, double promised)
{
    static const char *const kinds[] = {"float32", "float64"};
    for (int k = 0; k < 2; k++)
        if (!isnan(peer->seconds[k]))
            printf("%s is %.1fx as fast as scikit-learn's on %s (promised: %g); by processor time %.1fx\n", name,
                   peer->seconds[k] / t->seconds, kinds[k], promised, peer->processor[k] / t->processor);
}

int main(int argc, char **argv)
{
    const char *base = getenv("TMPDIR");
    struct gm_error err;
    if (argc > 1)
        rows = strtoul(argv[1], NULL, 10);
    if (argc > 2)
        features = strtoul(argv[2], NULL, 10);
    snprintf(directory, sizeof directory, "%s/gradmill-bench-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(directory)) {
        perror(directory);
        return 1;
    }
    snprintf(data_path, sizeof data_path, "%s/data.h5", directory);
    snprintf(model_path, sizeof model_path, "%s/model.h5", directory);
    snprintf(raw_path, sizeof raw_path, "%s/rows.bin", directory);
    struct make_options options = {.rows = rows, .features = features, .classes = 2, .noise = 0.1, .seed = 1};
    if (make_classification(data_path, &options, &err))
        fail(data_path, &err);
    write_raw();
    train(GM_OPTIMIZER_NEWTON, GM_FLOAT64, 1e-12);
    double optimum = loss_of_model();
    printf("logistic regression, %zu x %zu float32, %d threads, to a loss within %g of the optimum (%.12f)\n\n%-36s "
           "%10s %10s %28s\n",
           rows, features, omp_get_max_threads(), CLOSE, optimum, "", "training", "processor", "excess");
    struct taken newton = ours(GM_OPTIMIZER_NEWTON, optimum, "newton"),
                 lbfgs = ours(GM_OPTIMIZER_LBFGS, optimum, "lbfgs");
    struct peer peer = theirs("lbfgs", optimum), cholesky = theirs("newton-cholesky", optimum);
    printf("\n");
    ratio("newton", &cholesky, &newton, 5);
    ratio("lbfgs", &peer, &lbfgs, 10);
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    return system(command) != 0;
}
