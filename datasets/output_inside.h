/* The inside of an output file, for output*.c only. */
#ifndef DATASETS_OUTPUT_INSIDE_H
#define DATASETS_OUTPUT_INSIDE_H

#include <hdf5.h>

#include "datasets/output.h"

struct output {
    char *path, *temporary;
    hid_t id;
    bool compress, made, finished;
    struct output_array *arrays;
};

/* GM_IO with errno's reason. */
enum gm_code output_failed(const struct output *out, const char *what, struct gm_error *err);

#endif
