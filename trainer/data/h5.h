/*
 * What the data room needs of HDF5, with our errors: files, types, lists of words.
 *
 * Callers hold hdf5_lock (base/hdf5_lock.h).
 */
#ifndef DATA_H5_H
#define DATA_H5_H

#include <stdbool.h>
#include <stddef.h>

#include <hdf5.h>

#include <gradmill/status.h>

#include "data/convert.h"

enum { H5_RANK_MOST = 8 };

/* What the stored values are. */
enum h5_kind { H5_NUMBERS, H5_WORDS, H5_OTHER };

/* The innermost message of HDF5's error stack: "truncated file: eof = 96 ...". "" when there is none. */
void h5_reason(char *text, size_t size);

/* The files of one dataset, each opened once. A zeroed struct is empty. */
enum { H5_FILES_MOST = 5 };
struct h5_file {
    char *path;
    hid_t id;
    hid_t access;        /* link access: refuses external links unless they are allowed */
    bool allow_external; /* external links and storage, virtual datasets */
};
struct h5_files {
    struct h5_file list[H5_FILES_MOST];
    size_t count;
    bool allow_external;
};
/* The file, opened for reading on first use; *out stays valid until h5_close. GM_NO_INPUT, GM_DENIED, GM_BAD_DATA (not
 * HDF5, damaged), GM_SYSTEM. */
enum gm_code h5_open(struct h5_file **out, struct h5_files *files, const char *path, struct gm_error *err);
void h5_close(struct h5_files *files);

/* Names that lead into another file are not followed with the link (or dataset) access list `access`. */
bool h5_refuse_external(hid_t access);

/* Open dataset `name`. GM_NO_INPUT (with the nearest name), GM_BAD_DATA (a group, a link into another file, damaged).
 */
enum gm_code h5_open_dataset(hid_t *dataset, const struct h5_file *file, const char *name, struct gm_error *err);

/* The kind of a stored type and, of H5_NUMBERS, the type its values have in memory. */
enum h5_kind h5_classify(hid_t type, enum data_type *out);

/* The type to hand to H5Dread so that values arrive as `type` in native byte order; H5Tclose it. Negative on failure.
 */
hid_t h5_memory_type(hid_t stored, enum data_type type);

/* "float32 [1797 x 64]" or "compound [10]". Returns text. */
char *h5_describe(hid_t dataset, char *text, size_t size);

/* Words of the attribute `name` of `object`, or, failing that, of a dataset `name` in group `object`: *out gets *count
 * strings, h5_free_words; *count is 0 and *out NULL when there is neither. GM_BAD_DATA when damaged, GM_SYSTEM. */
enum gm_code h5_words(char ***out, size_t *count, hid_t object, const char *name, struct gm_error *err);
void h5_free_words(char **words, size_t count); /* NULL is fine */

/* Names of an enumeration whose members are 0 .. n-1, in order of value; as h5_words. */
enum gm_code h5_enum_words(char ***out, size_t *count, hid_t type, struct gm_error *err);

#endif
