/* Lines from a buffer that grows to the longest of them. */
#include "datasets/lines.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "datasets/list.h"

#define BUFFER_BYTES ((size_t)1 << 18)
#define LINE_BYTES   ((size_t)1 << 28)

/* Read more behind the bytes that are left. */
static enum gm_code fill(struct lines *l, struct gm_error *err)
{
    size_t left = l->end - l->first;
    if (left > LINE_BYTES)
        return error_set(err, GM_BAD_DATA, "%s: line %zu: longer than 256 MiB. Is it a text file?", l->in->path,
                         l->number + 1);
    if (l->first)
        memmove(l->buffer, l->buffer + l->first, left);
    l->first = 0;
    l->end = left;
    enum gm_code code = list_reserve((void **)&l->buffer, &l->room, left, left + BUFFER_BYTES + 1, 1, err);
    size_t got = 0, wanted = l->room - left - 1;
    if (code == GM_OK)
        code = input_read(l->in, l->buffer + left, wanted, &got, err);
    l->end += got;
    l->at_end = got < wanted;
    return code;
}

enum gm_code lines_next(struct lines *l, char **line, struct gm_error *err)
{
    char *stop = NULL;
    size_t searched = 0;
    *line = NULL;
    for (;;) {
        size_t left = l->end - l->first;
        if (left > searched)
            stop = memchr(l->buffer + l->first + searched, '\n', left - searched);
        searched = left;
        if (stop || l->at_end)
            break;
        enum gm_code code = fill(l, err);
        if (code)
            return code;
    }
    if (l->first == l->end)
        return GM_OK;
    *line = l->buffer + l->first;
    size_t length = stop ? (size_t)(stop - *line) : l->end - l->first;
    l->first += length + (stop != NULL);
    (*line)[length] = 0; /* over the line end, or in the byte kept free behind the buffer */
    l->number++;
    if (strlen(*line) != length)
        return error_set(err, GM_BAD_DATA, "%s: line %zu: a zero byte. Expected text, found binary data.", l->in->path,
                         l->number);
    return GM_OK;
}

void lines_release(struct lines *l)
{
    memory_free(l->buffer);
    *l = (struct lines){0};
}
