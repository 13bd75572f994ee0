/* npy, npz and idx to HDF5: which array is what, and copying them row by row. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/memory.h"
#include "datasets/array_source.h"
#include "datasets/datasets.h"
#include "datasets/import.h"
#include "datasets/input.h"
#include "datasets/names.h"
#include "datasets/rows.h"

#define BAND_BYTES ((size_t)1 << 20)

struct arrays_import {
    struct names names;
    const struct import_options *options;
    const struct array_source *x, *y; /* y: NULL when there is none */
    size_t rows_done, missing;
    struct rows rows;
    unsigned char *x_band, *y_band; /* [band_rows x row] */
    size_t band_rows;
};

/* ---- which is what --------------------------------------------------------------------------------------------------
 */

/* y, y_train, label, train-labels-idx1-ubyte, targets ... */
static bool named_like_a_target(const char *word)
{
    return strcasecmp(word, "y") == 0 || strncasecmp(word, "y_", 2) == 0 || strncasecmp(word, "y-", 2) == 0 ||
           strcasestr(word, "label") || strcasestr(word, "target");
}

static enum gm_code refuse(const struct array_sources *sources, struct gm_error *err)
{
    char list[512] = "";
    for (size_t i = 0; i < sources->count; i++) {
        const struct array_source *s = &sources->items[i];
        size_t used = strlen(list);
        used +=
            (size_t)snprintf(list + used, sizeof list - used, "%s%.100s (", i ? ", " : "", input_base_name(s->label));
        for (size_t d = 0; d < s->header.shape.rank && used < sizeof list; d++)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%zu", d ? " x " : "", s->header.shape.dims[d]);
        if (used < sizeof list)
            snprintf(list + used, sizeof list - used, ")");
    }
    return error_set(err, GM_USAGE,
                     "Which array is what? Expected one of features, and at most one target (of rank 1, or named y or "
                     "labels). Found %s. Name single members as FILE.npz:NAME.",
                     list);
}

static enum gm_code choose(struct arrays_import *job, const struct array_sources *sources, struct gm_error *err)
{
    const struct array_source *first = sources->items, *second = first + 1;
    if (sources->count == 1 && first->header.shape.rank > 1) {
        job->x = first;
        return GM_OK;
    }
    if (sources->count != 2 || job->options->no_target)
        return refuse(sources, err);
    bool one = named_like_a_target(first->word), two = named_like_a_target(second->word);
    if (one == two) { /* the names do not tell: the ranks may */
        one = first->header.shape.rank == 1;
        two = second->header.shape.rank == 1;
    }
    if (one == two)
        return refuse(sources, err);
    job->x = one ? second : first;
    job->y = one ? first : second;
    if (job->x->header.shape.rank < 2 || job->y->header.shape.rank > 2)
        return refuse(sources, err);
    if (job->x->header.shape.dims[0] != job->y->header.shape.dims[0])
        return error_set(err, GM_BAD_DATA, "%s has %zu rows, %s has %zu.", job->x->label, job->x->header.shape.dims[0],
                         job->y->label, job->y->header.shape.dims[0]);
    return GM_OK;
}

/* ---- copying --------------------------------------------------------------------------------------------------------
 */

static size_t count_nan(enum data_type type, const void *values, size_t count)
{
    size_t nan = 0;
    for (size_t i = 0; type == DATA_F32 && i < count; i++)
        nan += isnan(((const float *)values)[i]) != 0;
    for (size_t i = 0; type == DATA_F64 && i < count; i++)
        nan += isnan(((const double *)values)[i]) != 0;
    return nan;
}

/* Up to band_rows rows of both arrays to their places. */
static enum gm_code copy_band(struct arrays_import *job, struct array_stream *const streams[2], size_t first,
                              size_t count, struct gm_error *err)
{
    struct rows *rows = &job->rows;
    enum gm_code code = array_stream_read(streams[0], job->x_band, count * rows->row_bytes, err);
    if (code == GM_OK && job->y)
        code = array_stream_read(streams[1], job->y_band, count * rows->target_bytes, err);
    for (size_t i = 0; i < count && code == GM_OK; i++) {
        size_t slot;
        code = rows_slot(rows, first + i, &slot, err);
        if (code || slot == ROWS_ELSEWHERE)
            continue;
        memcpy(rows_features(rows, slot), job->x_band + i * rows->row_bytes, rows->row_bytes);
        if (job->y)
            memcpy(rows->targets + slot * rows->target_bytes, job->y_band + i * rows->target_bytes, rows->target_bytes);
        job->missing += count_nan(rows->options.type, rows_features(rows, slot), rows->options.features);
    }
    return code;
}

