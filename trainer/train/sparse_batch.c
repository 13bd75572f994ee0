/* A batch of sparse rows on a few threads. */
#include "train/sparse_batch.h"

#include <string.h>

#include "base/fetch.h"
#include "base/memory.h"
#include "data/convert.h"
#include "train/engine_inside.h"
#include "train/sparse_cut.h"

#define WORTH     ((uint64_t)800) /* entries for each thread of a team */
#define PART_ROWS ((size_t)16)    /* the least */
#define BINS      ((size_t)1024)  /* of columns, to find ranges with equally many entries */
#define AHEAD     ((size_t)64)    /* rows known behind the batch, to be fetched */

static size_t real_bytes(const struct sparse_batch *s)
{
    return s->engine->problem->model.spec.precision == MODEL_F32 ? sizeof(float) : sizeof(double);
}

static bool in_place(const struct sparse_batch *s)
{
    const struct problem *p = s->engine->problem;
    return p->train.schema->type == (p->model.spec.precision == MODEL_F32 ? DATA_F32 : DATA_F64);
}

static enum gm_code take(void **out, size_t count, size_t size, struct gm_error *err)
{
    return memory_alloc(out, count, size, "a batch of sparse rows", err);
}

enum gm_code sparse_batch_open(struct sparse_batch *s, struct engine *e, size_t rows, uint64_t entries,
                               struct gm_error *err)
{
    *s = (struct sparse_batch){
        .engine = e, .width = e->problem->model.spec.outputs, .room = rows + AHEAD, .most_entries = entries};
    size_t threads = (size_t)e->threads, copied = in_place(s) ? 0 : entries, shared;
    s->block_rows = problem_batch_plan(e->problem, rows).block_rows;
    s->most = threads < TEAM_ITEMS ? threads : TEAM_ITEMS;
    s->most = s->most < entries / WORTH ? s->most : entries / WORTH ? entries / WORTH : 1;
    shared = s->most > 1 && s->width == 1 && e->problem->model.ops->multiply ? s->most : 0;
    enum gm_code code;
    if ((code = take((void **)&s->cuts, s->most + 1, sizeof *s->cuts, err)) ||
        (code = take(&s->value, copied, real_bytes(s), err)) ||
        (code = take((void **)&s->index, copied, sizeof *s->index, err)) ||
        (code = take((void **)&s->start, s->room, sizeof *s->start, err)) ||
        (code = take((void **)&s->count, s->room, sizeof *s->count, err)) ||
        (code = take((void **)&s->first, s->most * s->room, sizeof *s->first, err)) ||
        (code = take((void **)&s->part, s->most * s->room, sizeof *s->part, err)) ||
        (shared && (code = take(&s->product, shared * entries, real_bytes(s), err))) ||
        (code = take((void **)&s->at, shared * s->room, sizeof *s->at, err)) ||
        (code = take((void **)&s->sizes, s->most, sizeof *s->sizes, err)) ||
        (code = take((void **)&s->slopes, rows * s->width, sizeof *s->slopes, err)))
        return code;
    if (s->most > 1 && team_open(&s->team, s->most, NULL)) /* no thread to be had: the same bits on one */
        s->most = 1;
    return GM_OK;
}

void sparse_batch_close(struct sparse_batch *s)
{
    team_close(s->team);
    memory_free(s->cuts);
    memory_free(s->value);
    memory_free(s->index);
    memory_free(s->start);
    memory_free(s->count);
    memory_free(s->first);
    memory_free(s->part);
    memory_free(s->product);
    memory_free(s->at);
    memory_free(s->sizes);
    memory_free(s->slopes);
    *s = (struct sparse_batch){0};
}

static void run(struct sparse_batch *s, size_t items, team_fn *fn)
{
    if (s->ranges > 1 && items > 1) {
        team_run(s->team, items, fn, s);
        return;
    }
    for (size_t item = 0; item < items; item++)
        fn(s, 0, item);
}

void sparse_batch_share(struct sparse_batch *s, team_fn *fn, void *context)
{
    if (s->team)
        team_run(s->team, TEAM_ITEMS, fn, context);
    for (size_t item = 0; !s->team && item < TEAM_ITEMS; item++)
        fn(context, 0, item);
}

/* ---- where the entries are ---- */

