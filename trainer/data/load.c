/* Reading what stays in memory: target, weights and groups always, the features when they fit. */
#include "data/set.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/home.h"
#include "base/memory.h"
#include "base/pulse.h"
#include "base/text.h"

#define BAND_BYTES ((size_t)32 << 20) /* of one H5Dread */

/* All rows by bands of whole chunk rows, so that HDF5 decodes each chunk once. */
static enum gm_code read_all(const struct stored *stored, void *to, struct gm_error *err)
{
    size_t at_once = BAND_BYTES / stored->row_bytes / stored->band_rows * stored->band_rows;
    if (at_once == 0)
        at_once = stored->band_rows;
    enum gm_code code = GM_OK;
    for (size_t first = 0; code == GM_OK && first < stored->rows; first += at_once) {
        size_t rows = stored->rows - first < at_once ? stored->rows - first : at_once;
        code = stored_read(stored, first, rows, (char *)to + first * stored->row_bytes, err);
    }
    return code;
}

/* Of what stands beside the features. */
static enum gm_code read_beside(const struct stored *stored, void *to, struct gm_error *err)
{
    struct dataset dataset;
    enum gm_code code = dataset_beside(&dataset, stored, err);
    if (code == GM_OK)
        code = dataset.chunks ? dataset_read(&dataset, 0, stored->rows, to, err) : read_all(stored, to, err);
    dataset_rest(&dataset);
    return code;
}

static enum gm_code add_word(void *context, size_t row, const char *text, struct gm_error *err)
{
    struct data_set *set = context;
    if (labels_add(&set->labels, row, text, strlen(text)))
        return GM_OK;
    return error_set(err, GM_BAD_DATA, "%s: more than %d different words by row %zu, or no memory for them.",
                     set->target.at, LABELS_MOST, row);
}

enum gm_code set_read_target(struct data_set *set, struct gm_error *err)
{
    const struct stored *target = &set->target;
    if (!target->at || set->target_values || set->labels.codes)
        return GM_OK;
    if (set->members)
        return sides_join_target(set, err);
    if (target->kind == H5_WORDS) {
        enum gm_code code = labels_init(&set->labels, target->rows, err);
        return code == GM_OK ? stored_each_word(target, add_word, set, err) : code;
    }
    enum gm_code code = memory_alloc(&set->target_values, target->rows, target->row_bytes, "the target", err);
    if (code == GM_OK && set->plan.rows == target->rows) /* the plan is made, and not of several files */
        home_of_rows(set->target_values, target->row_bytes, NULL, &set->plan, set->threads);
    return code == GM_OK ? read_beside(target, set->target_values, err) : code;
}

/* One number a row, as double. */
static enum gm_code read_reals(double **out, const struct stored *stored, struct gm_error *err)
{
    void *raw = NULL;
    enum gm_code code = memory_alloc(&raw, stored->rows, stored->row_bytes, "weights", err);
    if (code == GM_OK)
        code = memory_alloc((void **)out, stored->rows, sizeof **out, "weights", err);
    if (code == GM_OK)
        code = read_beside(stored, raw, err);
    if (code == GM_OK)
        convert_to_f64(stored->value_type, raw, stored->rows, *out);
    memory_free(raw);
    return code;
}

static int64_t whole_at(enum data_type type, const void *raw, size_t row)
{
    switch (type) {
    case DATA_I64:
        return ((const int64_t *)raw)[row];
    case DATA_U64: /* group numbers are only compared: any one-to-one image will do */
        return (int64_t)((const uint64_t *)raw)[row];
    default: {
        double value;
        convert_to_f64(type, (const char *)raw + row * data_type_size(type), 1, &value);
        return (int64_t)value;
    }
    }
}

