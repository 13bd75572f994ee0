/* Reading rows of a chunked dataset on all threads. */
#include "data/chunks.h"

#include <omp.h>
#include <pthread.h>
#include <string.h>

#include "base/error.h"
#include "base/hdf5_lock.h"
#include "base/memory.h"
#include "base/pulse.h"
#include "base/size.h"
#include "data/bytes_at.h"
#include "data/decode.h"
#include "data/failure.h"
#include "data/fresh.h"
#include "data/kernels.h"
#include "data/placed.h"
#include "data/places.h"

#define NO_BAND     SIZE_MAX
#define LINE_BYTES  ((size_t)64)
#define GROUP_BYTES ((size_t)2 << 20)
#define EXTRA_BYTES ((size_t)256) /* checksums, and what deflate adds to a small chunk that does not compress */

struct worker {
    struct decoder decoder;
    unsigned char *raw;   /* [room] */
    unsigned char *tiles; /* [group x chunk_bytes] decoded chunks that do not go to their rows directly */
    size_t room;
    struct gm_error err;
};

struct chunks {
    const struct stored *stored;
    const struct layout *layout;
    struct places places; /* of chunks without filters that are not for `placed` */
    bool has_places;
    struct placed *placed; /* reads everything, without workers, where there are no filters; NULL: it cannot */
    size_t tiles;          /* chunks side by side in a band */
    size_t group;          /* of them that one thread decodes before they are joined to rows */
    bool full_width;       /* a chunk holds whole rows */
    bool joins;            /* chunks are side by side in one dimension only */
    size_t band_index;     /* what `band` holds, or NO_BAND */
    unsigned char *band;
    pthread_mutex_t lock; /* protects band and workers: one read at a time */
    int threads;
    struct worker workers[];
};

/* Bands [first, end) are wanted; `to` is where the first row of band `first` goes. */
struct request {
    size_t first, end;
    unsigned char *to;
    struct fresh *fresh;
};

static bool joins_of(const struct stored *stored, const struct layout *layout)
{
    bool joins = stored->rank > 1;
    for (size_t i = 2; i < stored->rank; i++)
        joins = joins && layout->chunk[i] == stored->dims[i];
    return joins;
}

/* Narrow chunks go to their rows together, so many that they fill lines of the cache. */
static size_t group_of(const struct stored *stored, const struct layout *layout)
{
    size_t run = layout->chunk_bytes / layout->chunk[0];
    if (!joins_of(stored, layout) || run >= LINE_BYTES)
        return 1;
    size_t group = size_least(LINE_BYTES / run, (stored->dims[1] - 1) / layout->chunk[1] + 1);
    return group * layout->chunk_bytes <= GROUP_BYTES ? group : 1;
}

/* Chunks without filters that are not for `placed`. */
static bool needs_places(const struct stored *stored, const struct layout *layout)
{
    return layout->n_filters == 0 && !placed_fits(stored, layout);
}

static enum gm_code init_worker(struct worker *worker, const struct chunks *chunks, struct gm_error *err)
{
    const struct layout *layout = chunks->layout;
    worker->room = layout->chunk_bytes + layout->chunk_bytes / 8 + EXTRA_BYTES;
    enum gm_code code = decoder_init(&worker->decoder, layout, err);
    if (code == GM_OK)
        code = memory_alloc((void **)&worker->raw, worker->room, 1, "a stored chunk", err);
    if (code == GM_OK)
        code = memory_alloc((void **)&worker->tiles, layout->chunk_bytes, chunks->group, "a chunk", err);
    return code;
}

