/*
 * CSV to HDF5. The input is read once for names, types and class names, and once more (when shuffling a file larger
 * than memory: several times) for the values.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "datasets/cell.h"
#include "datasets/csv_columns.h"
#include "datasets/csv_rows.h"
#include "datasets/datasets.h"
#include "datasets/import.h"
#include "datasets/labels.h"
#include "datasets/rows.h"

#define FOUND "found '%.60s'"

struct csv_import {
    const struct import_options *options;
    const char *const *from; /* [files] */
    size_t files;
    struct csv_columns columns;
    bool *has_number; /* [columns]: some cell so far is a number */
    struct cell_range features, target;
    struct labels labels;
    bool target_known, target_is_words; /* decided by the target's first cell that is not missing */
    size_t row_count;                   /* found by the first pass */
    struct rows rows;
    size_t row;         /* of this pass, over all files */
    bool storing;       /* not the first pass */
    bool at_file_start; /* the next record is the first of its file */
    struct import_meter meter;
};

static const char *name_of(const struct csv_import *csv, size_t column)
{
    return csv->columns.names.items[column];
}

/* ---- the first pass: types -------------------------------------------------------------------------------------- */

static enum gm_code refuse_word(const struct csv_import *csv, const struct csv_record *record, size_t column,
                                struct gm_error *err)
{
    const char *word = record->cells[column];
    const char *help = "Is it the target, or a column to drop?";
    if (csv->has_number[column])
        help = "Missing values are written as NA or left empty.";
    else if (csv->row == 0 && !csv->columns.has_header)
        help = "Is this line a header? Then say so. Else: is it the target, or a column to drop?";
    if (strchr(word, ',') && strspn(word, "+-0123456789,eE") == strlen(word))
        help = "Numbers have a decimal point, no comma, and no separators of thousands.";
    return error_set(err, GM_BAD_DATA, "%s: line %zu, column %zu ('%.100s'): expected a number, " FOUND ". %s",
                     record->path, record->line, column + 1, name_of(csv, column), word, help);
}

static enum gm_code look_at_target(struct csv_import *csv, const struct csv_record *record, struct gm_error *err)
{
    size_t column = csv->columns.target;
    const char *text = record->cells[column];
    struct cell cell = cell_parse(text);
    if (!csv->target_known && cell.kind != CELL_MISSING) {
        csv->target_known = true;
        csv->target_is_words = cell.kind == CELL_WORD;
    }
    if (!csv->target_is_words) {
        if (cell.kind == CELL_WORD)
            return error_set(err, GM_BAD_DATA,
                             "%s: line %zu, column %zu ('%.100s'): expected a number as in the lines before, " FOUND
                             ". Class names must be words from the first row on.",
                             record->path, record->line, column + 1, name_of(csv, column), text);
        cell_range_add(&csv->target, &cell);
        return GM_OK;
    }
    if (cell.kind == CELL_MISSING || csv->target.missing)
        return error_set(err, GM_BAD_DATA,
                         "%s: line %zu, column %zu ('%.100s'): expected a class name, " FOUND
                         ". Rows without a class cannot be used: take them out.",
                         record->path, record->line, column + 1, name_of(csv, column), text);
    enum gm_code code = label_set_add(&csv->labels, text, err);
    if (code == GM_OK && csv->labels.names.count > LABELS_MOST)
        return error_set(err, GM_BAD_DATA,
                         "%s: line %zu, column %zu ('%.100s'): more than %zu different class names. Is it the target?",
                         record->path, record->line, column + 1, name_of(csv, column), LABELS_MOST);
    return code;
}

static enum gm_code look_at_row(struct csv_import *csv, const struct csv_record *record, struct gm_error *err)
{
    for (size_t i = 0; i < record->count; i++) {
        if (csv->columns.roles[i] != CSV_FEATURE)
            continue;
        struct cell cell = cell_parse(record->cells[i]);
        if (cell.kind == CELL_WORD)
            return refuse_word(csv, record, i, err);
        csv->has_number[i] |= cell.kind != CELL_MISSING;
        cell_range_add(&csv->features, &cell);
    }
    return csv->columns.target == SIZE_MAX ? GM_OK : look_at_target(csv, record, err);
}

/* ---- the other passes: values ----------------------------------------------------------------------------------- */

static enum gm_code changed(const struct csv_record *record, struct gm_error *err)
{
    return error_set(err, GM_IO, "%s: line %zu: the file changed while it was being read. Import it again.",
                     record->path, record->line);
}

