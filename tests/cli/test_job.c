/*
 * The job file: every key arrives where it belongs; every kind of mistake names file, line, key and the nearest key.
 * Expected values are what interface.md promises and what the YAML 1.2 core schema says of scalars.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job_text.h"

static struct job_file loaded(const char *text, const char *set)
{
    struct job_file file;
    enum gm_code code = load(&file, text, set);
    if (code != GM_OK)
        printf("\n    %s: %s\n", set ? set : text, err.text);
    CU_ASSERT_EQUAL_FATAL(code, GM_OK);
    return file;
}

/* ---- every key of the contract ---- */

static void the_contract_file_is_understood(void)
{
    static const char text[] = "data:\n"
                               "  train: digits.h5            # a comment\n"
                               "  validation: 0.2\n"
                               "  standardize: true\n"
                               "  missing: error\n"
                               "model:\n"
                               "  type: linear\n"
                               "  intercept: true\n"
                               "loss:\n"
                               "  name: huber\n"
                               "  params: {delta: 1.0}\n"
                               "optimizer:\n"
                               "  type: gd\n"
                               "  learning_rate: auto\n"
                               "  schedule: constant\n"
                               "  batch_size: full\n"
                               "  l1: 0\n"
                               "  l2: 0\n"
                               "stop:\n"
                               "  max_epochs: 1000\n"
                               "  loss_change: 1.0e-6\n"
                               "  relative: true\n"
                               "  patience: 5\n"
                               "  monitor: auto\n"
                               "  restore_best: true\n"
                               "  target_loss: null\n"
                               "  gradient_norm: null\n"
                               "  max_time: null\n"
                               "output:\n"
                               "  model: model.h5\n"
                               "  log: log.jsonl\n"
                               "  checkpoint: {path: model.ckpt.h5, every: 60s}\n"
                               "run:\n"
                               "  threads: auto\n"
                               "  memory: auto\n"
                               "  seed: 1\n"
                               "  precision: float32\n";
    struct job_file file = loaded(text, NULL);
    const struct gm_job *job = &file.job;
    CU_ASSERT_STRING_EQUAL(job->data.train.path, "digits.h5");
    CU_ASSERT_EQUAL(job->data.validation_fraction, 0.2);
    CU_ASSERT(job->data.standardize && job->model.intercept && job->stop.relative && job->stop.restore_best);
    CU_ASSERT_EQUAL(job->loss.count, 1);
    CU_ASSERT_STRING_EQUAL(job->loss.terms[0].name, "huber");
    CU_ASSERT_EQUAL(job->loss.terms[0].weight, 1);
    CU_ASSERT_EQUAL(job->loss.terms[0].n_params, 1);
    CU_ASSERT_STRING_EQUAL(job->loss.terms[0].params[0].name, "delta");
    CU_ASSERT_STRING_EQUAL(job->loss.terms[0].params[0].value, "1.0");
    CU_ASSERT(isnan(job->optimizer.learning_rate));
    CU_ASSERT_EQUAL(job->optimizer.batch_size, 0);
    CU_ASSERT_EQUAL(job->stop.loss_change, 1e-6);
    CU_ASSERT(isnan(job->stop.target_loss) && isnan(job->stop.gradient_norm) && isnan(job->stop.max_time));
    CU_ASSERT_STRING_EQUAL(job->output.checkpoint, "model.ckpt.h5");
    CU_ASSERT_EQUAL(job->output.checkpoint_every, 60);
    CU_ASSERT_EQUAL(job->run.threads, 0);
    CU_ASSERT_EQUAL(job->run.memory, 0);
    job_release(&file);
}

static size_t field_size(enum job_kind kind)
{
    switch (kind) {
    case JOB_BOOL:
        return sizeof(bool);
    case JOB_CHOICE:
    case JOB_THREADS:
        return sizeof(int);
    default:
        return 8; /* double, size_t, uint64_t */
    }
}

