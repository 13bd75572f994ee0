/*
 * A run that is stopped and resumed ends in the bytes of one that was not: every optimiser on every model, stopped
 * again and again, in the middle of epochs, line searches and trials of learning rates, each time with another number
 * of threads. The expected bytes are those of the uninterrupted run.
 *
 * The lists of models and optimisers are the job file's own: a new name is picked up by itself, and fails here until
 * its state is in train/state.c's list (or until data_for below knows what it trains on).
 */
#include "support.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* What a model trains on. */
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

/* Run to the end in many short runs; how many there were, 0 when one failed. */
static size_t run_in_pieces(struct lab *lab, struct gm_error *err)
{
    static const size_t steps[] = {0, 1, 12, 0, 3, 21, 2}; /* a trial of rates has at most 8, and must get through */
    const struct gm_watch watch = {.interrupted = stop_after_some};
    lab->job.output.resume = true;
    for (size_t i = 0; i < MOST_RUNS; i++) {
        struct gm_summary summary = {0};
        asks = 0;
        allowed = steps[i % 7];
        lab->job.run.threads = 1 + (int)(i % 3);
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

/* One job, whole and in pieces. False: this version does not train it. */
static bool same_in_pieces(struct lab *lab, const char *what)
{
    struct gm_error err = {0};
    remove_outputs();
    lab->job.output.resume = false;
    lab->job.run.threads = 1;
    lab->job.output.model = "model.h5";
    enum gm_code code = lab_train(lab, &err);
    if (code == GM_BAD_JOB)
        return false;
    CU_ASSERT_EQUAL(code, GM_OK);
    unlink("c.h5");
    unlink("c.h5.1");
    lab->job.output.model = "cut.h5";
    size_t runs = run_in_pieces(lab, &err);
    bool same = lab_same_bytes("model.h5", "cut.h5");
    if (code || !runs || !same)
        printf("\n    %s: %s", what, code || !runs ? err.text : "other bytes after being resumed");
    CU_ASSERT(runs > 1); /* the first answer is "stop"; how often the next runs ask depends on the threads */
    CU_ASSERT(same);
    return true;
}

static void every_optimiser_on_every_model_is_resumed_to_the_same_bytes(void)
{
    const char *models = job_key_find("model.type")->choices, *optimisers = job_key_find("optimizer.type")->choices;
    char model[32], optimiser[32], what[100];
    size_t trained = 0;
    for (size_t m = 0; choice(models, m, model); m++)
        for (size_t o = 0; choice(optimisers, o, optimiser); o++)
            for (size_t variant = 0; variant < 6; variant++) {
                struct lab lab;
                start(&lab);
                if (!data_for(model, &lab))
                    continue;
                if (strcmp(model, "two_tower") == 0 && !(variant & 1)) /* trials of rates are those of mlp */
                    continue;
                if (variant >= 4 && strcmp(optimiser, "sgd") != 0 && strcmp(optimiser, "svrg") != 0)
                    continue;
                lab.job.model.type = (enum gm_model_type)m;
                lab.job.model.hidden = (struct gm_wholes){(const size_t[]){4, 3}, 2};
                lab.job.optimizer.type = (enum gm_optimizer)o;
                lab.job.optimizer.learning_rate = variant & 1 ? 0.02 : NAN;
                lab.job.optimizer.batch_size = variant & 6 ? 10 : 0;
                lab.job.optimizer.clip_norm = variant & 4 ? 0.5 : NAN;
                lab.job.optimizer.average = variant & 4 ? GM_AVERAGE_DECAY : GM_AVERAGE_NONE;
                snprintf(what, sizeof what, "%s by %s, %s, batch_size %zu", model, optimiser,
                         variant & 1 ? "rate 0.02" : "rate auto", lab.job.optimizer.batch_size);
                bool can = same_in_pieces(&lab, what);
                trained += can;
            }
    CU_ASSERT(trained >= 64); /* linear and mlp: gd and lbfgs, and 7 methods that take batches, by two rates each */
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
          TEST(other_data_another_job_and_another_loss_are_refused), TEST(what_does_not_change_the_bits_may_change),
          TEST(a_finished_job_is_left_alone), TEST(the_older_checkpoint_helps_when_the_newer_is_damaged),
          TEST(resuming_needs_a_checkpoint_path_but_no_checkpoint))
