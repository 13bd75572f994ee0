/*
 * Does the thread that trains on a row write its pages first? Linux would put them on that thread's memory node. The
 * linker says that there are two nodes; the features' pages are out of bounds until a thread comes to them, whose
 * number is noted; training then visits the rows in step, so that no thread takes what is another's.
 */
#include "support.h"

#include <hdf5.h>
#include <omp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/affinity.h"
#include "base/memory.h"
#include "data/data.h"
#include "train/lab.h"
#include "train/walk.h"

enum { ROWS = 1 << 15, FEATURES = 128, PAGES_MOST = ROWS * FEATURES / 4096 + 1, NOBODY = -1 };

static int nodes;
static const char *wanted;                  /* memory for this is watched */
static char *pages;                         /* whole ones; NULL: none are watched */
static size_t skipped, n_pages, page_bytes; /* bytes before them */
static int first_of_page[PAGES_MOST], visitor_of_row[ROWS];
static struct sigaction fault_before;
static const void *gradient; /* the last one */
static size_t gradient_bytes, beyond;

int __wrap_affinity_nodes(const struct affinity *mask, const char *root);
enum gm_code __wrap_memory_alloc(void **out, size_t count, size_t size, const char *what, struct gm_error *err);
enum gm_code __real_memory_alloc(void **out, size_t count, size_t size, const char *what, struct gm_error *err);
void __wrap_home_of_items(void *memory, size_t bytes, int threads);
void __real_home_of_items(void *memory, size_t bytes, int threads);

int __wrap_affinity_nodes(const struct affinity *mask, const char *root)
{
    (void)mask;
    (void)root;
    return nodes;
}

static void note_first(int number, siginfo_t *info, void *context)
{
    (void)context;
    char *at = info->si_addr;
    if (!pages || at < pages || at >= pages + n_pages * page_bytes) {
        sigaction(number, &fault_before, NULL); /* a fault of another kind: again, and to its end */
        return;
    }
    size_t page = (size_t)(at - pages) / page_bytes;
    first_of_page[page] = omp_get_thread_num();
    mprotect(pages + page * page_bytes, page_bytes, PROT_READ | PROT_WRITE);
}

enum gm_code __wrap_memory_alloc(void **out, size_t count, size_t size, const char *what, struct gm_error *err)
{
    enum gm_code code = __real_memory_alloc(out, count, size, what, err);
    if (code == GM_OK && strcmp(what, "the gradient") == 0) {
        gradient = *out;
        gradient_bytes = count * size;
    }
    if (code || !wanted || strcmp(what, wanted) != 0)
        return code;
    skipped = (page_bytes - (uintptr_t)*out % page_bytes) % page_bytes;
    pages = (char *)*out + skipped;
    n_pages = (count * size - skipped) / page_bytes;
    for (size_t i = 0; i < n_pages; i++)
        first_of_page[i] = NOBODY;
    CU_ASSERT_EQUAL_FATAL(mprotect(pages, n_pages * page_bytes, nodes > 1 ? PROT_NONE : PROT_READ | PROT_WRITE), 0);
    wanted = NULL;
    return code;
}

void __wrap_home_of_items(void *memory, size_t bytes, int threads)
{
    beyond += memory == gradient && bytes > gradient_bytes;
    if (memory != gradient || bytes <= gradient_bytes)
        __real_home_of_items(memory, bytes, threads);
}

static pthread_barrier_t step;

static void note_visitor(void *context, int thread, size_t lane, const struct walk_block *b)
{
    (void)context;
    (void)lane;
    for (size_t i = 0; i < b->rows; i++)
        visitor_of_row[b->row + i] = thread;
    pthread_barrier_wait(&step);
}

static const char *data(void)
{
    static const char *path;
    if (!path)
        lab_write_bytes(path = test_path("bytes.h5"), ROWS, FEATURES, 0, 0);
    return path;
}

