/* What the parts of the archive share; nobody else includes this. */
#ifndef BASE_ARCHIVE_INSIDE_H
#define BASE_ARCHIVE_INSIDE_H

#include <hdf5.h>

#include "base/archive.h"

#define ARCHIVE_BYTES_MOST ((size_t)4 << 30) /* of a file that is opened, and of one array in it */
#define ARCHIVE_NAME_MOST  1024              /* bytes of an array's name */

struct archive {
    hid_t file;
    char *name; /* for messages: the path, or "a new archive" */
};

/* What to do with the groups on the way to an array. */
enum archive_way { WAY_FIND, WAY_MAKE };
/* Every part of `name` but the last is a group (made when WAY_MAKE), reached without soft or external links, and the
 * last one, for WAY_FIND, is there and no link either. */
bool archive_walk(const struct archive *a, const char *name, enum archive_way way);

/* A file in memory as HDF5 sees it; negative: it is none. HDF5 copies the image twice on the way; neither our bytes,
 * which are freed, nor its first copy outlive their use. */
hid_t archive_open_image(const struct archive *a, void **bytes, size_t size);
/* GM_BAD_DATA when reading everything of such a file fails, or kills the process it is tried in. */
enum gm_code archive_try(const struct archive *a, const void *bytes, size_t size, struct gm_error *err);

/* Variable-length UTF-8: what h5py reads as str. To be closed; negative: failed. */
hid_t archive_text_type(void);
hid_t archive_stored_type(enum archive_type type); /* little-endian; not for text */
hid_t archive_native_type(enum archive_type type); /* not for text */

/* An array or attribute that was opened for reading, with what is known of it. */
struct holding {
    hid_t object, type, space;
    bool attribute;
    size_t count, size; /* elements; bytes of one in memory, unconverted */
    struct archive_shape shape;
};
/* False: not there (object < 0), or not anything an archive holds. Release in both cases. */
bool holding_open_array(struct holding *h, const struct archive *a, const char *name);
bool holding_open_attribute(struct holding *h, const struct archive *a, const char *name);
/* All elements as stored, [count] of `size` bytes. */
bool holding_read(const struct holding *h, void *buffer);
void holding_release(struct holding *h);

#endif
