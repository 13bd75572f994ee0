/* The command line: help, version, and mistakes. Exit code 64 is interface.md's. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Run, check the exit code, and that out and err hold a part each (NULL: must be empty). */
static void expect(const char *const *arguments, int code, const char *out, const char *err)
{
    struct test_result result = test_program(arguments);
    if (result.exit_code != code)
        printf("\n    %s %s: exit code %d\n%s", arguments[0] ? arguments[0] : "", arguments[0] ? arguments[1] : "",
               result.exit_code, result.err);
    CU_ASSERT_EQUAL(result.exit_code, code);
    if (out)
        ASSERT_HOLDS(result.out, out);
    else
        CU_ASSERT_STRING_EQUAL(result.out, "");
    if (err)
        ASSERT_HOLDS(result.err, err);
    else
        CU_ASSERT_STRING_EQUAL(result.err, "");
    test_result_free(&result);
}
#define EXPECT(code, out, err, ...) expect((const char *const[]){__VA_ARGS__, NULL}, code, out, err)

static void the_program_alone_gives_an_overview(void)
{
    EXPECT(0, "usage: gradmill COMMAND", NULL, NULL);
    EXPECT(0, "usage: gradmill COMMAND", NULL, "--help");
    EXPECT(0, "usage: gradmill COMMAND", NULL, "-h");
    EXPECT(0, "usage: gradmill COMMAND", NULL, "help");
    EXPECT(0, "gradmill " GRADMILL_VERSION "\n", NULL, "--version");
}

static const char *const commands[] = {"train",      "predict",  "evaluate", "inspect", "losses",
                                       "check-loss", "new-loss", "import",   "make",    "plot"};
#define COMMANDS (sizeof commands / sizeof *commands)

static void every_command_has_help_with_an_example(void)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        char usage[64], example[64];
        snprintf(usage, sizeof usage, "usage: gradmill %s ", commands[i]);
        snprintf(example, sizeof example, "\n  gradmill %s ", commands[i]);
        EXPECT(0, usage, NULL, commands[i], "--help");
        EXPECT(0, usage, NULL, commands[i], "x", "-h", "--nonsense");
        EXPECT(0, usage, NULL, "help", commands[i]);
        EXPECT(0, usage, NULL, "--help", commands[i]);
        EXPECT(0, example, NULL, commands[i], "--help");
        EXPECT(0, commands[i], NULL, "--help");
    }
}

/* Each --option of the help is in the manual page, and the other way round. */
static void help_and_manual_tell_the_same(void)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        char path[64], item[80];
        struct test_result help = PROGRAM(commands[i], "--help");
        snprintf(path, sizeof path, "docs/man/gradmill-%s.1", commands[i]);
        char *page = test_text(test_source(path));
        CU_ASSERT_PTR_NOT_NULL_FATAL(page);
        for (const char *c = strstr(help.out, "  --"); c; c = strstr(c + 4, "  --")) {
            int length = (int)strcspn(c + 4, " ,\n");
            snprintf(item, sizeof item, "Fl -%.*s", length, c + 4);
            ASSERT_HOLDS(page, item);
        }
        for (const char *c = strstr(page, ".It Fl -"); c; c = strstr(c + 1, ".It Fl -")) {
            int length = (int)strcspn(c + 8, " \n");
            snprintf(item, sizeof item, "--%.*s", length, c + 8);
            ASSERT_HOLDS(help.out, item);
        }
        free(page);
        test_result_free(&help);
    }
}

static void unknown_commands_name_the_nearest(void)
{
    EXPECT(64, NULL, "Unknown command \"trian\". Did you mean \"gradmill train\"?", "trian", "x.yaml");
    EXPECT(64, NULL, "Unknown command \"xyzzy\".", "xyzzy");
    EXPECT(64, NULL, "Unknown option --nonsense", "--nonsense");
    EXPECT(64, NULL, "Options stand behind the command", "--json", "train");
    EXPECT(64, NULL, "Unknown command \"\"", "");
}

