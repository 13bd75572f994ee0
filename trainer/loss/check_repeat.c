/* Checks that call again: the same inputs at other times, in other places, threads, blocks and orders. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "loss/check_kit.h"

/* ---- determinism ---- */

/* Every subset of the outputs gives the bits that all of them together give. */
static void try_subsets(struct check *c, const struct sample *s, const struct outcome *all, struct outcome *o)
{
    for (unsigned want = 0; want <= WANT_ALL; want++) {
        char what[96];
        if (want & ~check_gives(c))
            continue;
        check_evaluate(c, s, want, o);
        snprintf(what, sizeof what, "asking for a subset of the outputs (%s%s%s%s%s)", want & WANT_GRAD ? "grad " : "",
                 want & WANT_HESS_DIAG ? "hess_diag " : "", want & WANT_HESS ? "hess " : "",
                 want & WANT_THETA ? "theta_grad " : "", want & WANT_ROW_LOSS ? "row_loss " : "");
        require_same(c, all, o, s->rows, want, what);
    }
}

/* The same call in a fresh process: addresses, environment and time must not matter. */
static void try_other_process(struct check *c, const struct sample *s, const struct outcome *all, struct outcome *o)
{
    size_t count = s->rows * c->shape.outputs;
    double *shared =
        mmap(NULL, (count + 1) * sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        check_fail(c, "There is no memory for a second process.");
    pid_t child = fork();
    if (child == 0) {
        check_evaluate(c, s, WANT_ALL, o);
        shared[0] = o->loss;
        memcpy(shared + 1, o->grad, count * sizeof *shared);
        _exit(0);
    }
    int status = 0;
    if (child > 0)
        waitpid(child, &status, 0);
    if (!same_bits(shared, &all->loss, 1) || !same_bits(shared + 1, all->grad, count))
        check_fail(c, "The same inputs in another process give other bits (loss %.17g against %.17g).", shared[0],
                   all->loss);
    munmap(shared, (count + 1) * sizeof *shared);
}

void check_determinism(struct check *c)
{
    static const unsigned char litters[] = {0x01, 0x40, 0x7F, 0xBF};
    struct sample s = sample_make(c, 61 < c->rows_most ? 61 : c->rows_most, 1), other = sample_make(c, 29, 3);
    struct outcome all = outcome_make(c), o = outcome_make(c);
    check_evaluate(c, &s, WANT_ALL, &all);
    for (size_t i = 0; i < sizeof litters; i++) {
        check_evaluate(c, &other, WANT_ALL, &o); /* leaves other things wherever things are left */
        struct call call = {.sample = &s, .want = WANT_ALL, .at_front = i % 2, .litter = litters[i]};
        check_call(c, &call, &o);
        require_same(c, &all, &o, s.rows, WANT_ALL,
                     "the same inputs again, with other scratch and output contents before");
    }
    try_subsets(c, &s, &all, &o);
    try_other_process(c, &s, &all, &o);
}

/* ---- threads ---- */

/* Calls overlap even where the threads take turns on one busy processor: the main thread wakes up again and again and
 * interrupts one of them wherever it is, and that one sleeps for a moment. */
enum { THREADS = 4, THREAD_ROWS = 160, WAKE_NANOSECONDS = 20000, SLEEP_NANOSECONDS = 20000, OVERLAPS = 200 };
static const double thread_seconds = 0.02, most_seconds = 0.25; /* of processor time, each */

/* Calls within which another one began, whatever else the machine does: only those can show that something is shared.
 */
struct overlap {
    atomic_size_t begun, seen;
    atomic_int working; /* threads that have not ended */
};

struct worker {
    struct check *c;
    struct sample sample;
    struct outcome expected; /* by one thread */
    double *grad;            /* [rows x outputs] */
    void *scratch;
    pthread_barrier_t *start;
    struct overlap *overlap;
    size_t rounds, different; /* of the rounds, those whose bits were not the expected ones */
};

static double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Until enough calls have overlapped, or there is no hope of that. */
static bool goes_on(const struct overlap *o)
{
    double spent = processor_seconds();
    return spent < thread_seconds || (spent < most_seconds && atomic_load(&o->seen) < OVERLAPS);
}

static int call_among_others(const struct check *c, const struct gm_loss_batch *batch, struct gm_loss_result *result,
                             struct overlap *o)
{
    size_t ticket = atomic_fetch_add(&o->begun, 1);
    int status = c->plugin.vtable.evaluate(batch, result);
    if (atomic_load(&o->begun) != ticket + 1)
        atomic_fetch_add(&o->seen, 1);
    return status;
}

static void *work(void *argument)
{
    struct worker *w = argument;
    const struct check *c = w->c;
    struct gm_loss_batch batch = loss_batch(&c->loss);
    batch.rows = w->sample.rows;
    batch.outputs = c->shape.outputs;
    batch.pred = w->sample.pred;
    batch.target = c->shape.targets ? w->sample.target : NULL;
    batch.weight = w->sample.weight;
    batch.group = w->sample.group;
    batch.seed = 20070704; /* as check_batch has it */
    batch.step = 3;
    batch.scratch = w->scratch;
    pthread_barrier_wait(w->start);
    for (; goes_on(w->overlap); w->rounds++) {
        struct gm_loss_result result = {.struct_size = sizeof result, .grad = w->grad};
        int status = call_among_others(c, &batch, &result, w->overlap);
        w->different += status != GM_LOSS_OK || !same_bits(&result.loss, &w->expected.loss, 1) ||
                        !same_bits(w->grad, w->expected.grad, w->sample.rows * c->shape.outputs);
    }
    atomic_fetch_sub(&w->overlap->working, 1);
    return NULL;
}

/* Yielding would not do: a scheduler that shares fairly gives the processor back at once. */
static void let_another_go(int signal)
{
    const struct timespec pause = {0, SLEEP_NANOSECONDS};
    int kept = errno;
    (void)signal;
    nanosleep(&pause, NULL);
    errno = kept;
}

/* One thread at a time sleeps within its call, while the others go on. */
static void interrupt_until_done(const pthread_t *threads, const atomic_int *working)
{
    const struct timespec pause = {0, WAKE_NANOSECONDS};
    for (int i = 0; atomic_load(working) > 0; i = (i + 1) % THREADS) {
        nanosleep(&pause, NULL);
        pthread_kill(threads[i], SIGUSR2);
    }
}

static void worker_make(struct check *c, struct worker *w, pthread_barrier_t *start, double scale)
{
    size_t rows = THREAD_ROWS < c->rows_most ? THREAD_ROWS : c->rows_most, scratch = loss_scratch_bytes(&c->loss, rows);
    *w = (struct worker){.c = c, .sample = sample_make(c, rows, scale), .expected = outcome_make(c), .start = start};
    w->grad = check_memory(c, rows * c->shape.outputs + CHECK_MARGIN, sizeof(double));
    w->scratch = scratch ? check_memory(c, scratch + CHECK_MARGIN * sizeof(double), 1) : NULL;
    check_evaluate(c, &w->sample, WANT_GRAD, &w->expected);
}

void check_threads(struct check *c)
{
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    pthread_barrier_t start;
    struct overlap overlap = {.working = THREADS};
    struct sigaction before, interrupt = {.sa_handler = let_another_go, .sa_flags = SA_RESTART};
    sigemptyset(&interrupt.sa_mask);
    sigaction(SIGUSR2, &interrupt, &before);
    pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        worker_make(c, &workers[i], &start, 1 + i);
        workers[i].overlap = &overlap;
    }
    c->shared->doing = "evaluate on several threads";
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
            check_skip(c, "no thread can be started here");
    interrupt_until_done(threads, &overlap.working);
    size_t different = 0, rounds = 0;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        different += workers[i].different;
        rounds += workers[i].rounds;
    }
    c->shared->doing = "the check itself";
    if (different)
        check_fail(
            c,
            "%zu of %zu calls on %d threads gave other bits than the same calls on one. Something is shared between "
            "calls: a static, the instance, a function of the C library that is not thread-safe.",
            different, rounds, THREADS);
    sigaction(SIGUSR2, &before, NULL);
    pthread_barrier_destroy(&start);
}

