/* The window of rows between an importer and the file. */
#include "datasets/rows.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"

#define WINDOW_BYTES ((size_t)8 << 20) /* in input order: enough to make each write worth it */

void rows_permutation(uint64_t *place, size_t rows, uint64_t seed)
{
    struct random_key key = {.seed = seed, .purpose = RANDOM_IMPORT};
    for (size_t i = 0; i < rows; i++) { /* the "inside-out" form: place[0..i] is a permutation after each step */
        size_t other = (size_t)random_below(key, i, i + 1);
        place[i] = place[other];
        place[other] = i;
    }
}

/* Rows of the window, and how many passes over the input that makes. */
static void plan(struct rows *r)
{
    size_t rows = r->options.rows, bytes = r->row_bytes + r->target_bytes;
    uint64_t budget = WINDOW_BYTES;
    if (r->options.shuffle)
        budget = r->options.memory ? r->options.memory : memory_limit() / 2;
    size_t window = bytes ? (size_t)(budget / bytes) : rows;
    size_t chunk = output_chunk_rows(r->x);
    window = window / chunk * chunk; /* whole chunks: each is compressed once */
    if (window == 0)
        window = chunk;
    r->window = window < rows ? window : rows;
    r->passes = r->options.shuffle && r->window ? (rows + r->window - 1) / r->window : 1;
}

enum gm_code rows_init(struct rows *r, struct output *out, const struct rows_options *options, struct gm_error *err)
{
    *r = (struct rows){.options = *options};
    struct output_shape shape = {.rank = 2, .dims = {options->rows, options->features}};
    struct output_shape target_shape = {.rank = options->targets ? 2 : 1, .dims = {options->rows, options->targets}};
    if (options->inner.rank) {
        shape.rank = 1 + options->inner.rank;
        for (size_t i = 0; i < options->inner.rank; i++)
            shape.dims[1 + i] = options->inner.dims[i];
    }
    enum gm_code code;
    if (!memory_product(options->features, output_type_size(options->type), &r->row_bytes))
        return error_set(err, GM_BAD_DATA, "A row of %zu features is too large.", options->features);
    size_t targets = options->targets ? options->targets : 1;
    if (options->has_target && !memory_product(targets, output_type_size(options->target_type), &r->target_bytes))
        return error_set(err, GM_BAD_DATA, "A row of %zu targets is too large.", targets);
    if ((code = output_array(out, "X", options->type, &shape, &r->x, err)))
        return code;
    if (options->has_target && (code = output_array(out, "y", options->target_type, &target_shape, &r->y, err)))
        return code;
    plan(r);
    if ((code = memory_alloc((void **)&r->features, r->window, r->row_bytes, "a window of rows", err)) ||
        (code = memory_alloc((void **)&r->targets, r->window, r->target_bytes, "a window of targets", err)))
        return code;
    if (options->shuffle) {
        code = memory_alloc((void **)&r->place, options->rows, sizeof *r->place, "the order of the rows", err);
        if (code == GM_OK)
            rows_permutation(r->place, options->rows, options->seed);
    }
    return code;
}

void rows_release(struct rows *r)
{
    memory_free(r->features);
    memory_free(r->targets);
    memory_free(r->place);
    *r = (struct rows){0};
}

static enum gm_code write_window(struct rows *r, size_t count, struct gm_error *err)
{
    enum gm_code code = output_rows(r->x, r->first, count, r->features, err);
    if (code == GM_OK && r->y)
        code = output_rows(r->y, r->first, count, r->targets, err);
    r->first += count;
    r->filled = 0;
    return code;
}

enum gm_code rows_slot(struct rows *r, size_t row, size_t *slot, struct gm_error *err)
{
    if (r->place) {
        uint64_t place = r->place[row];
        *slot = place >= r->first && place - r->first < r->window ? (size_t)place - r->first : ROWS_ELSEWHERE;
        return GM_OK;
    }
    if (r->filled == r->window) {
        enum gm_code code = write_window(r, r->filled, err);
        if (code)
            return code;
    }
    *slot = r->filled++;
    return GM_OK;
}

enum gm_code rows_end_pass(struct rows *r, struct gm_error *err)
{
    size_t left = r->options.rows - r->first;
    size_t count = r->place ? (left < r->window ? left : r->window) : r->filled;
    return write_window(r, count, err);
}
