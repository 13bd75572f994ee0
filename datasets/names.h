/* Names of features and classes that come in a file of their own, a line each. */
#ifndef DATASETS_NAMES_H
#define DATASETS_NAMES_H

#include <stddef.h>

#include <gradmill/status.h>

#include "datasets/datasets.h"
#include "datasets/list.h"
#include "datasets/output.h"

struct names { /* a zeroed struct is empty; count 0: not asked for */
    struct list_texts features, classes;
};

/* The files of the options; what stands behind a tab in a line is left out. GM_NO_INPUT, GM_IO; GM_BAD_DATA: a line
 * without a name. */
enum gm_code names_read(struct names *names, const struct import_options *options, struct gm_error *err);
/* Are there as many as features? GM_BAD_DATA. */
enum gm_code names_check(const struct names *names, const struct import_options *options, size_t features,
                         struct gm_error *err);
/* Attributes feature_names and class_names (datasets, when they are many). */
enum gm_code names_write(const struct names *names, struct output *out, struct gm_error *err);
void names_release(struct names *names);

#endif