enum gm_code chunks_open(struct chunks **out, const struct stored *stored, const struct layout *layout, int threads,
                         struct gm_error *err)
{
    *out = NULL;
    struct chunks *chunks = NULL;
    size_t n = threads > 0 ? (size_t)threads : 1;
    enum gm_code code = memory_alloc((void **)&chunks, 1, sizeof *chunks + n * sizeof(struct worker), "chunks", err);
    if (code != GM_OK)
        return code;
    chunks->stored = stored;
    chunks->layout = layout;
    chunks->band_index = NO_BAND;
    chunks->threads = (int)n;
    chunks->tiles = 1;
    chunks->group = group_of(stored, layout);
    chunks->joins = joins_of(stored, layout);
    chunks->full_width = true;
    for (size_t i = 1; i < stored->rank; i++) {
        chunks->tiles *= (stored->dims[i] - 1) / layout->chunk[i] + 1;
        chunks->full_width = chunks->full_width && layout->chunk[i] == stored->dims[i];
    }
    pthread_mutex_init(&chunks->lock, NULL);
    if (placed_fits(stored, layout))
        code = placed_open(&chunks->placed, stored, layout, (int)n, err);
    if (code == GM_OK && needs_places(stored, layout))
        chunks->has_places = places_open(&chunks->places, stored, layout);
    for (size_t i = 0; code == GM_OK && !chunks->placed && i < n; i++)
        code = init_worker(&chunks->workers[i], chunks, err);
    if (code == GM_OK)
        *out = chunks;
    else
        chunks_close(chunks);
    return code;
}

void chunks_close(struct chunks *chunks)
{
    if (!chunks)
        return;
    for (int i = 0; i < chunks->threads; i++) {
        decoder_release(&chunks->workers[i].decoder);
        memory_free(chunks->workers[i].raw);
        memory_free(chunks->workers[i].tiles);
    }
    memory_free(chunks->band);
    placed_close(chunks->placed);
    if (chunks->has_places)
        places_close(&chunks->places);
    pthread_mutex_destroy(&chunks->lock);
    memory_free(chunks);
}

uint64_t chunks_bytes(const struct stored *stored, const struct layout *layout, size_t window_rows, int threads)
{
    uint64_t worker =
        (2 + (uint64_t)group_of(stored, layout)) * layout->chunk_bytes + layout->chunk_bytes / 8 + EXTRA_BYTES;
    uint64_t band = window_rows % layout->chunk[0] ? (uint64_t)layout->chunk[0] * stored->row_bytes : 0;
    uint64_t bytes = worker * (uint64_t)(threads > 0 ? threads : 1) + band;
    if (needs_places(stored, layout))
        bytes += 3 * (uint64_t)layout->chunk_bytes; /* while their places are looked for */
    uint64_t placed = placed_fits(stored, layout) ? placed_bytes(stored, layout, threads) : 0;
    return bytes > placed ? bytes : placed; /* which of them is known when the file is opened for reading */
}

static enum gm_code fail(struct worker *worker, enum gm_code code, const struct chunks *chunks, size_t row,
                         const char *why)
{
    return error_set(&worker->err, code, "%s: the chunk at row %zu cannot be read: %s.", chunks->stored->at, row, why);
}

/* The same of a chunk without filters, by its place: H5Dread_chunk would read as much as the file says, which is not
 * told before. */
static enum gm_code fetch_placed(struct worker *worker, const struct chunks *chunks, const hsize_t *start,
                                 struct decode_chunk *chunk)
{
    size_t size = chunks->layout->chunk_bytes;
    hdf5_lock();
    uint64_t at = chunks->has_places ? places_find(&chunks->places, start) : PLACE_NONE;
    hdf5_unlock();
    if (at == PLACE_WRONG)
        return fail(worker, GM_BAD_DATA, chunks, (size_t)start[0], "a chunk has the wrong size");
    if (at == PLACE_NONE || bytes_at(chunks->places.fd, at, size, worker->raw) != 0)
        size = 0;
    *chunk = (struct decode_chunk){worker->raw, size, worker->room, 0, chunk->raw};
    return GM_OK;
}

/* The stored bytes of the chunk at `start`. chunk->size is 0 when HDF5 does not hand them out: a chunk that was never
 * written, as a rule, where versions differ in what they say. */
static enum gm_code fetch(struct worker *worker, const struct chunks *chunks, const hsize_t *start,
                          struct decode_chunk *chunk)
{
    hsize_t size = 0;
    enum gm_code code = GM_OK;
    if (chunks->layout->n_filters == 0)
        return fetch_placed(worker, chunks, start, chunk);
    hdf5_lock();
    if (H5Dget_chunk_storage_size(chunks->stored->dataset, start, &size) < 0)
        size = 0;
    if (size > worker->room)
        code = fail(worker, GM_BAD_DATA, chunks, (size_t)start[0], "it is stored larger than it can be");
    else if (size > 0 && H5Dread_chunk(chunks->stored->dataset, H5P_DEFAULT, start, &chunk->mask, worker->raw) < 0)
        size = 0;
    hdf5_unlock();
    pulse_progress(&pulse_disk);
    *chunk = (struct decode_chunk){worker->raw, (size_t)size, worker->room, chunk->mask, chunk->raw};
    return code;
}