static enum gm_code read_groups(struct data_set *set, struct gm_error *err)
{
    const struct stored *group = &set->group;
    if (group->value_type > DATA_I64)
        return error_set(err, GM_BAD_DATA, "%s: group numbers must be of an integer type, not %s.", group->at,
                         data_type_name(group->value_type));
    void *raw = NULL;
    enum gm_code code = memory_alloc(&raw, group->rows, group->row_bytes, "groups", err);
    if (code == GM_OK)
        code = memory_alloc((void **)&set->groups, group->rows, sizeof *set->groups, "groups", err);
    if (code == GM_OK)
        code = read_beside(group, raw, err);
    for (size_t row = 0; code == GM_OK && row < group->rows; row++)
        set->groups[row] = whole_at(group->value_type, raw, row);
    memory_free(raw);
    return code;
}

enum gm_code sides_read(struct data_set *set, struct gm_error *err)
{
    if (set->members)
        return sides_join(set, err);
    enum gm_code code = GM_OK;
    if (set->weight.at)
        code = read_reals(&set->weights, &set->weight, err);
    if (code == GM_OK && set->group.at)
        code = read_groups(set, err);
    return code == GM_OK ? sides_read_marks(set, err) : code;
}

static enum gm_code read_sides(struct data_set *set, struct gm_error *err)
{
    enum gm_code code = set_read_target(set, err);
    if (code == GM_OK)
        code = sides_read(set, err);
    if (code == GM_OK)
        code = sides_drop_marked(set, err);
    if (code != GM_OK || set->weights || set->options.missing != DATA_MISSING_SKIP || set->schema.type < DATA_F16)
        return code;
    /* Rows with a missing feature will get weight 0, so there must be weights (scan.c). */
    code = memory_alloc((void **)&set->weights, set->schema.rows, sizeof *set->weights, "weights", err);
    for (size_t row = 0; code == GM_OK && row < set->schema.rows; row++)
        set->weights[row] = 1.0;
    return code;
}

uint64_t set_side_bytes(const struct data_set *set)
{
    const struct data_schema *schema = &set->schema;
    uint64_t row =
        schema->targets * (set->target.kind == H5_WORDS ? sizeof(double) : data_type_size(schema->target_type));
    row += (set->weights || schema->has_weight ? sizeof(double) : 0) + (schema->has_group ? sizeof(int64_t) : 0);
    row += set->split.at ? 1 : 0;
    return row * schema->rows + (set->sparse ? sparse_start_bytes(set->sparse) : 0);
}

uint64_t set_feature_bytes(const struct data_set *set)
{
    return set->sparse ? sparse_bytes(set->sparse) : (uint64_t)set->schema.rows * set->features.row_bytes;
}

uint64_t data_entries_most(const struct data_set *set, size_t rows)
{
    return set->sparse ? sparse_most(set->sparse, rows) : 0;
}

/* What reading one file needs beside the rows it fills, where slabs cut through chunks. */
static uint64_t reading_bytes(const struct data_set *set)
{
    const struct stored *x = &set->features;
    if (set->parts[0])
        return joined_bytes(set) + reading_bytes(set->parts[0]) + reading_bytes(set->parts[1]);
    if (set->io == DATA_IO_MAPPED)
        return 0;
    if (set->io == DATA_IO_CHUNKS)
        return chunks_bytes(x, &set->layout, set->plan.slab_rows, set->threads);
    return x->band_bytes <= STORED_BAND_MOST ? x->band_bytes : 0;
}

uint64_t set_sparse_reading(const struct data_set *set)
{
    return set->sparse ? sparse_reading_bytes(set->sparse, set->threads) : 0;
}

/* Two slabs, and what reading them needs: of several files, that of the one which needs most. */
uint64_t set_window_bytes(const struct data_set *set)
{
    if (set->sparse) /* columns and triples do not stream */
        return (set->sparse->form == SPARSE_CSR ? 2 * set->sparse->slab_most * sparse_entry_bytes(set->sparse)
                                                : set_feature_bytes(set)) +
               set_sparse_reading(set);
    uint64_t most = set->members ? 0 : reading_bytes(set);
    for (size_t i = 0; i < set->n_members; i++) {
        uint64_t bytes = reading_bytes(set->members[i]);
        most = bytes > most ? bytes : most;
    }
    return 2 * (uint64_t)set->plan.slab_rows * set->features.row_bytes + most;
}

