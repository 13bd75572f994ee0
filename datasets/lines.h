/* A text file line by line, with lines of any length up to a bound. */
#ifndef DATASETS_LINES_H
#define DATASETS_LINES_H

#include <stddef.h>

#include <gradmill/status.h>

#include "datasets/input.h"

struct lines { /* zeroed but for `in`; release when done */
    struct input *in;
    char *buffer;
    size_t room, first, end; /* bytes [first, end) of the buffer are read but not given out */
    size_t number;           /* of the line given out, 1-based */
    int at_end;
};

/* The next line, without its end, zero-terminated, valid until the next call and open to changes; NULL past the last.
 * GM_BAD_DATA: a zero byte, a line of more than 256 MiB. */
enum gm_code lines_next(struct lines *lines, char **line, struct gm_error *err);
void lines_release(struct lines *lines);

#endif
