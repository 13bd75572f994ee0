/* gradmill: the program. Finds the command and hands over; everything else is the command's. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <gradmill/gradmill.h>

#include "base/error.h"
#include "base/hdf5_lock.h"
#include "base/text.h"
#include "cli/cli.h"

static void print_overview(void)
{
    size_t count;
    const struct command *table = command_table(&count);
    puts("gradmill " GRADMILL_VERSION " - parallel batch trainer with plugin losses\n\n"
         "usage: gradmill COMMAND [ARGUMENTS]\n");
    for (size_t i = 0; i < count; i++)
        printf("  %-11s %s\n", table[i].name, table[i].summary);
    puts("\nStart with\n"
         "  gradmill import data.csv -o data.h5 --target price\n"
         "  gradmill train job.yaml\n\n"
         "gradmill COMMAND --help shows a command's options with examples; gradmill --version the version.");
}

/* --help or -h anywhere before "--". */
static bool asks_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

/* The first word that is not an option; `gradmill help NAME` is `gradmill NAME --help`. */
static int first_word(int argc, char **argv)
{
    int i = 1;
    while (i < argc && argv[i][0] == '-')
        i++;
    return i;
}

static int unknown_command(const char *word)
{
    const char *names[32];
    size_t count = command_names(names, sizeof names / sizeof *names);
    const char *near = text_nearest(word, names, count);
    if (near)
        return message_usage("", "Unknown command \"%s\". Did you mean \"gradmill %s\"?", word, near);
    return message_usage("", "Unknown command \"%s\".", word);
}

static int dispatch(int argc, char **argv)
{
    int at = first_word(argc, argv);
    bool help = asks_help(argc, argv);
    if (at < argc && strcmp(argv[at], "help") == 0) {
        help = true;
        at++;
    }
    if (at >= argc) {
        if (argc > 1 && !help && strcmp(argv[1], "--version") != 0)
            return message_usage("", "Unknown option %s.", argv[1]);
        if (argc > 1 && !help)
            puts("gradmill " GRADMILL_VERSION);
        else
            print_overview();
        return GM_OK;
    }
    const struct command *command = command_find(argv[at]);
    if (!command)
        return unknown_command(argv[at]);
    if (help) {
        fputs(command->help, stdout);
        return GM_OK;
    }
    if (at > 1)
        return message_usage("", "Options stand behind the command: gradmill %s %s", command->name, argv[1]);
    return command->run(argc - at, argv + at);
}

int main(int argc, char **argv)
{
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is a failed write with a message, not a death */
    hdf5_start();
    int code = dispatch(argc, argv);
    errno = 0;
    bool written = fflush(stdout) == 0 && !ferror(stdout);
    if (written || code != GM_OK) /* a command that failed has said why */
        return code;
    struct gm_error err;
    error_set(&err, GM_IO, "Cannot write to standard output: %s.", errno ? strerror(errno) : "the write failed");
    return message_fail("", &err);
}
