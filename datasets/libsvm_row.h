/* One line of the libsvm (svmlight) format: "label [qid:N] index:value ... [# comment]". */
#ifndef DATASETS_LIBSVM_ROW_H
#define DATASETS_LIBSVM_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

#include "datasets/cell.h"

struct libsvm_row { /* a zeroed struct may be parsed into and released */
    bool empty;     /* a blank line or nothing but a comment */
    struct cell label;
    bool has_group;
    int64_t group; /* of "qid:" */
    size_t count;
    int32_t *indices; /* [count] ascending, as written */
    struct cell *values;
    size_t indices_room, values_room;
};

struct libsvm_place { /* for messages */
    const char *path;
    size_t line;
};

/* `text` is taken apart in place. GM_BAD_DATA: no number where one is expected, an index that is no whole number from 0
 * to 2^31 - 2, indices that do not ascend. */
enum gm_code libsvm_parse(struct libsvm_row *row, char *text, struct libsvm_place place, struct gm_error *err);
void libsvm_row_release(struct libsvm_row *row);

#endif
