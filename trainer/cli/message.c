/* What goes to stderr: errors, usage mistakes, notes. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool message_colour(FILE *stream)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fileno(stream)) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

static void print(const char *command, const char *start, const char *text)
{
    bool colour = *start && message_colour(stderr);
    fprintf(stderr, "%sgradmill%s%s:%s ", colour ? start : "", *command ? " " : "", command, colour ? "\033[0m" : "");
    /* Names come from files and command lines: no control characters reach the terminal. */
    for (const char *c = text; *c; c++)
        fputc(((unsigned char)*c < 0x20 && *c != '\n') || *c == 0x7f ? '?' : *c, stderr);
    fputc('\n', stderr);
}

int message_fail(const char *command, const struct gm_error *err)
{
    print(command, "\033[1;31m", err->text[0] ? err->text : "failed without a message: please report this as a bug.");
    return err->code == GM_OK ? GM_BUG : err->code;
}

int message_usage(const char *command, const char *format, ...)
{
    char text[GM_ERROR_TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    print(command, "\033[1;31m", text);
    fprintf(stderr, "See: gradmill%s%s --help\n", *command ? " " : "", command);
    return GM_USAGE;
}

void message_note(const char *command, const char *text)
{
    print(command, "", text);
}