/* What the next batch looks up by row number. */
static void fetch_next(const struct sparse_batch *s, const struct engine_batch *b)
{
    const struct data_schema *schema = s->engine->problem->train.schema;
    const struct data_window *w = b->window;
    size_t bytes = schema->targets * data_type_size(schema->target_type);
    size_t end = b->rows + (b->ahead < b->rows + AHEAD ? b->ahead : b->rows + AHEAD);
    for (size_t i = b->rows; i < end; i++) {
        __builtin_prefetch(w->start + b->index[i]);
        if (w->target)
            fetch_to_read((const char *)w->target + b->index[i] * bytes, bytes);
        if (w->weight)
            __builtin_prefetch(w->weight + b->index[i]);
    }
}

/* Ranges of columns with about equally many of the batch's entries. */
static void choose_cuts(struct sparse_batch *s)
{
    const struct data_window *w = s->batch->window;
    uint64_t counts[BINS] = {0}, seen = 0;
    size_t features = s->engine->problem->model.spec.features, columns = (features - 1) / BINS + 1, bin = 0;
    for (size_t i = 0; i < s->rows; i++) {
        size_t row = s->batch->index[i];
        for (uint64_t e = w->start[row] - w->base; e < w->start[row + 1] - w->base; e++)
            counts[w->index[e] / columns]++;
    }
    for (size_t r = 0; r < s->most; r++) {
        while (bin < BINS && seen < s->entries * r / s->most)
            seen += counts[bin++];
        s->cuts[r] = (uint32_t)(bin * columns < features ? bin * columns : features);
    }
    s->cuts[s->most] = (uint32_t)features;
    s->chosen = true;
}

/* Rows of a part, in the model's precision. */
static void convert_part(void *context, size_t thread, size_t part)
{
    struct sparse_batch *s = context;
    const struct data_window *w = s->batch->window;
    enum data_type type = s->engine->problem->train.schema->type;
    size_t first = part * s->part_rows, end = first + s->part_rows < s->rows ? first + s->part_rows : s->rows;
    (void)thread;
    for (size_t i = first; i < end; i++) {
        uint64_t from = w->start[s->batch->index[i]] - w->base;
        const char *x = (const char *)w->x + from * data_type_size(type);
        memcpy(s->index + s->start[i], w->index + from, s->count[i] * sizeof *s->index);
        if (real_bytes(s) == sizeof(float))
            convert_to_f32(type, x, s->count[i], (float *)s->value + s->start[i]);
        else
            convert_to_f64(type, x, s->count[i], (double *)s->value + s->start[i]);
    }
}

void sparse_batch_plan(struct sparse_batch *s, const struct engine_batch *b)
{
    const uint64_t *start = b->window->start;
    bool own = in_place(s);
    size_t ahead = !own ? 0 : b->ahead < AHEAD ? b->ahead : AHEAD;
    s->batch = b;
    s->rows = b->rows;
    s->part_rows = ((b->rows - 1) / SPARSE_PARTS / PART_ROWS + 1) * PART_ROWS;
    s->parts = (b->rows - 1) / s->part_rows + 1;
    s->entries = 0;
    for (size_t i = 0; i < b->rows + ahead; i++) {
        uint64_t from = start[b->index[i]];
        s->count[i] = (uint32_t)(start[b->index[i] + 1] - from);
        s->start[i] = own ? from - b->window->base : s->entries;
        s->entries += i < b->rows ? s->count[i] : 0;
    }
    s->ranges = s->entries / WORTH < s->most ? s->entries / WORTH : s->most;
    s->ranges = s->ranges > 1 ? s->most : 1; /* as the cuts are */
    s->cut = s->ranges == 1;
    s->sizes[0] = s->entries; /* of the only one */
    if (s->ranges > 1 && !s->chosen)
        choose_cuts(s);
    s->all = (struct model_block){.x = own ? b->window->x : s->value,
                                  .rows = b->rows,
                                  .index = own ? b->window->index : s->index,
                                  .first = s->start,
                                  .count = s->count,
                                  .soon = ahead};
    if (own)
        fetch_next(s, b);
    else
        run(s, s->parts, convert_part);
}

