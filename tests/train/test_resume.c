/*
 * A run that is stopped and resumed ends in the bytes of one that was not: every optimiser on every model, stopped
 * again and again, in the middle of epochs, line searches and trials of learning rates, each time with another number
 * of threads. The expected bytes are those of the uninterrupted run.
 *
 * The lists of models and optimisers are the job file's own: a new name is picked up by itself, and fails here until
 * its state is in train/state.c's list and data_for knows what it trains on. What a model is trained with besides is in
 * the list of scenes. GRADMILL_RESUME=full in the environment: shorter pieces, and all methods under sanitizers too.
 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/archive.h"
#include "cli/job.h"
#include "datasets/datasets.h"
#include "train/lab.h"

#define MOST_RUNS 2000

/* Entry number i of "a|b|c"; false past the end. */
static bool choice(const char *choices, size_t i, char name[32])
{
    for (; i > 0 && choices; i--)
        choices = strchr(choices, '|') ? strchr(choices, '|') + 1 : NULL;
    if (choices)
        snprintf(name, 32, "%.*s", (int)strcspn(choices, "|"), choices);
    return choices;
}

/* 64 rows of two features, y a plane and some bends. */
static void write_data(const char *path, double shift)
{
    double x[64 * 2], y[64];
    for (int i = 0; i < 64; i++) {
        x[2 * i] = i % 8;
        x[2 * i + 1] = (double)(i / 8) * 0.5 - 1;
        y[i] = 2 * x[2 * i] - x[2 * i + 1] + (i * 7 % 5) * 0.3 + 0.1 + (i == 3 ? shift : 0);
    }
    lab_write(path, x, y, 64, 2);
}

/* What a model trains on; false: nobody has said it yet. */
static bool data_for(const char *model, struct lab *lab)
{
    if (strcmp(model, "factorization") == 0) {
        struct gm_error err;
        const struct make_options options = {.rows = 300, .users = 20, .items = 30, .rank = 2, .noise = 0.5, .seed = 1};
        CU_ASSERT_EQUAL(make_ratings("ratings.h5", &options, &err), GM_OK);
        lab->job.data.train.path = "ratings.h5";
        return true;
    }
    if (strcmp(model, "centroids") == 0) {
        lab->loss.name = "kmeans";
        lab->job.model.count = 3;
        return true;
    }
    if (strcmp(model, "two_tower") == 0) {
        write_data("second.h5", 1);
        lab->job.data.train = (struct gm_data){.features = "data.h5:/X", .second = "second.h5", .target = "data.h5:/y"};
        lab->job.model.embedding = 2;
        lab->job.model.fuse = GM_FUSE_DOT;
        return true;
    }
    if (strcmp(model, "linear") == 0 || strcmp(model, "mlp") == 0)
        return true;
    return false;
}

static void start(struct lab *lab)
{
    CU_ASSERT_EQUAL_FATAL(chdir(test_directory()), 0);
    write_data("data.h5", 0);
    lab_job(lab, "data.h5", "mse", "model.h5");
    lab->job.data.validation_fraction = 0.2;
    lab->job.stop.max_epochs = 6;
    lab->job.optimizer.learning_rate = 0.01;
    lab->job.output.checkpoint = "c.h5";
}

/* ---- stopping again and again ---- */

static size_t asks, allowed; /* questions so far, and how many are answered with "go on" */

static bool stop_after_some(void *context)
{
    (void)context;
    return ++asks > allowed;
}

