/* Reading input files, plain or compressed with gzip. */
#include "datasets/input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "base/error.h"

#define BUFFER_BYTES (1u << 18)
#define READ_BYTES   ((size_t)1 << 30) /* gzread counts in unsigned int */

enum gm_code input_open(struct input *in, const char *path, struct gm_error *err)
{
    *in = (struct input){.path = path};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO without a writer must not block us */
    if (fd < 0) {
        enum gm_code code = errno == EACCES ? GM_DENIED : errno == ENOENT || errno == ENOTDIR ? GM_NO_INPUT : GM_IO;
        return error_set(err, code, "%s: cannot be opened: %s.", path, strerror(errno));
    }
    struct stat facts;
    if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        close(fd);
        return error_set(err, GM_USAGE,
                         "%s: not a regular file. The input is read twice, so save a pipe to a file first.", path);
    }
    in->size = (uint64_t)facts.st_size;
    in->file = gzdopen(fd, "rb");
    if (!in->file) {
        close(fd);
        return error_memory(err, "reading a file", BUFFER_BYTES);
    }
    gzbuffer(in->file, BUFFER_BYTES);
    return GM_OK;
}

void input_close(struct input *in)
{
    if (in->file)
        gzclose_r(in->file);
    *in = (struct input){0};
}

enum gm_code input_read(struct input *in, void *to, size_t size, size_t *got, struct gm_error *err)
{
    *got = 0;
    while (*got < size) {
        size_t part = size - *got < READ_BYTES ? size - *got : READ_BYTES;
        int n = gzread(in->file, (char *)to + *got, (unsigned)part);
        if (n < 0) {
            int kind;
            const char *reason = gzerror(in->file, &kind);
            if (kind == Z_ERRNO)
                return error_set(err, GM_IO, "%s: reading failed: %s.", in->path, strerror(errno));
            return error_set(err, GM_BAD_DATA, "%s: damaged gzip data (%s).", in->path, reason);
        }
        *got += (size_t)n;
        if (n == 0)
            break;
    }
    int kind = Z_OK;
    if (*got < size)
        gzerror(in->file, &kind);
    if (kind == Z_BUF_ERROR)
        return error_set(err, GM_BAD_DATA, "%s: the gzip data end too early: is the file cut off?", in->path);
    return GM_OK;
}

enum gm_code input_exactly(struct input *in, void *to, size_t size, const char *what, struct gm_error *err)
{
    size_t got;
    enum gm_code code = input_read(in, to, size, &got, err);
    if (code == GM_OK && got < size)
        return error_set(err, GM_BAD_DATA, "%s: ends within %s: expected %zu bytes more, found %zu.", in->path, what,
                         size, got);
    return code;
}

uint64_t input_done(const struct input *in)
{
    z_off_t at = gzoffset(in->file);
    return at < 0 ? 0 : (uint64_t)at;
}

const char *input_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}
