/*
 * Many trainings in one process leave nothing behind: no file descriptor, no thread, no memory, nor do those that run
 * out of memory somewhere. The address sanitizer's build looks for leaked blocks at the end; here descriptors, threads
 * and resident pages are counted. Allocations fail where the linker puts __wrap_memory_alloc in place of memory_alloc:
 * those of the trainer's own, for HDF5 does not survive that its own fail.
 */
#include "support.h"

#include <dirent.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "datasets/datasets.h"
#include "train/lab.h"

/* ---- allocations that fail ---- */

static atomic_size_t asked;
static size_t failing; /* which one fails, from 1; 0: none */
static bool all_behind;

enum gm_code __real_memory_alloc(void **out, size_t count, size_t size, const char *what, struct gm_error *err);
enum gm_code __wrap_memory_alloc(void **out, size_t count, size_t size, const char *what, struct gm_error *err);
enum gm_code __real_memory_alloc_walked(void **out, size_t count, size_t size, const char *what, struct gm_error *err);
enum gm_code __wrap_memory_alloc_walked(void **out, size_t count, size_t size, const char *what, struct gm_error *err);
enum gm_code __real_memory_string(char **out, const char *text, struct gm_error *err);
enum gm_code __wrap_memory_string(char **out, const char *text, struct gm_error *err);

static bool fails(void)
{
    size_t number = atomic_fetch_add(&asked, 1) + 1;
    return failing && (all_behind ? number >= failing : number == failing);
}

enum gm_code __wrap_memory_alloc(void **out, size_t count, size_t size, const char *what, struct gm_error *err)
{
    bool fail = fails(); /* asks for more than there can be: the real function says so itself */
    return __real_memory_alloc(out, fail ? SIZE_MAX : count, fail ? 2 : size, what, err);
}

enum gm_code __wrap_memory_alloc_walked(void **out, size_t count, size_t size, const char *what, struct gm_error *err)
{
    bool fail = fails();
    return __real_memory_alloc_walked(out, fail ? SIZE_MAX : count, fail ? 2 : size, what, err);
}

enum gm_code __wrap_memory_string(char **out, const char *text, struct gm_error *err)
{
    void *nothing;
    *out = NULL;
    return fails() ? __real_memory_alloc(&nothing, SIZE_MAX, 2, "a text", err) : __real_memory_string(out, text, err);
}

/* ---- jobs ---- */

enum { KINDS = 8 };
static const char *const kind_names[KINDS] = {"gd",  "adam in batches", "lbfgs",     "newton",
                                              "mlp", "factorization",   "centroids", "a learned shape, streamed"};

static void make_data(void)
{
    static double x[3000 * 4], y[3000];
    struct gm_error err;
    const struct make_options ratings = {.rows = 300, .users = 20, .items = 30, .rank = 2, .noise = 0.5, .seed = 1};
    CU_ASSERT_EQUAL_FATAL(chdir(test_directory()), 0);
    for (size_t i = 0; i < 3000; i++) {
        for (size_t j = 0; j < 4; j++)
            x[4 * i + j] = (double)((i * (j + 3) + j * j) % 17) - 8;
        y[i] = x[4 * i] - 2 * x[4 * i + 1] + (double)(i % 5) / 4;
    }
    lab_write("d.h5", x, y, 3000, 4);
    CU_ASSERT_EQUAL_FATAL(make_ratings("r.h5", &ratings, &err), GM_OK);
}