static void put(hid_t at, const char *name, hid_t type, hsize_t n, const void *values)
{
    hid_t space = H5Screate_simple(1, &n, NULL);
    hid_t id = H5Dcreate2(at, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT_FATAL(H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(id);
    H5Sclose(space);
}

/* Slabs of whole lanes, so that the threads have equally many blocks. */
static void load_and_walk(int threads, uint64_t memory)
{
    struct gm_error err;
    struct data_set *set;
    struct data_options options = {.io = DATA_IO_BANDS}; /* read to memory, not mapped */
    struct lane_plan plan = {ROWS, 64, 128, (size_t)16 * 128, 16, ROWS / (16 * 128)};
    struct walk walk = {.plan = &plan, .threads = threads, .visit = note_visitor};
    CU_ASSERT_EQUAL_FATAL(data_open(&set, &(struct data_source){.path = data()}, &options, &err), GM_OK);
    CU_ASSERT_EQUAL_FATAL(data_load(set, &plan, memory, threads, &err), GM_OK);
    pthread_barrier_init(&step, NULL, (unsigned)threads);
    walk.set = set;
    CU_ASSERT_EQUAL(walk_rows(&walk, &err), GM_OK);
    pthread_barrier_destroy(&step);
    pages = NULL;
    data_close(set);
}

static void watched(int n, const char *what, int threads, uint64_t memory)
{
    struct sigaction note = {.sa_sigaction = note_first, .sa_flags = SA_SIGINFO};
    page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    nodes = n;
    wanted = what;
    sigaction(SIGSEGV, &note, &fault_before);
    load_and_walk(threads, memory);
    sigaction(SIGSEGV, &fault_before, NULL);
}

/* The thread that trains on the row in which a page begins has written it first. */
static void rows_live_with_who_trains_on_them(void)
{
    static const int threads[] = {2, 4};
    for (size_t t = 0; t < 2; t++) {
        size_t seen[4] = {0};
        watched(2, "the features", threads[t], (uint64_t)1 << 30);
        for (size_t page = 0; page < n_pages; page++) {
            size_t row = (skipped + page * page_bytes) / FEATURES;
            CU_ASSERT_EQUAL_FATAL(first_of_page[page], visitor_of_row[row]);
            seen[visitor_of_row[row]]++;
        }
        for (int i = 0; i < threads[t]; i++)
            CU_ASSERT(seen[i] > n_pages / (size_t)threads[t] / 2);
    }
}

static void on_one_node_nothing_is_touched_for_it(void)
{
    watched(1, "the features", 2, (uint64_t)1 << 30);
    for (size_t page = 0; page < n_pages; page++)
        CU_ASSERT_EQUAL_FATAL(first_of_page[page], NOBODY);
}

/* The bits of a training do not know of nodes. */
static void two_nodes_give_the_bits_of_one(void)
{
    struct gm_error err;
    for (int n = 1; n <= 2; n++) {
        struct lab lab;
        char path[300];
        snprintf(path, sizeof path, "%s", data());
        lab_job(&lab, path, "mse", test_path(n == 1 ? "one.h5" : "two.h5"));
        lab.job.data.io = GM_READ_BANDS;
        lab.job.run.threads = 2;
        lab.job.stop.max_epochs = 2;
        nodes = n;
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    }
    CU_ASSERT(lab_same_bytes(test_path("one.h5"), test_path("two.h5")));
}

/* Steps by the columns of sparse rows keep no gradient: nothing is touched in its place. */
static void what_is_not_kept_is_not_touched(void)
{
    static const size_t units[] = {700};
    static const float values[] = {1, 2, 3, 4};
    static const int32_t columns[] = {0, 199, 7, 5}, starts[] = {0, 2, 2, 3, 4};
    static const int64_t shape[] = {4, 200};
    static const double y[] = {0, 1, 1, 0};
    struct lab lab;
    struct gm_error err;
    const char *path = test_path("sparse.h5");
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t group = H5Gcreate2(file, "X", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    put(group, "data", H5T_NATIVE_FLOAT, 4, values);
    put(group, "indices", H5T_NATIVE_INT32, 4, columns);
    put(group, "indptr", H5T_NATIVE_INT32, 5, starts);
    put(group, "shape", H5T_NATIVE_INT64, 2, shape);
    put(file, "y", H5T_NATIVE_DOUBLE, 4, y);
    H5Gclose(group);
    H5Fclose(file);
    lab_job(&lab, path, "mse", test_path("sparse_model.h5"));
    lab.job.model.type = GM_MODEL_MLP;
    lab.job.model.hidden = (struct gm_wholes){units, 1};
    lab.job.data.standardize = false;
    lab.job.optimizer.type = GM_OPTIMIZER_ADAM;
    lab.job.optimizer.batch_size = 2;
    lab.job.stop.max_epochs = 1;
    lab.job.run.threads = 2;
    nodes = 2;
    beyond = 0;
    gradient_bytes = 1;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    CU_ASSERT_EQUAL(gradient_bytes, 0);
    CU_ASSERT_EQUAL(beyond, 0);
}

TEST_MAIN("home", TEST(rows_live_with_who_trains_on_them), TEST(on_one_node_nothing_is_touched_for_it),
          TEST(two_nodes_give_the_bits_of_one), TEST(what_is_not_kept_is_not_touched))