static bool fits(const struct cell *cell, enum data_type type, const struct cell_range *range)
{
    if (type == DATA_F32 || type == DATA_F64)
        return cell->kind != CELL_WORD;
    return cell->kind == CELL_WHOLE && cell->whole >= range->least && cell->whole <= range->most;
}

static enum gm_code store_row(struct csv_import *csv, const struct csv_record *record, struct gm_error *err)
{
    struct rows *rows = &csv->rows;
    size_t slot, feature = 0;
    if (csv->row >= csv->row_count)
        return changed(record, err);
    enum gm_code code = rows_slot(rows, csv->row, &slot, err);
    if (code || slot == ROWS_ELSEWHERE)
        return code;
    void *features = rows_features(rows, slot);
    for (size_t i = 0; i < record->count; i++) {
        if (csv->columns.roles[i] != CSV_FEATURE)
            continue;
        struct cell cell = cell_parse(record->cells[i]);
        if (!fits(&cell, rows->options.type, &csv->features))
            return changed(record, err);
        cell_store(&cell, rows->options.type, features, feature++);
    }
    if (csv->columns.target == SIZE_MAX)
        return GM_OK;
    struct cell cell = cell_parse(record->cells[csv->columns.target]);
    if (csv->target_is_words) {
        size_t label = label_set_find(&csv->labels, record->cells[csv->columns.target]);
        if (label == SIZE_MAX)
            return changed(record, err);
        cell = (struct cell){.kind = CELL_WHOLE, .whole = (int64_t)label};
    } else if (!fits(&cell, rows->options.target_type, &csv->target)) {
        return changed(record, err);
    }
    cell_store(&cell, rows->options.target_type, rows->targets, slot);
    return GM_OK;
}

/* ---- walking over the files ------------------------------------------------------------------------------------- */

static enum gm_code take_record(void *context, const struct csv_record *record, struct gm_error *err)
{
    struct csv_import *csv = context;
    enum gm_code code = GM_OK;
    if (csv->at_file_start) {
        csv->at_file_start = false;
        bool is_header;
        if (csv->columns.count == 0) {
            code = csv_columns_init(&csv->columns, record, csv->options, err);
            is_header = csv->columns.has_header;
            if (code == GM_OK)
                code = memory_alloc((void **)&csv->has_number, record->count, sizeof(bool), "columns", err);
        } else {
            code = csv_columns_match(&csv->columns, record, csv->options, &is_header, err);
        }
        if (code || is_header)
            return code;
    }
    if (record->count != csv->columns.count)
        return error_set(err, GM_BAD_DATA, "%s: line %zu: expected %zu cells as in the first line, found %zu.",
                         record->path, record->line, csv->columns.count, record->count);
    code = csv->storing ? store_row(csv, record, err) : look_at_row(csv, record, err);
    csv->row++;
    return code;
}

static void take_buffer(void *context, const struct input *in)
{
    struct csv_import *csv = context;
    import_meter_tell(&csv->meter, input_done(in));
}

static enum gm_code pass(struct csv_import *csv, struct gm_error *err)
{
    const struct csv_reading reading = {take_record, take_buffer, csv};
    csv->row = 0;
    for (size_t i = 0; i < csv->files; i++) {
        struct input in;
        enum gm_code code = input_open(&in, csv->from[i], err);
        if (code)
            return code;
        csv->at_file_start = true;
        code = csv_read(&in, &reading, err);
        import_meter_file_done(&csv->meter, in.size);
        input_close(&in);
        if (code)
            return code;
    }
    return GM_OK;
}

