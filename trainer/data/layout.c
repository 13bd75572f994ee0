/* How the values of one dataset lie in its file. */
#include "data/layout.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hdf5_lock.h"

static bool bands(struct layout *layout, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool bands(struct layout *layout, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(layout->reason, sizeof layout->reason, format, args);
    va_end(args);
    layout->io = DATA_IO_BANDS;
    return false;
}

/* Is the stored type the one in memory, up to the byte order? */
static bool plan_type(struct layout *layout, const struct stored *stored)
{
    hid_t base = H5Tget_class(stored->type) == H5T_ENUM ? H5Tget_super(stored->type) : H5Tcopy(stored->type);
    hid_t memory = H5Tcopy(stored->memory_type);
    bool same = base >= 0 && memory >= 0 && H5Tequal(base, memory) > 0;
    if (!same && base >= 0 && memory >= 0 && H5Tset_order(memory, H5Tget_order(base)) >= 0)
        layout->swapped = same = H5Tequal(base, memory) > 0;
    layout->value_bytes = base >= 0 ? H5Tget_size(base) : 0;
    if (memory >= 0)
        H5Tclose(memory);
    if (base >= 0)
        H5Tclose(base);
    return same || bands(layout, "its type needs HDF5's conversion");
}

static bool plan_contiguous(struct layout *layout, const struct stored *stored, hid_t plist)
{
    if (H5Pget_external_count(plist) > 0)
        return bands(layout, "its values are in another file");
    uint64_t all = (uint64_t)stored->rows * stored->row_bytes;
    if (H5Dget_storage_size(stored->dataset) < all) /* never written: no place in the file, and no true offset */
        return bands(layout, "it was never written");
    haddr_t offset = H5Dget_offset(stored->dataset);
    if (offset == HADDR_UNDEF)
        return bands(layout, "its place in the file is not known");
    layout->offset = offset;
    layout->as_is = !layout->swapped && offset % layout->value_bytes == 0;
    layout->io = DATA_IO_MAPPED;
    return true;
}

static bool plan_filters(struct layout *layout, hid_t plist)
{
    int count = H5Pget_nfilters(plist);
    if (count > LAYOUT_FILTERS_MOST)
        return bands(layout, "it has %d filters", count);
    size_t deflates = 0;
    for (unsigned i = 0; (int)i < count; i++) {
        unsigned flags, values[8] = {0};
        size_t n_values = sizeof values / sizeof *values;
        char name[64] = "";
        H5Z_filter_t filter = H5Pget_filter2(plist, i, &flags, &n_values, values, sizeof name, name, NULL);
        switch (filter) {
        case H5Z_FILTER_SHUFFLE:
            layout->filters[i] = LAYOUT_SHUFFLE;
            if (n_values < 1 || values[0] != layout->value_bytes)
                return bands(layout, "its shuffle filter is set for another type");
            break;
        case H5Z_FILTER_DEFLATE:
            layout->filters[i] = LAYOUT_DEFLATE;
            if (++deflates > 1)
                return bands(layout, "it is deflated twice");
            break;
        case H5Z_FILTER_FLETCHER32:
            layout->filters[i] = LAYOUT_FLETCHER32;
            break;
        default:
            return bands(layout, "it has the filter %s (%d)", *name ? name : "without a name", (int)filter);
        }
    }
    layout->n_filters = (size_t)count;
    return true;
}

static bool plan_chunks(struct layout *layout, const struct stored *stored, hid_t plist)
{
    hsize_t chunk[H5_RANK_MOST];
    unsigned options = 0;
    if (H5Pget_chunk(plist, H5_RANK_MOST, chunk) != (int)stored->rank || H5Pget_chunk_opts(plist, &options) < 0)
        return bands(layout, "its chunks cannot be described");
    layout->chunk_bytes = layout->value_bytes; /* stored_open has checked the product */
    for (size_t i = 0; i < stored->rank; i++) {
        layout->chunk[i] = (size_t)chunk[i];
        layout->chunk_bytes *= layout->chunk[i];
    }
    layout->raw_edges = options & H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS;
    if (!plan_filters(layout, plist))
        return false;
    layout->io = DATA_IO_CHUNKS;
    snprintf(layout->reason, sizeof layout->reason, "it is stored in chunks");
    return true;
}

void layout_plan(struct layout *layout, const struct stored *stored)
{
    *layout = (struct layout){.io = DATA_IO_BANDS};
    hdf5_lock();
    hid_t plist = H5Dget_create_plist(stored->dataset);
    if (plist < 0) {
        bands(layout, "its layout cannot be read");
    } else if (plan_type(layout, stored)) {
        H5D_layout_t kind = H5Pget_layout(plist);
        if (kind == H5D_CONTIGUOUS)
            plan_contiguous(layout, stored, plist);
        else if (kind == H5D_CHUNKED)
            plan_chunks(layout, stored, plist);
        else
            bands(layout, kind == H5D_COMPACT ? "it is stored inside its header" : "it is a view of other datasets");
    }
    if (plist >= 0)
        H5Pclose(plist);
    hdf5_unlock();
}
