/* Arrays and attributes into an archive. */
#include "archive_inside.h"

#include "base/error.h"
#include "base/hdf5_lock.h"

#define ATTRIBUTE_TEXTS_MOST 3500 /* an attribute has 64 KiB, a text's place in it 16 bytes */

static enum gm_code put_failed(const struct archive *a, const char *name, struct gm_error *err)
{
    return error_set(err, GM_SYSTEM, "%s: HDF5 could not add \"%s\": out of memory, or it is there already.", a->name,
                     name);
}

static hid_t make_space(const struct archive_shape *shape)
{
    hsize_t dims[ARCHIVE_RANK];
    if (shape->rank == 0)
        return H5Screate(H5S_SCALAR);
    for (size_t i = 0; i < shape->rank; i++)
        dims[i] = shape->dims[i];
    return H5Screate_simple((int)shape->rank, dims, NULL);
}

static hid_t make_dataset(hid_t file, const char *name, hid_t type, hid_t space)
{
    hid_t how = H5Pcreate(H5P_DATASET_CREATE), set = H5I_INVALID_HID;
    if (how >= 0 && H5Pset_obj_track_times(how, false) >= 0)
        set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, how, H5P_DEFAULT);
    if (how >= 0)
        H5Pclose(how);
    return set;
}

/* A small attribute of one type in memory and in the file. */
static bool put_attribute(hid_t object, const char *name, hid_t stored, hid_t native, const void *value)
{
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = space < 0 ? space : H5Acreate2(object, name, stored, space, H5P_DEFAULT, H5P_DEFAULT);
    bool done = attribute >= 0 && H5Awrite(attribute, native, value) >= 0;
    if (attribute >= 0)
        H5Aclose(attribute);
    if (space >= 0)
        H5Sclose(space);
    return done;
}

enum gm_code archive_put(struct archive *a, const char *name, enum archive_type type, const struct archive_shape *shape,
                         const void *data, struct gm_error *err)
{
    bool text = type == ARCHIVE_TEXT, done = false;
    hdf5_lock();
    hid_t texts = text ? archive_text_type() : H5I_INVALID_HID;
    hid_t stored = text ? texts : archive_stored_type(type), native = text ? texts : archive_native_type(type);
    hid_t space = shape->rank <= ARCHIVE_RANK ? make_space(shape) : H5I_INVALID_HID, set = H5I_INVALID_HID;
    if (space >= 0 && stored >= 0 && archive_walk(a, name, WAY_MAKE))
        set = make_dataset(a->file, name, stored, space);
    if (set >= 0) {
        done =
            H5Sget_simple_extent_npoints(space) == 0 || H5Dwrite(set, native, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
        H5Dclose(set);
    }
    if (space >= 0)
        H5Sclose(space);
    if (texts >= 0)
        H5Tclose(texts);
    hdf5_unlock();
    return done ? GM_OK : put_failed(a, name, err);
}

enum gm_code archive_put_text(struct archive *a, const char *name, const char *text, struct gm_error *err)
{
    hdf5_lock();
    hid_t type = archive_text_type();
    bool done = type >= 0 && put_attribute(a->file, name, type, type, &text);
    if (type >= 0)
        H5Tclose(type);
    hdf5_unlock();
    return done ? GM_OK : put_failed(a, name, err);
}

enum gm_code archive_put_real(struct archive *a, const char *name, double value, struct gm_error *err)
{
    hdf5_lock();
    bool done = put_attribute(a->file, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
    hdf5_unlock();
    return done ? GM_OK : put_failed(a, name, err);
}

enum gm_code archive_put_integer(struct archive *a, const char *name, int64_t value, struct gm_error *err)
{
    hdf5_lock();
    bool done = put_attribute(a->file, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
    hdf5_unlock();
    return done ? GM_OK : put_failed(a, name, err);
}

enum gm_code archive_put_texts(struct archive *a, const char *name, const char *const *texts, size_t count,
                               struct gm_error *err)
{
    const struct archive_shape shape = {1, {count}};
    if (count > ATTRIBUTE_TEXTS_MOST)
        return archive_put(a, name, ARCHIVE_TEXT, &shape, texts, err);
    hdf5_lock();
    hid_t type = archive_text_type(), space = make_space(&shape), attribute = H5I_INVALID_HID;
    if (type >= 0 && space >= 0)
        attribute = H5Acreate2(a->file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool done = attribute >= 0 && (count == 0 || H5Awrite(attribute, type, texts) >= 0);
    if (attribute >= 0)
        H5Aclose(attribute);
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    hdf5_unlock();
    return done ? GM_OK : put_failed(a, name, err);
}
