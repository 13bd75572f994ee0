/* Opening an array or attribute of an archive. Nothing the file says is believed before it is checked. */
#include "archive_inside.h"

#include "base/memory.h"

#define TEXT_PLACE_BYTES 16 /* of a variable-length text in a dataset: length, address, index */

void holding_release(struct holding *h)
{
    if (h->space >= 0)
        H5Sclose(h->space);
    if (h->type >= 0)
        H5Tclose(h->type);
    if (h->object >= 0)
        h->attribute ? H5Aclose(h->object) : H5Dclose(h->object);
}

/* Shape and size, or false when they are not those of anything an archive holds. */
static bool measure(struct holding *h)
{
    hsize_t dims[H5S_MAX_RANK];
    int rank = H5Sget_simple_extent_type(h->space) == H5S_NULL ? -1 : H5Sget_simple_extent_ndims(h->space);
    if (rank < 0 || rank > ARCHIVE_RANK || H5Sget_simple_extent_dims(h->space, dims, NULL) < 0)
        return false;
    h->size = H5Tget_size(h->type);
    h->count = 1;
    h->shape.rank = (size_t)rank;
    for (int i = 0; i < rank; i++) {
        h->shape.dims[i] = dims[i];
        if (dims[i] > ARCHIVE_BYTES_MOST || !memory_product(h->count, dims[i], &h->count))
            return false;
    }
    size_t bytes;
    return h->size > 0 && memory_product(h->count, h->size, &bytes) && bytes <= ARCHIVE_BYTES_MOST;
}

static bool filters_are_built_in(hid_t how)
{
    int filters = H5Pget_nfilters(how);
    for (int i = 0; i < filters; i++) {
        size_t values = 0;
        unsigned flags, config;
        H5Z_filter_t filter = H5Pget_filter2(how, (unsigned)i, &flags, &values, NULL, 0, NULL, &config);
        if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE && filter != H5Z_FILTER_FLETCHER32)
            return false;
    }
    return filters >= 0;
}

/* Contiguous data must be there in full; filters must be ones that are built in, so that no file chooses code to load;
 * nothing is read from other files. */
static bool storage_is_plain(const struct holding *h)
{
    hid_t how = H5Dget_create_plist(h->object);
    if (how < 0)
        return false;
    H5D_layout_t layout = H5Pget_layout(how);
    size_t place = H5Tis_variable_str(h->type) > 0 ? TEXT_PLACE_BYTES : h->size;
    bool whole = H5Dget_storage_size(h->object) == h->count * place;
    bool plain = layout == H5D_CONTIGUOUS || layout == H5D_COMPACT ? whole : layout == H5D_CHUNKED;
    plain = plain && H5Pget_external_count(how) == 0 && filters_are_built_in(how);
    H5Pclose(how);
    return plain;
}

bool holding_open_array(struct holding *h, const struct archive *a, const char *name)
{
    *h = (struct holding){H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID, .attribute = false};
    if (!archive_walk(a, name, WAY_FIND) || (h->object = H5Dopen2(a->file, name, H5P_DEFAULT)) < 0)
        return false;
    h->type = H5Dget_type(h->object);
    h->space = H5Dget_space(h->object);
    return h->type >= 0 && h->space >= 0 && measure(h) && (h->count == 0 || storage_is_plain(h));
}

bool holding_open_attribute(struct holding *h, const struct archive *a, const char *name)
{
    *h = (struct holding){H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID, .attribute = true};
    if (H5Aexists(a->file, name) <= 0 || (h->object = H5Aopen(a->file, name, H5P_DEFAULT)) < 0)
        return false;
    h->type = H5Aget_type(h->object);
    h->space = H5Aget_space(h->object);
    return h->type >= 0 && h->space >= 0 && measure(h);
}

bool holding_read(const struct holding *h, void *buffer)
{
    if (h->count == 0)
        return true;
    return (h->attribute ? H5Aread(h->object, h->type, buffer)
                         : H5Dread(h->object, h->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer)) >= 0;
}
