/* Where features, target, weights and groups are, by name or by convention. */
#include "data/find.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "data/data.h"
#include "data/listing.h"

static const char *const feature_names[] = {"X", "x", "data", "features", "images", NULL};
static const char *const target_names[] = {"y", "label", "labels", "target", "targets", NULL};

void place_release(struct place *place)
{
    memory_free(place->group);
    memory_free(place->name);
    *place = (struct place){0};
}

/* The group that holds `name`: "/a/X" -> "/a", "/X" -> "/". */
static enum gm_code parent_of(char **group, const char *name, struct gm_error *err)
{
    enum gm_code code = memory_string(group, name, err);
    if (code != GM_OK)
        return code;
    char *slash = strrchr(*group, '/');
    slash[slash == *group] = 0;
    return GM_OK;
}

static enum gm_code place_in_file(struct place *place, char *location, struct gm_error *err)
{
    size_t length = location ? strlen(location) : 0;
    while (length > 1 && location[length - 1] == '/')
        location[--length] = 0;
    if (length <= 1)
        return memory_string(&place->group, "/", err);
    hid_t object = H5Oopen(place->file->id, location, place->file->access);
    bool is_group = object >= 0 && H5Iget_type(object) == H5I_GROUP;
    if (object >= 0)
        H5Oclose(object);
    if (is_group)
        return memory_string(&place->group, location, err);
    hid_t dataset;
    enum gm_code code = h5_open_dataset(&dataset, place->file, location, err); /* for its error */
    if (code != GM_OK)
        return code;
    H5Dclose(dataset);
    code = memory_string(&place->name, location, err);
    return code == GM_OK ? parent_of(&place->group, location, err) : code;
}

enum gm_code place_open(struct place *place, struct h5_files *files, const char *where, struct gm_error *err)
{
    *place = (struct place){0};
    char *path = NULL, *location = NULL;
    enum gm_code code = data_split_name(where, &path, &location, err);
    if (code == GM_OK)
        code = h5_open(&place->file, files, path, err);
    if (code == GM_OK)
        code = place_in_file(place, location, err);
    memory_free(path);
    if (code != GM_OK)
        place_release(place);
    return code;
}

static enum gm_code set_name(struct place *place, const char *leaf, struct gm_error *err)
{
    size_t size = strlen(place->group) + strlen(leaf) + 2;
    enum gm_code code = memory_alloc((void **)&place->name, size, 1, "a dataset's name", err);
    if (code == GM_OK)
        snprintf(place->name, size, "%s/%s", strcmp(place->group, "/") == 0 ? "" : place->group, leaf);
    return code;
}

/* What stands under a name of the group: H5I_DATASET, H5I_GROUP, ... or H5I_BADID. */
static H5I_type_t kind_of(const struct place *place, hid_t group, const char *leaf)
{
    if (H5Lexists(group, leaf, place->file->access) <= 0)
        return H5I_BADID;
    hid_t object = H5Oopen(group, leaf, place->file->access);
    H5I_type_t kind = object >= 0 ? H5Iget_type(object) : H5I_DATASET; /* let opening it as a dataset tell why */
    if (object >= 0)
        H5Oclose(object);
    return kind;
}

enum gm_code find_named(struct place *place, const char *const *names, struct gm_error *err)
{
    hid_t group = H5Gopen2(place->file->id, place->group, H5P_DEFAULT);
    enum gm_code code = GM_OK;
    for (size_t i = 0; group >= 0 && names[i]; i++)
        if (kind_of(place, group, names[i]) == H5I_DATASET) {
            code = set_name(place, names[i], err);
            break;
        }
    if (group >= 0)
        H5Gclose(group);
    return code;
}

static enum gm_code say_candidates(const struct place *place, const struct listing *listing, const char *problem,
                                   struct gm_error *err)
{
    char text[640];
    return error_set(err, GM_BAD_DATA, "%s:%s: %s It holds %s.", place->file->path, place->group, problem,
                     listing_text(listing, text, sizeof text));
}

/* The only numeric dataset with `rank` dimensions (2: two or more), or NULL. */
static const struct listing_item *only_one(const struct listing *listing, size_t rank)
{
    const struct listing_item *only = NULL;
    size_t count = 0;
    for (size_t i = 0; i < listing->count; i++) {
        const struct listing_item *item = &listing->items[i];
        if (item->kind == H5_NUMBERS && (rank == 1 ? item->rank == 1 : item->rank >= 2)) {
            only = item;
            count++;
        }
    }
    return count == 1 && listing->more == 0 ? only : NULL;
}

enum gm_code find_features(struct place *place, struct gm_error *err)
{
    enum gm_code code = find_named(place, feature_names, err);
    if (code != GM_OK || place->name)
        return code;
    struct listing listing;
    code = listing_read(&listing, place->file, place->group, err);
    if (code != GM_OK)
        return code;
    const struct listing_item *only = only_one(&listing, 2);
    if (!only && listing.count == 1)
        only = only_one(&listing, 1); /* a file of its own for one feature */
    if (only)
        code = set_name(place, only->name, err);
    else
        code = say_candidates(place, &listing,
                              "no features found: none of X, x, data, features, images, and not one two-dimensional "
                              "dataset; name one as features: FILE.h5:/NAME.",
                              err);
    listing_release(&listing);
    return code;
}

/* Could it be the target of these features? */
static bool suits(const struct listing_item *item, const struct stored *features)
{
    const char *taken = strrchr(features->name, '/');
    static const char *const other_roles[] = {"weight", "weights", "sample_weight", "group",
                                              "groups", "qid",     "feature_names", "class_names"};
    for (size_t i = 0; i < sizeof other_roles / sizeof *other_roles; i++)
        if (strcmp(item->name, other_roles[i]) == 0)
            return false;
    return item->kind != H5_OTHER && item->rank == 1 && item->rows == features->rows &&
           strcmp(item->name, taken + 1) != 0;
}

enum gm_code find_target(struct place *place, const struct stored *features, bool required, struct gm_error *err)
{
    enum gm_code code = find_named(place, target_names, err);
    if (code != GM_OK || place->name)
        return code;
    struct listing listing;
    code = listing_read(&listing, place->file, place->group, err);
    if (code != GM_OK)
        return code;
    const struct listing_item *only = NULL;
    size_t count = 0;
    for (size_t i = 0; i < listing.count; i++)
        if (suits(&listing.items[i], features)) {
            only = &listing.items[i];
            count++;
        }
    if (count == 1 && listing.more == 0)
        code = set_name(place, only->name, err);
    else if (required)
        code =
            say_candidates(place, &listing,
                           count == 0 ? "no target found: none of y, label, labels, target, targets, and no dataset of "
                                        "one dimension with as many rows as the features; name one as target: "
                                        "FILE.h5:/NAME."
                                      : "several datasets could be the target; name one as target: FILE.h5:/NAME.",
                           err);
    listing_release(&listing);
    return code;
}
