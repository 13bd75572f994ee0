/* Reading rows of chunks that have no filter. */
#include "data/placed.h"

#include <errno.h>
#include <omp.h>
#include <string.h>

#include "base/error.h"
#include "base/hdf5_lock.h"
#include "base/lanes.h"
#include "base/memory.h"
#include "base/size.h"
#include "data/bytes_at.h"
#include "data/failure.h"
#include "data/fresh.h"
#include "data/kernels.h"
#include "data/places.h"

#define PIECE_BYTES   ((size_t)32 << 10)  /* of one read of a narrow chunk: long enough for the call not to count */
#define SCRATCH_BYTES ((size_t)512 << 10) /* of chunks that go to their rows together: a second-level cache */
#define WHOLE_BYTES   ((size_t)1 << 20)   /* of one read of whole rows */
#define KNOWN_MOST    ((size_t)4096)      /* places that are asked for at once */

struct placed {
    const struct stored *stored;
    const struct layout *layout;
    struct places places;
    size_t height, tiles; /* of a chunk, in rows; chunks side by side */
    size_t run;           /* bytes of a row of a chunk */
    bool whole;           /* a chunk holds whole rows as they are in memory */
    size_t task_rows;     /* rows and chunks of one task */
    size_t task_tiles;
    size_t blocks, groups; /* tasks of a band: blocks of rows, groups of chunks */
    size_t bands;          /* whose places are known at once */
    uint64_t *at;          /* [bands x tiles] */
    int threads;
    unsigned char *scratch; /* [threads x task_rows x task_tiles x run] */
};

/* Rows of one band, and the known bands. */
struct request {
    struct row_range rows;
    size_t band, bands; /* the first of those that are known */
    unsigned char *to;
};

bool placed_fits(const struct stored *stored, const struct layout *layout)
{
    bool fits = layout->n_filters == 0;
    for (size_t i = 2; i < stored->rank; i++)
        fits = fits && layout->chunk[i] == stored->dims[i];
    return fits;
}

static void set_sizes(struct placed *placed, const struct stored *stored, const struct layout *layout)
{
    bool flat = stored->rank == 1;
    placed->stored = stored;
    placed->layout = layout;
    placed->height = layout->chunk[0];
    placed->tiles = flat ? 1 : (stored->dims[1] - 1) / layout->chunk[1] + 1;
    placed->run = layout->chunk_bytes / placed->height;
    placed->whole = flat || layout->chunk[1] == stored->dims[1];
    placed->task_rows =
        size_least(placed->height, size_most(1, (placed->whole ? WHOLE_BYTES : PIECE_BYTES) / placed->run));
    placed->task_tiles =
        placed->whole ? 1 : size_least(placed->tiles, size_most(1, SCRATCH_BYTES / (placed->task_rows * placed->run)));
    placed->blocks = (size_least(placed->height, stored->rows) - 1) / placed->task_rows + 1;
    placed->groups = (placed->tiles - 1) / placed->task_tiles + 1;
    placed->bands = size_least((stored->dims[0] - 1) / placed->height + 1, size_most(1, KNOWN_MOST / placed->tiles));
}

static size_t scratch_bytes(const struct placed *placed)
{
    return placed->whole ? 0 : placed->task_rows * placed->task_tiles * placed->run;
}

uint64_t placed_bytes(const struct stored *stored, const struct layout *layout, int threads)
{
    struct placed placed;
    set_sizes(&placed, stored, layout);
    return (uint64_t)scratch_bytes(&placed) * (uint64_t)(threads > 0 ? threads : 1) + /* and while it is opened: */
           placed.bands * placed.tiles * sizeof(uint64_t) + 2 * (uint64_t)layout->chunk_bytes;
}

enum gm_code placed_open(struct placed **out, const struct stored *stored, const struct layout *layout, int threads,
                         struct gm_error *err)
{
    *out = NULL;
    struct placed *placed = NULL;
    enum gm_code code = memory_alloc((void **)&placed, 1, sizeof *placed, "placed chunks", err);
    if (code != GM_OK)
        return code;
    set_sizes(placed, stored, layout);
    placed->threads = threads > 0 ? threads : 1;
    if (!places_open(&placed->places, stored, layout)) {
        memory_free(placed);
        return GM_OK;
    }
    code = memory_alloc((void **)&placed->at, placed->bands * placed->tiles, sizeof *placed->at, "places", err);
    if (code == GM_OK && !placed->whole)
        code = memory_alloc((void **)&placed->scratch, (size_t)placed->threads, scratch_bytes(placed), "chunks", err);
    if (code == GM_OK)
        *out = placed;
    else
        placed_close(placed);
    return code;
}

void placed_close(struct placed *placed)
{
    if (!placed)
        return;
    places_close(&placed->places);
    memory_free(placed->at);
    memory_free(placed->scratch);
    memory_free(placed);
}

/* Where the chunks of the request's bands are. */
static void find_places(struct placed *placed, const struct request *request)
{
    hdf5_lock();
    for (size_t i = 0; i < request->bands * placed->tiles; i++) {
        hsize_t start[H5_RANK_MOST] = {(request->band + i / placed->tiles) * placed->height};
        if (placed->stored->rank > 1)
            start[1] = i % placed->tiles * placed->layout->chunk[1];
        placed->at[i] = places_find(&placed->places, start);
    }
    hdf5_unlock();
}

/* A part of a band: rows of the dataset and chunks side by side. */
struct part {
    struct row_range rows;
    size_t band, tile, tiles;
    const uint64_t *at; /* [tiles] */
};