static void set_up(struct lab *lab, int kind)
{
    static const size_t hidden[] = {5};
    static const enum gm_optimizer types[KINDS] = {GM_OPTIMIZER_GD,     GM_OPTIMIZER_ADAM, GM_OPTIMIZER_LBFGS,
                                                   GM_OPTIMIZER_NEWTON, GM_OPTIMIZER_ADAM, GM_OPTIMIZER_SGD,
                                                   GM_OPTIMIZER_GD,     GM_OPTIMIZER_GD};
    lab_job(lab, kind == 5 ? "r.h5" : "d.h5", kind == 6 ? "kmeans" : kind == 7 ? "barron" : "mse", "m.h5");
    lab->job.optimizer.type = types[kind];
    lab->job.optimizer.batch_size = kind == 1 || kind == 4 ? 64 : 0;
    lab->job.optimizer.learning_rate = kind == 1 || kind == 4 ? 0.01 : NAN;
    lab->job.model.type = kind == 4   ? GM_MODEL_MLP
                          : kind == 5 ? GM_MODEL_FACTORIZATION
                          : kind == 6 ? GM_MODEL_CENTROIDS
                                      : GM_MODEL_LINEAR;
    lab->job.model.hidden = kind == 4 ? (struct gm_wholes){hidden, 1} : (struct gm_wholes){0};
    lab->job.model.count = 3;
    lab->job.model.restarts = 2;
    lab->job.model.rank = 2;
    lab->job.data.validation_fraction = 0.2;
    lab->job.output.checkpoint = "c.h5";
    lab->job.output.log = "l.jsonl";
    lab->job.stop.max_epochs = 3;
    lab->job.run.threads = 2;
    lab->job.data.io = kind == 7 ? GM_READ_BANDS : GM_READ_AUTO;
}

/* Entries of a directory of /proc/self. */
static size_t entries(const char *path)
{
    size_t count = 0;
    DIR *directory = opendir(path);
    CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* One that was joined may still be listed for a moment. */
static size_t threads_at_most(size_t most)
{
    size_t threads = entries("/proc/self/task");
    for (int i = 0; threads > most && i < 1000; i++) {
        usleep(10000);
        threads = entries("/proc/self/task");
    }
    return threads;
}

static long resident_pages(void)
{
    long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fscanf(file, "%ld %ld", &size, &resident), 2);
    fclose(file);
    return resident;
}

static void twenty_four_jobs_leave_nothing_behind(void)
{
    size_t files = 0, threads = 0;
    long pages = 0;
    make_data();
    for (int job = 0; job < 3 * KINDS; job++) {
        struct lab lab;
        struct gm_error err;
        set_up(&lab, job % KINDS);
        enum gm_code code = lab_train(&lab, &err);
        if (code)
            printf("\n    %s: %s", kind_names[job % KINDS], err.text);
        CU_ASSERT_EQUAL(code, GM_OK);
        if (job == KINDS - 1) { /* libraries have what they keep, and OpenMP its threads */
            files = entries("/proc/self/fd");
            usleep(100000);
            threads = entries("/proc/self/task");
            pages = resident_pages();
        }
        if (job >= KINDS) {
            CU_ASSERT_EQUAL(entries("/proc/self/fd"), files);
            CU_ASSERT(threads_at_most(threads) <= threads);
        }
    }
    long grown = (resident_pages() - pages) * sysconf(_SC_PAGESIZE) / 1024;
    printf("\n    %ld KiB more after 16 more jobs", grown);
#ifndef GRADMILL_SANITIZED /* they keep what is freed */
    CU_ASSERT(grown < 8192);
#endif
}

static void fail_one(int kind, size_t number)
{
    struct lab lab;
    struct gm_error err;
    set_up(&lab, kind);
    asked = 0;
    failing = number;
    enum gm_code code = lab_train(&lab, &err);
    failing = 0;
    /* What a run can do without it does without: another thread, a faster way. */
    bool said = code == GM_SYSTEM && strstr(err.text, "emory");
    if (code != GM_OK && !said)
        printf("\n    %s, allocation %zu%s: code %d: %s", kind_names[kind], number, all_behind ? " and all behind" : "",
               code, err.text);
    CU_ASSERT(said || code == GM_OK);
}

static void an_allocation_that_fails_is_said_and_leaves_nothing_behind(void)
{
    make_data();
    for (int kind = 0; kind < KINDS; kind++) {
        struct lab lab;
        struct gm_error err;
        set_up(&lab, kind);
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        size_t files = entries("/proc/self/fd");
        asked = 0;
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
        size_t all = asked, step = all / 12 + 1;
        for (size_t n = 1 + (size_t)kind % step; n <= all; n += step) {
            all_behind = n / step % 2;
            fail_one(kind, n);
        }
        CU_ASSERT_EQUAL(entries("/proc/self/fd"), files);
        CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    }
}

TEST_MAIN("leaks", TEST(twenty_four_jobs_leave_nothing_behind),
          TEST(an_allocation_that_fails_is_said_and_leaves_nothing_behind))
