/* Members of a ZIP archive (PKWARE's APPNOTE 6.3), stored or deflated: what .npz files are. */
#ifndef DATASETS_ZIP_H
#define DATASETS_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

#define ZIP_NAME 128

struct zip_member {
    char name[ZIP_NAME]; /* cut off when longer */
    uint64_t header;     /* file offset of its local header */
    uint64_t stored, size;
    uint32_t crc;
    unsigned method; /* 0 stored, 8 deflated */
};

struct zip_list {
    struct zip_member *items; /* [count] in the archive's order; release with memory_free */
    size_t count;
};

/* GM_BAD_DATA: no or a damaged directory, encrypted or otherwise compressed members, more than 65,536 of them. */
enum gm_code zip_read_list(struct zip_list *list, int fd, const char *path, struct gm_error *err);

struct zip_stream; /* the bytes of one member */
enum gm_code zip_open(struct zip_stream **out, int fd, const char *path, const struct zip_member *member,
                      struct gm_error *err);
/* Up to `size` bytes; *got < size only at the end, where the checksum is compared. `fd` is read with pread. */
enum gm_code zip_read(struct zip_stream *stream, void *to, size_t size, size_t *got, struct gm_error *err);
void zip_close(struct zip_stream *stream); /* NULL is fine */

#endif