static void cut_rows(struct sparse_batch *s, size_t range)
{
    uint64_t *first = s->first + range * s->room, size = 0;
    uint32_t *part = s->part + range * s->room, low = s->cuts[range], high = s->cuts[range + 1];
    for (size_t i = 0; i < s->rows; i++) {
        const uint32_t *index = s->all.index + s->start[i];
        size_t count = s->count[i], from = 0, to = count;
        if (range > 0)
            from = sparse_cut(index, count, count * range / s->ranges, low);
        if (range + 1 < s->ranges)
            to = sparse_cut(index, count, count * (range + 1) / s->ranges, high);
        first[i] = s->start[i] + from;
        part[i] = (uint32_t)(to - from);
        if (s->product)
            s->at[range * s->room + i] = (uint32_t)size;
        size += to - from;
    }
    s->sizes[range] = size;
    for (size_t i = s->rows; i < s->rows + s->all.soon; i++) { /* about, for they are only fetched */
        size_t count = s->count[i], from = count * range / s->ranges;
        first[i] = s->start[i] + from;
        part[i] = (uint32_t)(count * (range + 1) / s->ranges - from);
    }
}

struct model_block sparse_batch_block(const struct sparse_batch *s, size_t range)
{
    struct model_block block = s->all;
    if (s->ranges > 1) {
        block.first = s->first + range * s->room;
        block.count = s->part + range * s->room;
        block.soon = s->product ? block.soon : 0; /* else forward fetches whole rows */
        block.far = !s->product;
    }
    return block;
}

size_t sparse_batch_offset(const struct sparse_batch *s, size_t range)
{
    uint64_t sum = 0;
    for (size_t r = 0; r < range; r++)
        sum += s->sizes[r];
    return (size_t)sum;
}

static void take_range(void *context, size_t thread, size_t range)
{
    struct sparse_batch *s = context;
    if (!s->cut)
        cut_rows(s, range);
    if (s->range_fn)
        s->range_fn(s->range_context, thread, range);
}

void sparse_batch_ranges(struct sparse_batch *s, team_fn *fn, void *context)
{
    s->range_fn = fn;
    s->range_context = context;
    run(s, s->ranges, take_range);
    s->cut = true;
}

/* ---- forward ---- */

static void multiply_range(void *context, size_t thread, size_t range)
{
    struct sparse_batch *s = context;
    const struct model *m = &s->engine->problem->model;
    struct model_block block = sparse_batch_block(s, range);
    (void)thread;
    m->ops->multiply(m, s->engine->weights, &block, (char *)s->product + range * s->most_entries * real_bytes(s));
}

static void predict(const struct sparse_batch *s, struct worker *w, size_t first, size_t rows)
{
    const struct model *m = &s->engine->problem->model;
    if (s->product && s->ranges > 1) {
        struct sparse_products all = {s->product, s->at, s->part, s->ranges, s->most_entries, s->room, first, rows};
        m->ops->add(m, s->engine->weights, &all, w->scratch, w->all.pred);
        return;
    }
    w->block = s->all;
    w->block.rows = rows;
    w->block.soon += s->rows - first - rows;
    w->block.first += first;
    w->block.count += first;
    worker_forward(w, s->engine->weights);
}

static void take_part(void *context, size_t thread, size_t part)
{
    struct sparse_batch *s = context;
    struct engine *e = s->engine;
    const struct engine_batch *b = s->batch;
    struct worker *w = &e->workers[thread];
    size_t first = part * s->part_rows, end = first + s->part_rows < s->rows ? first + s->part_rows : s->rows;
    for (size_t i = first, rows; i < end; i += rows) {
        rows = end - i < s->block_rows ? end - i : s->block_rows;
        worker_gather_sides(w, e->problem->train.schema, b->window, b->index + i, rows);
        predict(s, w, i, rows);
        for (size_t k = 0; s->factor != 1 && k < rows * s->width; k++)
            w->all.pred[k] *= s->factor;
        worker_loss(w, 0, b->step, b->index[i], &e->sums[part]);
        memcpy(s->slopes + i * s->width, w->all.grad, rows * s->width * sizeof *s->slopes);
    }
}

enum gm_code sparse_batch_forward(struct sparse_batch *s, double factor, struct engine_totals *own,
                                  struct gm_error *err)
{
    s->factor = factor;
    memset(s->engine->sums, 0, s->parts * sizeof *s->engine->sums);
    if (s->product && s->ranges > 1)
        sparse_batch_ranges(s, multiply_range, s);
    run(s, s->parts, take_part);
    *own = (struct engine_totals){.finite = true};
    return engine_add_sums(s->engine, s->parts, own, err);
}
