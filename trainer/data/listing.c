/* What a group holds. */
#include "data/listing.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

struct walk {
    struct listing *listing;
    const struct h5_file *file;
    struct gm_error *err;
    enum gm_code code;
};

static herr_t add_item(hid_t group, const char *name, const H5L_info_t *info, void *context)
{
    (void)info;
    struct walk *walk = context;
    struct listing *listing = walk->listing;
    hid_t object = H5Oopen(group, name, walk->file->access);
    if (object < 0)
        return 0; /* a link that leads nowhere, or out of the file */
    if (H5Iget_type(object) == H5I_DATASET && listing->count == LISTING_MOST) {
        listing->more++;
    } else if (H5Iget_type(object) == H5I_DATASET) {
        struct listing_item *item = &listing->items[listing->count];
        enum data_type unused;
        hid_t type = H5Dget_type(object), space = H5Dget_space(object);
        hsize_t dims[H5S_MAX_RANK] = {0};
        int rank = H5Sget_simple_extent_dims(space, dims, NULL);
        item->kind = h5_classify(type, &unused);
        item->rank = rank > 0 ? (size_t)rank : 0;
        item->rows = (size_t)dims[0];
        h5_describe(object, item->about, sizeof item->about);
        H5Sclose(space);
        H5Tclose(type);
        walk->code = memory_string(&item->name, name, walk->err);
        listing->count += walk->code == GM_OK;
    }
    H5Oclose(object);
    return walk->code == GM_OK ? 0 : -1;
}

enum gm_code listing_read(struct listing *listing, const struct h5_file *file, const char *group, struct gm_error *err)
{
    *listing = (struct listing){.count = 0};
    struct walk walk = {listing, file, err, GM_OK};
    hsize_t position = 0;
    herr_t status =
        H5Literate_by_name(file->id, group, H5_INDEX_NAME, H5_ITER_INC, &position, add_item, &walk, file->access);
    if (walk.code == GM_OK && status < 0)
        walk.code =
            error_set(err, GM_BAD_DATA, "%s:%s: the group cannot be listed: the file is damaged.", file->path, group);
    if (walk.code != GM_OK)
        listing_release(listing);
    return walk.code;
}

void listing_release(struct listing *listing)
{
    for (size_t i = 0; i < listing->count; i++)
        memory_free(listing->items[i].name);
    listing->count = 0;
}

char *listing_text(const struct listing *listing, char *text, size_t size)
{
    size_t length = 0;
    text[0] = 0;
    if (listing->count == 0)
        snprintf(text, size, "no dataset");
    for (size_t i = 0; i < listing->count; i++) {
        const struct listing_item *item = &listing->items[i];
        size_t left = listing->count - i + listing->more, need = strlen(item->name) + strlen(item->about) + 24;
        if (length + need > size) {
            snprintf(text + length, size - length, " and %zu more", left);
            break;
        }
        length += (size_t)snprintf(text + length, size - length, "%s'%s' %s", i ? ", " : "", item->name, item->about);
    }
    return text;
}