/* A key's field holds the same in both jobs; texts by content. */
static bool same_field(const struct job_key *key, const struct gm_job *a, const struct gm_job *b)
{
    const char *one, *two;
    const void *at = (const char *)a + key->offset, *bt = (const char *)b + key->offset;
    if (key->kind == JOB_FRACTION)
        return a->data.validation_fraction == b->data.validation_fraction && !a->data.validation.path &&
               !b->data.validation.path;
    if (key->kind != JOB_TEXT && key->kind != JOB_FILES)
        return memcmp(at, bt, field_size(key->kind)) == 0;
    memcpy(&one, at, sizeof one);
    memcpy(&two, bt, sizeof two);
    return one && two ? strcmp(one, two) == 0 : one == two;
}

/* A default written out is the default left out: the schema's text agrees with gm_job_init. */
static void written_defaults_change_nothing(void)
{
    struct job_file plain = loaded(MINIMAL, NULL);
    size_t count, compared = 0;
    const struct job_key *keys = job_keys(&count);
    for (size_t i = 0; i < count; i++) {
        char set[200], text[200];
        if (!keys[i].fallback || strncmp(keys[i].path, "loss", 4) == 0 || (keys[i].flags & JOB_NOWHERE))
            continue;
        snprintf(set, sizeof set, "%s=%s", keys[i].path, keys[i].fallback);
        const char *model = keys[i].model; /* whose keys they are; hidden: what mlp cannot do without */
        snprintf(text, sizeof text, "data: {train: d.h5}\nloss: mse\nmodel: {type: %.*s%s}\n",
                 model ? (int)strcspn(model, "|") : 6, model ? model : "linear",
                 model && strncmp(model, "mlp", 3) == 0 ? ", hidden: [2]" : "");
        struct job_file file = loaded(text, set);
        bool same = same_field(&keys[i], &file.job, &plain.job);
        if (!same)
            printf("\n    %s changes the job", set);
        CU_ASSERT(same);
        compared++;
        job_release(&file);
    }
    CU_ASSERT(compared >= 35);
    job_release(&plain);
}

struct real_case {
    const char *set;
    size_t offset;
    double expected;
};
#define AT(member) offsetof(struct gm_job, member)

static void reals_and_durations_arrive(void)
{
    static const struct real_case cases[] = {
        {"data.validation=0.25", AT(data.validation_fraction), 0.25},
        {"data.validation=0", AT(data.validation_fraction), 0},
        {"optimizer.learning_rate=1e-3", AT(optimizer.learning_rate), 0.001},
        {"optimizer.learning_rate=.5", AT(optimizer.learning_rate), 0.5},
        {"optimizer.step_factor=0.5", AT(optimizer.step_factor), 0.5},
        {"optimizer.step_epochs=2.5", AT(optimizer.step_epochs), 2.5},
        {"optimizer.decay=0.01", AT(optimizer.decay), 0.01},
        {"optimizer.warmup_epochs=3", AT(optimizer.warmup_epochs), 3},
        {"optimizer.momentum=0.8", AT(optimizer.momentum), 0.8},
        {"optimizer.beta1=0.85", AT(optimizer.beta1), 0.85},
        {"optimizer.beta2=0.99", AT(optimizer.beta2), 0.99},
        {"optimizer.epsilon=1E-7", AT(optimizer.epsilon), 1e-7},
        {"optimizer.weight_decay=0", AT(optimizer.weight_decay), 0},
        {"optimizer.l1=1e-4", AT(optimizer.l1), 1e-4},
        {"optimizer.l2=2", AT(optimizer.l2), 2},
        {"stop.loss_change=0", AT(stop.loss_change), 0},
        {"stop.loss_change=1e-9", AT(stop.loss_change), 1e-9},
        {"stop.loss_change=null", AT(stop.loss_change), NAN},
        {"stop.loss_change=~", AT(stop.loss_change), NAN},
        {"stop.target_loss=-1.5", AT(stop.target_loss), -1.5},
        {"stop.gradient_norm=1e-8", AT(stop.gradient_norm), 1e-8},
        {"stop.max_time=90", AT(stop.max_time), 90},
        {"stop.max_time=10m", AT(stop.max_time), 600},
        {"stop.max_time=1.5h", AT(stop.max_time), 5400},
        {"output.checkpoint.every=2m", AT(output.checkpoint_every), 120},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value;
        struct job_file file = loaded(MINIMAL, cases[i].set);
        memcpy(&value, (const char *)&file.job + cases[i].offset, sizeof value);
        bool right = value == cases[i].expected || (isnan(value) && isnan(cases[i].expected));
        if (!right)
            printf("\n    %s gave %g", cases[i].set, value);
        CU_ASSERT(right);
        job_release(&file);
    }
}