static enum gm_code refuse_way(const struct data_set *set, enum data_io wish, struct gm_error *err)
{
    return error_set(err, GM_BAD_DATA, "%s: cannot be read as %s, because %s; leave out --io and data.io.",
                     set->features.at, wish == DATA_IO_MAPPED ? "mapped" : "chunks",
                     set->layout.reason[0] ? set->layout.reason : "it is not stored in chunks");
}

/* Each file its own way; what is said of the whole is the slowest of them. */
static enum gm_code choose_for_each(struct data_set *set, struct gm_error *err)
{
    enum gm_code code = GM_OK;
    set->io = DATA_IO_MAPPED;
    for (size_t i = 0; code == GM_OK && i < set->n_members; i++) {
        struct data_set *member = set->members[i];
        member->threads = set->threads;
        member->plan = set->plan;
        code = set_choose_io(member, err);
        if (code == GM_OK && member->io > set->io) {
            set->io = member->io;
            set->layout = member->layout;
        }
    }
    return code;
}

/* The way to read: the one asked for, or the best one. */
enum gm_code set_choose_io(struct data_set *set, struct gm_error *err)
{
    if (set->sparse) {
        set->io = DATA_IO_BANDS;
        return sparse_starts(set->sparse, &set->plan, err);
    }
    if (set->members)
        return choose_for_each(set, err);
    if (set->parts[0])
        return joined_choose_io(set, err);
    enum data_io wish = set->options.io, best;
    layout_plan(&set->layout, &set->features);
    best = set->layout.io;
    set->io = wish == DATA_IO_AUTO ? best : wish;
    return wish == DATA_IO_AUTO || wish == DATA_IO_BANDS || wish == best ? GM_OK : refuse_way(set, wish, err);
}

enum gm_code set_start_reading(struct data_set *set, struct gm_error *err)
{
    if (set->parts[0])
        return joined_start(set, err);
    if (set->sparse)
        return sparse_ready(set->sparse, set->threads, err);
    if (set->io == DATA_IO_CHUNKS && !set->chunks)
        return chunks_open(&set->chunks, &set->features, &set->layout, set->threads, err);
    if (set->io == DATA_IO_MAPPED && !set->mapped.open && !set->members &&
        !mapped_open(&set->mapped, &set->features, &set->layout)) {
        snprintf(set->layout.reason, sizeof set->layout.reason, "its place in the file is not where it should be");
        set->io = set->layout.io = DATA_IO_BANDS;
    }
    return GM_OK;
}

void set_stop_reading(struct data_set *set)
{
    if (set->parts[0])
        joined_stop(set);
    if (set->sparse)
        sparse_rest(set->sparse);
    chunks_close(set->chunks);
    set->chunks = NULL;
    mapped_close(&set->mapped);
}

void set_read_ahead(struct data_set *set, size_t first, size_t rows)
{
    if (set->members) {
        size_t within;
        struct data_set *member = set->members[several_member(set, first, &within)];
        size_t left = member->schema.rows - within;
        set_read_ahead(member, within, rows < left ? rows : left);
    } else if (set->parts[0]) {
        set_read_ahead(set->parts[0], first, rows);
        set_read_ahead(set->parts[1], first, rows);
    } else if (set->mapped.open) {
        mapped_ahead(&set->mapped, (struct row_range){first, first + rows});
    } else if (!set->sparse) {
        ahead_want(&set->ahead, &set->features, first, rows);
    }
}

enum gm_code set_read_features(struct data_set *set, size_t first, size_t rows, void *to, struct gm_error *err)
{
    if (set->members)
        return several_read(set, first, rows, to, err);
    if (set->parts[0])
        return joined_read(set, first, rows, to, err);
    if (set->chunks)
        return chunks_read(set->chunks, first, rows, to, err);
    if (set->mapped.open)
        return mapped_read(&set->mapped, (struct row_range){first, first + rows}, set->threads, to, err);
    return stored_read(&set->features, first, rows, to, err);
}