/* ---- blocks ---- */

/* Copy the outputs of a part to its place in the whole. */
static void paste(const struct check *c, struct outcome *whole, const struct outcome *part, size_t first, size_t rows)
{
    size_t outputs = c->shape.outputs;
    memcpy(whole->grad + first * outputs, part->grad, rows * outputs * sizeof(double));
    if (whole->hess_diag)
        memcpy(whole->hess_diag + first * outputs, part->hess_diag, rows * outputs * sizeof(double));
    if (whole->hess)
        memcpy(whole->hess + first * outputs * outputs, part->hess, rows * outputs * outputs * sizeof(double));
    if (whole->row_loss)
        memcpy(whole->row_loss + first, part->row_loss, rows * sizeof(double));
    for (size_t i = 0; i < c->loss.spec.n_theta; i++)
        whole->theta_grad[i] += part->theta_grad[i];
    whole->loss += part->loss;
}

static void try_cut(struct check *c, const struct sample *s, const struct outcome *all, size_t longest)
{
    struct outcome whole = outcome_make(c), part = outcome_make(c);
    double size = 0;
    for (size_t first = 0, end; first < s->rows; first = end) {
        size_t least = first + 1 + check_below(c, longest);
        for (end = first; end < least && end < s->rows;)
            end = sample_unit_end(c, s, end);
        struct sample view = sample_slice(c, s, first, end);
        check_evaluate(c, &view, WANT_ALL, &part);
        paste(c, &whole, &part, first, end - first);
        size += fabs(part.loss);
    }
    if (!(fabs(whole.loss - all->loss) <= 1e-12 * (1 + size)))
        check_fail(
            c,
            "%zu rows at once have the loss %.17g, cut into blocks of up to %zu rows %.17g. The loss is a sum over "
            "rows: no mean, nothing that depends on the number of rows in a call.",
            s->rows, all->loss, longest, whole.loss);
    for (size_t i = 0; i < c->loss.spec.n_theta; i++)
        if (!(fabs(whole.theta_grad[i] - all->theta_grad[i]) <= 1e-9 * (1 + size + fabs(all->theta_grad[i]))))
            check_fail(c, "theta_grad[%zu] is %.17g for all rows at once and %.17g in blocks.", i, all->theta_grad[i],
                       whole.theta_grad[i]);
    whole.loss = all->loss; /* compared above */
    require_same(c, all, &whole, s->rows, WANT_ALL & ~(unsigned)WANT_THETA,
                 "the same rows in blocks: a row must have the same bits wherever it stands in a call");
}

