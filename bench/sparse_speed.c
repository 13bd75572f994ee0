/*
 * Sparse rows: logistic regression, and with UNITS a network with one hidden layer of so many.
 *
 * Logistic regression against scikit-learn's SGDClassifier, on the same file in the same run: rows a
 * second, by wall clock and by processor time, and the objective over the training rows after equally many epochs.
 *
 *     sparse_speed [ROWS [FEATURES [UNITS]]]   1,000,000 x 2^20 with 50 entries a row when absent; in TMPDIR or /tmp
 *
 * SGDClassifier takes a step a row, of rate 0.1 (of 0.03, 0.1 and 0.2 the one with the lowest objective; its "optimal"
 * ends higher). Ours is the same method in batches of 64 rows: their mean gradient times 6.4 is the sum of 64 such
 * steps, and rows of one batch have few columns in common.
 *
 * Before and after it is told how long a cache line takes from one thread to the other and back: some 100 ns where
 * their processors share a cache, 500 and more where they do not; less than 100: they are one core. A virtual machine's
 * processors are moved from one such place to another, from second to second. So the fastest and the slowest epoch are
 * told too.
 *
 * The network is trained by sgd and by adam in batches of 256 rows, beside PyTorch's EmbeddingBag with sparse gradients
 * on as many threads, of a tenth of the rows.
 *
 * The peers are asked for through the python in GRADMILL_PYTHON, or python3; without them our figures stand alone.
 */
#include <math.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <gradmill/gradmill.h>

#include "datasets/datasets.h"

#define EPOCHS 5
#define L2     1e-6

static const char *const peer =
    "import sys,time\n"
    "try:\n"
    "    import h5py,numpy as np,scipy.sparse as sp\n"
    "    from sklearn.linear_model import SGDClassifier\n"
    "except ImportError as missing:\n"
    "    sys.exit(print('scikit-learn: not measured,',missing))\n"
    "f=h5py.File(sys.argv[1]); g=f['X']; y=f['y'][:].astype(int)\n"
    "X=sp.csr_matrix((g['data'][:],g['indices'][:],g['indptr'][:]),shape=tuple(g.attrs['shape']))\n"
    "c=SGDClassifier(loss='log_loss',alpha=1e-6,max_iter=5,tol=None,learning_rate='constant',eta0=0.1,random_state=1)\n"
    "t=time.time(); u=time.process_time(); c.fit(X,y); t=time.time()-t; u=time.process_time()-u\n"
    "z=X@c.coef_[0]+c.intercept_[0]; l=np.mean(np.logaddexp(0,z)-y*z)+0.5e-6*(c.coef_**2).sum()\n"
    "print('SGDClassifier, one core     %6.2f s an epoch, %5.2f s of processor time, objective %.5f after 5'\n"
    "      %(t/5,u/5,l))\n";

static const char *const torch_peer =
    "import sys,time\n"
    "try:\n"
    "    import h5py,numpy as np,torch\n"
    "except ImportError as missing:\n"
    "    sys.exit(print('PyTorch: not measured,',missing))\n"
    "torch.set_num_threads(2); units=int(sys.argv[2]); batch=256\n"
    "f=h5py.File(sys.argv[1]); g=f['X']; rows,features=(int(v) for v in g.attrs['shape']); part=max(rows//10,batch)\n"
    "x=torch.from_numpy(g['data'][:]).view(rows,-1); at=torch.from_numpy(g['indices'][:]).long().view(rows,-1)\n"
    "y=torch.from_numpy(f['y'][:]).float(); starts=torch.arange(0,batch*x.shape[1],x.shape[1])\n"
    "for method in ('sgd','adam'):\n"
    "    bag=torch.nn.EmbeddingBag(features,units,mode='sum',sparse=True); rest=torch.nn.Sequential(torch.nn.ReLU(),"
    "torch.nn.Linear(units,1))\n"
    "    with torch.no_grad(): bag.weight.mul_((2/features)**0.5)\n"
    "    bias=torch.nn.Parameter(torch.zeros(units)); others=[bias]+list(rest.parameters())\n"
    "    steps=[torch.optim.SGD(list(bag.parameters())+others,lr=1.0)] if method=='sgd' else "
    "[torch.optim.SparseAdam(list(bag.parameters()),lr=0.003),torch.optim.Adam(others,lr=0.003)]\n"
    "    for turn in range(2):\n"
    "        order=torch.randperm(rows)[:part]; t=time.time(); u=time.process_time()\n"
    "        for k in range(0,part-batch+1,batch):\n"
    "            r=order[k:k+batch]; z=rest(bag(at[r].reshape(-1),starts,per_sample_weights=x[r].reshape(-1))+bias)\n"
    "            loss=torch.nn.functional.binary_cross_entropy_with_logits(z.squeeze(1),y[r])\n"
    "            for s in steps: s.zero_grad()\n"
    "            loss.backward()\n"
    "            for s in steps: s.step()\n"
    "        t=time.time()-t; u=time.process_time()-u; n=part//batch*batch\n"
    "    print('PyTorch %-4s batch   256, 2 threads %6.2f s an epoch, %5.2f s of processor time'"
    "%(method,t*rows/n,u*rows/n))\n";

static void fail(const char *what, const struct gm_error *err)
{
    fprintf(stderr, "%s: %s\n", what, err->text);
    exit(1);
}

static struct {
    alignas(128) atomic_long there; /* negative: the end */
    alignas(128) atomic_long back;
} line;

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *echo(void *nothing)
{
    for (long seen = 0, now; seen >= 0;)
        if ((now = atomic_load(&line.there)) != seen)
            atomic_store(&line.back, seen = now);
    return nothing;
}

