/* Walking over the rows: resident or streaming, in storage order or shuffled. */
#include "data/set.h"

#include <string.h>

#include "base/error.h"
#include "base/home.h"
#include "base/memory.h"
#include "base/pulse.h"
#include "base/text.h"
#include "data/order.h"
#include "data/reader.h"

struct data_pass {
    struct data_set *set;
    struct data_order order;
    struct data_window window;
    struct pass_memory memory;
    struct reader *reader; /* streaming only */
    size_t *slabs;         /* [plan.slabs] permuted; NULL: storage order */
    size_t unit_slabs;     /* slabs of a window: 1, or those of a group */
    size_t units, next;
    uint64_t base;          /* rows in the units before `next` */
    struct order_rows rows; /* of the current group */
    size_t *starts;         /* [rows + 1] of a gathered group of sparse rows */
};

void pass_memory_release(struct pass_memory *memory)
{
    memory_free(memory->buffers[0]);
    memory_free(memory->buffers[1]);
    memory_free(memory->sides);
    memory_free(memory->numbers);
    *memory = (struct pass_memory){0};
}

static size_t slab_size(const struct lane_plan *plan, size_t slab)
{
    size_t first = slab * plan->slab_rows;
    return plan->rows - first < plan->slab_rows ? plan->rows - first : plan->slab_rows;
}

/* The slabs of a unit: list and number. */
static size_t unit_count(const struct data_pass *pass, size_t unit)
{
    size_t left = pass->set->plan.slabs - unit * pass->unit_slabs;
    return left < pass->unit_slabs ? left : pass->unit_slabs;
}

/* A buffer of sparse rows: room for the columns of the most entries a unit can have, then for their values. */
struct sparse_buffer {
    uint32_t *index;
    char *value;
};

static size_t rows_of_slabs(const struct lane_plan *plan, size_t slabs)
{
    return slabs < plan->slabs ? slabs * plan->slab_rows : plan->rows;
}

static uint64_t most_entries(const struct data_set *set, size_t slabs)
{
    const struct sparse *s = set->sparse;
    uint64_t most = s->slab_most * slabs, of_rows = sparse_most(s, rows_of_slabs(&set->plan, slabs));
    most = most < of_rows ? most : of_rows;
    return most < s->entries ? most : s->entries;
}

static uint64_t unit_entries(const struct data_pass *pass)
{
    return most_entries(pass->set, pass->unit_slabs);
}

uint64_t set_buffer_bytes(const struct data_set *set, size_t slabs)
{
    if (set->sparse) /* the values begin with a line */
        return most_entries(set, slabs) * sparse_entry_bytes(set->sparse) + 64;
    return (uint64_t)rows_of_slabs(&set->plan, slabs) * set->features.row_bytes;
}

static struct sparse_buffer sparse_buffer(const struct data_pass *pass, void *buffer)
{
    if (!pass->set->sparse)
        return (struct sparse_buffer){0};
    size_t index_bytes = (size_t)(unit_entries(pass) * sizeof(uint32_t) + 63) / 64 * 64;
    return (struct sparse_buffer){buffer, (char *)buffer + index_bytes};
}

static enum gm_code fill_unit(void *context, size_t unit, void *buffer, struct gm_error *err)
{
    const struct data_pass *pass = context;
    const struct lane_plan *plan = &pass->set->plan;
    char *to = buffer;
    enum gm_code code = GM_OK;
    struct sparse_buffer sparse = sparse_buffer(pass, buffer);
    uint64_t entries = 0;
    for (size_t i = 0; code == GM_OK && i < unit_count(pass, unit); i++) {
        size_t at = unit * pass->unit_slabs + i, slab = pass->slabs ? pass->slabs[at] : at;
        size_t rows = slab_size(plan, slab);
        if (at + 1 < plan->slabs) { /* the disk fetches the next slab while this one is decoded */
            size_t ahead = pass->slabs ? pass->slabs[at + 1] : at + 1;
            set_read_ahead(pass->set, ahead * plan->slab_rows, slab_size(plan, ahead));
        }
        if (pass->set->sparse) {
            const struct sparse *s = pass->set->sparse;
            size_t first = slab * plan->slab_rows;
            code = sparse_read(s, first, rows, sparse.value + entries * data_type_size(pass->set->schema.type),
                               sparse.index + entries, err);
            entries += s->start[first + rows] - s->start[first];
            continue;
        }
        code = set_read_features(pass->set, slab * plan->slab_rows, rows, to, err);
        to += rows * pass->set->features.row_bytes;
    }
    return code;
}

