/*
 * gradmill train as a script sees it: files, stdout, stderr, exit codes (interface.md).
 * Data: the project's own samples, and `gradmill make`, whose true coefficients are in the file.
 */
#include "support.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hdf5.h>
#include <jansson.h>

#include "base/file.h"

#define JOB                                                       \
    "data: {train: r.h5}\nloss: mse\nrun: {precision: float64}\n" \
    "output: {model: m.h5, log: l.jsonl}\nstop: {loss_change: 1e-12, max_epochs: 500}\n"

static bool exists(const char *name)
{
    struct stat status;
    return stat(test_path(name), &status) == 0;
}

/* r.h5: 500 x 4, no noise; iris.h5: three classes by name; j.yaml. */
static void prepare(void)
{
    static bool done;
    if (done)
        return;
    done = true;
    struct test_result made =
        PROGRAM("make", "regression", "-o", "r.h5", "--rows", "500", "--features", "4", "--float64");
    CU_ASSERT_EQUAL_FATAL(made.exit_code, 0);
    test_result_free(&made);
    made = PROGRAM("import", test_source("datasets/samples/iris.csv"), "-o", "iris.h5", "-q");
    CU_ASSERT_EQUAL_FATAL(made.exit_code, 0);
    CU_ASSERT_STRING_EQUAL(made.err, "");
    test_result_free(&made);
    test_write(test_path("j.yaml"), JOB);
}

static char *file_text(const char *name)
{
    char *text = NULL;
    size_t room = 0;
    FILE *file = fopen(test_path(name), "r");
    if (!file || getdelim(&text, &room, 0, file) < 0)
        text = NULL;
    if (file)
        fclose(file);
    return text;
}

static void read_array(const char *file, const char *name, double *values, size_t count)
{
    hid_t f = H5Fopen(test_path(file), H5F_ACC_RDONLY, H5P_DEFAULT), d = H5Dopen2(f, name, H5P_DEFAULT);
    CU_ASSERT_FATAL(d >= 0);
    hid_t space = H5Dget_space(d);
    CU_ASSERT_EQUAL_FATAL(H5Sget_simple_extent_npoints(space), (hssize_t)count);
    CU_ASSERT_FATAL(H5Dread(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Sclose(space);
    H5Dclose(d);
    H5Fclose(f);
}

static void training_recovers_the_true_coefficients(void)
{
    double found[4], truth[4], intercept, true_intercept;
    prepare();
    struct test_result result = PROGRAM("train", "j.yaml");
    CU_ASSERT_EQUAL(result.exit_code, 0);
    ASSERT_HOLDS(result.out, "stopped");
    ASSERT_HOLDS(result.out, "m.h5");
    ASSERT_HOLDS(result.err, "gradmill train: j.yaml: mse on r.h5");
    CU_ASSERT_PTR_NULL(strchr(result.err, '\033')); /* no terminal: no bar, no colour */
    CU_ASSERT_PTR_NULL(strchr(result.err, '\r'));
    test_result_free(&result);
    read_array("m.h5", "/coefficients", found, 4);
    read_array("m.h5", "/intercept", &intercept, 1);
    read_array("r.h5", "/truth/coefficients", truth, 4);
    read_array("r.h5", "/truth/intercept", &true_intercept, 1);
    for (size_t i = 0; i < 4; i++)
        ASSERT_CLOSE(found[i], truth[i], 1e-6);
    ASSERT_CLOSE(intercept, true_intercept, 1e-6);
}

static void json_is_the_only_line_on_stdout(void)
{
    prepare();
    struct test_result result = PROGRAM("train", "--json", "j.yaml", "--quiet", "--set", "data.validation=0.25");
    CU_ASSERT_EQUAL(result.exit_code, 0);
    CU_ASSERT_STRING_EQUAL(result.err, "");
    size_t length = strlen(result.out);
    CU_ASSERT_FATAL(length > 0);
    CU_ASSERT_PTR_EQUAL(strchr(result.out, '\n'), result.out + length - 1);
    json_t *object = json_loads(result.out, 0, NULL);
    CU_ASSERT_FATAL(json_is_object(object));
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(object, "event")), "end");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(object, "stop_reason")), "loss_change");
    CU_ASSERT(json_integer_value(json_object_get(object, "epochs")) > 0);
    static const char *const reals[] = {"objective", "train_loss", "validation_loss", "seconds"};
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        CU_ASSERT(json_is_real(json_object_get(object, reals[i])));
    CU_ASSERT(json_is_integer(json_object_get(object, "peak_memory_bytes")));
    json_t *validation = json_object_get(object, "validation");
    CU_ASSERT(json_number_value(json_object_get(validation, "r2")) > 0.999999);
    json_decref(object);
    test_result_free(&result);
}

