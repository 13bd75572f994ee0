/*
 * libsvm (svmlight) text to sparse rows in HDF5: CSR as AnnData and SciPy lay it out. Read once for the shape and the
 * types, and once more (when shuffling a file larger than memory: several times) for the values. 8 bytes a row stay in
 * memory, 16 when shuffling.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "datasets/datasets.h"
#include "datasets/import.h"
#include "datasets/libsvm_row.h"
#include "datasets/lines.h"
#include "datasets/list.h"
#include "datasets/names.h"
#include "datasets/rows.h"

#define WINDOW_BYTES ((uint64_t)8 << 20)

struct libsvm_import {
    const struct import_options *options;
    const char *const *from; /* [files] */
    size_t files;
    struct import_meter meter;
    struct names names;
    struct libsvm_row row;
    /* found by the first pass */
    struct cell_range values, labels;
    uint64_t *indptr; /* [rows + 1] in output order; during the first pass the length of each row */
    size_t rows, indptr_room;
    int32_t least, most; /* index */
    size_t grouped;      /* rows with qid */
    /* the other passes */
    struct output_array *data, *indices, *y, *groups;
    enum data_type type, label_type;
    uint64_t *place;   /* [rows] where row i goes, or NULL: to i */
    size_t first, end; /* output rows in memory */
    unsigned char *data_window, *label_window;
    int32_t *index_window;
    int64_t *group_window;
    size_t window_values, window_rows; /* room */
    size_t at;                         /* input row of this pass */
};

typedef enum gm_code row_fn(struct libsvm_import *svm, struct libsvm_place place, struct gm_error *err);

/* Every row of every file. */
static enum gm_code pass(struct libsvm_import *svm, row_fn *take, struct gm_error *err)
{
    enum gm_code code = GM_OK;
    svm->at = 0;
    for (size_t i = 0; i < svm->files && code == GM_OK; i++) {
        struct input in;
        if ((code = input_open(&in, svm->from[i], err)))
            return code;
        struct lines lines = {.in = &in};
        char *line;
        while ((code = lines_next(&lines, &line, err)) == GM_OK && line) {
            struct libsvm_place place = {svm->from[i], lines.number};
            code = libsvm_parse(&svm->row, line, place, err);
            if (code == GM_OK && !svm->row.empty) {
                code = take(svm, place, err);
                svm->at++;
            }
            if (code)
                break;
            if (lines.number % 4096 == 0)
                import_meter_tell(&svm->meter, input_done(&in));
        }
        lines_release(&lines);
        import_meter_file_done(&svm->meter, in.size);
        input_close(&in);
    }
    return code;
}

static enum gm_code look(struct libsvm_import *svm, struct libsvm_place place, struct gm_error *err)
{
    (void)place;
    const struct libsvm_row *row = &svm->row;
    enum gm_code code =
        list_reserve((void **)&svm->indptr, &svm->indptr_room, svm->rows, svm->rows + 2, sizeof *svm->indptr, err);
    if (code)
        return code;
    svm->indptr[svm->rows++] = row->count;
    svm->grouped += row->has_group;
    cell_range_add(&svm->labels, &row->label);
    for (size_t i = 0; i < row->count; i++)
        cell_range_add(&svm->values, &row->values[i]);
    if (row->count) {
        svm->least = row->indices[0] < svm->least ? row->indices[0] : svm->least;
        svm->most = row->indices[row->count - 1] > svm->most ? row->indices[row->count - 1] : svm->most;
    }
    return GM_OK;
}

static enum gm_code check_first_pass(const struct libsvm_import *svm, struct gm_error *err)
{
    if (svm->rows == 0)
        return error_set(err, GM_BAD_DATA, "%s: no rows. Expected lines of 'label index:value ...'.", svm->from[0]);
    if (svm->most < 0)
        return error_set(err, GM_BAD_DATA, "%s: no row has a value. Expected lines of 'label index:value ...'.",
                         svm->from[0]);
    if (svm->grouped && svm->grouped < svm->rows)
        return error_set(err, GM_BAD_DATA, "%s: %zu of %zu rows have a qid. Expected all or none.", svm->from[0],
                         svm->grouped, svm->rows);
    return GM_OK;
}