size_t set_target_row_bytes(const struct data_set *set)
{
    return set->target.at && set->target.kind == H5_NUMBERS
               ? set->schema.targets * data_type_size(set->schema.target_type)
           : set->target_values ? sizeof(double)
                                : 0;
}

/* Sizes of everything the pass needs. Streaming shuffled windows hold a group, twice when the memory allows. */
static enum gm_code size_memory(struct data_pass *pass, struct pass_memory *need, struct gm_error *err)
{
    const struct data_set *set = pass->set;
    size_t rows = rows_of_slabs(&set->plan, pass->unit_slabs);
    need->n_numbers = pass->order.shuffled ? set->plan.slabs + 3 * rows : 0;
    if (set->sparse && pass->order.shuffled)
        need->n_numbers += rows + 1; /* where the rows of a gathered group start */
    if (set->x)
        return GM_OK;
    need->buffer_bytes = (size_t)set_buffer_bytes(set, pass->unit_slabs);
    need->n_buffers = pass->units > 1 ? 2 : 1;
    if (!pass->order.shuffled)
        return GM_OK; /* data_load made sure of two slabs */
    need->sides_bytes = rows * (set_target_row_bytes(set) + sizeof(double) + sizeof(int64_t));
    uint64_t fixed =
        set_side_bytes(set) + need->n_numbers * sizeof(size_t) + need->sides_bytes + set_sparse_reading(set);
    uint64_t least = fixed + need->buffer_bytes;
    if (least > set->memory) {
        char given[32], needed[32];
        return error_set(err, GM_SYSTEM,
                         "%s: run.memory of %s is too little for a shuffled pass; it needs at least %s.",
                         set->features.at, text_from_bytes(set->memory, given), text_from_bytes(least, needed));
    }
    if (least + need->buffer_bytes > set->memory)
        need->n_buffers = 1;
    return GM_OK;
}

/* A buffer's pages to the threads that will have its rows; sparse rows differ from window to window. */
static void settle(const struct data_pass *pass, void *buffer, size_t bytes)
{
    const struct data_set *set = pass->set;
    struct lane_plan window = set->plan;
    if (set->sparse) {
        home_of_items(buffer, bytes, set->threads);
        return;
    }
    window.rows = bytes / set->features.row_bytes;
    window.slabs = (window.rows - 1) / window.slab_rows + 1;
    home_of_rows(buffer, set->features.row_bytes, NULL, &window, set->threads);
}

/* Take the memory of the last pass when it is large enough. */
static enum gm_code take_memory(struct data_pass *pass, struct gm_error *err)
{
    struct pass_memory need = {0}, *spare = &pass->set->spare, *memory = &pass->memory;
    enum gm_code code = size_memory(pass, &need, err);
    if (code != GM_OK)
        return code;
    *memory = *spare;
    *spare = (struct pass_memory){0};
    if (memory->buffer_bytes >= need.buffer_bytes && memory->n_buffers >= need.n_buffers &&
        memory->sides_bytes >= need.sides_bytes && memory->n_numbers >= need.n_numbers)
        return GM_OK;
    pass_memory_release(memory);
    *memory = need;
    for (size_t i = 0; code == GM_OK && i < need.n_buffers; i++)
        if (!(code = memory_alloc(&memory->buffers[i], need.buffer_bytes, 1, "a window of features", err)))
            settle(pass, memory->buffers[i], need.buffer_bytes);
    if (code == GM_OK && need.sides_bytes)
        code = memory_alloc(&memory->sides, need.sides_bytes, 1, "a window of targets", err);
    if (code == GM_OK && need.n_numbers)
        code = memory_alloc((void **)&memory->numbers, need.n_numbers, sizeof(size_t), "the order of rows", err);
    return code;
}