static void every_line_of_the_log_is_an_event(void)
{
    prepare();
    struct test_result result = PROGRAM("train", "j.yaml", "-q");
    CU_ASSERT_EQUAL(result.exit_code, 0);
    CU_ASSERT_STRING_EQUAL(result.out, "");
    CU_ASSERT_STRING_EQUAL(result.err, "");
    test_result_free(&result);
    char *text = file_text("l.jsonl");
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    int row = 0, epochs = 0;
    char last[16] = "";
    for (char *save = NULL, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save), row++) {
        json_t *object = json_loads(line, 0, NULL);
        const char *event = json_string_value(json_object_get(object, "event"));
        CU_ASSERT_PTR_NOT_NULL_FATAL(event);
        CU_ASSERT((row == 0) == (strcmp(event, "start") == 0));
        if (strcmp(event, "epoch") == 0)
            CU_ASSERT_EQUAL(json_integer_value(json_object_get(object, "epoch")), epochs++);
        snprintf(last, sizeof last, "%s", event);
        json_decref(object);
    }
    CU_ASSERT_STRING_EQUAL(last, "end");
    CU_ASSERT(epochs > 2);
    free(text);
}

static void two_runs_write_the_same_model(void)
{
    char command[1200];
    prepare();
    static const char *const threads[] = {"run.threads=1", "run.threads=3"};
    static const char *const models[] = {"output.model=one.h5", "output.model=two.h5"};
    for (size_t i = 0; i < 2; i++) {
        struct test_result result = PROGRAM("train", "j.yaml", "-q", "--set", threads[i], "--set", models[i]);
        CU_ASSERT_EQUAL(result.exit_code, 0);
        test_result_free(&result);
    }
    snprintf(command, sizeof command, "cmp '%s' '%s'", test_path("one.h5"), test_path("two.h5"));
    CU_ASSERT_EQUAL(system(command), 0);
}

static void verbose_prints_a_line_per_epoch(void)
{
    prepare();
    struct test_result result = PROGRAM("train", "j.yaml", "--verbose", "--set", "stop.max_epochs=3");
    CU_ASSERT_EQUAL(result.exit_code, 0);
    ASSERT_HOLDS(result.err, "\nepoch 3/3  loss ");
    ASSERT_HOLDS(result.out, "stop.max_epochs was reached");
    ASSERT_HOLDS(result.err, "memory: ");
    ASSERT_HOLDS(result.err, " allowed: data ");
    test_result_free(&result);
}

/* ---- exit codes ---- */

struct failure {
    const char *set;
    int code;
    const char *message;
};

static void every_failure_has_its_code_and_leaves_no_model(void)
{
    static const struct failure cases[] = {
        {"stop", 64, "expected key.path=value"},
        {"data.train=j.yaml", 65, "not an HDF5 file"},
        {"data.train=missing_cell.h5", 65, "row 1, column 1"},
        {"loss=logistic", 65, "r.h5:/y row"},
        {"data.train=nothere.h5", 66, "nothere.h5: no such file"},
        {"data.train=r.h5:/nothere", 66, "there is no dataset '/nothere'"},
        {"run.memory=1", 71, "run.memory"},
        {"output.model=nowhere/m.h5", 73, "nowhere/m.h5: cannot be created"},
        {"output.log=nowhere/l.jsonl", 73, "nowhere/l.jsonl: cannot be created"},
        {"stop.patience=x", 78, "--set stop.patience=x: stop.patience: expected a whole number"},
        {"loss={name: huber, params: {dleta: 1}}", 78, "\"delta\""},
        {"loss=hubr", 81, "Did you mean \"huber\""},
        {"loss=./j.yaml", 81, "j.yaml"},
    };
    prepare();
    test_write(test_path("missing.csv"), "a,b,y\n1,2,3\n2,,4\n3,4,5\n");
    struct test_result result = PROGRAM("import", "missing.csv", "-o", "missing_cell.h5");
    ASSERT_HOLDS(result.err, "1 missing cell is NaN");
    test_result_free(&result);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        result = PROGRAM("train", "j.yaml", "--set", "output.model=none.h5", "--set", cases[i].set, "--json");
        if (result.exit_code != cases[i].code)
            printf("\n    %s: exit code %d", cases[i].set, result.exit_code);
        CU_ASSERT_EQUAL(result.exit_code, cases[i].code);
        CU_ASSERT_STRING_EQUAL(result.out, "");
        ASSERT_HOLDS(result.err, cases[i].message);
        ASSERT_HOLDS(result.err, "gradmill train: ");
        CU_ASSERT(!exists("none.h5"));
        test_result_free(&result);
    }
    result = PROGRAM("train", "nothere.yaml");
    CU_ASSERT_EQUAL(result.exit_code, 66);
    ASSERT_HOLDS(result.err, "nothere.yaml");
    test_result_free(&result);
}

