/* gradmill inspect: the facts of a file, aligned section by section. */
#include <string.h>

#include <gradmill/gradmill.h>

#include "cli/cli.h"

#define NAME_WIDTH 20

static void print_safe(const char *text)
{
    for (; *text; text++)
        putchar((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

static void print_fact(void *context, const char *name, const char *text)
{
    bool *started = context;
    bool section = !text;
    if (section && *started)
        putchar('\n');
    *started = true;
    if (!section)
        fputs("  ", stdout);
    print_safe(name);
    if (!section) {
        size_t length = strlen(name);
        printf("%*s", (int)(length < NAME_WIDTH ? NAME_WIDTH - length : 1) + 1, "");
        print_safe(text);
    }
    putchar('\n');
}

int command_inspect(int argc, char **argv)
{
    static const struct option longs[] = {{"help", no_argument, NULL, 'h'}, {0}};
    static const struct options options = {"inspect", "h", longs};
    struct gm_error err = {0};
    bool started = false;
    if (options_next(&options, argc, argv) != -1)
        return GM_USAGE;
    if (optind + 1 != argc)
        return message_usage("inspect", "Expected one file, as in: gradmill inspect model.h5");
    enum gm_code code = gm_inspect(argv[optind], print_fact, &started, &err);
    return code == GM_OK ? GM_OK : message_fail("inspect", &err);
}