static enum gm_code start_reader(struct data_pass *pass, struct gm_error *err)
{
    struct reader_source source = {fill_unit, pass, pass->units, pass->memory.buffers, pass->memory.n_buffers};
    return reader_open(&pass->reader, &source, err);
}

enum gm_code data_pass_open(struct data_pass **out, struct data_set *set, const struct data_order *order,
                            struct gm_error *err)
{
    *out = NULL;
    if (!set->loaded)
        return error_set(err, GM_BUG, "%s: a pass before the dataset is loaded.", set->features.at);
    struct data_pass *pass = NULL;
    enum gm_code code = memory_alloc((void **)&pass, 1, sizeof *pass, "a pass over the data", err);
    if (code != GM_OK)
        return code;
    pass->set = set;
    pass->order = *order;
    const struct lane_plan *plan = &set->plan;
    pass->unit_slabs = order->shuffled ? order_group_slabs(plan, set->features.row_bytes) : 1;
    pass->units = (plan->slabs - 1) / pass->unit_slabs + 1;
    code = take_memory(pass, err);
    if (code == GM_OK && order->shuffled) {
        size_t rows = rows_of_slabs(plan, pass->unit_slabs);
        pass->slabs = pass->memory.numbers;
        pass->rows.row_of = pass->slabs + plan->slabs;
        pass->rows.order = pass->rows.row_of + rows;
        pass->rows.picks = pass->rows.order + rows;
        pass->starts = pass->rows.picks + rows;
        order_slabs(plan, order, pass->slabs);
    }
    if (code == GM_OK && !set->x)
        code = start_reader(pass, err);
    if (code != GM_OK) {
        data_pass_close(pass);
        return code;
    }
    *out = pass;
    return GM_OK;
}

/* A window onto the resident arrays from `first` on; x only when it is resident. */
static struct data_window view(const struct data_set *set, size_t first, size_t rows)
{
    const struct sparse *s = set->sparse;
    size_t stride = set->features.row_bytes, skipped = s ? 0 : first * stride;
    return (struct data_window){
        .first_row = first,
        .rows = rows,
        .x = set->x ? (const char *)set->x + skipped : NULL,
        .start = s ? s->start + first : NULL,
        .index = s ? s->index : NULL,
        .stride = stride,
        .target = set->target_values ? (const char *)set->target_values + first * set_target_row_bytes(set) : NULL,
        .weight = set->weights ? set->weights + first : NULL,
        .group = set->groups ? set->groups + first : NULL,
    };
}

/* Target, weights and groups of a streamed group, laid beside its buffer in the same order. */
static void gather_sides(struct data_pass *pass, size_t unit)
{
    const struct data_set *set = pass->set;
    const struct lane_plan *plan = &set->plan;
    size_t rows = pass->rows.rows, bytes = set_target_row_bytes(set);
    double *weight = pass->memory.sides; /* the widest first: all are aligned */
    int64_t *group = (int64_t *)(weight + rows);
    char *target = (char *)(group + rows);
    for (size_t i = 0, at = 0; i < unit_count(pass, unit); i++) {
        size_t slab = pass->slabs[unit * pass->unit_slabs + i], first = slab * plan->slab_rows;
        size_t n = slab_size(plan, slab);
        if (set->weights)
            memcpy(weight + at, set->weights + first, n * sizeof *weight);
        if (set->groups)
            memcpy(group + at, set->groups + first, n * sizeof *group);
        if (bytes)
            memcpy(target + at * bytes, (const char *)set->target_values + first * bytes, n * bytes);
        at += n;
    }
    pass->window.weight = set->weights ? weight : NULL;
    pass->window.group = set->groups ? group : NULL;
    pass->window.target = bytes ? target : NULL;
}

