/* From a name in a file to an open dataset, with an answer to every way that can fail. See h5.h. */
#include "data/h5.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

enum { NAMES_MOST = 256 };

struct names {
    char *list[NAMES_MOST];
    size_t count;
};

static herr_t add_name(hid_t group, const char *name, const H5L_info_t *info, void *context)
{
    (void)group, (void)info;
    struct names *names = context;
    if (names->count == NAMES_MOST || memory_string(&names->list[names->count], name, NULL) != GM_OK)
        return 1;
    names->count++;
    return 0;
}

/* The name in the same group that was perhaps meant. */
static const char *find_nearest(struct names *names, const struct h5_file *file, const char *name)
{
    const char *slash = strrchr(name, '/');
    char *parent = NULL;
    if (memory_string(&parent, name, NULL) != GM_OK)
        return NULL;
    parent[slash ? slash - name : 0] = 0;
    hsize_t position = 0;
    H5Literate_by_name(file->id, *parent ? parent : "/", H5_INDEX_NAME, H5_ITER_NATIVE, &position, add_name, names,
                       file->access);
    memory_free(parent);
    return text_nearest(slash ? slash + 1 : name, (const char *const *)names->list, names->count);
}

static enum gm_code say_missing(const struct h5_file *file, const char *name, struct gm_error *err)
{
    struct names names = {0};
    const char *nearest = find_nearest(&names, file, name);
    enum gm_code code = nearest ? error_set(err, GM_NO_INPUT, "%s: there is no dataset '%s'; did you mean '%s'?",
                                            file->path, name, nearest)
                                : error_set(err, GM_NO_INPUT, "%s: there is no dataset '%s'.", file->path, name);
    for (size_t i = 0; i < names.count; i++)
        memory_free(names.list[i]);
    return code;
}

enum found { FOUND_NOTHING, FOUND_OBJECT, FOUND_EXTERNAL };

/* What stands at the path, looked at link by link: soft links are left to HDF5, whose access list refuses external
 * ones. */
static enum found look(const struct h5_file *file, const char *name)
{
    char *path = NULL;
    if (memory_string(&path, name, NULL) != GM_OK)
        return FOUND_NOTHING;
    enum found found = FOUND_NOTHING;
    for (char *end = path;;) {
        end = strchr(end + 1, '/');
        if (end)
            *end = 0;
        H5L_info_t info;
        bool there = H5Lget_info(file->id, path, &info, file->access) >= 0;
        found = !there ? FOUND_NOTHING : info.type == H5L_TYPE_EXTERNAL ? FOUND_EXTERNAL : FOUND_OBJECT;
        if (!end || found != FOUND_OBJECT)
            break;
        *end = '/';
    }
    memory_free(path);
    return found;
}

static enum gm_code say_why(const struct h5_file *file, const char *name, const char *reason, struct gm_error *err)
{
    switch (look(file, name)) {
    case FOUND_NOTHING:
        return say_missing(file, name, err);
    case FOUND_EXTERNAL:
        if (!file->allow_external)
            return error_set(
                err, GM_BAD_DATA,
                "%s: '%s' is a link into another file, which is refused unless data.allow_external is set.", file->path,
                name);
        return error_set(err, GM_NO_INPUT, "%s: '%s' is a link into another file that cannot be followed (HDF5: %s).",
                         file->path, name, reason);
    case FOUND_OBJECT:
        break;
    }
    return error_set(err, GM_BAD_DATA, "%s: '%s' cannot be opened: a link that leads nowhere, or damage (HDF5: %s).",
                     file->path, name, reason);
}

enum gm_code h5_open_dataset(hid_t *dataset, const struct h5_file *file, const char *name, struct gm_error *err)
{
    *dataset = -1;
    hid_t object = H5Oopen(file->id, name, file->access);
    if (object < 0) {
        char reason[256];
        h5_reason(reason, sizeof reason);
        return say_why(file, name, reason, err);
    }
    if (H5Iget_type(object) != H5I_DATASET) {
        H5Oclose(object);
        return error_set(err, GM_BAD_DATA, "%s: '%s' is not a dataset.", file->path, name);
    }
    *dataset = object;
    return GM_OK;
}