/* Map the features, or read them all. */
static enum gm_code make_resident(struct data_set *set, struct gm_error *err)
{
    const struct stored *features = &set->features;
    if (set->sparse) {
        enum gm_code done = sparse_make_resident(set->sparse, &set->plan, set->threads, err);
        set->x = done == GM_OK ? set->sparse->value : NULL;
        set_stop_reading(set);
        return done;
    }
    if (set->mapped.open && set->layout.as_is)
        set->x = mapped_view(&set->mapped, (uint64_t)features->rows * features->row_bytes);
    if (set->x)
        return GM_OK;
    enum gm_code code = memory_alloc(&set->copy, features->rows, features->row_bytes, "the features", err);
    if (code == GM_OK)
        home_of_rows(set->copy, features->row_bytes, NULL, &set->plan, set->threads);
    bool own = set->members || set->parts[0] || set->chunks || set->mapped.open;
    if (code == GM_OK)
        code = own ? set_read_features(set, 0, features->rows, set->copy, err) : read_all(features, set->copy, err);
    if (code == GM_OK)
        set->x = set->copy;
    set_stop_reading(set->reading ? set->reading : set); /* its buffers are needed no more */
    set->reading = NULL;
    return code;
}

static enum gm_code check_memory(const struct data_set *set, struct gm_error *err)
{
    uint64_t all = set_feature_bytes(set) + set_sparse_reading(set), window = set_window_bytes(set);
    uint64_t least = set_streams(set) ? set_side_bytes(set) + (window < all ? window : all) : set_resident_bytes(set);
    if (set->memory >= least)
        return GM_OK;
    char given[32], needed[32];
    if (!set_streams(set))
        return error_set(
            err, GM_SYSTEM,
            "%s: run.memory of %s is too little to turn columns or triples into rows; it needs %s. Compressed "
            "rows (SciPy: tocsr()) can stream.",
            set->features.at, text_from_bytes(set->memory, given), text_from_bytes(least, needed));
    return error_set(err, GM_SYSTEM, "%s: run.memory of %s is too little to stream this dataset; it needs at least %s.",
                     set->features.at, text_from_bytes(set->memory, given), text_from_bytes(least, needed));
}

static enum gm_code load(struct data_set *set, const struct lane_plan *plan, uint64_t memory, int threads,
                         struct gm_error *err)
{
    if (plan->rows != set->schema.rows)
        return error_set(err, GM_BUG, "A plan for %zu rows does not fit the %zu rows of %s.", plan->rows,
                         set->schema.rows, set->features.at);
    set->plan = *plan;
    set->memory = memory;
    set->threads = threads > 0 ? threads : 1;
    enum gm_code code = set_choose_io(set, err);
    if (code == GM_OK)
        code = read_sides(set, err);
    if (code == GM_OK)
        code = check_memory(set, err);
    if (code == GM_OK && (!set->members || set->sparse))
        code = set_start_reading(set, err);
    if (code != GM_OK)
        return code;
    set->loaded = true;
    return set_fits(set, memory) ? make_resident(set, err) : GM_OK;
}

enum gm_code data_load(struct data_set *set, const struct lane_plan *plan, uint64_t memory, int threads,
                       struct gm_error *err)
{
    pulse_enter_disk(set->schema.features_at);
    enum gm_code code = load(set, plan, memory, threads, err);
    pulse_leave(&pulse_disk);
    return code;
}

const uint8_t *data_split_marks(const struct data_set *set)
{
    return set->marks;
}

const int64_t *data_groups(const struct data_set *set)
{
    return set->groups;
}

bool data_is_resident(const struct data_set *set)
{
    return set->x != NULL;
}

enum data_io data_io(const struct data_set *set, const char **reason)
{
    if (set->sparse) {
        if (reason)
            *reason = set->sparse->values.layout.reason;
        return set->sparse->values.layout.io;
    }
    if (reason)
        *reason = set->io == DATA_IO_BANDS && set->layout.io != DATA_IO_BANDS ? "it was asked for" : set->layout.reason;
    return set->io;
}

uint64_t data_bytes(const struct data_set *set)
{
    uint64_t features = set->x ? set_feature_bytes(set) : set_window_bytes(set);
    return set_side_bytes(set) + features;
}
