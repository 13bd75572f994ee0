/* One dataset of rows, read in the best way there is. */
#include "data/dataset.h"

void dataset_plan(struct dataset *dataset)
{
    if (dataset->stored.at)
        layout_plan(&dataset->layout, &dataset->stored);
}

enum gm_code dataset_open(struct dataset *dataset, int threads, struct gm_error *err)
{
    dataset->threads = threads;
    if (dataset->stored.at && !dataset->mapped.open && dataset->layout.io == DATA_IO_MAPPED)
        (void)mapped_open(&dataset->mapped, &dataset->stored, &dataset->layout); /* else HDF5 reads it */
    if (!dataset->stored.at || dataset->chunks || dataset->layout.io != DATA_IO_CHUNKS)
        return GM_OK;
    return chunks_open(&dataset->chunks, &dataset->stored, &dataset->layout, threads, err);
}

void dataset_rest(struct dataset *dataset)
{
    chunks_close(dataset->chunks);
    dataset->chunks = NULL;
    mapped_close(&dataset->mapped);
}

uint64_t dataset_bytes(const struct dataset *dataset, int threads)
{
    const struct stored *stored = &dataset->stored;
    if (stored->at && dataset->layout.io == DATA_IO_CHUNKS)
        return chunks_bytes(stored, &dataset->layout, 1, threads); /* ranges end within chunks */
    return stored->at && stored->band_bytes <= STORED_BAND_MOST ? stored->band_bytes : 0;
}

enum gm_code dataset_read(const struct dataset *dataset, size_t first, size_t count, void *to, struct gm_error *err)
{
    if (count == 0)
        return GM_OK;
    if (dataset->chunks)
        return chunks_read(dataset->chunks, first, count, to, err);
    if (dataset->mapped.open)
        return mapped_read(&dataset->mapped, (struct row_range){first, first + count}, dataset->threads, to, err);
    return stored_read(&dataset->stored, first, count, to, err);
}

enum gm_code dataset_beside(struct dataset *dataset, const struct stored *stored, struct gm_error *err)
{
    *dataset = (struct dataset){.stored = *stored};
    dataset_plan(dataset);
    return dataset->layout.n_filters > 0 ? dataset_open(dataset, 1, err) : GM_OK;
}
