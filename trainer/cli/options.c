/* Command-line options: getopt_long with messages of our own that name the nearest option. */
#include "cli/cli.h"

#include <string.h>

#include "base/text.h"

#define MOST_OPTIONS 32

static void unknown_option(const struct options *options, const char *word)
{
    const char *names[MOST_OPTIONS];
    size_t count = 0;
    for (const struct option *o = options->longs; o->name && count < MOST_OPTIONS; o++)
        names[count++] = o->name;
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    const char *near = text_nearest(name, names, count);
    if (near)
        message_usage(options->command, "Unknown option --%s. Did you mean --%s?", name, near);
    else
        message_usage(options->command, "Unknown option --%s.", name);
}

int options_next(const struct options *options, int argc, char **argv)
{
    char shorts[32];
    snprintf(shorts, sizeof shorts, ":%s", options->shorts);
    opterr = 0;
    int option = getopt_long(argc, argv, shorts, options->longs, NULL);
    const char *word = optind > 0 && optind <= argc ? argv[optind - 1] : "";
    if (option == ':') {
        message_usage(options->command, "Option %s needs a value.", word);
        return '?';
    }
    if (option == '?') {
        if (optopt && strncmp(word, "--", 2) != 0)
            message_usage(options->command, "Unknown option -%c.", optopt);
        else if (optopt)
            message_usage(options->command, "Option %.*s takes no value.", (int)strcspn(word, "="), word);
        else
            unknown_option(options, word);
    }
    return option;
}

bool options_seed(const char *command, const char *option, const char *text, uint64_t *out)
{
    int64_t value;
    if (!text_integer(text, &value) || value < 0) {
        message_usage(command, "%s: expected a whole number from 0, found \"%s\".", option, text);
        return false;
    }
    *out = (uint64_t)value;
    return true;
}

bool options_count(const char *command, const char *option, const char *text, size_t least, size_t *out)
{
    int64_t value;
    if (!text_integer(text, &value) || value < 0 || (uint64_t)value < least) {
        message_usage(command, "%s: expected a whole number from %zu, found \"%s\".", option, least, text);
        return false;
    }
    *out = (size_t)value;
    return true;
}

bool options_io(const char *command, const char *text, enum gm_reading *out)
{
    static const char *const ways[] = {"auto", "mapped", "chunks", "bands"};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strcmp(ways[i], text) == 0) {
            *out = (enum gm_reading)i;
            return true;
        }
    message_usage(command, "--io: expected auto, mapped, chunks or bands, found \"%s\".", text);
    return false;
}