void blocks_of(struct check *c, size_t rows)
{
    static const size_t longest[] = {1, 2, 5, 16, 40};
    struct outcome all = outcome_make(c);
    struct sample s = sample_make(c, rows, 1.5);
    check_evaluate(c, &s, WANT_ALL, &all);
    for (size_t i = 0; i < sizeof longest / sizeof *longest && longest[i] < rows; i++)
        try_cut(c, &s, &all, longest[i]);
}

void check_blocks(struct check *c)
{
    if (c->loss.spec.coupling == GM_ROWS_BATCH)
        check_skip(c, "its rows are coupled: a batch comes whole");
    blocks_of(c, 131 < c->rows_most ? 131 : c->rows_most);
}

/* ---- permutation ---- */

static void require_near(struct check *c, double a, double b, double scale, const char *what)
{
    if (!(fabs(a - b) <= 1e-10 * (fabs(b) + scale)))
        check_fail(c, "The rows in another order: %s is %.17g instead of %.17g.", what, a, b);
}

/* A random order in which groups stay together. */
static void make_order(struct check *c, const struct sample *s, size_t *order)
{
    for (size_t i = 0; i < s->rows; i++)
        order[i] = i;
    for (size_t first = 0, end; first < s->rows; first = end) {
        end = sample_unit_end(c, s, first);
        for (size_t i = end - 1; i > first; i--) {
            size_t k = first + check_below(c, i - first + 1), other = order[k];
            order[k] = order[i];
            order[i] = other;
        }
    }
}

void check_permutation(struct check *c)
{
    size_t order[64], outputs = c->shape.outputs, rows = sizeof order / sizeof *order;
    if (c->loss.spec.coupling == GM_ROWS_INDEPENDENT)
        check_skip(c, "its rows are independent: see blocks");
    rows = rows < c->rows_most ? rows : c->rows_most;
    struct sample s = sample_make(c, rows, 1), moved = sample_room(c, rows);
    struct outcome a = outcome_make(c), b = outcome_make(c);
    make_order(c, &s, order);
    for (size_t row = 0; row < rows; row++)
        sample_copy_row(c, &moved, row, &s, order[row]);
    check_evaluate(c, &s, WANT_ALL, &a);
    check_evaluate(c, &moved, WANT_ALL, &b);
    double scale = 0;
    for (size_t i = 0; i < rows * outputs; i++)
        scale = fmax(scale, fabs(a.grad[i]));
    require_near(c, b.loss, a.loss, 1, "the loss");
    for (size_t row = 0; row < rows; row++) {
        for (size_t k = 0; k < outputs; k++)
            require_near(c, b.grad[row * outputs + k], a.grad[order[row] * outputs + k], scale, "grad of a row");
        if (a.row_loss)
            require_near(c, b.row_loss[row], a.row_loss[order[row]], 1, "row_loss of a row");
    }
}
