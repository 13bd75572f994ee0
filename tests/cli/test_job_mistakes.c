/* Every kind of mistake in a job file names file, line, key and the nearest key, and what is no job file ends in a
 * message. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job_text.h"

struct mistake {
    const char *text, *set;
    const char *parts[3]; /* what the message holds */
};

static void check_mistakes(const struct mistake *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct job_file file;
        enum gm_code code = load(&file, cases[i].text, cases[i].set);
        if (code != GM_BAD_JOB)
            printf("\n    code %d for %s %s", code, cases[i].text, cases[i].set ? cases[i].set : "");
        CU_ASSERT_EQUAL(code, GM_BAD_JOB);
        CU_ASSERT_EQUAL(err.code, code);
        for (size_t k = 0; k < 3 && cases[i].parts[k]; k++)
            ASSERT_HOLDS(err.text, cases[i].parts[k]);
    }
}
#define CHECK_MISTAKES(cases) check_mistakes(cases, sizeof cases / sizeof *cases)

static void mistakes_in_a_file_name_line_and_column(void)
{
    static const struct mistake cases[] = {
        {"data:\n  train: d.h5\n  trian: e.h5\nloss: mse\n",
         NULL,
         {"job.yaml:3:3: ", "unknown key \"data.trian\"", "Did you mean \"data.train\""}},
        {"data: {train: d.h5}\nloss: mse\noptimiser: {l2: 1}\n", NULL, {"job.yaml:3:1: ", "\"optimizer\""}},
        {"data: {train: d.h5}\nloss: mse\nlearning_rate: 1\n", NULL, {"job.yaml:3:1: ", "\"optimizer.learning_rate\""}},
        {"data: {train: d.h5}\nloss: mse\nzzzzzz: 1\n",
         NULL,
         {"Known here: data, model, loss, optimizer, stop, output, run"}},
        {"data: {train: d.h5}\nloss: {nmae: mse}\n", NULL, {"job.yaml:2:8: ", "\"loss.nmae\"", "\"loss.name\""}},
        {"data: {train: d.h5, train: e.h5}\nloss: mse\n",
         NULL,
         {"job.yaml:1:21: ", "duplicate key \"train\"", "line 1"}},
        {"data: {train: d.h5}\nloss: mse\nstop:\n  patience: many\n",
         NULL,
         {"job.yaml:4:13: ", "stop.patience: expected a whole number from 1", "found \"many\""}},
        {"data: {train: d.h5}\nloss: mse\nstop:\n  patience: 0\n", NULL, {"job.yaml:4:13: ", "from 1, found \"0\""}},
        {"data: {train: d.h5}\nloss: mse\nstop:\n  patience: \"5\"\n", NULL, {"found \"5\" in quotes"}},
        {"data: {train: d.h5}\nloss: mse\nstop: [1]\n",
         NULL,
         {"job.yaml:3:7: ", "stop: expected a map of keys, found a list"}},
        {"data: {train: d.h5}\nloss: mse\noptimizer: {l2: {a: 1}}\n", NULL, {"found a map"}},
        {"data: {train: d.h5}\nloss: mse\noptimizer: {type: adma}\n",
         NULL,
         {"job.yaml:3:19: ", "optimizer.type: expected gd, sgd,", "Did you mean adam?"}},
        {"data: {train: d.h5}\nloss: mse\nmodel: {hidden: [3]}\n",
         NULL,
         {"job.yaml:3:9: ", "belongs to model.type mlp"}},
        {"data: {train: {target: a}}\nloss: mse\n", NULL, {"job.yaml:1:15: ", "needs the key features"}},
        {"data: {train: d.h5}\nloss: [mse, [a]]\n", NULL, {"job.yaml:2:13: ", "found a list"}},
        {"data: {train: d.h5}\nloss: [{weight: 2}]\n", NULL, {"job.yaml:2:8: ", "loss.name is missing"}},
        {"loss: mse\n", NULL, {"job.yaml: ", "data.train is missing"}},
        {"data: {train: d.h5}\n", NULL, {"job.yaml: ", "loss is missing"}},
        {"", NULL, {"data.train is missing"}},
        {"- a\n", NULL, {"a job file is a map of sections"}},
        {"a: [1\nb: 2\n", NULL, {"job.yaml:2:", "not valid YAML"}},
        {"a:\n\tb: 1\n", NULL, {"job.yaml:2:1: ", "tab"}},
        {"data: {train: d.h5}\nloss: mse\n--- \na: 1\n", NULL, {"job.yaml:3:1: ", "second document"}},
        {"data: &a {train: d.h5}\nloss: *a\n", NULL, {"job.yaml:1:7: ", "anchors"}},
        {"data: *a\n", NULL, {"job.yaml:1:7: ", "aliases"}},
        {"data: !!str x\n", NULL, {"tags"}},
        {"<<: {data: 1}\n", NULL, {"unknown key \"<<\""}},
        {"? [a]\n: 1\n", NULL, {"a key must be a word"}},
        {"data: {train: \"a\\0b\"}\n", NULL, {"job.yaml:1:15: ", "zero byte"}},
    };
    CHECK_MISTAKES(cases);
}

