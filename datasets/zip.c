/* Reading ZIP archives: the directory at the end, and members one after the other. */
#include "datasets/zip.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "base/error.h"
#include "base/memory.h"

#define TAIL_BYTES    ((size_t)(1 << 16) + 22 + 20) /* the longest comment, the end record, the 64-bit locator */
#define MOST_MEMBERS  ((uint64_t)1 << 16)
#define MOST_BYTES    ((uint64_t)64 << 20) /* of the directory */
#define BUFFER_BYTES  ((size_t)1 << 17)
#define LOCAL_HEADER  30
#define CENTRAL_ENTRY 46

static uint64_t little(const unsigned char *p, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = bytes; i-- > 0;)
        value = value << 8 | p[i];
    return value;
}

static enum gm_code damaged(const char *path, const char *what, struct gm_error *err)
{
    return error_set(err, GM_BAD_DATA, "%s: damaged ZIP archive: %s.", path, what);
}

static enum gm_code read_at(int fd, const char *path, uint64_t offset, void *to, size_t size, struct gm_error *err)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = pread(fd, (char *)to + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EINVAL)
            return damaged(path, "an offset is out of range", err);
        if (n < 0)
            return error_set(err, GM_IO, "%s: reading failed: %s.", path, strerror(errno));
        if (n == 0)
            return damaged(path, "it is cut off", err);
        done += (size_t)n;
    }
    return GM_OK;
}

/* ---- the directory --------------------------------------------------------------------------------------------------
 */

struct directory {
    uint64_t offset, size, count;
};

/* The end record is the last "PK\5\6"; where its fields are full, the 64-bit record says. */
static enum gm_code find_directory(int fd, const char *path, uint64_t file_size, struct directory *dir,
                                   struct gm_error *err)
{
    unsigned char *tail = NULL, record[56];
    size_t size = file_size < TAIL_BYTES ? (size_t)file_size : TAIL_BYTES, at = 0;
    enum gm_code code = memory_alloc((void **)&tail, size, 1, "the end of an archive", err);
    if (code)
        return code;
    if ((code = read_at(fd, path, file_size - size, tail, size, err)))
        goto done;
    for (size_t i = 22; i <= size && !at; i++)
        if (memcmp(tail + size - i, "PK\5\6", 4) == 0)
            at = i;
    if (!at) {
        code = damaged(path, "no directory at its end", err);
        goto done;
    }
    const unsigned char *end = tail + size - at;
    *dir = (struct directory){little(end + 16, 4), little(end + 12, 4), little(end + 10, 2)};
    bool wide = dir->offset == UINT32_MAX || dir->size == UINT32_MAX || dir->count == UINT16_MAX;
    if (wide && at + 20 <= size && memcmp(end - 20, "PK\6\7", 4) == 0) {
        code = read_at(fd, path, little(end - 20 + 8, 8), record, sizeof record, err);
        if (code == GM_OK && memcmp(record, "PK\6\6", 4) != 0)
            code = damaged(path, "no 64-bit directory where one is announced", err);
        *dir = (struct directory){little(record + 48, 8), little(record + 40, 8), little(record + 32, 8)};
    }
    if (code == GM_OK && (dir->size > MOST_BYTES || dir->count > MOST_MEMBERS || dir->size > file_size ||
                          dir->offset > file_size - dir->size))
        code = damaged(path, "its directory does not fit into the file", err);
done:
    memory_free(tail);
    return code;
}

/* Sizes and offset that do not fit into 32 bits are in extra field 1, in this order. */
static void take_wide_fields(struct zip_member *m, const unsigned char *extra, size_t length)
{
    while (length >= 4) {
        size_t size = (size_t)little(extra + 2, 2);
        if (size > length - 4)
            return;
        if (little(extra, 2) == 1) {
            uint64_t *fields[] = {&m->size, &m->stored, &m->header};
            const unsigned char *p = extra + 4, *stop = p + size;
            for (size_t i = 0; i < 3; i++)
                if (*fields[i] == UINT32_MAX && stop - p >= 8) {
                    *fields[i] = little(p, 8);
                    p += 8;
                }
        }
        extra += 4 + size;
        length -= 4 + size;
    }
}

/* One entry; *used is its length. */
static enum gm_code take_entry(struct zip_member *m, const unsigned char *p, size_t left, size_t *used,
                               const char *path, struct gm_error *err)
{
    if (left < CENTRAL_ENTRY || memcmp(p, "PK\1\2", 4) != 0)
        return damaged(path, "a directory entry is cut off", err);
    size_t name = (size_t)little(p + 28, 2), extra = (size_t)little(p + 30, 2), comment = (size_t)little(p + 32, 2);
    *used = CENTRAL_ENTRY + name + extra + comment;
    if (*used > left)
        return damaged(path, "a directory entry is cut off", err);
    *m = (struct zip_member){
        .method = (unsigned)little(p + 10, 2),
        .crc = (uint32_t)little(p + 16, 4),
        .stored = little(p + 20, 4),
        .size = little(p + 24, 4),
        .header = little(p + 42, 4),
    };
    memcpy(m->name, p + CENTRAL_ENTRY, name < ZIP_NAME - 1 ? name : ZIP_NAME - 1);
    take_wide_fields(m, p + CENTRAL_ENTRY + name, extra);
    if (little(p + 8, 2) & 1)
        return error_set(err, GM_BAD_DATA, "%s: member %s is encrypted.", path, m->name);
    if (m->method != 0 && m->method != 8)
        return error_set(err, GM_BAD_DATA,
                         "%s: member %s is compressed by method %u: only stored and deflate are read.", path, m->name,
                         m->method);
    return GM_OK;
}

