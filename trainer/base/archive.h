/*
 * Named arrays and attributes in one small HDF5 file: models and checkpoints.
 *
 * Written through the core driver into an image in memory, then replaced atomically by file_replace: a reader sees the
 * old or the new file, never half of one. Object times are not tracked: two equal archives are byte-identical. A saved
 * archive ends in a checksum of all its bytes that HDF5 does not see: damage is found before HDF5, which may crash or
 * hang on damaged files, gets to see it. Another program that changes the file makes HDF5 drop the checksum; such a
 * file, and one made elsewhere, is read as it is.
 *
 * Not for datasets that are larger than memory: those are read by the data room. An archive is used by one thread at a
 * time; base/hdf5_lock.h keeps it apart from other users of HDF5.
 */
#ifndef BASE_ARCHIVE_H
#define BASE_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

#define ARCHIVE_RANK 4

enum archive_type { ARCHIVE_F64, ARCHIVE_F32, ARCHIVE_I64, ARCHIVE_U64, ARCHIVE_U8, ARCHIVE_TEXT };

struct archive_shape {
    size_t rank;
    size_t dims[ARCHIVE_RANK];
};

struct archive; /* an archive being written, or one opened for reading */

/* ---- writing ---- */
enum gm_code archive_create(struct archive **out, struct gm_error *err);
/* An array at `name` ("/layers/0/weights"; groups are made as needed). `data` is [shape] of `type`, row-major; for
 * ARCHIVE_TEXT an array of const char *. */
enum gm_code archive_put(struct archive *a, const char *name, enum archive_type type, const struct archive_shape *shape,
                         const void *data, struct gm_error *err);
/* Attributes of the root group. */
enum gm_code archive_put_text(struct archive *a, const char *name, const char *text, struct gm_error *err);
enum gm_code archive_put_real(struct archive *a, const char *name, double value, struct gm_error *err);
enum gm_code archive_put_integer(struct archive *a, const char *name, int64_t value, struct gm_error *err);
/* A list of strings as a root attribute (class_names, feature_names); stored as a dataset "/<name>" when it would not
 * fit into an attribute (64 KiB). archive_get_texts finds either. */
enum gm_code archive_put_texts(struct archive *a, const char *name, const char *const *texts, size_t count,
                               struct gm_error *err);
/* Write to `path` atomically (errors as file_replace). The archive stays open. */
enum gm_code archive_save(struct archive *a, const char *path, struct gm_error *err);
/* The same; the file that was at `path` goes on as `older` (file_replace_keeping). */
enum gm_code archive_save_keeping(struct archive *a, const char *path, const char *older, struct gm_error *err);

/* ---- reading ---- */
/* The whole file is read into memory, at most 4 GiB. GM_NO_INPUT, GM_DENIED, GM_IO, GM_BAD_DATA when it is not HDF5 or
 * damaged. */
enum gm_code archive_open(struct archive **out, const char *path, struct gm_error *err);
/* The same for files that nobody but us writes: one without the checksum at its end is damaged too. */
enum gm_code archive_open_sealed(struct archive **out, const char *path, struct gm_error *err);
bool archive_has(const struct archive *a, const char *name); /* an array */
bool archive_has_attribute(const struct archive *a, const char *name);
/* Read an array, converted to `type`; memory_free *data. GM_BAD_DATA when missing, of another kind, or its rank differs
 * from shape->rank (shape->rank on entry: expected rank, 0: any; on return the shape). Not for text. */
enum gm_code archive_get(const struct archive *a, const char *name, enum archive_type type, struct archive_shape *shape,
                         void **data, struct gm_error *err);
enum gm_code archive_get_text(const struct archive *a, const char *name, char **text, struct gm_error *err);
enum gm_code archive_get_real(const struct archive *a, const char *name, double *value, struct gm_error *err);
enum gm_code archive_get_integer(const struct archive *a, const char *name, int64_t *value, struct gm_error *err);
/* memory_free each text, then the list. */
enum gm_code archive_get_texts(const struct archive *a, const char *name, char ***texts, size_t *count,
                               struct gm_error *err);

void archive_close(struct archive *a); /* NULL is fine */

#endif
