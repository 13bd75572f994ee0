/* One array in a file: a .npy or idx file, or a member of an .npz archive. */
#ifndef DATASETS_ARRAY_SOURCE_H
#define DATASETS_ARRAY_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include <gradmill/status.h>

#include "datasets/array_header.h"
#include "datasets/zip.h"

#define ARRAY_LABEL 512

struct array_source {
    const char *path;        /* borrowed */
    char label[ARRAY_LABEL]; /* "data.npz:x_train", for messages */
    char word[ZIP_NAME];     /* "x_train": the name without directory and ending */
    bool is_member;
    struct zip_member member;
    struct array_header header;
};

struct array_sources {
    struct array_source *items; /* [count] release with memory_free */
    size_t count, room;
    char **paths; /* owned parts of "FILE.npz:NAME"; for array_sources_release */
    size_t path_count, path_room;
};

/* The arrays of a file, or of "FILE.npz:NAME", behind those there are. GM_NO_INPUT, GM_BAD_DATA, GM_IO. */
enum gm_code array_sources_add(struct array_sources *sources, const char *name, struct gm_error *err);
void array_sources_release(struct array_sources *sources);

struct array_stream; /* the elements of an array, from the first on */
enum gm_code array_stream_open(struct array_stream **out, const struct array_source *source, struct gm_error *err);
/* The next `size` bytes of elements, in this machine's byte order. GM_BAD_DATA: the file ends before. */
enum gm_code array_stream_read(struct array_stream *stream, void *to, size_t size, struct gm_error *err);
void array_stream_close(struct array_stream *stream); /* NULL is fine */

#endif