/* Indices count from 1, as libsvm's own do, unless a 0 occurs. */
static int32_t index_base(const struct libsvm_import *svm)
{
    return svm->least == 0 ? 0 : 1;
}

/* Labels must be numbers of the classes that are named. */
static enum gm_code check_labels(const struct libsvm_import *svm, struct gm_error *err)
{
    const struct cell_range *labels = &svm->labels;
    enum data_type type = cell_range_type(labels);
    size_t classes = svm->names.classes.count;
    if (!classes || (type != DATA_F32 && type != DATA_F64 && labels->least >= 0 && (uint64_t)labels->most < classes))
        return GM_OK;
    return error_set(err, GM_BAD_DATA,
                     "%s: the labels are not numbers of classes: expected 0 to %zu, as %s names %zu classes.",
                     svm->from[0], classes - 1, svm->options->class_names, classes);
}

/* The number of columns. */
static enum gm_code choose_features(const struct libsvm_import *svm, size_t *features, struct gm_error *err)
{
    size_t used = (size_t)(svm->most - index_base(svm)) + 1, named = svm->names.features.count;
    size_t asked = svm->options->features ? svm->options->features : named;
    *features = asked ? asked : used;
    if (*features < used)
        return error_set(err, GM_BAD_DATA, "%s: expected at most %zu features, found index %d.", svm->from[0],
                         *features, svm->most);
    return names_check(&svm->names, svm->options, *features, err);
}

/* ---- windows of output rows -----------------------------------------------------------------------------------------
 */

static size_t value_bytes(const struct libsvm_import *svm)
{
    return output_type_size(svm->type) + sizeof(int32_t);
}

/* Lengths of the input rows become starts of the output rows. */
static void accumulate(struct libsvm_import *svm, const uint64_t *lengths)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < svm->rows; i++) {
        uint64_t length = lengths[i];
        svm->indptr[i] = sum;
        sum += length;
    }
    svm->indptr[svm->rows] = sum;
}

static enum gm_code order_rows(struct libsvm_import *svm, struct gm_error *err)
{
    if (!svm->options->shuffle) {
        accumulate(svm, svm->indptr);
        return GM_OK;
    }
    uint64_t *lengths;
    enum gm_code code = memory_alloc((void **)&svm->place, svm->rows, sizeof *svm->place, "the order of the rows", err);
    if (code == GM_OK)
        code = memory_alloc((void **)&lengths, svm->rows, sizeof *lengths, "lengths of rows", err);
    if (code)
        return code;
    rows_permutation(svm->place, svm->rows, svm->options->seed);
    for (size_t i = 0; i < svm->rows; i++)
        lengths[svm->place[i]] = svm->indptr[i];
    accumulate(svm, lengths);
    memory_free(lengths);
    return GM_OK;
}