struct whole_case {
    const char *set;
    size_t offset, size;
    uint64_t expected;
};
#define WHOLE(set, member, expected)                                     \
    {                                                                    \
        set, AT(member), sizeof((struct gm_job *)NULL)->member, expected \
    }

static void counts_choices_and_flags_arrive(void)
{
    static const struct whole_case cases[] = {
        WHOLE("data.standardize=false", data.standardize, false),
        WHOLE("data.missing=skip", data.missing, GM_MISSING_SKIP),
        WHOLE("data.missing=mean", data.missing, GM_MISSING_MEAN),
        WHOLE("data.allow_external=True", data.allow_external, true),
        WHOLE("model.type=mlp", model.type, GM_MODEL_MLP),
        WHOLE("model.type=factorization", model.type, GM_MODEL_FACTORIZATION),
        WHOLE("model.type=centroids", model.type, GM_MODEL_CENTROIDS),
        WHOLE("model.intercept=FALSE", model.intercept, false),
        WHOLE("model.outputs=3", model.outputs, 3),
        WHOLE("loss={name: mse, trust: true}", loss.trust, true),
        WHOLE("optimizer.type=sgd", optimizer.type, GM_OPTIMIZER_SGD),
        WHOLE("optimizer.type=momentum", optimizer.type, GM_OPTIMIZER_MOMENTUM),
        WHOLE("optimizer.type=nesterov", optimizer.type, GM_OPTIMIZER_NESTEROV),
        WHOLE("optimizer.type=adagrad", optimizer.type, GM_OPTIMIZER_ADAGRAD),
        WHOLE("optimizer.type=rmsprop", optimizer.type, GM_OPTIMIZER_RMSPROP),
        WHOLE("optimizer.type=adam", optimizer.type, GM_OPTIMIZER_ADAM),
        WHOLE("optimizer.type=adamw", optimizer.type, GM_OPTIMIZER_ADAMW),
        WHOLE("optimizer.type=lbfgs", optimizer.type, GM_OPTIMIZER_LBFGS),
        WHOLE("optimizer.type=newton", optimizer.type, GM_OPTIMIZER_NEWTON),
        WHOLE("optimizer.schedule=step", optimizer.schedule, GM_SCHEDULE_STEP),
        WHOLE("optimizer.schedule=cosine", optimizer.schedule, GM_SCHEDULE_COSINE),
        WHOLE("optimizer.schedule=inverse", optimizer.schedule, GM_SCHEDULE_INVERSE),
        WHOLE("optimizer.batch_size=256", optimizer.batch_size, 256),
        WHOLE("stop.max_epochs=1e4", stop.max_epochs, 10000),
        WHOLE("stop.relative=false", stop.relative, false),
        WHOLE("stop.patience=7", stop.patience, 7),
        WHOLE("stop.monitor=train", stop.monitor, GM_MONITOR_TRAIN),
        WHOLE("stop.restore_best=false", stop.restore_best, false),
        WHOLE("run.threads=8", run.threads, 8),
        WHOLE("run.memory=4GiB", run.memory, (uint64_t)4 << 30),
        WHOLE("run.memory=100MB", run.memory, 100000000),
        WHOLE("run.seed=0", run.seed, 0),
        WHOLE("run.seed=18446744073709551615", run.seed, UINT64_MAX),
        WHOLE("run.precision=float64", run.precision, GM_FLOAT64),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t value = 0; /* little endian: the low bytes come first */
        struct job_file file = loaded(MINIMAL, cases[i].set);
        memcpy(&value, (const char *)&file.job + cases[i].offset, cases[i].size);
        if (value != cases[i].expected)
            printf("\n    %s gave %llu", cases[i].set, (unsigned long long)value);
        CU_ASSERT_EQUAL(value, cases[i].expected);
        job_release(&file);
    }
}