static void mistakes_in_a_set_name_the_option(void)
{
    static const struct mistake cases[] = {
        {MINIMAL, "stop.patience=-1", {"--set stop.patience=-1: stop.patience: expected a whole number from 1"}},
        {MINIMAL, "stop.patience=1.5", {"found \"1.5\""}},
        {MINIMAL, "stop.patience=", {"found nothing"}},
        {MINIMAL, "stop.patiense=2", {"--set stop.patiense=2: ", "Did you mean \"stop.patience\""}},
        {MINIMAL, "stop.loss_change=-1", {"a number from 0, or null"}},
        {MINIMAL, "stop.max_time=0s", {"expected a time such as 30s"}},
        {MINIMAL, "stop.max_time=fast", {"expected a time such as 30s"}},
        {MINIMAL, "stop.monitor=validation", {"needs data.validation"}},
        {MINIMAL, "data.standardize=yes", {"expected true or false, found \"yes\""}},
        {MINIMAL, "data.validation=1", {"from 0 to below 1"}},
        {MINIMAL, "data.validation=-0.1", {"from 0 to below 1"}},
        {MINIMAL, "data.train=", {"data.train: expected a text or a list of texts, found nothing"}},
        {MINIMAL, "data.train=''", {"data.train: expected a text"}},
        {MINIMAL, "data={}", {"data.train is missing"}},
        {MINIMAL, "optimizer.learning_rate=0", {"a number above 0, or auto"}},
        {MINIMAL, "optimizer.learning_rate=.inf", {"found \".inf\""}},
        {MINIMAL, "optimizer.learning_rate=nan", {"found \"nan\""}},
        {MINIMAL, "optimizer.momentum=1", {"from 0 to below 1"}},
        {MINIMAL, "optimizer.batch_size=half", {"or full"}},
        {MINIMAL, "optimizer.batch_size=18446744073709551616", {"a whole number"}},
        {MINIMAL, "run.seed=18446744073709551616", {"a whole number from 0"}},
        {MINIMAL, "run.threads=0", {"from 1 to 4096, or auto"}},
        {MINIMAL, "run.memory=lots", {"a size such as 4GiB"}},
        {MINIMAL, "run.memory=0", {"a size such as 4GiB"}},
        {MINIMAL, "model.type=mpl", {"Did you mean mlp?"}},
        {MINIMAL, "model={type: mlp, hidden: []}", {"a list of whole numbers from 1"}},
        {MINIMAL, "model={type: mlp, hidden: [3, 0]}", {"model.hidden: expected a whole number from 1"}},
        {MINIMAL, "model={type: mlp, activation: rleu}", {"Did you mean relu?"}},
        {MINIMAL, "loss=", {"expected the name of a loss"}},
        {MINIMAL, "loss=[]", {"expected the name of a loss"}},
        {MINIMAL, "loss={name: a, weight: 0}", {"loss.weight: expected a number above 0"}},
        {MINIMAL, "loss={name: a, columns: \"3:3\"}", {"loss.columns"}},
        {MINIMAL, "loss={name: a, columns: [1, 3]}", {"loss.columns"}},
        {MINIMAL, "loss={name: a, columns: -1}", {"loss.columns"}},
        {MINIMAL, "loss={name: a, params: [1]}", {"loss.params: expected a map"}},
        {MINIMAL, "loss={name: a, params: {d: {e: 1}}}", {"loss.params.d"}},
        {MINIMAL, "loss={name: a, params: {d: [1, [2]]}}", {"found a list"}},
        {MINIMAL, "output.checkpoint=[a]", {"found a list"}},
        {MINIMAL, "stop..patience=1", {"empty or overlong part"}},
        {MINIMAL, "stop={a: [", {"--set stop={a: [: not valid YAML"}},
    };
    CHECK_MISTAKES(cases);
    struct job_file file;
    CU_ASSERT_EQUAL(load(&file, MINIMAL, "patience"), GM_USAGE);
    CU_ASSERT_EQUAL(load(&file, MINIMAL, "=3"), GM_USAGE);
}