static void a_diverged_run_keeps_the_last_good_model(void)
{
    prepare();
    struct test_result result = PROGRAM("train", "j.yaml", "--json", "--set", "optimizer.learning_rate=1e200", "--set",
                                        "output.model=diverged.h5");
    CU_ASSERT_EQUAL(result.exit_code, 80);
    ASSERT_HOLDS(result.out, "\"stop_reason\":\"diverged\"");
    ASSERT_HOLDS(result.err, "iverged");
    CU_ASSERT(exists("diverged.h5"));
    test_result_free(&result);
}

static void an_output_that_another_run_holds_is_refused(void)
{
    struct file_lock lock = {0};
    struct gm_error err = {0};
    prepare();
    CU_ASSERT_EQUAL_FATAL(file_lock_take(&lock, test_path("held.h5"), &err), GM_OK);
    struct test_result result = PROGRAM("train", "j.yaml", "--set", "output.model=held.h5");
    CU_ASSERT_EQUAL(result.exit_code, 77);
    ASSERT_HOLDS(result.err, "held.h5");
    test_result_free(&result);
    file_lock_release(&lock);
    result = PROGRAM("train", "j.yaml", "--set", "output.model=held.h5");
    CU_ASSERT_EQUAL(result.exit_code, 0);
    test_result_free(&result);
}

/* A training that would take hours, told to end after it has begun to write its log. checkpoint: "null" or a file. */
static int interrupted_by(int number, const char *log, const char *checkpoint)
{
    char set_log[64], set_checkpoint[64];
    snprintf(set_log, sizeof set_log, "output.log=%s", log);
    snprintf(set_checkpoint, sizeof set_checkpoint, "output.checkpoint=%s", checkpoint);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        const char *program = getenv("GRADMILL");
        if (chdir(test_directory()) != 0 || !freopen("/dev/null", "w", stdout) || !freopen("err", "w", stderr))
            _exit(99);
        execl(program, program, "train", "j.yaml", "--set", "stop={loss_change: null, max_epochs: 1000000000}", "--set",
              "optimizer={type: sgd, learning_rate: 1e-9, batch_size: 2}", "--set", set_log, "--set",
              "output.model=cut.h5", "--set", set_checkpoint, (char *)NULL);
        _exit(98);
    }
    int status = 0;
    for (int i = 0; i < 600 && !exists(log); i++)
        usleep(50000);
    usleep(100000);
    kill(child, number);
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void signals_end_training_with_a_model(void)
{
    prepare();
    CU_ASSERT_EQUAL(interrupted_by(SIGINT, "int.jsonl", "int.ckpt"), 75);
    CU_ASSERT(exists("cut.h5") && exists("int.ckpt"));
    CU_ASSERT_EQUAL(interrupted_by(SIGTERM, "term.jsonl", "term.ckpt"), 75);
    char *text = file_text("term.jsonl");
    ASSERT_HOLDS(text, "\"stop_reason\":\"interrupted\"");
    free(text);
}

/* 75 promises a checkpoint. Without one the process dies by the signal, its best model written all the same. */
static void without_a_checkpoint_a_signal_is_what_ends_the_process(void)
{
    prepare();
    unlink(test_path("cut.h5"));
    CU_ASSERT_EQUAL(interrupted_by(SIGTERM, "none.jsonl", "null"), 128 + SIGTERM);
    CU_ASSERT(exists("cut.h5"));
    char *text = file_text("err");
    ASSERT_HOLDS(text, "the best model so far is kept. The run cannot be resumed: output.checkpoint is not set.");
    free(text);
}

TEST_MAIN("train", TEST(training_recovers_the_true_coefficients), TEST(json_is_the_only_line_on_stdout),
          TEST(every_line_of_the_log_is_an_event), TEST(two_runs_write_the_same_model),
          TEST(verbose_prints_a_line_per_epoch), TEST(every_failure_has_its_code_and_leaves_no_model),
          TEST(a_diverged_run_keeps_the_last_good_model), TEST(an_output_that_another_run_holds_is_refused),
          TEST(signals_end_training_with_a_model), TEST(without_a_checkpoint_a_signal_is_what_ends_the_process))
