/*
 * Every key of the job file either changes what a run is, so that a checkpoint made with another value is refused, or
 * stands below among those that may change between two runs. The keys are those of job_schema.c: a new one fails here
 * until train/identity.c has it, or this list.
 */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "cli/job.h"
#include "train/identity.h"

static const struct {
    const char *key, *why; /* "a.*": all below a */
} free_keys[] = {
    {"data.train", "known by a fingerprint of the values"},
    {"data.train.*", "the same"},
    {"data.validation.*", "the same"},
    {"data.allow_external", "the same"},
    {"data.io", "another way to the same values"},
    {"loss", "known by the plugin's SHA-256"},
    {"loss.name", "the same"},
    {"loss.sha256", "the same"},
    {"loss.trust", "a check before training"},
    {"stop.max_epochs", "when to end, not how to get there"},
    {"stop.max_time", "the same"},
    {"output.*", "where results go"},
    {"run.threads", "the same bits with any"},
    {"run.memory", "the same bits with any"},
    {"run.watchdog", "when to give up"},
};

static bool may_change(const char *path)
{
    for (size_t i = 0; i < sizeof free_keys / sizeof *free_keys; i++) {
        size_t length = strcspn(free_keys[i].key, "*");
        bool below = free_keys[i].key[length] == '*';
        if (below ? strncmp(path, free_keys[i].key, length) == 0 : strcmp(path, free_keys[i].key) == 0)
            return true;
    }
    return false;
}

/* A value that is not the default. */
static const char *other_value(const struct job_key *key, char value[64])
{
    static const char *const texts[] = {
        [JOB_REAL] = "0.375",     [JOB_WHOLE] = "7",     [JOB_SEED] = "7",     [JOB_THREADS] = "3",
        [JOB_TEXT] = "stored",    [JOB_DURATION] = "7s", [JOB_BYTES] = "7GiB", [JOB_FILES] = "z.h5",
        [JOB_FRACTION] = "0.375", [JOB_LOSS] = "huber",  [JOB_COLUMNS] = "1",  [JOB_PARAMS] = "{delta: 7}",
        [JOB_WHOLES] = "[5, 6]"};
    if (key->kind == JOB_BOOL)
        return key->fallback && strcmp(key->fallback, "true") == 0 ? "false" : "true";
    if (key->kind != JOB_CHOICE)
        return texts[key->kind];
    const char *last = strrchr(key->choices, '|') + 1;
    bool is_default = key->fallback && strcmp(last, key->fallback) == 0;
    int first = (int)strcspn(key->choices, "|");
    snprintf(value, 64, "%.*s", is_default ? first : 63, is_default ? key->choices : last);
    return value;
}

/* A job whose model is one that has the key. */
static void load(struct job_file *file, const struct job_key *key, const char *const *sets, size_t n_sets)
{
    static const char map[] = "{features: 'd.h5:/x', target: 'd.h5:/y'}";
    char text[400], model[40] = "linear", validation[100] = "";
    struct gm_error err = {0};
    bool parts = strncmp(key->path, "data.train.", 11) == 0 || strncmp(key->path, "data.validation.", 16) == 0;
    if (key->model)
        snprintf(model, sizeof model, "%.*s", (int)strcspn(key->model, "|"), key->model);
    if (parts)
        snprintf(validation, sizeof validation, ", validation: %s", map);
    snprintf(text, sizeof text, "data: {train: %s%s}\nloss: {name: mse}\nmodel: {type: %s%s}\n", parts ? map : "d.h5",
             validation, model, strcmp(model, "mlp") == 0 ? ", hidden: [3]" : "");
    test_write(test_path("j.yaml"), text);
    enum gm_code code = job_load(file, test_path("j.yaml"), sets, n_sets, &err);
    if (code)
        printf("\n    %s: %s", key->path, err.text);
    CU_ASSERT_EQUAL_FATAL(code, GM_OK);
}

/* Is a run with these settings another one than without them? */
static bool another_run(const struct job_key *key, const char *const *sets, size_t n_sets, struct gm_error *err)
{
    struct job_file before, now;
    struct identity then = {0}, is = {0};
    struct gm_error unused;
    load(&before, key, sets + 1, n_sets - 1);
    CU_ASSERT_EQUAL(identity_of_job(&then, &before.job, &unused), GM_OK);
    load(&now, key, sets, n_sets);
    CU_ASSERT_EQUAL(identity_of_job(&is, &now.job, &unused), GM_OK);
    enum gm_code code = identity_compare(&is, &then, "c.h5", err);
    CU_ASSERT(code == GM_OK || code == GM_BAD_JOB);
    identity_release(&then);
    identity_release(&is);
    job_release(&before);
    job_release(&now);
    return code != GM_OK;
}

static void every_key_changes_the_run_or_may_change(void)
{
    size_t count;
    const struct job_key *keys = job_keys(&count);
    for (size_t i = 0; i < count; i++) {
        char set[200], value[64];
        struct gm_error err = {0};
        /* a split into groups needs a share to hold out */
        const char *const sets[] = {set, "data.validation=0.25"};
        const char *with = strcmp(keys[i].path, "data.split") == 0 ? "group" : other_value(&keys[i], value);
        snprintf(set, sizeof set, "%s=%s", keys[i].path, with);
        bool another = another_run(&keys[i], sets, strcmp(keys[i].path, "data.split") == 0 ? 2 : 1, &err);
        if (another == may_change(keys[i].path))
            printf("\n    %s: a checkpoint made with another value is %s", set, another ? "refused" : "taken");
        CU_ASSERT_NOT_EQUAL(another, may_change(keys[i].path));
        if (another)
            ASSERT_HOLDS(err.text, strncmp(keys[i].path, "loss.params", 11) == 0 ? ".params.delta" : keys[i].path);
    }
}

/* Its end is what the cosine falls to. */
static void the_last_epoch_counts_under_the_cosine(void)
{
    const char *const sets[] = {"stop.max_epochs=7", "optimizer.schedule=cosine"};
    struct gm_error err = {0};
    CU_ASSERT(another_run(job_key_find("stop.max_epochs"), sets, 2, &err));
    ASSERT_HOLDS(err.text, "stop.max_epochs: is 7, but the checkpoint c.h5 was made with 1000");
}

TEST_MAIN("identity", TEST(every_key_changes_the_run_or_may_change), TEST(the_last_epoch_counts_under_the_cosine))