/* `head` and then `part` until the text is `size` bytes long. */
static char *repeated(const char *head, const char *part, size_t size)
{
    size_t used = strlen(head), length = strlen(part);
    char *text = malloc(size + length + 1);
    strcpy(text, head);
    for (; used < size; used += length)
        strcpy(text + used, part);
    return text;
}

static void bombs_are_refused_at_once(void)
{
    static const char *const parts[][2] = {{"", "["},  {"", "{a: "}, {"a: [", "1,"},
                                           {"", "- "}, {"", "? "},   {"", "a: 1\n"}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char *text = repeated(parts[i][0], parts[i][1], 500000);
        struct job_file file;
        CU_ASSERT_EQUAL(load(&file, text, NULL), GM_BAD_JOB);
        free(text);
    }
    /* 60,000 different keys: the search for duplicates stays bounded. */
    char *keys = malloc(600000);
    size_t used = 0;
    for (int i = 0; i < 60000; i++)
        used += (size_t)sprintf(keys + used, "k%d: 1\n", i);
    struct job_file file;
    CU_ASSERT_EQUAL(load(&file, keys, NULL), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "too many entries");
    free(keys);
}

static void what_is_no_job_file_is_refused(void)
{
    struct job_file file;
    char *big = repeated("", "# comment\n", (size_t)10 << 20);
    CU_ASSERT_EQUAL(load(&file, big, NULL), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "larger than 1024 KiB");
    free(big);
    CU_ASSERT_EQUAL(load(&file, "\x89HDF\r\n\x1a\n", NULL), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "HDF5");
    CU_ASSERT_EQUAL(load(&file, "a: \x01\n", NULL), GM_BAD_JOB);
    ASSERT_HOLDS(err.text, "at byte");
    CU_ASSERT_EQUAL(load(&file, "a: \xff\xfe\n", NULL), GM_BAD_JOB);
    CU_ASSERT_EQUAL(job_load(&file, test_path("nothere.yaml"), NULL, 0, &err), GM_NO_INPUT);
    ASSERT_HOLDS(err.text, "nothere.yaml");
}

/* Each cut and each changed byte of a good file ends in GM_OK or GM_BAD_JOB, never in a crash. */
static void damaged_files_end_in_a_message(void)
{
    static const char text[] =
        "data: {train: d.h5, validation: 0.2}\nloss:\n- {name: a, params: {q: [0.1, 0.5]}, columns: \"0:2\"}\n"
        "stop: {max_time: 30s}\nrun: {memory: 4GiB, seed: 3}\n";
    static const char bytes[] = {0,   1,    '\n', ' ', ':', '{', '}', '[', ']',
                                 '"', '\'', '&',  '*', '!', '-', '?', '9', (char)0xff};
    char copy[sizeof text];
    for (size_t at = 0; at < sizeof text - 1; at++)
        for (size_t k = 0; k < sizeof bytes; k++) {
            struct job_file file;
            memcpy(copy, text, sizeof text);
            copy[at] = bytes[k];
            enum gm_code code = load(&file, copy, NULL);
            CU_ASSERT(code == GM_OK || (code == GM_BAD_JOB && err.text[0]));
            if (code == GM_OK)
                job_release(&file);
        }
}

TEST_MAIN("job_mistakes", TEST(mistakes_in_a_file_name_line_and_column), TEST(mistakes_in_a_set_name_the_option),
          TEST(bombs_are_refused_at_once), TEST(what_is_no_job_file_is_refused), TEST(damaged_files_end_in_a_message))
