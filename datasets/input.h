/*
 * An input file read from its start, as often as needed. Files compressed with gzip are inflated on the way.
 */
#ifndef DATASETS_INPUT_H
#define DATASETS_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

struct input {
    const char *path; /* borrowed */
    struct gzFile_s *file;
    uint64_t size; /* bytes on disk */
};

/* GM_NO_INPUT, GM_DENIED; GM_USAGE for a pipe or device, which cannot be read twice. */
enum gm_code input_open(struct input *in, const char *path, struct gm_error *err);
void input_close(struct input *in); /* a zeroed struct is fine */
/* Up to `size` bytes; *got < size only at the end. GM_IO, GM_BAD_DATA when a gzip stream is damaged. */
enum gm_code input_read(struct input *in, void *to, size_t size, size_t *got, struct gm_error *err);
/* Exactly `size` bytes; GM_BAD_DATA "ends within WHAT" otherwise. */
enum gm_code input_exactly(struct input *in, void *to, size_t size, const char *what, struct gm_error *err);
uint64_t input_done(const struct input *in); /* bytes of the disk file read so far */

/* "/data/digits.csv" -> "digits.csv" */
const char *input_base_name(const char *path);

#endif
