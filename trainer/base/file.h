/* Files that are whole or absent: atomic replacement, locks, hashes. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

/* Can `path` be created or replaced? Found out by creating and removing a file beside it. GM_OK, GM_CANNOT_CREATE
 * (missing or read-only directory, a directory in the way), GM_DENIED (permission). */
enum gm_code file_check_writable(const char *path, struct gm_error *err);

/* Are these the same existing file, by whatever name? Either may be FILE.h5:/group. */
bool file_same(const char *a, const char *b);

/* Replace `path` by `size` bytes: temporary file beside it, write (short writes and EINTR continue), fsync, rename,
 * fsync of the directory, in that order. On failure the old file is untouched and the temporary one removed.
 * GM_CANNOT_CREATE, GM_DENIED, GM_IO (disk full, EIO, fsync failed; never retried on the same file). */
enum gm_code file_replace(const char *path, const void *bytes, size_t size, struct gm_error *err);
/* The same, and what `path` was before goes on as `older` (replacing that one; NULL: as file_replace). At every moment
 * one of the two is whole: `path` is moved away only when its successor is on the disk. */
enum gm_code file_replace_keeping(const char *path, const char *older, const void *bytes, size_t size,
                                  struct gm_error *err);

/* An exclusive lock on an output, "<path>.lock" beside it, held until release or exit. GM_DENIED when another process
 * holds it (its pid in the message); one that has just been killed may hold it a moment longer, which is waited for. A
 * zeroed struct may be released. */
struct file_lock {
    int fd; /* 0: not held (stdin is never a lock) */
    char *path;
};
enum gm_code file_lock_take(struct file_lock *lock, const char *path, struct gm_error *err);
void file_lock_release(struct file_lock *lock);

/* The whole file in memory (memory_free it), one more zero byte behind. GM_NO_INPUT, GM_DENIED, GM_IO; GM_BAD_DATA when
 * larger than `limit` bytes. */
enum gm_code file_read(const char *path, size_t limit, void **bytes, size_t *size, struct gm_error *err);

/* SHA-256 (FIPS 180-4) as 64 hexadecimal digits and a zero. */
void file_sha256_bytes(const void *bytes, size_t size, char hex[65]);
/* Of an open file from its start, with pread; the file offset does not move. GM_IO. */
enum gm_code file_sha256(int fd, const char *name, char hex[65], struct gm_error *err);

#endif