enum gm_code zip_read_list(struct zip_list *list, int fd, const char *path, struct gm_error *err)
{
    *list = (struct zip_list){0};
    struct stat facts;
    struct directory dir = {0};
    unsigned char *bytes = NULL;
    if (fstat(fd, &facts) != 0)
        return error_set(err, GM_IO, "%s: reading failed: %s.", path, strerror(errno));
    if (facts.st_size < 22)
        return damaged(path, "it is cut off", err);
    enum gm_code code = find_directory(fd, path, (uint64_t)facts.st_size, &dir, err);
    if (code == GM_OK)
        code = memory_alloc((void **)&bytes, (size_t)dir.size, 1, "an archive's directory", err);
    if (code == GM_OK)
        code = read_at(fd, path, dir.offset, bytes, (size_t)dir.size, err);
    if (code == GM_OK)
        code =
            memory_alloc((void **)&list->items, (size_t)dir.count, sizeof *list->items, "an archive's directory", err);
    for (size_t at = 0, used = 0; code == GM_OK && list->count < dir.count; at += used) {
        code = take_entry(&list->items[list->count], bytes + at, (size_t)dir.size - at, &used, path, err);
        list->count += code == GM_OK;
    }
    memory_free(bytes);
    if (code) {
        memory_free(list->items);
        *list = (struct zip_list){0};
    }
    return code;
}

/* ---- a member -------------------------------------------------------------------------------------------------------
 */

struct zip_stream {
    const char *path;
    struct zip_member member;
    int fd;
    uint64_t at, left; /* file offset of the next stored byte, and how many there are */
    uint64_t given;    /* bytes given out */
    uint32_t crc;
    bool inflating, ended;
    z_stream z;
    unsigned char buffer[BUFFER_BYTES];
};

enum gm_code zip_open(struct zip_stream **out, int fd, const char *path, const struct zip_member *member,
                      struct gm_error *err)
{
    *out = NULL;
    unsigned char local[LOCAL_HEADER];
    enum gm_code code = read_at(fd, path, member->header, local, sizeof local, err);
    if (code)
        return code;
    if (memcmp(local, "PK\3\4", 4) != 0)
        return damaged(path, "a member is not where the directory says", err);
    struct zip_stream *s;
    if ((code = memory_alloc((void **)&s, 1, sizeof *s, "reading an archive", err)))
        return code;
    s->path = path;
    s->member = *member;
    s->fd = fd;
    s->at = member->header + LOCAL_HEADER + little(local + 26, 2) + little(local + 28, 2);
    s->left = member->stored;
    s->crc = (uint32_t)crc32(0, NULL, 0);
    if (member->method == 8 && inflateInit2(&s->z, -MAX_WBITS) != Z_OK) {
        memory_free(s);
        return error_memory(err, "inflating", sizeof s->z);
    }
    s->inflating = member->method == 8;
    *out = s;
    return GM_OK;
}

/* Some stored bytes into the buffer. */
static enum gm_code refill(struct zip_stream *s, size_t *got, struct gm_error *err)
{
    *got = s->left < BUFFER_BYTES ? (size_t)s->left : BUFFER_BYTES;
    enum gm_code code = read_at(s->fd, s->path, s->at, s->buffer, *got, err);
    s->at += *got;
    s->left -= *got;
    return code;
}

static enum gm_code inflate_some(struct zip_stream *s, unsigned char *to, size_t size, size_t *got,
                                 struct gm_error *err)
{
    s->z.next_out = to;
    s->z.avail_out = size < UINT32_MAX ? (uInt)size : UINT32_MAX;
    const uInt asked = s->z.avail_out;
    while (s->z.avail_out == asked && !s->ended) {
        if (s->z.avail_in == 0 && s->left) {
            size_t filled;
            enum gm_code code = refill(s, &filled, err);
            if (code)
                return code;
            s->z.next_in = s->buffer;
            s->z.avail_in = (uInt)filled;
        }
        int status = inflate(&s->z, Z_NO_FLUSH);
        s->ended = status == Z_STREAM_END;
        if (status != Z_OK && status != Z_STREAM_END)
            return damaged(s->path, "its compressed data are broken", err);
    }
    *got = asked - s->z.avail_out;
    return GM_OK;
}

static enum gm_code copy_some(struct zip_stream *s, unsigned char *to, size_t size, size_t *got, struct gm_error *err)
{
    *got = s->left < size ? (size_t)s->left : size;
    enum gm_code code = read_at(s->fd, s->path, s->at, to, *got, err);
    s->at += *got;
    s->left -= *got;
    return code;
}

enum gm_code zip_read(struct zip_stream *s, void *to, size_t size, size_t *got, struct gm_error *err)
{
    for (*got = 0; *got < size;) {
        unsigned char *at = (unsigned char *)to + *got;
        size_t n = 0;
        enum gm_code code =
            s->inflating ? inflate_some(s, at, size - *got, &n, err) : copy_some(s, at, size - *got, &n, err);
        if (code)
            return code;
        if (n == 0)
            break;
        s->crc = (uint32_t)crc32_z(s->crc, at, n);
        s->given += n;
        *got += n;
    }
    if (s->given > s->member.size || (s->given == s->member.size && s->crc != s->member.crc))
        return damaged(s->path, "a member does not match its checksum", err);
    return GM_OK;
}

void zip_close(struct zip_stream *s)
{
    if (s && s->inflating)
        inflateEnd(&s->z);
    memory_free(s);
}