/* Where the rows of a gathered group of sparse rows start in its buffer. */
static void gather_starts(struct data_pass *pass, void *buffer)
{
    const uint64_t *start = pass->set->sparse->start;
    uint64_t at = 0;
    for (size_t i = 0; i < pass->rows.rows; i++) {
        size_t row = pass->rows.row_of[i];
        pass->starts[i] = (size_t)at;
        at += start[row + 1] - start[row];
    }
    pass->starts[pass->rows.rows] = (size_t)at;
    struct sparse_buffer parts = sparse_buffer(pass, buffer);
    pass->window.start = pass->starts;
    pass->window.index = parts.index;
    pass->window.x = parts.value;
}

static void make_shuffled(struct data_pass *pass, size_t unit, void *buffer)
{
    const struct data_set *set = pass->set;
    struct order_group group = {pass->slabs + unit * pass->unit_slabs, unit_count(pass, unit), pass->base};
    struct order_rows *rows = &pass->rows;
    order_shuffle(rows, &set->plan, &pass->order, &group, set->threads);
    pass->base += rows->rows;
    if (set->x) { /* no copy: the order speaks of rows of the dataset */
        pass->window = view(set, 0, set->plan.rows);
        for (size_t i = 0; i < rows->taken; i++)
            rows->order[i] = rows->row_of[rows->order[i]];
    } else {
        pass->window = (struct data_window){.rows = rows->rows, .x = buffer, .stride = set->features.row_bytes};
        pass->window.row_of = rows->row_of;
        gather_sides(pass, unit);
        if (set->sparse)
            gather_starts(pass, buffer);
    }
    pass->window.order = rows->order;
    pass->window.order_rows = rows->taken;
}

static enum gm_code wait_for_reader(struct data_pass *pass, void **buffer, struct gm_error *err)
{
    pulse_enter_disk(pass->set->schema.features_at);
    enum gm_code code = reader_next(pass->reader, buffer, err);
    pulse_leave(&pulse_disk);
    return code;
}

enum gm_code data_pass_next(struct data_pass *pass, const struct data_window **window, struct gm_error *err)
{
    const struct lane_plan *plan = &pass->set->plan;
    *window = NULL;
    while (pass->next < pass->units) {
        void *buffer = NULL;
        enum gm_code code = pass->reader ? wait_for_reader(pass, &buffer, err) : GM_OK;
        if (code != GM_OK)
            return code;
        size_t unit = pass->next++;
        if (pass->order.shuffled) {
            make_shuffled(pass, unit, buffer);
            if (pass->window.order_rows == 0)
                continue; /* no row of the mask in this group */
        } else {
            pass->window = view(pass->set, unit * plan->slab_rows, slab_size(plan, unit));
            if (buffer)
                pass->window.x = buffer;
            if (buffer && pass->set->sparse) {
                struct sparse_buffer parts = sparse_buffer(pass, buffer);
                pass->window.x = parts.value;
                pass->window.index = parts.index;
                pass->window.base = pass->window.start[0];
            }
        }
        *window = &pass->window;
        break;
    }
    return GM_OK;
}

void data_pass_close(struct data_pass *pass)
{
    if (!pass)
        return;
    reader_close(pass->reader);
    pass_memory_release(&pass->set->spare);
    pass->set->spare = pass->memory;
    memory_free(pass);
}

bool data_whole(const struct data_set *set, struct data_window *window)
{
    *window = view(set, 0, set->plan.rows);
    return set->x != NULL;
}