static enum gm_code check_first_pass(const struct csv_import *csv, struct gm_error *err)
{
    const char *path = csv->from[0];
    if (csv->columns.count == 0)
        return error_set(err, GM_BAD_DATA, "%s: the file is empty. Expected rows of numbers.", path);
    if (csv->row == 0)
        return error_set(err, GM_BAD_DATA, "%s: no rows below the header. Expected rows of numbers.", path);
    for (size_t i = 0; i < csv->columns.count; i++)
        if (csv->columns.roles[i] == CSV_FEATURE && !csv->has_number[i])
            return error_set(err, GM_BAD_DATA, "%s: column %zu ('%.100s') has no number in any row. Drop it.", path,
                             i + 1, name_of(csv, i));
    if (csv->columns.target != SIZE_MAX && !csv->target_known)
        return error_set(err, GM_BAD_DATA, "%s: the target, column %zu ('%.100s'), has no value in any row.", path,
                         csv->columns.target + 1, name_of(csv, csv->columns.target));
    return GM_OK;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static enum data_type type_of(const struct cell_range *range, enum import_floats floats)
{
    enum data_type type = cell_range_type(range);
    if ((type == DATA_F32 || type == DATA_F64) && floats != IMPORT_FLOATS_AUTO)
        return floats == IMPORT_FLOAT32 ? DATA_F32 : DATA_F64;
    return type;
}

static struct rows_options plan_rows(const struct csv_import *csv)
{
    const struct import_options *options = csv->options;
    struct cell_range labels = {.whole = 1, .most = (int64_t)csv->labels.names.count - 1};
    return (struct rows_options){
        .rows = csv->row_count,
        .features = csv->columns.features,
        .type = type_of(&csv->features, options->floats),
        .has_target = csv->columns.target != SIZE_MAX,
        .target_type = csv->target_is_words ? cell_range_type(&labels) : type_of(&csv->target, options->floats),
        .shuffle = options->shuffle,
        .seed = options->seed,
        .memory = options->memory,
    };
}

static enum gm_code write_names(struct csv_import *csv, struct output *out, struct gm_error *err)
{
    const char **names;
    enum gm_code code = memory_alloc((void **)&names, csv->columns.features, sizeof *names, "feature names", err);
    if (code)
        return code;
    size_t feature = 0;
    for (size_t i = 0; i < csv->columns.count; i++)
        if (csv->columns.roles[i] == CSV_FEATURE)
            names[feature++] = name_of(csv, i);
    code = output_texts(out, "feature_names", names, feature, err);
    memory_free(names);
    if (code == GM_OK && csv->columns.target != SIZE_MAX)
        code = output_text(out, "/", "target_name", name_of(csv, csv->columns.target), err);
    if (code == GM_OK && csv->target_is_words)
        code = output_texts(out, "class_names", (const char *const *)csv->labels.names.items, csv->labels.names.count,
                            err);
    return code;
}

static enum gm_code write_file(struct csv_import *csv, const char *to, struct gm_error *err)
{
    struct output *out;
    const struct rows_options plan = plan_rows(csv);
    enum gm_code code = output_open(&out, to, csv->options->compress, err);
    if (code)
        return code;
    if ((code = rows_init(&csv->rows, out, &plan, err)) || (code = import_describe(out, csv->from, csv->files, err)) ||
        (code = write_names(csv, out, err)))
        goto done;
    csv->storing = true;
    csv->meter.passes = 1 + csv->rows.passes;
    for (size_t i = 0; i < csv->rows.passes; i++) {
        if ((code = pass(csv, err)))
            goto done;
        if (csv->row != csv->row_count) {
            code =
                error_set(err, GM_IO, "%s: the file changed while it was being read. Import it again.", csv->from[0]);
            goto done;
        }
        if ((code = rows_end_pass(&csv->rows, err)))
            goto done;
    }
    code = output_finish(out, err);
done:
    rows_release(&csv->rows);
    output_close(out);
    return code;
}

static void fill_report(const struct csv_import *csv, struct import_report *report)
{
    *report = (struct import_report){
        .rows = csv->row_count,
        .features = csv->columns.features,
        .classes = csv->labels.names.count,
        .missing = csv->features.missing + csv->target.missing,
    };
    if (csv->columns.target != SIZE_MAX)
        snprintf(report->target, sizeof report->target, "%s", name_of(csv, csv->columns.target));
}

enum gm_code import_csv_files(const char *const *from, size_t files, const char *to,
                              const struct import_options *options, struct import_report *report, struct gm_error *err)
{
    struct csv_import csv = {.options = options, .from = from, .files = files};
    enum gm_code code = GM_OK;
    if (options->feature_names || options->class_names)
        code = error_set(err, GM_USAGE, "A CSV file names its columns in its first line, and its classes are words.");
    if (code == GM_OK)
        code = import_meter_init(&csv.meter, from, files, options, err);
    if (code == GM_OK)
        code = pass(&csv, err);
    if (code == GM_OK)
        code = check_first_pass(&csv, err);
    if (code == GM_OK) {
        csv.row_count = csv.row;
        label_set_sort(&csv.labels);
        code = write_file(&csv, to, err);
    }
    if (code == GM_OK && report)
        fill_report(&csv, report);
    csv_columns_release(&csv.columns);
    label_set_release(&csv.labels);
    memory_free(csv.has_number);
    return code;
}

enum gm_code import_csv(const char *from, const char *to, const struct import_options *options,
                        struct import_report *report, struct gm_error *err)
{
    return import_csv_files(&from, 1, to, options, report, err);
}