/* Nanoseconds, the best of 20 ms: the threads may have to wait for a processor. */
static double round_trip(void)
{
    enum { TRIPS = 100 };
    double best = HUGE_VAL, end = seconds() + 0.02;
    pthread_t other;
    atomic_store(&line.there, 0);
    if (pthread_create(&other, NULL, echo, NULL) != 0)
        return NAN;
    for (long trip = 1; seconds() < end;) {
        double begun = seconds();
        for (int i = 0; i < TRIPS; i++, trip++) {
            atomic_store(&line.there, trip);
            while (atomic_load(&line.back) != trip)
                ;
        }
        best = fmin(best, (seconds() - begun) / TRIPS);
    }
    atomic_store(&line.there, -1);
    pthread_join(other, NULL);
    return best * 1e9;
}

/* Where epochs end: wall clock and processor time. */
struct times {
    double wall[EPOCHS + 1], used[EPOCHS + 1];
};

static void note_epoch(void *context, const struct gm_epoch *epoch)
{
    struct times *t = context;
    if (epoch->epoch > EPOCHS)
        return;
    t->wall[epoch->epoch] = epoch->seconds;
    t->used[epoch->epoch] = (double)clock() / CLOCKS_PER_SEC;
}

struct way {
    enum gm_optimizer type;
    size_t batch;
    double rate;
    const size_t *units; /* NULL: a linear model */
};

/* The first epoch begins with the reading of the file and is left out. */
static void ours(const char *data, const char *model, struct way way)
{
    struct gm_job job;
    struct gm_job_loss loss = {.name = "logistic", .weight = 1};
    struct gm_summary summary;
    struct gm_error err;
    struct times times = {{0}, {0}};
    const struct gm_watch watch = {.context = &times, .epoch = note_epoch};
    gm_job_init(&job);
    job.data.train.path = data;
    job.data.standardize = false;
    job.loss.terms = &loss;
    job.loss.count = 1;
    job.optimizer.type = way.type;
    job.optimizer.batch_size = way.batch;
    job.optimizer.learning_rate = way.rate;
    job.optimizer.l2 = way.units ? 0 : L2;
    if (way.units) {
        job.model.type = GM_MODEL_MLP;
        job.model.hidden = (struct gm_wholes){way.units, 1};
    }
    job.stop.max_epochs = EPOCHS;
    job.stop.loss_change = NAN;
    job.run.threads = 2;
    job.output.model = model;
    job.output.log = NULL;
    double before = round_trip(), fastest = HUGE_VAL, slowest = 0;
    if (gm_train(&job, &watch, &summary, &err))
        fail(data, &err);
    for (int i = 2; i <= EPOCHS; i++) {
        fastest = fmin(fastest, times.wall[i] - times.wall[i - 1]);
        slowest = fmax(slowest, times.wall[i] - times.wall[i - 1]);
    }
    double penalty = summary.objective - summary.train_loss; /* train_loss itself is a mean over the epoch's batches */
    printf("%-8s batch %5zu, 2 threads %6.2f s an epoch, %5.2f s of processor time, objective %.5f after %zu\n",
           way.type == GM_OPTIMIZER_SGD ? "sgd" : "adam", job.optimizer.batch_size,
           (times.wall[EPOCHS] - times.wall[1]) / (EPOCHS - 1), (times.used[EPOCHS] - times.used[1]) / (EPOCHS - 1),
           summary.train.loss + penalty, summary.epochs);
    printf("    epochs of %.2f to %.2f s; between the processors %.0f ns before, %.0f after\n", fastest, slowest,
           before, round_trip());
    gm_summary_release(&summary);
}

int main(int argc, char **argv)
{
    const char *directory = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    const char *python = getenv("GRADMILL_PYTHON") ? getenv("GRADMILL_PYTHON") : "python3";
    struct make_options options = {.rows = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000,
                                   .features = argc > 2 ? strtoull(argv[2], NULL, 10) : (size_t)1 << 20,
                                   .nonzeros = 50,
                                   .seed = 1};
    char data[300], model[300], script[300], command[1000];
    struct gm_error err;
    snprintf(data, sizeof data, "%s/sparse_speed-%ld.h5", directory, (long)getpid());
    snprintf(model, sizeof model, "%s/sparse_speed-%ld-model.h5", directory, (long)getpid());
    snprintf(script, sizeof script, "%s/sparse_speed-%ld.py", directory, (long)getpid());
    if (make_sparse(data, &options, &err))
        fail(data, &err);
    size_t units = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    if (units) {
        ours(data, model, (struct way){GM_OPTIMIZER_SGD, 256, 1, &units});
        ours(data, model, (struct way){GM_OPTIMIZER_ADAM, 256, 0.003, &units});
    } else {
        ours(data, model, (struct way){GM_OPTIMIZER_SGD, 64, 6.4, NULL});
        ours(data, model, (struct way){GM_OPTIMIZER_SGD, 1, 0.1, NULL});
    }
    fflush(stdout);
    FILE *file = fopen(script, "w");
    if (file) {
        fputs(units ? torch_peer : peer, file);
        fclose(file);
        snprintf(command, sizeof command, "OMP_NUM_THREADS=%d '%s' '%s' '%s' %zu", units ? 2 : 1, python, script, data,
                 units);
        if (system(command) != 0)
            puts("the peer: not measured.");
    }
    if (!units)
        puts("promised: two times the epochs of SGDClassifier a second, to an equal or better objective");
    unlink(script);
    unlink(model);
    unlink(data);
    return 0;
}