/* Copy the part of a decoded chunk that lies within the dataset, from dimension `level` on. */
static void place(const struct chunks *chunks, const hsize_t *start, size_t level, const unsigned char *from,
                  unsigned char *to)
{
    const struct stored *stored = chunks->stored;
    const struct layout *layout = chunks->layout;
    size_t n = size_least(layout->chunk[level], stored->dims[level] - (size_t)start[level]), last = stored->rank - 1;
    size_t step_from = layout->value_bytes, step_to = layout->value_bytes;
    for (size_t i = level + 1; i < stored->rank; i++) {
        step_from *= layout->chunk[i];
        step_to *= stored->dims[i];
    }
    to += (level ? (size_t)start[level] : 0) * step_to;
    if (level == last) {
        memcpy(to, from, n * layout->value_bytes);
    } else if (level + 1 == last) {
        size_t run = size_least(layout->chunk[last], stored->dims[last] - (size_t)start[last]) * layout->value_bytes;
        const struct bytes_join join = {from,    0,  step_from, n, to + (size_t)start[last] * layout->value_bytes,
                                        step_to, run};
        KERNEL_PICK(bytes_join, kernels_isa())(&join);
    } else {
        for (size_t i = 0; i < n; i++)
            place(chunks, start, level + 1, from + i * step_from, to + i * step_to);
    }
}

static bool reaches_over_the_edge(const struct chunks *chunks, const hsize_t *start)
{
    for (size_t i = 0; i < chunks->stored->rank; i++)
        if ((size_t)start[i] + chunks->layout->chunk[i] > chunks->stored->dims[i])
            return true;
    return false;
}

/* Where chunk `tile` of a band begins. */
static void set_start(const struct chunks *chunks, size_t band, size_t tile, hsize_t *start)
{
    const struct layout *layout = chunks->layout;
    start[0] = band * layout->chunk[0];
    for (size_t i = chunks->stored->rank; i-- > 1;) {
        size_t across = (chunks->stored->dims[i] - 1) / layout->chunk[i] + 1;
        start[i] = tile % across * layout->chunk[i];
        tile /= across;
    }
}

/* The chunk at `start` to `decoded` [chunk_bytes]. */
static enum gm_code decode_at(struct worker *worker, const struct chunks *chunks, const hsize_t *start,
                              unsigned char *decoded)
{
    const struct layout *layout = chunks->layout;
    struct decode_chunk chunk = {.raw = layout->raw_edges && reaches_over_the_edge(chunks, start)};
    enum gm_code code = fetch(worker, chunks, start, &chunk);
    if (code != GM_OK)
        return code;
    if (chunk.size == 0) { /* let HDF5 read it: the fill value, or an error that is worth telling */
        hsize_t count[H5_RANK_MOST];
        for (size_t i = 0; i < chunks->stored->rank; i++)
            count[i] = layout->chunk[i];
        return stored_read_block(chunks->stored, start, count, decoded, &worker->err);
    }
    const char *problem = decode_chunk(&worker->decoder, layout, &chunk, decoded);
    return problem ? fail(worker, GM_BAD_DATA, chunks, (size_t)start[0], problem) : GM_OK;
}

