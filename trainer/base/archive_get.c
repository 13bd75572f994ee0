/* Arrays, numbers and texts out of an archive. */
#include "archive_inside.h"

#include <string.h>

#include "base/error.h"
#include "base/hdf5_lock.h"
#include "base/memory.h"

static enum gm_code get_failed(const struct archive *a, const char *name, const char *why, struct gm_error *err)
{
    return error_set(err, GM_BAD_DATA, "%s: \"%s\" %s.", a->name, name, why);
}

static bool is_number(const struct holding *h, bool whole)
{
    H5T_class_t class = H5Tget_class(h->type);
    return class == H5T_INTEGER || (class == H5T_FLOAT && !whole);
}

bool archive_has(const struct archive *a, const char *name)
{
    hdf5_lock();
    hid_t set = archive_walk(a, name, WAY_FIND) ? H5Dopen2(a->file, name, H5P_DEFAULT) : H5I_INVALID_HID;
    if (set >= 0)
        H5Dclose(set);
    hdf5_unlock();
    return set >= 0;
}

bool archive_has_attribute(const struct archive *a, const char *name)
{
    hdf5_lock();
    bool has = H5Aexists(a->file, name) > 0;
    hdf5_unlock();
    return has;
}

/* ---- arrays ---- */

/* A number that does not fit its new type is an error, not the nearest one that does. */
static H5T_conv_ret_t stop_at_overflow(H5T_conv_except_t what, hid_t from, hid_t to, void *source, void *target,
                                       void *data)
{
    (void)from, (void)to, (void)source, (void)target, (void)data;
    return what == H5T_CONV_EXCEPT_RANGE_HI || what == H5T_CONV_EXCEPT_RANGE_LOW ? H5T_CONV_ABORT : H5T_CONV_UNHANDLED;
}

/* In place; an element has room for the larger of both types. */
static bool convert(const struct holding *h, hid_t native, void *buffer)
{
    hid_t how = H5Pcreate(H5P_DATASET_XFER);
    bool done = how >= 0 && H5Pset_type_conv_cb(how, stop_at_overflow, NULL) >= 0 &&
                H5Tconvert(h->type, native, h->count, buffer, NULL, how) >= 0;
    if (how >= 0)
        H5Pclose(how);
    return done;
}

static enum gm_code read_array(const struct archive *a, const char *name, const struct holding *h,
                               enum archive_type type, void **data, struct gm_error *err)
{
    hid_t native = archive_native_type(type);
    size_t size = H5Tget_size(native) > h->size ? H5Tget_size(native) : h->size;
    void *buffer;
    enum gm_code code = memory_alloc(&buffer, h->count, size, name, err);
    if (code != GM_OK)
        return code;
    if (!holding_read(h, buffer))
        code = get_failed(a, name, "cannot be read: the file is damaged", err);
    else if (h->count && !convert(h, native, buffer))
        code = get_failed(a, name, "holds a number that does not fit the type it is wanted in", err);
    if (code == GM_OK)
        *data = buffer;
    else
        memory_free(buffer);
    return code;
}

enum gm_code archive_get(const struct archive *a, const char *name, enum archive_type type, struct archive_shape *shape,
                         void **data, struct gm_error *err)
{
    struct holding h;
    enum gm_code code;
    hdf5_lock();
    *data = NULL;
    bool opened = holding_open_array(&h, a, name), whole = type != ARCHIVE_F64 && type != ARCHIVE_F32;
    if (h.object < 0)
        code = get_failed(a, name, "is not in this file", err);
    else if (!opened)
        code = get_failed(a, name, "is damaged, or stored in a way that is not accepted here", err);
    else if (type == ARCHIVE_TEXT || !is_number(&h, whole))
        code = get_failed(a, name, whole ? "does not hold whole numbers" : "does not hold numbers", err);
    else if (shape->rank && shape->rank != h.shape.rank)
        code = error_set(err, GM_BAD_DATA, "%s: \"%s\" has %zu dimensions where %zu are expected.", a->name, name,
                         h.shape.rank, shape->rank);
    else
        code = read_array(a, name, &h, type, data, err);
    if (code == GM_OK)
        *shape = h.shape;
    holding_release(&h);
    hdf5_unlock();
    return code;
}

/* ---- single numbers ---- */

