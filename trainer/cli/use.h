/* The options that commands which use a model have in common, and the names of its classes. */
#ifndef CLI_USE_H
#define CLI_USE_H

#include <gradmill/gradmill.h>

#include "cli/cli.h"

struct use_options {
    const char *command;
    struct gm_use use;
    struct gm_watch watch;
    const char *loss_path;
    bool quiet, json;
    const char *output; /* NULL: not given */
    const char *second; /* the second input of the data; NULL: not given */
};
enum { USE_THREADS = 256, USE_MEMORY, USE_LOSS_PATH, USE_EXTERNAL, USE_JSON, USE_RAW, USE_IO, USE_SECOND };
#define USE_OPTIONS                                                                                                 \
    {"threads", required_argument, NULL, USE_THREADS}, {"memory", required_argument, NULL, USE_MEMORY},             \
        {"loss-path", required_argument, NULL, USE_LOSS_PATH}, {"allow-external", no_argument, NULL, USE_EXTERNAL}, \
        {"io", required_argument, NULL, USE_IO}, {"second", required_argument, NULL, USE_SECOND},                   \
        {"quiet", no_argument, NULL, 'q'},                                                                          \
    {                                                                                                               \
        "help", no_argument, NULL, 'h'                                                                              \
    }

/* Read all options of `options` into `use`; two operands must follow, MODEL and DATA. GM_OK or GM_USAGE, printed. */
int use_parse(const struct options *options, int argc, char **argv, struct use_options *use);

/* Notes of the library go to stderr, unless --quiet. `use` stays where it is until the library is done. */
void use_listen(struct use_options *use);

/* Name of class `index` of a model, for table_confusion. */
const char *use_class_name(const void *model, size_t index);

#endif