static void unknown_options_name_the_nearest(void)
{
    EXPECT(64, NULL, "gradmill train: Unknown option --jsno. Did you mean --json?", "train", "a.yaml", "--jsno");
    EXPECT(64, NULL, "Unknown option -x", "predict", "-x");
    EXPECT(64, NULL, "Option --set needs a value", "train", "a.yaml", "--set");
    EXPECT(64, NULL, "Option --json takes no value", "train", "--json=3", "a.yaml");
    EXPECT(64, NULL, "gradmill import --help", "import", "--tagret", "x", "a.csv");
}

static void missing_or_surplus_operands_are_named(void)
{
    EXPECT(64, NULL, "Which job file?", "train");
    EXPECT(64, NULL, "\"b.yaml\" is too many", "train", "a.yaml", "b.yaml");
    EXPECT(64, NULL, "Expected a model and a dataset", "predict", "m.h5");
    EXPECT(64, NULL, "\"x\" is too many", "evaluate", "m.h5", "d.h5", "x");
    EXPECT(64, NULL, "Expected one file", "inspect");
    EXPECT(64, NULL, "Which file?", "import", "-o", "x.h5");
    EXPECT(64, NULL, "Add -o OUT.h5", "import", "x.csv");
    EXPECT(64, NULL, "exclude each other", "import", "x.csv", "-o", "x.h5", "--target", "y", "--no-target");
    EXPECT(64, NULL, "What?", "make");
    EXPECT(64, NULL, "Did you mean regression?", "make", "regresion");
    EXPECT(64, NULL, "Add --rows N", "make", "regression", "-o", "x.h5");
    EXPECT(64, NULL, "Which log?", "plot");
    EXPECT(64, NULL, "Add -o FILE.svg", "plot", "log.jsonl");
}

static void numbers_of_options_are_checked(void)
{
    EXPECT(64, NULL, "--rows: expected a whole number from 1, found \"0\"", "make", "regression", "--rows", "0");
    EXPECT(64, NULL, "--rows: expected a whole number from 1, found \"many\"", "make", "regression", "--rows", "many");
    EXPECT(64, NULL, "--seed: expected a whole number from 0, found \"-1\"", "make", "regression", "--seed", "-1");
    EXPECT(64, NULL, "--noise: expected a number from 0", "make", "regression", "--noise", "-1");
    EXPECT(64, NULL, "--memory: expected a size", "predict", "m.h5", "d.h5", "--memory", "lots");
    EXPECT(64, NULL, "--threads: expected a whole number from 1", "evaluate", "m.h5", "d.h5", "--threads", "0");
}

static void every_job_key_is_listed(void)
{
    EXPECT(0, "stop.loss_change: 1e-6\n", NULL, "train", "--keys");
    EXPECT(0, "takes gd, sgd, momentum", NULL, "train", "--keys");
}

/* /dev/full fails every write (Linux). */
static void a_failed_write_of_results_is_an_error(void)
{
    char command[600];
    snprintf(command, sizeof command, "'%s' --help >/dev/full 2>'%s'", getenv("GRADMILL"), test_path("err"));
    int status = system(command);
    CU_ASSERT_EQUAL(status >> 8, 74);
    char *text = test_text(test_path("err"));
    ASSERT_HOLDS(text, "Cannot write to standard output: No space left on device");
    free(text);
}

TEST_MAIN("usage", TEST(the_program_alone_gives_an_overview), TEST(every_command_has_help_with_an_example),
          TEST(help_and_manual_tell_the_same), TEST(unknown_commands_name_the_nearest),
          TEST(unknown_options_name_the_nearest), TEST(missing_or_surplus_operands_are_named),
          TEST(numbers_of_options_are_checked), TEST(every_job_key_is_listed),
          TEST(a_failed_write_of_results_is_an_error))