static void datasets_are_a_name_or_a_map(void)
{
    struct job_file file =
        loaded("data:\n  train: {features: \"a.h5:/x\", target: a.h5:/y, weight: a.h5:/w, group: a.h5:/g}\n"
               "  validation: v.h5:/fold\nloss: mse\n",
               NULL);
    CU_ASSERT_PTR_NULL(file.job.data.train.path);
    CU_ASSERT_STRING_EQUAL(file.job.data.train.features, "a.h5:/x");
    CU_ASSERT_STRING_EQUAL(file.job.data.train.target, "a.h5:/y");
    CU_ASSERT_STRING_EQUAL(file.job.data.train.weight, "a.h5:/w");
    CU_ASSERT_STRING_EQUAL(file.job.data.train.group, "a.h5:/g");
    CU_ASSERT_STRING_EQUAL(file.job.data.validation.path, "v.h5:/fold");
    CU_ASSERT_EQUAL(file.job.data.validation_fraction, 0);
    job_release(&file);
    file = loaded(MINIMAL, "data.validation={features: v.h5:/x, target: v.h5:/y}");
    CU_ASSERT_STRING_EQUAL(file.job.data.validation.features, "v.h5:/x");
    job_release(&file);
    file = loaded(MINIMAL, "data.train=[a.h5, b-*.h5]");
    CU_ASSERT_EQUAL_FATAL(file.job.data.train.n_paths, 2);
    CU_ASSERT_STRING_EQUAL(file.job.data.train.path, "a.h5");
    CU_ASSERT_STRING_EQUAL(file.job.data.train.paths[1], "b-*.h5");
    job_release(&file);
    file = loaded(MINIMAL, "data.validation=[c.h5]");
    CU_ASSERT_EQUAL_FATAL(file.job.data.validation.n_paths, 1);
    CU_ASSERT_STRING_EQUAL(file.job.data.validation.paths[0], "c.h5");
    job_release(&file);
    file = loaded(MINIMAL, "data.validation=\"0.2\""); /* in quotes: a file of this name */
    CU_ASSERT_STRING_EQUAL(file.job.data.validation.path, "0.2");
    job_release(&file);
}

static void words_of_yaml_1_1_are_texts(void)
{
    struct job_file file = loaded(MINIMAL, "output.model=no");
    CU_ASSERT_STRING_EQUAL(file.job.output.model, "no");
    job_release(&file);
    file = loaded(MINIMAL, "output.log=null");
    CU_ASSERT_PTR_NULL(file.job.output.log);
    job_release(&file);
    file = loaded(MINIMAL, "output.log='null'");
    CU_ASSERT_STRING_EQUAL(file.job.output.log, "null");
    job_release(&file);
}

static void losses_are_a_name_a_map_or_a_list(void)
{
    struct job_file file =
        loaded("data: {train: d.h5}\nloss:\n- mse\n- {name: ./my.so, weight: 0.5, columns: \"1:3\", sha256: ab}\n"
               "- {name: q, columns: [4, 5], params: {quantiles: [0.1, 0.5, 0.9], mode: \"a b\", on: true}}\n- {name: "
               "r, columns: 7}\n",
               NULL);
    const struct gm_job_loss *term = file.job.loss.terms;
    CU_ASSERT_EQUAL_FATAL(file.job.loss.count, 4);
    CU_ASSERT_STRING_EQUAL(term[0].name, "mse");
    CU_ASSERT(term[0].weight == 1 && term[0].column_first == 0 && term[0].column_end == 0);
    CU_ASSERT_STRING_EQUAL(term[1].name, "./my.so");
    CU_ASSERT_STRING_EQUAL(term[1].sha256, "ab");
    CU_ASSERT(term[1].weight == 0.5 && term[1].column_first == 1 && term[1].column_end == 3);
    CU_ASSERT(term[2].column_first == 4 && term[2].column_end == 6);
    CU_ASSERT_EQUAL_FATAL(term[2].n_params, 3);
    CU_ASSERT_STRING_EQUAL(term[2].params[0].value, "0.1,0.5,0.9");
    CU_ASSERT_STRING_EQUAL(term[2].params[1].value, "a b");
    CU_ASSERT_STRING_EQUAL(term[2].params[2].value, "true");
    CU_ASSERT(term[3].column_first == 7 && term[3].column_end == 8);
    job_release(&file);
}