static enum gm_code get_number(const struct archive *a, const char *name, bool whole, void *value, struct gm_error *err)
{
    struct holding h;
    enum gm_code code = GM_OK;
    hdf5_lock();
    union {
        unsigned char stored[32];
        double real;
        int64_t integer;
    } buffer;
    if (!holding_open_attribute(&h, a, name))
        code = get_failed(a, name, h.object < 0 ? "is not an attribute of this file" : "is damaged", err);
    else if (h.count != 1 || h.size > sizeof buffer || !is_number(&h, whole))
        code = get_failed(a, name, whole ? "is not a whole number" : "is not a number", err);
    else if (!holding_read(&h, &buffer) || !convert(&h, whole ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE, &buffer))
        code = get_failed(a, name, "cannot be read, or is too large a number", err);
    else
        memcpy(value, &buffer, sizeof buffer.real);
    holding_release(&h);
    hdf5_unlock();
    return code;
}

enum gm_code archive_get_real(const struct archive *a, const char *name, double *value, struct gm_error *err)
{
    return get_number(a, name, false, value, err);
}

enum gm_code archive_get_integer(const struct archive *a, const char *name, int64_t *value, struct gm_error *err)
{
    return get_number(a, name, true, value, err);
}

/* ---- texts ---- */

static void free_texts(char **texts, size_t count)
{
    for (size_t i = 0; texts && i < count; i++)
        memory_free(texts[i]);
    memory_free(texts);
}

/* Copies of texts that lie at fixed places, padded with zeros. */
static enum gm_code copy_fixed(const struct holding *h, const char *from, char **texts, struct gm_error *err)
{
    enum gm_code code = GM_OK;
    for (size_t i = 0; i < h->count && code == GM_OK; i++, from += h->size) {
        size_t length = strnlen(from, h->size);
        void *text;
        code = memory_alloc(&text, length + 1, 1, "a text", err);
        if (code == GM_OK)
            texts[i] = memcpy(text, from, length);
    }
    return code;
}

static enum gm_code copy_variable(const struct holding *h, char *const *from, char **texts, struct gm_error *err)
{
    enum gm_code code = GM_OK;
    for (size_t i = 0; i < h->count && code == GM_OK; i++)
        code = memory_string(&texts[i], from[i] ? from[i] : "", err);
    return code;
}

static enum gm_code read_texts(const struct archive *a, const char *name, const struct holding *h, char ***texts,
                               struct gm_error *err)
{
    void *buffer = NULL, *list = NULL;
    enum gm_code code = memory_alloc(&list, h->count, sizeof **texts, name, err);
    if (code == GM_OK)
        code = memory_alloc(&buffer, h->count, h->size, name, err);
    bool variable = H5Tis_variable_str(h->type) > 0;
    if (code == GM_OK && !holding_read(h, buffer))
        code = get_failed(a, name, "cannot be read: the file is damaged", err);
    else if (code == GM_OK)
        code = variable ? copy_variable(h, buffer, list, err) : copy_fixed(h, buffer, list, err);
    if (variable && buffer && h->count)
        H5Dvlen_reclaim(h->type, h->space, H5P_DEFAULT, buffer);
    memory_free(buffer);
    if (code == GM_OK)
        *texts = list;
    else
        free_texts(list, h->count);
    return code;
}

/* The attribute, or else the dataset "/<name>". */
enum gm_code archive_get_texts(const struct archive *a, const char *name, char ***texts, size_t *count,
                               struct gm_error *err)
{
    struct holding h;
    enum gm_code code;
    hdf5_lock();
    bool opened = H5Aexists(a->file, name) > 0 ? holding_open_attribute(&h, a, name) : holding_open_array(&h, a, name);
    *texts = NULL;
    *count = 0;
    if (h.object < 0)
        code = get_failed(a, name, "is not in this file", err);
    else if (!opened || H5Tget_class(h.type) != H5T_STRING)
        code = get_failed(a, name, opened ? "does not hold texts" : "is damaged", err);
    else
        code = read_texts(a, name, &h, texts, err);
    if (code == GM_OK)
        *count = h.count;
    holding_release(&h);
    hdf5_unlock();
    return code;
}

enum gm_code archive_get_text(const struct archive *a, const char *name, char **text, struct gm_error *err)
{
    char **texts;
    size_t count;
    *text = NULL;
    enum gm_code code = archive_get_texts(a, name, &texts, &count, err);
    if (code == GM_OK && count == 1) {
        *text = texts[0];
        texts[0] = NULL;
    } else if (code == GM_OK) {
        code = get_failed(a, name, "is not a single text", err);
    }
    free_texts(texts, count);
    return code;
}
