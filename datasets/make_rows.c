/* Tiles on all threads, bands to the file. A number depends on its row and column only, so tiles and threads do not
 * matter. */
#include "datasets/make_rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <omp.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"

#define BAND_BYTES  ((size_t)8 << 20)
#define TILE_VALUES ((size_t)4096) /* doubles of a tile: it stays in L1 and L2 */

struct make_stream make_stream(uint64_t seed, enum make_source source)
{
    return (struct make_stream){.seed = seed, .purpose = RANDOM_MAKE, .stream = source};
}

void make_fill_normals(struct make_stream stream, struct make_tile tile, size_t columns, double *out)
{
    KERNEL_PICK(make_normals, cpu_isa())(&stream, &tile, columns, out);
}

enum data_type make_index_type(uint64_t count)
{
    return count <= 1u << 8 ? DATA_U8 : count <= 1u << 16 ? DATA_U16 : count <= (uint64_t)1 << 32 ? DATA_U32 : DATA_U64;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------
 */

static size_t width_of(const struct make_column *column)
{
    return column->width ? column->width : 1;
}

/* Rows of the array for each row made. */
static size_t flat_width(const struct make_column *column)
{
    return column->flat ? column->width : 1;
}

/* Doubles to the stored type; `back` also rounds the doubles themselves to it. */
static void store(enum data_type type, double *values, size_t count, void *to, bool back)
{
    float *singles = to;
    switch (type) {
    case DATA_F64:
        memcpy(to, values, count * sizeof *values);
        break;
    case DATA_F32:
        for (size_t i = 0; i < count; i++)
            singles[i] = (float)values[i];
        for (size_t i = 0; back && i < count; i++)
            values[i] = (double)singles[i];
        break;
    case DATA_U8:
        for (size_t i = 0; i < count; i++)
            ((uint8_t *)to)[i] = (uint8_t)values[i];
        break;
    case DATA_U16:
        for (size_t i = 0; i < count; i++)
            ((uint16_t *)to)[i] = (uint16_t)values[i];
        break;
    case DATA_U32:
        for (size_t i = 0; i < count; i++)
            ((uint32_t *)to)[i] = (uint32_t)values[i];
        break;
    case DATA_I32:
        for (size_t i = 0; i < count; i++)
            ((int32_t *)to)[i] = (int32_t)values[i];
        break;
    default:
        for (size_t i = 0; i < count; i++)
            ((uint64_t *)to)[i] = (uint64_t)values[i];
        break;
    }
}

struct band {
    const struct make_job *job;
    unsigned char *stored[MAKE_COLUMNS]; /* [band rows x width] of the column's type */
    double *work;                        /* [threads x tile_work] */
    size_t rows, tile_rows, tile_work;
};

static void make_tile(const struct band *band, size_t first_of_band, struct make_tile tile, double *work)
{
    const struct make_job *job = band->job;
    double *values[MAKE_COLUMNS] = {0}, *next = work;
    for (size_t c = 0; c < job->columns; c++) {
        values[c] = next;
        next += band->tile_rows * width_of(&job->column[c]);
    }
    size_t at = (size_t)(tile.first - first_of_band);
    job->features(job, tile, values, next);
    for (size_t c = 0; c < job->columns; c++) {
        const struct make_column *column = &job->column[c];
        size_t width = width_of(column);
        if (c == 1 && job->rest)
            job->rest(job, tile, values, next);
        store(column->type, values[c], tile.rows * width, band->stored[c] + at * width * output_type_size(column->type),
              c == 0);
    }
}

static void make_band(const struct band *band, size_t first, size_t rows, int threads)
{
    size_t tiles = (rows + band->tile_rows - 1) / band->tile_rows;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (size_t t = 0; t < tiles; t++) {
        size_t from = t * band->tile_rows, left = rows - from;
        struct make_tile tile = {first + from, left < band->tile_rows ? left : band->tile_rows};
        make_tile(band, first, tile, band->work + (size_t)omp_get_thread_num() * band->tile_work);
    }
}

static enum gm_code band_init(struct band *band, int threads, struct output_array *const arrays[], struct gm_error *err)
{
    const struct make_job *job = band->job;
    size_t bytes = 0, values = job->scratch;
    for (size_t c = 0; c < job->columns; c++) {
        bytes += width_of(&job->column[c]) * output_type_size(job->column[c].type);
        values += width_of(&job->column[c]);
    }
    size_t chunk = job->column[0].flat ? 1 : output_chunk_rows(arrays[0]);
    band->rows = BAND_BYTES / bytes / chunk * chunk;
    band->rows = band->rows ? band->rows : chunk;
    band->rows = band->rows < job->options->rows ? band->rows : job->options->rows;
    band->tile_rows = values < TILE_VALUES ? TILE_VALUES / values : 1;
    band->tile_work = (band->tile_rows * values + 63) / 64 * 64; /* threads do not share cache lines */
    enum gm_code code =
        memory_alloc((void **)&band->work, (size_t)threads * band->tile_work, sizeof(double), "work space", err);
    for (size_t c = 0; c < job->columns && code == GM_OK; c++)
        code = memory_alloc((void **)&band->stored[c], band->rows,
                            width_of(&job->column[c]) * output_type_size(job->column[c].type), "a band of rows", err);
    return code;
}

enum gm_code make_rows(struct output *out, const struct make_job *job, struct gm_error *err)
{
    const struct make_options *options = job->options;
    struct output_array *arrays[MAKE_COLUMNS];
    struct band band = {.job = job};
    int threads = options->threads > 0 ? options->threads : cpu_threads();
    enum gm_code code = GM_OK;
    for (size_t c = 0; c < job->columns && code == GM_OK; c++) {
        const struct make_column *column = &job->column[c];
        struct output_shape shape = {.rank = column->width ? 2 : 1, .dims = {options->rows, column->width}};
        if (column->flat)
            shape = (struct output_shape){.rank = 1, .dims = {options->rows * column->width}};
        code = output_array(out, column->name, column->type, &shape, &arrays[c], err);
    }
    if (code == GM_OK)
        code = band_init(&band, threads, arrays, err);
    for (size_t first = 0; first < options->rows && code == GM_OK; first += band.rows) {
        size_t left = options->rows - first, rows = left < band.rows ? left : band.rows;
        make_band(&band, first, rows, threads);
        for (size_t c = 0; c < job->columns && code == GM_OK; c++)
            code = output_rows(arrays[c], first * flat_width(&job->column[c]), rows * flat_width(&job->column[c]),
                               band.stored[c], err);
        if (options->progress)
            options->progress(options->context, first + rows, options->rows);
    }
    for (size_t c = 0; c < job->columns; c++)
        memory_free(band.stored[c]);
    memory_free(band.work);
    return code;
}

/* ---- the file -----------------------------------------------------------------------------------------------------
 */

enum gm_code make_open(struct output **out, const char *to, const char *kind, const struct make_options *options,
                       struct gm_error *err)
{
    *out = NULL;
    if (options->rows == 0 || options->rows > (size_t)1 << 48)
        return error_set(err, GM_USAGE, "make %s: rows: expected 1 to 2^48, found %zu.", kind, options->rows);
    if (!(options->noise >= 0) || !isfinite(options->noise))
        return error_set(err, GM_USAGE, "make %s: noise: expected a number >= 0, found %g.", kind, options->noise);
    enum gm_code code = output_open(out, to, options->compress, err);
    if (code)
        return code;
    char source[64];
    snprintf(source, sizeof source, "gradmill make %s", kind);
    if ((code = output_text(*out, "/", "format", "gradmill-dataset", err)) == GM_OK &&
        (code = output_number(*out, "/", "format_version", 1, err)) == GM_OK &&
        (code = output_text(*out, "/", "source", source, err)) == GM_OK)
        code = output_number(*out, "/", "seed", options->seed, err);
    return code;
}

enum gm_code make_finish(struct output *out, enum gm_code code, struct gm_error *err)
{
    if (code == GM_OK)
        code = output_finish(out, err);
    output_close(out);
    return code;
}
