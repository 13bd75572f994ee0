/* What the files of base/file share. */
#ifndef BASE_FILE_INSIDE_H
#define BASE_FILE_INSIDE_H

#include "base/file.h"

/* open(2), never on a standard stream's number even if the caller of the program closed those. */
int file_open_above_streams(const char *path, int flags);
/* Open "<file>" for ourselves alone: created when missing, locked, and still the file of that name once locked. -1 with
 * errno; EWOULDBLOCK when another process has it. A file system without locks is taken as it is. */
int file_open_locked(const char *file);
bool file_write_all(int fd, const char *bytes, size_t size);
enum gm_code file_refuse_create(const char *path, int reason, struct gm_error *err);

#endif
