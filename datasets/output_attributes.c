/* Attributes of output files: texts and numbers. */
#include <errno.h>

#include "datasets/output_inside.h"

#define ATTRIBUTE_BYTES ((size_t)60000) /* HDF5 holds attributes of 64 KiB less a header in the object */

static hid_t text_type(void)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

/* An attribute of `type` in `space`; takes both over. */
static enum gm_code put_attribute(struct output *out, const char *const at[2], hid_t type, hid_t space,
                                  const void *value, struct gm_error *err)
{
    errno = 0;
    hid_t memory = H5Tget_class(type) == H5T_INTEGER ? H5Tcopy(H5T_NATIVE_UINT64) : H5Tcopy(type);
    hid_t id = H5Acreate_by_name(out->id, at[0], at[1], type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    herr_t status = id < 0 ? -1 : H5Awrite(id, memory, value);
    if (id >= 0)
        H5Aclose(id);
    H5Tclose(memory);
    H5Tclose(type);
    H5Sclose(space);
    return status < 0 ? output_failed(out, at[1], err) : GM_OK;
}

enum gm_code output_text(struct output *out, const char *where, const char *name, const char *text,
                         struct gm_error *err)
{
    return put_attribute(out, (const char *const[]){where, name}, text_type(), H5Screate(H5S_SCALAR), &text, err);
}

enum gm_code output_number(struct output *out, const char *where, const char *name, uint64_t value,
                           struct gm_error *err)
{
    return put_attribute(out, (const char *const[]){where, name}, H5Tcopy(H5T_STD_U64LE), H5Screate(H5S_SCALAR), &value,
                         err);
}

enum gm_code output_numbers(struct output *out, const char *where, const char *name, const uint64_t *values,
                            size_t count, struct gm_error *err)
{
    hsize_t n = count;
    return put_attribute(out, (const char *const[]){where, name}, H5Tcopy(H5T_STD_U64LE), H5Screate_simple(1, &n, NULL),
                         values, err);
}

enum gm_code output_texts(struct output *out, const char *name, const char *const *texts, size_t count,
                          struct gm_error *err)
{
    hsize_t n = count;
    hid_t type = text_type(), space = H5Screate_simple(1, &n, NULL);
    if (count * 16 <= ATTRIBUTE_BYTES) /* a variable-length string takes 16 bytes in the attribute */
        return put_attribute(out, (const char *const[]){"/", name}, type, space, texts, err);
    hid_t storage = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(storage, false);
    errno = 0;
    hid_t id = H5Dcreate2(out->id, name, type, space, H5P_DEFAULT, storage, H5P_DEFAULT);
    herr_t status = id < 0 ? -1 : H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts);
    if (id >= 0)
        H5Dclose(id);
    H5Pclose(storage);
    H5Tclose(type);
    H5Sclose(space);
    return status < 0 ? output_failed(out, name, err) : GM_OK;
}
