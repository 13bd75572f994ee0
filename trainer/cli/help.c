/* The table of commands and what --help prints. docs/man/ tells the same at more length. */
#include "cli/cli.h"

#include <string.h>

static const char import_help[] =
    "gradmill import - convert CSV files to an HDF5 dataset\n"
    "\n"
    "usage: gradmill import FILE.csv... -o OUT.h5 [options]\n"
    "\n"
    "Comma, semicolon or tab, with or without a header, fields quoted or not, plain or gzipped. Empty and NA cells "
    "become\n"
    "NaN. A target of words becomes classes. Several files with the same columns become one dataset.\n"
    "\n"
    "  -o, --output FILE     where the dataset goes\n"
    "  --target COLUMN       name or number (from 1) of the target; default: target, label, y or class\n"
    "  --no-target           every column is a feature\n"
    "  --drop COLUMNS        leave columns out: names or numbers with commas between\n"
    "  --header, --no-header the first line is names, or data; default: names when no cell of it is a number\n"
    "  --float32, --float64  type of features that are not whole; default: float32 where that loses nothing\n"
    "  --compress            smaller file, slower to read\n"
    "  --shuffle SEED        rows in random order, the same for a seed\n"
    "  --memory SIZE         memory for shuffling, as in 4GiB\n"
    "  --quiet, -q           nothing but errors\n"
    "\n"
    "examples:\n"
    "  gradmill import houses.csv -o houses.h5 --target price\n"
    "  gradmill import iris.csv -o iris.h5 --target species --shuffle 1\n";

static const char plot_help[] =
    "gradmill plot - loss curves from logs, as an SVG\n"
    "\n"
    "usage: gradmill plot LOG.jsonl... -o FILE.svg [options]\n"
    "\n"
    "  -o, --output FILE     where the picture goes; \"-\": stdout\n"
    "  --log, --linear       loss axis; default: logarithmic when every loss is positive and they span a factor of 10\n"
    "  --time                seconds instead of epochs\n"
    "  --title TEXT          a line above the picture\n"
    "\n"
    "examples:\n"
    "  gradmill plot log.jsonl -o curves.svg\n"
    "  gradmill plot a/log.jsonl b/log.jsonl -o compare.svg --log\n";

static const struct command commands[] = {
    {"import", "convert CSV files to an HDF5 dataset", import_help, command_import},
    {"plot", "loss curves from logs, as an SVG", plot_help, command_plot},
};
#define COUNT (sizeof commands / sizeof *commands)

const struct command *command_table(size_t *count)
{
    *count = COUNT;
    return commands;
}

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < COUNT; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

size_t command_names(const char **names, size_t most)
{
    size_t count = 0;
    for (; count < COUNT && count < most; count++)
        names[count] = commands[count].name;
    return count;
}