/* The next window: as many output rows from svm->end on as the budget holds, one at least. */
static enum gm_code next_window(struct libsvm_import *svm, struct gm_error *err)
{
    uint64_t budget = WINDOW_BYTES;
    if (svm->place)
        budget = svm->options->memory ? svm->options->memory : memory_limit() / 2;
    uint64_t room = budget / (value_bytes(svm) + 16); /* 16: label and group, at most a value a row counts for them */
    svm->first = svm->end;
    while (svm->end < svm->rows &&
           (svm->end == svm->first ||
            svm->indptr[svm->end + 1] - svm->indptr[svm->first] + (svm->end - svm->first) <= room))
        svm->end++;
    size_t values = (size_t)(svm->indptr[svm->end] - svm->indptr[svm->first]), rows = svm->end - svm->first;
    enum gm_code code = GM_OK;
    size_t data_room = svm->window_values, index_room = svm->window_values;
    size_t label_room = svm->window_rows, group_room = svm->window_rows;
    if ((code = list_reserve((void **)&svm->data_window, &data_room, 0, values, 8, err)) ||
        (code = list_reserve((void **)&svm->index_window, &index_room, 0, values, sizeof(int32_t), err)) ||
        (code = list_reserve((void **)&svm->label_window, &label_room, 0, rows, 8, err)) ||
        (code = list_reserve((void **)&svm->group_window, &group_room, 0, rows, sizeof(int64_t), err)))
        return code;
    svm->window_values = data_room < index_room ? data_room : index_room;
    svm->window_rows = label_room < group_room ? label_room : group_room;
    return GM_OK;
}

static enum gm_code write_window(struct libsvm_import *svm, struct gm_error *err)
{
    size_t start = (size_t)svm->indptr[svm->first], values = (size_t)svm->indptr[svm->end] - start;
    size_t rows = svm->end - svm->first;
    enum gm_code code;
    if ((code = output_rows(svm->data, start, values, svm->data_window, err)) ||
        (code = output_rows(svm->indices, start, values, svm->index_window, err)) ||
        (code = output_rows(svm->y, svm->first, rows, svm->label_window, err)))
        return code;
    return svm->groups ? output_rows(svm->groups, svm->first, rows, svm->group_window, err) : GM_OK;
}

static enum gm_code changed(struct libsvm_place place, struct gm_error *err)
{
    return error_set(err, GM_IO, "%s: line %zu: the file changed while it was being read. Import it again.", place.path,
                     place.line);
}

static bool fits(const struct cell *cell, enum data_type type, const struct cell_range *range)
{
    if (type == DATA_F32 || type == DATA_F64)
        return true;
    return cell->kind == CELL_WHOLE && cell->whole >= range->least && cell->whole <= range->most;
}

static enum gm_code store(struct libsvm_import *svm, struct libsvm_place place, struct gm_error *err)
{
    const struct libsvm_row *row = &svm->row;
    if (svm->at >= svm->rows)
        return changed(place, err);
    size_t to = svm->place ? (size_t)svm->place[svm->at] : svm->at;
    if (!svm->place && to == svm->end) {
        enum gm_code code = write_window(svm, err);
        if (code == GM_OK)
            code = next_window(svm, err);
        if (code)
            return code;
    }
    if (to < svm->first || to >= svm->end)
        return GM_OK; /* in another pass */
    size_t start = (size_t)(svm->indptr[to] - svm->indptr[svm->first]);
    if (row->count != svm->indptr[to + 1] - svm->indptr[to] || row->has_group != (svm->groups != NULL) ||
        !fits(&row->label, svm->label_type, &svm->labels))
        return changed(place, err);
    for (size_t i = 0; i < row->count; i++) {
        if (!fits(&row->values[i], svm->type, &svm->values) || row->indices[i] < svm->least ||
            row->indices[i] > svm->most)
            return changed(place, err);
        cell_store(&row->values[i], svm->type, svm->data_window, start + i);
        svm->index_window[start + i] = row->indices[i] - index_base(svm);
    }
    cell_store(&row->label, svm->label_type, svm->label_window, to - svm->first);
    svm->group_window[to - svm->first] = row->group;
    return GM_OK;
}

/* ---- the file -------------------------------------------------------------------------------------------------------
 */

static enum data_type type_of(const struct cell_range *range, enum import_floats floats)
{
    enum data_type type = cell_range_type(range);
    if ((type == DATA_F32 || type == DATA_F64) && floats != IMPORT_FLOATS_AUTO)
        return floats == IMPORT_FLOAT32 ? DATA_F32 : DATA_F64;
    return type;
}

