/* Reading everything of a file that may be damaged, in a child process: what crashes or hangs HDF5 there is refused. */
#include <string.h>

#include "archive_inside.h"

#include "base/error.h"
#include "base/hdf5_lock.h"
#include "base/memory.h"
#include "base/probe.h"

struct attempt {
    const struct archive *archive;
    const void *bytes;
    size_t size;
};

/* Every array that an archive could hold is read once. */
static herr_t try_object(hid_t group, const char *name, const H5O_info_t *info, void *context)
{
    struct archive *a = context;
    struct holding h;
    struct gm_error unused;
    void *buffer = NULL;
    (void)group;
    if (info->type != H5O_TYPE_DATASET)
        return 0;
    if (holding_open_array(&h, a, name) && memory_alloc(&buffer, h.count, h.size, name, &unused) == GM_OK &&
        holding_read(&h, buffer) && H5Tis_variable_str(h.type) > 0 && h.count)
        H5Dvlen_reclaim(h.type, h.space, H5P_DEFAULT, buffer);
    memory_free(buffer);
    holding_release(&h);
    return 0;
}

static herr_t try_attribute(hid_t object, const char *name, const H5A_info_t *info, void *context)
{
    struct archive *a = context;
    struct gm_error unused;
    char **texts = NULL;
    size_t count = 0;
    double number;
    (void)object, (void)info;
    if (archive_get_texts(a, name, &texts, &count, &unused) != GM_OK)
        (void)archive_get_real(a, name, &number, &unused);
    return 0; /* in a process that ends now: nothing is freed */
}

static enum gm_code try_everything(void *context, struct gm_error *err)
{
    const struct attempt *attempt = context;
    struct archive a = *attempt->archive;
    void *copy = NULL;
    enum gm_code code = memory_alloc(&copy, attempt->size, 1, a.name, err);
    if (code)
        return code;
    memcpy(copy, attempt->bytes, attempt->size);
    hdf5_lock();
    a.file = archive_open_image(&a, &copy, attempt->size);
    bool good = a.file >= 0 && H5Ovisit(a.file, H5_INDEX_NAME, H5_ITER_NATIVE, try_object, &a) >= 0;
    hsize_t start = 0;
    if (good)
        H5Aiterate2(a.file, H5_INDEX_NAME, H5_ITER_NATIVE, &start, try_attribute, &a);
    hdf5_unlock();
    return good ? GM_OK : error_set(err, GM_BAD_DATA, "%s: is not an HDF5 file, or is damaged.", a.name);
}

enum gm_code archive_try(const struct archive *a, const void *bytes, size_t size, struct gm_error *err)
{
    struct attempt attempt = {a, bytes, size};
    return probe_run(try_everything, &attempt, a->name, err);
}