/* Rows of one chunk to `to` [rows x run]. */
static enum gm_code fetch(const struct placed *placed, const struct part *part, size_t tile, void *to,
                          struct gm_error *err)
{
    const struct stored *stored = placed->stored;
    size_t rows = part->rows.end - part->rows.first;
    uint64_t at = part->at[tile - part->tile];
    if (at == PLACE_NONE) { /* the fill value, or an error that is worth telling */
        hsize_t start[H5_RANK_MOST] = {part->rows.first}, count[H5_RANK_MOST] = {rows};
        for (size_t i = 1; i < stored->rank; i++)
            count[i] = placed->layout->chunk[i];
        start[1] = tile * placed->layout->chunk[1];
        return stored_read_block(stored, start, count, to, err);
    }
    if (at == PLACE_WRONG)
        return error_set(err, GM_BAD_DATA, "%s: the chunk at row %zu cannot be read: a chunk has the wrong size.",
                         stored->at, part->band * placed->height);
    at += (part->rows.first - part->band * placed->height) * placed->run;
    int status = bytes_at(placed->places.fd, at, rows * placed->run, to);
    if (status == EOVERFLOW)
        return error_set(err, GM_BAD_DATA, "%s: the file ends before its values do; it is cut off.", stored->at);
    if (status)
        return error_set(err, GM_IO, "%s: rows %zu to %zu cannot be read: %s.", stored->at, part->rows.first,
                         part->rows.end - 1, strerror(status));
    if (placed->layout->swapped)
        KERNEL_PICK(decode_swap, kernels_isa())
    (placed->layout->value_bytes, to, rows * placed->run / placed->layout->value_bytes);
    return GM_OK;
}

/* `to`: row part->rows.first of the dataset. */
static enum gm_code read_part(const struct placed *placed, const struct part *part, unsigned char *to,
                              struct gm_error *err)
{
    const struct stored *stored = placed->stored;
    size_t rows = part->rows.end - part->rows.first, first = part->tile * placed->run;
    size_t step = placed->task_rows * placed->run,
           bytes = size_least(part->tiles * placed->run, stored->row_bytes - first);
    unsigned char *scratch =
        placed->whole ? to : placed->scratch + (size_t)omp_get_thread_num() * scratch_bytes(placed);
    enum gm_code code = GM_OK;
    for (size_t i = 0; code == GM_OK && i < part->tiles; i++)
        code = fetch(placed, part, part->tile + i, scratch + i * step, err);
    if (code != GM_OK)
        return code;
    const struct bytes_join join = {scratch, step, placed->run, rows, to + first, stored->row_bytes, bytes};
    if (!placed->whole)
        KERNEL_PICK(bytes_join, kernels_isa())(&join);
    return GM_OK;
}

/* Part `task` of the request: its rows may be none. */
static struct part make_part(const struct placed *placed, const struct request *request, size_t task)
{
    size_t group = task % placed->groups, block = task / placed->groups % placed->blocks;
    size_t band = task / placed->groups / placed->blocks, tile = group * placed->task_tiles;
    size_t start = (request->band + band) * placed->height, first = start + block * placed->task_rows;
    size_t end = size_least(first + placed->task_rows, start + placed->height);
    return (struct part){.rows = {size_most(first, request->rows.first), size_least(end, request->rows.end)},
                         .band = request->band + band,
                         .tile = tile,
                         .tiles = size_least(placed->task_tiles, placed->tiles - tile),
                         .at = placed->at + band * placed->tiles + tile};
}

/* Tasks that one thread does one after the other: those of the same pages, while there are enough for all threads. */
static size_t tasks_together(const struct placed *placed, size_t tasks)
{
    size_t rows = placed->task_rows * placed->stored->row_bytes;
    size_t together = placed->groups * size_most(1, FRESH_PAGE / rows);
    return size_most(1, size_least(together, tasks / (4 * (size_t)placed->threads)));
}

static void do_task(const struct placed *placed, const struct request *request, struct fresh *fresh, size_t task,
                    struct failure *failure)
{
    struct part part = make_part(placed, request, task);
    size_t row_bytes = placed->stored->row_bytes;
    struct gm_error why;
    if (part.rows.first >= part.rows.end || failure_before(failure, task))
        return;
    unsigned char *to = request->to + (part.rows.first - request->rows.first) * row_bytes;
    fresh_touch(fresh, to, (part.rows.end - part.rows.first) * row_bytes);
    failure_note(failure, task, read_part(placed, &part, to, &why), &why);
}

static enum gm_code do_request(struct placed *placed, const struct request *request, struct gm_error *err)
{
    size_t tasks = request->bands * placed->groups * placed->blocks, together = tasks_together(placed, tasks);
    struct failure failure;
    struct fresh fresh;
    failure_init(&failure);
    fresh_init(&fresh, request->to, (request->rows.end - request->rows.first) * placed->stored->row_bytes);
    find_places(placed, request);
#pragma omp parallel for num_threads(placed->threads) schedule(dynamic, 1) if (tasks > 1)
    for (size_t first = 0; first < tasks; first += together)
        for (size_t task = first; task < size_least(first + together, tasks); task++)
            do_task(placed, request, &fresh, task, &failure);
    return failure_tell(&failure, err);
}

enum gm_code placed_read(struct placed *placed, size_t first, size_t rows, void *to, struct gm_error *err)
{
    size_t end = first + rows, row_bytes = placed->stored->row_bytes;
    enum gm_code code = GM_OK;
    for (size_t next = first; code == GM_OK && next < end;) {
        size_t band = next / placed->height, bands = size_least(placed->bands, (end - 1) / placed->height + 1 - band);
        size_t stop = size_least(end, (band + bands) * placed->height);
        struct request request = {{next, stop}, band, bands, (unsigned char *)to + (next - first) * row_bytes};
        code = do_request(placed, &request, err);
        next = stop;
    }
    return code;
}