static void keys_of_other_models_are_checked_with_the_model(void)
{
    struct job_file file =
        loaded("data: {train: d.h5}\nloss: mse\nmodel: {type: mlp, hidden: [256, 128], activation: gelu}\n", NULL);
    CU_ASSERT_EQUAL(file.job.model.type, GM_MODEL_MLP);
    CU_ASSERT_EQUAL(file.job.model.activation, GM_GELU);
    CU_ASSERT_EQUAL_FATAL(file.job.model.hidden.count, 2);
    CU_ASSERT(file.job.model.hidden.values[0] == 256 && file.job.model.hidden.values[1] == 128);
    job_release(&file);
    file = loaded("data: {train: d.h5}\nloss: mse\nmodel: {type: factorization, rank: 32}\n", NULL);
    job_release(&file);
    file = loaded("data: {train: d.h5}\nloss: mse\nmodel: {type: centroids, count: 8}\n", NULL);
    job_release(&file);
}

/* ---- --set ---- */

static void set_changes_a_part_of_a_section(void)
{
    static const char text[] =
        "data: {train: d.h5}\nloss: {name: huber, params: {delta: 1.0}}\noptimizer: {l1: 3, l2: 4}\n";
    struct job_file file = loaded(text, "loss.params.delta=2.5");
    CU_ASSERT_STRING_EQUAL(file.job.loss.terms[0].name, "huber");
    CU_ASSERT_STRING_EQUAL(file.job.loss.terms[0].params[0].value, "2.5");
    job_release(&file);
    file = loaded(text, "optimizer.l1=0");
    CU_ASSERT(file.job.optimizer.l1 == 0 && file.job.optimizer.l2 == 4);
    job_release(&file);
    file = loaded(text, "loss=mse");
    CU_ASSERT_STRING_EQUAL(file.job.loss.terms[0].name, "mse");
    CU_ASSERT_EQUAL(file.job.loss.terms[0].n_params, 0);
    job_release(&file);
    file = loaded(MINIMAL, "loss.params.delta=2"); /* `loss: mse` becomes {name: mse, params: ...} */
    CU_ASSERT_STRING_EQUAL(file.job.loss.terms[0].name, "mse");
    CU_ASSERT_EQUAL(file.job.loss.terms[0].n_params, 1);
    job_release(&file);
    file = loaded("data: {train: d.h5}\nloss: [{name: a}, b]\n", "loss.1.weight=3");
    CU_ASSERT_STRING_EQUAL(file.job.loss.terms[1].name, "b");
    CU_ASSERT_EQUAL(file.job.loss.terms[1].weight, 3);
    job_release(&file);
}

static void later_sets_win(void)
{
    const char *path = test_path("job.yaml");
    static const char *const sets[] = {"stop.patience=2", "stop={max_epochs: 9}", "stop.patience=3"};
    struct job_file file;
    test_write(path, MINIMAL);
    CU_ASSERT_EQUAL_FATAL(job_load(&file, path, sets, 3, &err), GM_OK);
    CU_ASSERT(file.job.stop.patience == 3 && file.job.stop.max_epochs == 9);
    job_release(&file);
}

/* ---- the reference ---- */

static void the_reference_page_is_in_step_with_the_schema(void)
{
    char *rows = NULL, *page = NULL;
    size_t size = 0, room = 0;
    FILE *out = open_memstream(&rows, &size);
    job_print_markdown(out);
    fclose(out);
    FILE *file = fopen(test_source("docs/job-file.md"), "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT(getdelim(&page, &room, 0, file) > 0);
    fclose(file);
    for (char *save = NULL, *row = strtok_r(rows, "\n", &save); row; row = strtok_r(NULL, "\n", &save))
        ASSERT_HOLDS(page, row);
    free(page);
    free(rows);
}

TEST_MAIN("job", TEST(the_contract_file_is_understood), TEST(written_defaults_change_nothing),
          TEST(reals_and_durations_arrive), TEST(counts_choices_and_flags_arrive), TEST(datasets_are_a_name_or_a_map),
          TEST(words_of_yaml_1_1_are_texts), TEST(losses_are_a_name_a_map_or_a_list),
          TEST(keys_of_other_models_are_checked_with_the_model), TEST(set_changes_a_part_of_a_section),
          TEST(later_sets_win), TEST(the_reference_page_is_in_step_with_the_schema))
