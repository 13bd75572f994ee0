/*
 * What the commands share: the table of commands, options, messages.
 *
 * This is the only room that prints. stdout carries results only; progress and messages go to stderr. A command returns
 * its exit code (enum gm_code) and never calls exit().
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <gradmill/gradmill.h>
#include <gradmill/status.h>

/* ---- commands: argv[0] is the command's own name ---- */

typedef int command_fn(int argc, char **argv);
command_fn command_train, command_predict, command_evaluate, command_inspect, command_import, command_make,
    command_plot, command_losses, command_check_loss, command_new_loss;

struct command {
    const char *name;
    const char *summary; /* one line of `gradmill` */
    const char *help;    /* everything `gradmill NAME --help` prints: usage, options, examples */
    command_fn *run;
};
const struct command *command_find(const char *name); /* NULL: there is none */
const struct command *command_table(size_t *count);
/* Names of all commands, at most `most`; returns how many. */
size_t command_names(const char **names, size_t most);

/* ---- options ---- */

/* A command's options, for options_next. `shorts` as for getopt, without the leading ':'. */
struct options {
    const char *command;
    const char *shorts;
    const struct option *longs; /* ends with {0} */
};
/* The next option's val; -1: no more, operands start at argv[optind] (options may stand anywhere before); '?': a
 * mistake, which has been printed: return GM_USAGE. The argument is in optarg. */
int options_next(const struct options *options, int argc, char **argv);
/* Whole numbers of an option; a mistake is printed and false returned. */
bool options_count(const char *command, const char *option, const char *text, size_t least, size_t *out);
bool options_seed(const char *command, const char *option, const char *text, uint64_t *out);
/* The value of --io. */
bool options_io(const char *command, const char *text, enum gm_reading *out);

/* ---- messages, all to stderr ---- */

/* Colour on this stream: a terminal, NO_COLOR not set, TERM not dumb. */
bool message_colour(FILE *stream);
/* "gradmill train: text". Returns err->code, or GM_BUG when that says GM_OK. */
int message_fail(const char *command, const struct gm_error *err);
/* As above for a wrong command line, with a pointer to --help. Returns GM_USAGE. */
int message_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line worth knowing. */
void message_note(const char *command, const char *text);

#endif