/* Group `task` of the request's chunks, counted band by band and tile by tile. */
static enum gm_code do_task(struct worker *worker, const struct chunks *chunks, const struct request *request,
                            size_t task)
{
    const struct layout *layout = chunks->layout;
    const struct stored *stored = chunks->stored;
    size_t groups = (chunks->tiles - 1) / chunks->group + 1, band = request->first + task / groups;
    size_t tile = task % groups * chunks->group, n = size_least(chunks->group, chunks->tiles - tile);
    unsigned char *to = request->to + (band - request->first) * layout->chunk[0] * stored->row_bytes;
    hsize_t start[H5_RANK_MOST];
    set_start(chunks, band, tile, start);
    bool direct = chunks->full_width && !reaches_over_the_edge(chunks, start);
    size_t run = layout->chunk_bytes / layout->chunk[0], rows = size_least(layout->chunk[0], stored->rows - start[0]);
    enum gm_code code = GM_OK;
    if (direct)
        fresh_touch(request->fresh, to, layout->chunk_bytes);
    for (size_t i = 0; code == GM_OK && i < n; i++) {
        set_start(chunks, band, tile + i, start);
        code = decode_at(worker, chunks, start, direct ? to : worker->tiles + i * layout->chunk_bytes);
    }
    if (code != GM_OK || direct)
        return code;
    fresh_touch(request->fresh, to, rows * stored->row_bytes);
    size_t at = tile * run;
    const struct bytes_join join = {.from = worker->tiles,
                                    .from_step = layout->chunk_bytes,
                                    .run = run,
                                    .rows = rows,
                                    .to = to + at,
                                    .to_step = stored->row_bytes,
                                    .bytes = size_least(n * run, stored->row_bytes - at)};
    if (chunks->joins)
        KERNEL_PICK(bytes_join, kernels_isa())(&join);
    else
        place(chunks, start, 0, worker->tiles, to);
    return GM_OK;
}

static enum gm_code do_request(struct chunks *chunks, struct request *request, struct gm_error *err)
{
    size_t tasks = (request->end - request->first) * ((chunks->tiles - 1) / chunks->group + 1);
    size_t height = chunks->layout->chunk[0];
    size_t rows = size_least(request->end * height, chunks->stored->rows) - request->first * height;
    struct failure failure;
    struct fresh fresh;
    failure_init(&failure);
    fresh_init(&fresh, request->to, rows * chunks->stored->row_bytes);
    request->fresh = &fresh;
#pragma omp parallel for num_threads(chunks->threads) schedule(dynamic, 1) if (tasks > 1)
    for (size_t task = 0; task < tasks; task++) {
        struct worker *worker = &chunks->workers[omp_get_thread_num()];
        if (!failure_before(&failure, task))
            failure_note(&failure, task, do_task(worker, chunks, request, task), &worker->err);
    }
    return failure_tell(&failure, err);
}

/* Rows of one band that the range covers in part, by way of the kept band. */
static enum gm_code read_part(struct chunks *chunks, size_t band, struct row_range rows, unsigned char *to,
                              struct gm_error *err)
{
    const struct stored *stored = chunks->stored;
    size_t height = chunks->layout->chunk[0], row_bytes = stored->row_bytes;
    enum gm_code code = GM_OK;
    if (chunks->band_index != band) {
        chunks->band_index = NO_BAND;
        if (!chunks->band)
            code = memory_alloc((void **)&chunks->band, size_least(height, stored->rows), row_bytes, "a band of chunks",
                                err);
        if (code == GM_OK)
            code = do_request(chunks, &(struct request){band, band + 1, chunks->band, NULL}, err);
        if (code != GM_OK)
            return code;
        chunks->band_index = band;
    }
    memcpy(to, chunks->band + (rows.first - band * height) * row_bytes, (rows.end - rows.first) * row_bytes);
    return GM_OK;
}

static enum gm_code read_range(struct chunks *chunks, struct row_range rows, unsigned char *to, struct gm_error *err)
{
    const struct stored *stored = chunks->stored;
    size_t height = chunks->layout->chunk[0], next = rows.first;
    enum gm_code code = GM_OK;
    while (code == GM_OK && next < rows.end) {
        size_t band = next / height, band_end = size_least((band + 1) * height, stored->rows);
        unsigned char *at = to + (next - rows.first) * stored->row_bytes;
        if (next == band * height && band_end <= rows.end) { /* whole bands, as many as there are */
            size_t end = rows.end == stored->rows ? (rows.end - 1) / height + 1 : rows.end / height;
            code = do_request(chunks, &(struct request){band, end, at, NULL}, err);
            next = size_least(end * height, stored->rows);
        } else {
            size_t end = size_least(band_end, rows.end);
            code = read_part(chunks, band, (struct row_range){next, end}, at, err);
            next = end;
        }
    }
    return code;
}

enum gm_code chunks_read(struct chunks *chunks, size_t first, size_t rows, void *to, struct gm_error *err)
{
    pthread_mutex_lock(&chunks->lock);
    enum gm_code code = chunks->placed ? placed_read(chunks->placed, first, rows, to, err)
                                       : read_range(chunks, (struct row_range){first, first + rows}, to, err);
    pthread_mutex_unlock(&chunks->lock);
    return code;
}