static void remove_outputs(void)
{
    static const char *const names[] = {"c.h5", "c.h5.1", "model.h5", "cut.h5"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(names[i]);
}

static bool full_count(void)
{
    const char *how = getenv("GRADMILL_RESUME");
    return how && strcmp(how, "full") == 0;
}

/* How many questions a run goes on for: the first stops at its first one, the others get somewhere else in each job. A
 * trial of rates asks up to 8 times, and must get through. */
static size_t questions(size_t run)
{
    static const size_t few[] = {0, 1, 12, 0, 3, 21, 2}, many[] = {1, 40, 7, 90, 0, 23, 64};
    static size_t turn;
    return full_count() ? few[run % 7] : run == 0 ? 0 : many[turn++ % 7];
}

/* Run to the end in many short runs; how many there were, 0 when one failed. */
static size_t run_in_pieces(struct lab *lab, struct gm_error *err)
{
    const struct gm_watch watch = {.interrupted = stop_after_some};
    lab->job.output.resume = true;
    for (size_t i = 0; i < MOST_RUNS; i++) {
        struct gm_summary summary = {0};
        asks = 0;
        allowed = questions(i);
        lab->job.run.threads = 1 + (int)(i % 3); /* the first run is of one thread: it is sure to ask, and is stopped */
        enum gm_code code = gm_train(&lab->job, &watch, &summary, err);
        bool resumable = summary.resumable;
        gm_summary_release(&summary);
        if (code != GM_INTERRUPTED)
            return code == GM_OK ? i + 1 : 0;
        CU_ASSERT(resumable);
    }
    snprintf(err->text, sizeof err->text, "it does not come to an end");
    return 0;
}

/* One job, whole and in pieces. False: the job is refused, *err says why. */
static bool same_in_pieces(struct lab *lab, const char *what, struct gm_error *err)
{
    remove_outputs();
    lab->job.output.resume = false;
    lab->job.run.threads = 1;
    lab->job.output.model = "model.h5";
    enum gm_code code = lab_train(lab, err);
    if (code == GM_BAD_JOB)
        return false;
    CU_ASSERT_EQUAL(code, GM_OK);
    unlink("c.h5");
    unlink("c.h5.1");
    lab->job.output.model = "cut.h5";
    size_t runs = run_in_pieces(lab, err);
    bool same = lab_same_bytes("model.h5", "cut.h5");
    if (code || !runs || !same)
        printf("\n    %s: %s", what, code || !runs ? err->text : "other bytes after being resumed");
    CU_ASSERT(runs > 1); /* how often the runs after the first ask depends on which thread gets which rows */
    CU_ASSERT(same);
    return true;
}

/* Under sanitizers, which make a run ten times as long, a method for each kind of step. */
static bool left_out(const char *optimiser)
{
#ifdef GRADMILL_SANITIZED
    static const char *const kept[] = {"gd", "sgd", "adam", "lbfgs", "newton", "svrg"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (strcmp(optimiser, kept[i]) == 0)
            return false;
    return !full_count();
#else
    (void)optimiser;
    return false;
#endif
}

static void every_optimiser_on_every_model_is_resumed_to_the_same_bytes(void)
{
    const char *models = job_key_find("model.type")->choices, *optimisers = job_key_find("optimizer.type")->choices;
    char model[32], optimiser[32], what[100];
    for (size_t m = 0; choice(models, m, model); m++) {
        size_t trained = 0;
        for (size_t o = 0; choice(optimisers, o, optimiser); o++)
            for (size_t variant = 0; variant < 4 && !left_out(optimiser); variant++) {
                struct gm_error err;
                struct lab lab;
                start(&lab);
                CU_ASSERT_FATAL(data_for(model, &lab));
                if (strcmp(model, "two_tower") == 0 && !(variant & 1)) /* trials of rates are those of mlp */
                    continue;
                lab.job.model.type = (enum gm_model_type)m;
                lab.job.model.hidden = (struct gm_wholes){(const size_t[]){4, 3}, 2};
                lab.job.optimizer.type = (enum gm_optimizer)o;
                lab.job.optimizer.learning_rate = variant & 1 ? 0.02 : NAN;
                lab.job.optimizer.batch_size = variant & 2 ? 10 : 0;
                snprintf(what, sizeof what, "%s by %s, %s, batch_size %zu", model, optimiser,
                         variant & 1 ? "rate 0.02" : "rate auto", lab.job.optimizer.batch_size);
                trained += same_in_pieces(&lab, what, &err);
            }
        printf("\n    %s: %zu jobs", model, trained);
        CU_ASSERT(trained > 0);
    }
}

/* ---- what a run has besides a model and a method ---- */

static void learned_shape(struct lab *lab)
{
    lab->loss.name = "barron"; /* learns its shape and its scale */
}

static void list_of_losses(struct lab *lab)
{
    static const struct gm_job_loss terms[] = {{.name = "huber", .weight = NAN, .column_end = 1},
                                               {.name = "mse", .weight = 2, .column_first = 1, .column_end = 2}};
    lab->job.loss.terms = terms;
    lab->job.loss.count = 2;
}

/* 60 rows in groups of 1 to 8, a target of 0 to 3. */
static void groups(struct lab *lab)
{
    double x[60 * 2], y[60];
    int64_t group[60];
    for (int i = 0; i < 60; i++) {
        x[2 * i] = i % 7;
        x[2 * i + 1] = i * 5 % 11;
        y[i] = (i * 3 + i / 7) % 4;
        group[i] = i < 8 ? 0 : i < 9 ? 1 : 2 + i / 6;
    }
    lab_write_wide("groups.h5", x, y, group, (const size_t[]){60, 2, 1});
    lab->job.data.train.path = "groups.h5";
    lab->loss.name = "listnet";
}

static void coupled_batches(struct lab *lab)
{
    lab->loss.name = "contrastive";
    lab->job.model.outputs = 4;
}

/* Every third cell of 64 x 6 is there. */
static void sparse_rows(struct lab *lab)
{
    struct archive *a = NULL;
    struct gm_error err;
    double values[128], y[64];
    int64_t columns[128], starts[65];
    const int64_t shape[2] = {64, 6};
    for (int i = 0; i < 128; i++) {
        values[i] = i % 9 - 3.5;
        columns[i] = i % 2 * 3 + i / 2 % 3;
    }
    for (int i = 0; i < 65; i++)
        starts[i] = 2 * i;
    for (int i = 0; i < 64; i++)
        y[i] = values[2 * i] - 2 * values[2 * i + 1] + i % 3;
    struct archive_shape entries = {1, {128}}, rows = {1, {64}}, ends = {1, {65}}, two = {1, {2}};
    CU_ASSERT_FATAL(!archive_create(&a, &err) && !archive_put(a, "/X/data", ARCHIVE_F64, &entries, values, &err) &&
                    !archive_put(a, "/X/indices", ARCHIVE_I64, &entries, columns, &err) &&
                    !archive_put(a, "/X/indptr", ARCHIVE_I64, &ends, starts, &err) &&
                    !archive_put(a, "/X/shape", ARCHIVE_I64, &two, shape, &err) &&
                    !archive_put(a, "/y", ARCHIVE_F64, &rows, y, &err) && !archive_save(a, "sparse.h5", &err));
    archive_close(a);
    lab->job.data.train.path = "sparse.h5";
}

static void dropout_and_an_average(struct lab *lab)
{
    static const size_t hidden[] = {5, 4};
    lab->job.model.type = GM_MODEL_MLP;
    lab->job.model.hidden = (struct gm_wholes){hidden, 2};
    lab->job.model.dropout = 0.3;
    if (!lab->job.optimizer.batch_size)
        return;
    lab->job.optimizer.average = GM_AVERAGE_UNIFORM;
    lab->job.optimizer.average_start = 1.5;
}

static void clipped_decaying_average(struct lab *lab)
{
    if (!lab->job.optimizer.batch_size)
        return;
    lab->job.optimizer.clip_norm = 0.5;
    lab->job.optimizer.average = GM_AVERAGE_DECAY;
    lab->job.optimizer.schedule = GM_SCHEDULE_COSINE;
    lab->job.optimizer.warmup_epochs = 1.5;
}

static void floats_with_an_early_stop(struct lab *lab)
{
    lab->job.run.precision = GM_FLOAT32;
    lab->job.stop.loss_change = 1e-2;
    lab->job.stop.patience = 2;
    lab->job.stop.max_epochs = 40;
}

static void soft_centres(struct lab *lab)
{
    lab->job.model.type = GM_MODEL_CENTROIDS;
    lab->job.model.count = 3;
    lab->loss.name = "soft_kmeans";
}

static void events_with_drawn_items(struct lab *lab)
{
    CU_ASSERT(data_for("factorization", lab));
    lab->job.model.type = GM_MODEL_FACTORIZATION;
    lab->job.model.rank = 3;
    lab->job.model.negatives = 2;
    lab->job.optimizer.batch_size = 0; /* its batches are its own */
    lab->loss.name = "logistic";
}

static const struct {
    const char *name;
    void (*set)(struct lab *lab);
    const char *methods; /* that train it */
} scenes[] = {
    {"a learned shape", learned_shape, "gd adam lbfgs"},
    {"a list of losses", list_of_losses, "gd adam lbfgs"},
    {"groups", groups, "gd adam lbfgs"},
    {"coupled batches", coupled_batches, "adam sgd"},
    {"sparse rows", sparse_rows, "gd sgd adagrad adam lbfgs"},
    {"dropout and an average", dropout_and_an_average, "sgd adam"},
    {"a clipped, decaying average", clipped_decaying_average, "sgd svrg adam"},
    {"floats with an early stop", floats_with_an_early_stop, "gd adam lbfgs newton svrg"},
    {"soft centres", soft_centres, "gd adam"},
    {"events with drawn items", events_with_drawn_items, "sgd adagrad"},
};

static void whatever_else_a_run_learns_is_resumed_too(void)
{
    const char *optimisers = job_key_find("optimizer.type")->choices;
    char optimiser[32], what[100];
    for (size_t s = 0; s < sizeof scenes / sizeof *scenes; s++)
        for (size_t o = 0; choice(optimisers, o, optimiser); o++) {
            char padded[40], methods[80];
            snprintf(padded, sizeof padded, " %s ", optimiser);
            snprintf(methods, sizeof methods, " %s ", scenes[s].methods);
            if (!strstr(methods, padded))
                continue;
            struct gm_error err;
            struct lab lab;
            start(&lab);
            bool whole = o == GM_OPTIMIZER_GD || o == GM_OPTIMIZER_LBFGS || o == GM_OPTIMIZER_NEWTON;
            lab.job.optimizer.type = (enum gm_optimizer)o;
            lab.job.optimizer.batch_size = whole ? 0 : 10;
            lab.job.optimizer.learning_rate = whole ? NAN : 0.02;
            scenes[s].set(&lab);
            snprintf(what, sizeof what, "%s by %s", scenes[s].name, optimiser);
            bool trained = same_in_pieces(&lab, what, &err);
            if (!trained)
                printf("\n    %s: %s", what, err.text);
            CU_ASSERT(trained);
        }
}

/* ---- what is refused, and why ---- */

static enum gm_code resume(struct lab *lab, struct gm_error *err)
{
    lab->job.output.resume = true;
    return lab_train(lab, err);
}

static void train_some(struct lab *lab)
{
    struct gm_summary summary;
    struct gm_error err;
    const struct gm_watch watch = {.interrupted = stop_after_some};
    size_t epochs = lab->job.stop.max_epochs;
    remove_outputs();
    asks = 0;
    allowed = 7; /* in a pass there is a question a lane and slab, then one an epoch */
    lab->job.stop.max_epochs = 1000;
    CU_ASSERT_EQUAL(gm_train(&lab->job, &watch, &summary, &err), GM_INTERRUPTED);
    gm_summary_release(&summary);
    lab->job.stop.max_epochs = epochs;
}

static void other_data_another_job_and_another_loss_are_refused(void)
{
    struct gm_error err;
    struct lab lab;
    start(&lab);
    train_some(&lab);
    write_data("data.h5", 1e-9); /* one value of one row */
    CU_ASSERT_EQUAL(resume(&lab, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "data.train has other rows or values");
    write_data("data.h5", 0);
    lab.job.optimizer.l2 = 0.25;
    CU_ASSERT_EQUAL(resume(&lab, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "optimizer.l2: is 0.25, but the checkpoint");
    lab.job.optimizer.l2 = 0;
    lab.loss.name = "huber";
    CU_ASSERT_EQUAL(resume(&lab, &err), GM_PLUGIN_LOAD);
    ASSERT_HOLDS(err.text, "is not the plugin that the checkpoint was made with");
    lab.loss.name = "mse";
    CU_ASSERT_EQUAL(resume(&lab, &err), GM_OK);
}

static void what_does_not_change_the_bits_may_change(void)
{
    struct gm_error err;
    struct lab lab;
    start(&lab);
    lab.job.stop.max_epochs = 9;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    CU_ASSERT_EQUAL(rename("model.h5", "nine.h5"), 0);
    lab.job.stop.max_epochs = 4;
    train_some(&lab);
    CU_ASSERT_EQUAL(resume(&lab, &err), GM_OK);
    CU_ASSERT_EQUAL(lab_summary()->epochs, 4);
    CU_ASSERT_EQUAL(rename("data.h5", "moved.h5"), 0);
    lab.job.data.train.path = "moved.h5";
    lab.job.stop.max_epochs = 9; /* it had ended; now there is more to do */
    lab.job.run.threads = 2;
    CU_ASSERT_EQUAL(resume(&lab, &err), GM_OK);
    CU_ASSERT_EQUAL(lab_summary()->epochs, 9);
    CU_ASSERT(lab_same_bytes("model.h5", "nine.h5"));
}

static void a_finished_job_is_left_alone(void)
{
    static const char *const names[] = {"c.h5", "c.h5.1", "model.h5", "log.jsonl"};
    struct stat before[4], after;
    struct gm_error err;
    struct lab lab;
    start(&lab);
    lab.job.output.log = "log.jsonl";
    lab.job.output.checkpoint_epochs = 1;
    CU_ASSERT_EQUAL(lab_train(&lab, &err), GM_OK);
    double loss = lab_summary()->train.loss;
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(stat(names[i], &before[i]), 0);
    CU_ASSERT_EQUAL(resume(&lab, &err), GM_OK);
    CU_ASSERT(lab_summary()->untouched && lab_summary()->train.loss == loss);
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(stat(names[i], &after), 0);
        CU_ASSERT(before[i].st_ino == after.st_ino && before[i].st_mtim.tv_sec == after.st_mtim.tv_sec &&
                  before[i].st_mtim.tv_nsec == after.st_mtim.tv_nsec);
    }
    CU_ASSERT_EQUAL(unlink("model.h5"), 0); /* what is missing is written again */
    CU_ASSERT_EQUAL(resume(&lab, &err), GM_OK);
    CU_ASSERT_EQUAL(access("model.h5", F_OK), 0);
}

static void the_older_checkpoint_helps_when_the_newer_is_damaged(void)
{
    struct gm_error err;
    struct lab lab;
    start(&lab);
    lab.job.output.checkpoint_epochs = 1;
    lab.job.stop.max_epochs = 1000;
    train_some(&lab);
    CU_ASSERT_EQUAL(truncate("c.h5", 3000), 0);
    CU_ASSERT_EQUAL(resume(&lab, &err), GM_OK);
    train_some(&lab);
    unlink("c.h5"); /* killed between the two renames of a save */
    CU_ASSERT_EQUAL(resume(&lab, &err), GM_OK);
    train_some(&lab);
    CU_ASSERT_EQUAL(truncate("c.h5", 3000), 0);
    CU_ASSERT_EQUAL(truncate("c.h5.1", 0), 0);
    CU_ASSERT_EQUAL(resume(&lab, &err), GM_BAD_DATA);
    ASSERT_HOLDS(err.text, "c.h5: is damaged");
    ASSERT_HOLDS(err.text, "c.h5.1");
}

static void resuming_needs_a_checkpoint_path_but_no_checkpoint(void)
{
    struct gm_error err;
    struct lab lab;
    start(&lab);
    remove_outputs();
    CU_ASSERT_EQUAL(resume(&lab, &err), GM_OK); /* the first start of a batch job */
    lab.job.output.checkpoint = NULL;
    CU_ASSERT_EQUAL(resume(&lab, &err), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "output.checkpoint");
}

TEST_MAIN("resume", TEST(every_optimiser_on_every_model_is_resumed_to_the_same_bytes),
          TEST(whatever_else_a_run_learns_is_resumed_too), TEST(other_data_another_job_and_another_loss_are_refused),
          TEST(what_does_not_change_the_bits_may_change), TEST(a_finished_job_is_left_alone),
          TEST(the_older_checkpoint_helps_when_the_newer_is_damaged),
          TEST(resuming_needs_a_checkpoint_path_but_no_checkpoint))