static enum gm_code make_arrays(struct libsvm_import *svm, struct output *out, size_t features, struct gm_error *err)
{
    const struct output_shape values = {.rank = 1, .dims = {(size_t)svm->indptr[svm->rows]}};
    const struct output_shape rows = {.rank = 1, .dims = {svm->rows}}, starts = {.rank = 1, .dims = {svm->rows + 1}};
    const uint64_t shape[2] = {svm->rows, features};
    enum gm_code code;
    if ((code = output_array(out, "/X/data", svm->type, &values, &svm->data, err)) ||
        (code = output_array(out, "/X/indices", DATA_I32, &values, &svm->indices, err)) ||
        (code = output_whole(out, "/X/indptr", DATA_I64, &starts, svm->indptr, err)) ||
        (code = output_text(out, "/X", "encoding-type", "csr_matrix", err)) ||
        (code = output_text(out, "/X", "encoding-version", "0.1.0", err)) ||
        (code = output_numbers(out, "/X", "shape", shape, 2, err)) ||
        (code = output_array(out, "/y", svm->label_type, &rows, &svm->y, err)))
        return code;
    return svm->grouped ? output_array(out, "/qid", DATA_I64, &rows, &svm->groups, err) : GM_OK;
}

static enum gm_code write_passes(struct libsvm_import *svm, struct gm_error *err)
{
    enum gm_code code = GM_OK;
    do {
        if ((code = next_window(svm, err)) || (code = pass(svm, store, err)))
            return code;
        if (svm->at != svm->rows)
            return changed((struct libsvm_place){svm->from[svm->files - 1], svm->at}, err);
        if ((code = write_window(svm, err)))
            return code;
        svm->meter.passes += svm->end < svm->rows;
    } while (svm->end < svm->rows);
    return GM_OK;
}

static enum gm_code write_file(struct libsvm_import *svm, const char *to, size_t features, struct gm_error *err)
{
    struct output *out;
    enum gm_code code = output_open(&out, to, svm->options->compress, err);
    if (code)
        return code;
    svm->type = type_of(&svm->values, svm->options->floats);
    svm->label_type = type_of(&svm->labels, svm->options->floats);
    if ((code = order_rows(svm, err)) == GM_OK && (code = import_describe(out, svm->from, svm->files, err)) == GM_OK &&
        (code = names_write(&svm->names, out, err)) == GM_OK &&
        (code = make_arrays(svm, out, features, err)) == GM_OK && (code = write_passes(svm, err)) == GM_OK)
        code = output_finish(out, err);
    output_close(out);
    return code;
}

static void release(struct libsvm_import *svm)
{
    names_release(&svm->names);
    libsvm_row_release(&svm->row);
    memory_free(svm->indptr);
    memory_free(svm->place);
    memory_free(svm->data_window);
    memory_free(svm->label_window);
    memory_free(svm->index_window);
    memory_free(svm->group_window);
}

enum gm_code import_libsvm(const char *const *from, size_t files, const char *to, const struct import_options *options,
                           struct import_report *report, struct gm_error *err)
{
    struct libsvm_import svm = {.options = options, .from = from, .files = files, .least = INT32_MAX, .most = -1};
    size_t features = 0;
    enum gm_code code = import_meter_init(&svm.meter, from, files, options, err);
    if (code == GM_OK)
        code = names_read(&svm.names, options, err);
    if (code == GM_OK)
        code = pass(&svm, look, err);
    if (code == GM_OK)
        code = check_first_pass(&svm, err);
    if (code == GM_OK)
        code = check_labels(&svm, err);
    if (code == GM_OK)
        code = choose_features(&svm, &features, err);
    if (code == GM_OK)
        code = write_file(&svm, to, features, err);
    if (code == GM_OK && report) {
        *report = (struct import_report){.rows = svm.rows, .features = features, .classes = svm.names.classes.count};
        snprintf(report->target, sizeof report->target, "label");
    }
    release(&svm);
    return code;
}