static enum gm_code pass(struct arrays_import *job, struct gm_error *err)
{
    const size_t rows = job->rows.options.rows;
    struct array_stream *streams[2] = {NULL, NULL};
    enum gm_code code = array_stream_open(&streams[0], job->x, err);
    if (code == GM_OK && job->y)
        code = array_stream_open(&streams[1], job->y, err);
    for (size_t first = 0; first < rows && code == GM_OK; first += job->band_rows) {
        size_t count = rows - first < job->band_rows ? rows - first : job->band_rows;
        code = copy_band(job, streams, first, count, err);
        job->rows_done += count;
        if (job->options->progress)
            job->options->progress(job->options->context, job->rows_done, rows * job->rows.passes);
    }
    array_stream_close(streams[0]);
    array_stream_close(streams[1]);
    return code;
}

static enum gm_code make_bands(struct arrays_import *job, struct gm_error *err)
{
    size_t bytes = job->rows.row_bytes + job->rows.target_bytes;
    job->band_rows = bytes < BAND_BYTES ? BAND_BYTES / bytes : 1;
    enum gm_code code = memory_alloc((void **)&job->x_band, job->band_rows, job->rows.row_bytes, "a band of rows", err);
    return code ? code : memory_alloc((void **)&job->y_band, job->band_rows, job->rows.target_bytes, "targets", err);
}

static struct rows_options plan_rows(const struct arrays_import *job)
{
    const struct array_header *x = &job->x->header;
    struct rows_options plan = {
        .rows = x->shape.dims[0],
        .features = array_row_values(x),
        .type = x->type,
        .inner.rank = x->shape.rank - 1,
        .has_target = job->y != NULL,
        .shuffle = job->options->shuffle,
        .seed = job->options->seed,
        .memory = job->options->memory,
    };
    memcpy(plan.inner.dims, x->shape.dims + 1, plan.inner.rank * sizeof(size_t));
    if (job->y) {
        plan.target_type = job->y->header.type;
        size_t targets = array_row_values(&job->y->header);
        plan.targets = targets > 1 ? targets : 0;
    }
    return plan;
}

static enum gm_code write_file(struct arrays_import *job, const char *to, struct gm_error *err)
{
    struct output *out;
    const struct rows_options plan = plan_rows(job);
    const char *names[2] = {job->x->label, job->y ? job->y->label : NULL};
    enum gm_code code = names_check(&job->names, job->options, plan.features, err);
    if (code || (code = output_open(&out, to, job->options->compress, err)))
        return code;
    if ((code = rows_init(&job->rows, out, &plan, err)) == GM_OK &&
        (code = import_describe(out, names, job->y ? 2 : 1, err)) == GM_OK &&
        (code = names_write(&job->names, out, err)) == GM_OK)
        code = make_bands(job, err);
    for (size_t i = 0; i < job->rows.passes && code == GM_OK; i++)
        if ((code = pass(job, err)) == GM_OK)
            code = rows_end_pass(&job->rows, err);
    if (code == GM_OK)
        code = output_finish(out, err);
    output_close(out);
    return code;
}

enum gm_code import_arrays(const char *const *from, size_t files, const char *to, const struct import_options *options,
                           struct import_report *report, struct gm_error *err)
{
    struct arrays_import job = {.options = options};
    struct array_sources sources = {0};
    enum gm_code code = GM_OK;
    if (options->target || options->drop)
        code = error_set(err, GM_USAGE,
                         "Columns of arrays have no names: the target is an array of its own (X.npy y.npy), and all "
                         "columns of the features are taken.");
    for (size_t i = 0; i < files && code == GM_OK; i++)
        code = array_sources_add(&sources, from[i], err);
    if (code == GM_OK)
        code = choose(&job, &sources, err);
    if (code == GM_OK)
        code = names_read(&job.names, options, err);
    if (code == GM_OK)
        code = write_file(&job, to, err);
    if (code == GM_OK && report) {
        *report = (struct import_report){.rows = job.rows.options.rows,
                                         .features = job.rows.options.features,
                                         .missing = job.missing,
                                         .classes = job.names.classes.count};
        snprintf(report->target, sizeof report->target, "%s", job.y ? job.y->word : "");
    }
    names_release(&job.names);
    rows_release(&job.rows);
    memory_free(job.x_band);
    memory_free(job.y_band);
    array_sources_release(&sources);
    return code;
}
