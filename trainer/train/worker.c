/* What one thread needs to work on a block. */
#include "train/worker.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/fetch.h"
#include "base/memory.h"

#define CANARY_COUNT 8 /* doubles on each side of a buffer that a plugin writes */
static const uint64_t canary = 0x7FF4DEADC0DEF00Du;

static enum gm_code take(struct worker *w, void **out, size_t count, size_t size, struct gm_error *err)
{
    enum gm_code code = memory_alloc(out, count, size, "a thread's buffers", err);
    if (!code)
        w->memory[w->n_memory++] = *out;
    return code;
}

static enum gm_code take_guarded(struct worker *w, double **out, size_t count, struct gm_error *err)
{
    void *base;
    enum gm_code code = take(w, &base, count + 2 * CANARY_COUNT, sizeof(double), err);
    if (code)
        return code;
    *out = (double *)base + CANARY_COUNT;
    for (size_t i = 0; i < CANARY_COUNT; i++) {
        memcpy(*out - 1 - i, &canary, sizeof canary);
        memcpy(*out + count + i, &canary, sizeof canary);
    }
    return GM_OK;
}

bool worker_second_is_diagonal(const struct loss *loss)
{
    bool diagonal = loss->spec.gives & GM_GIVES_HESS_DIAG, full = loss->spec.gives & GM_GIVES_HESS;
    return diagonal && (loss->outputs == 1 || !full);
}

/* Second derivatives a row. */
static size_t second_width(const struct worker *w)
{
    size_t outputs = w->setup.loss->outputs;
    return worker_second_is_diagonal(w->setup.loss) ? outputs : outputs * outputs;
}

static enum gm_code take_part(struct worker *w, struct worker_part *part, size_t rows, struct gm_error *err)
{
    size_t outputs = w->setup.loss->outputs, targets = w->setup.loss->targets;
    enum gm_code code;
    if ((code = take(w, (void **)&part->pred, rows * outputs, sizeof(double), err)) ||
        (code = take_guarded(w, &part->grad, rows * outputs, err)) ||
        (w->setup.second && (code = take_guarded(w, &part->second, rows * second_width(w), err))) ||
        (code = take(w, (void **)&part->target, rows * targets, sizeof(double), err)) ||
        (code = take(w, (void **)&part->weight, rows, sizeof(double), err)))
        return code;
    return take(w, (void **)&part->group, rows, sizeof(int64_t), err);
}

static enum gm_code take_sparse(struct worker *w, struct gm_error *err)
{
    size_t rows = w->setup.block_rows;
    enum gm_code code = take(w, (void **)&w->index, w->setup.entries, sizeof *w->index, err);
    if (!code)
        code = take(w, (void **)&w->first, rows, sizeof *w->first, err);
    return code ? code : take(w, (void **)&w->count, rows, sizeof *w->count, err);
}

static size_t real_bytes(const struct model *m)
{
    return m->spec.precision == MODEL_F32 ? sizeof(float) : sizeof(double);
}

enum gm_code worker_init(struct worker *w, const struct worker_setup *setup, struct gm_error *err)
{
    *w = (struct worker){.setup = *setup};
    const struct model *m = setup->model;
    size_t rows = setup->block_rows, call = setup->call_rows, most = call > rows ? call : rows;
    bool splits = setup->split && setup->split->mask && !call;
    loss_host_init(&w->host, &w->error);
    atomic_store(&w->pulse.what, setup->loss->plugin->vtable.id);
    atomic_store(&w->pulse.where, setup->loss->plugin->path);
    enum gm_code code;
    size_t values = m->spec.sparse ? setup->entries : rows * m->spec.features;
    if ((code = take(w, &w->x, values, real_bytes(m), err)) || (m->spec.sparse && (code = take_sparse(w, err))) ||
        (code = take(w, &w->scratch, m->ops->scratch_bytes(m, rows), 1, err)) ||
        (code = take(w, &w->loss_scratch, loss_scratch_bytes(setup->loss, most), 1, err)) ||
        (code = take_guarded(w, &w->theta_grad, setup->loss->spec.n_theta, err)) ||
        (code = take_part(w, &w->all, rows, err)) || (splits && (code = take_part(w, &w->train, rows, err))) ||
        (splits && (code = take_part(w, &w->held, rows, err))) || (call && (code = take_part(w, &w->call, call, err))))
        worker_release(w);
    return code;
}

void worker_release(struct worker *w)
{
    for (size_t i = 0; i < w->n_memory; i++)
        memory_free(w->memory[i]);
    *w = (struct worker){0};
}

static void convert_values(const struct model *m, enum data_type type, const void *from, size_t n, void *to)
{
    if (m->spec.precision == MODEL_F32)
        convert_to_f32(type, from, n, to);
    else
        convert_to_f64(type, from, n, to);
}

static void convert_rows(const struct model *m, enum data_type type, const void *from, size_t rows, void *to)
{
    convert_values(m, type, from, rows * m->spec.features, to);
}

/* Missing features become what the problem fills in. */
static void fill_missing(const struct model *m, const double *fill, void *x, size_t rows)
{
    size_t features = m->spec.features;
    for (size_t i = 0; i < rows * features; i++)
        if (m->spec.precision == MODEL_F32) {
            float *v = (float *)x + i;
            *v = isnan(*v) ? (float)fill[i % features] : *v;
        } else {
            double *v = (double *)x + i;
            *v = isnan(*v) ? fill[i % features] : *v;
        }
}

static bool usable_in_place(const struct worker *w, const struct data_schema *schema, const struct data_window *window)
{
    const struct model *m = w->setup.model;
    enum data_type type = m->spec.precision == MODEL_F32 ? DATA_F32 : DATA_F64;
    return schema->type == type && !w->setup.fill && window->stride % real_bytes(m) == 0 &&
           (uintptr_t)window->x % real_bytes(m) == 0;
}

/* ---- sparse rows ---- */

static bool values_in_place(const struct worker *w, const struct data_schema *schema)
{
    return schema->type == (w->setup.model->spec.precision == MODEL_F32 ? DATA_F32 : DATA_F64);
}

/* Rows in storage order: their entries follow one another. */
static void fill_sparse(struct worker *w, const struct data_schema *schema, const struct walk_block *b)
{
    const struct data_window *window = b->window;
    const uint64_t *start = window->start + b->first;
    uint64_t begin = start[0] - window->base;
    const char *x = (const char *)window->x + begin * data_type_size(schema->type);
    for (size_t i = 0; i < b->rows; i++) {
        w->first[i] = start[i] - start[0];
        w->count[i] = (uint32_t)(start[i + 1] - start[i]);
    }
    w->block = (struct model_block){
        .x = x, .rows = b->rows, .index = window->index + begin, .first = w->first, .count = w->count};
    if (values_in_place(w, schema))
        return;
    convert_values(w->setup.model, schema->type, x, (size_t)(start[b->rows] - start[0]), w->x);
    w->block.x = w->x;
}

/* Scattered rows: named where they are, or copied when they must be converted. */
static void gather_sparse(struct worker *w, const struct data_schema *schema, const struct data_window *window,
                          const size_t *index, size_t rows)
{
    bool in_place = values_in_place(w, schema);
    size_t size = data_type_size(schema->type), to = 0;
    w->block = (struct model_block){.x = in_place ? window->x : w->x,
                                    .rows = rows,
                                    .index = in_place ? window->index : w->index,
                                    .first = w->first,
                                    .count = w->count};
    for (size_t i = 0; i < rows; i++) {
        uint64_t first = window->start[index[i]] - window->base;
        w->count[i] = (uint32_t)(window->start[index[i] + 1] - window->start[index[i]]);
        w->first[i] = in_place ? first : to;
        if (in_place)
            continue;
        convert_values(w->setup.model, schema->type, (const char *)window->x + first * size, w->count[i],
                       (char *)w->x + to * real_bytes(w->setup.model));
        memcpy(w->index + to, window->index + first, w->count[i] * sizeof *w->index);
        to += w->count[i];
    }
}

/* Rows that the model reads as they are stored; DENSE_REAL: none such. Who wants second derivatives looks at the rows
 * too, and wants numbers. */
static enum dense_stored stored_in_place(const struct worker *w, const struct data_schema *schema,
                                         const struct data_window *window)
{
    enum dense_stored stored = schema->type == DATA_U8    ? DENSE_U8
                               : schema->type == DATA_I16 ? DENSE_I16
                               : schema->type == DATA_F16 ? DENSE_F16
                                                          : DENSE_REAL;
    size_t size = data_type_size(schema->type);
    bool usable = !w->setup.fill && !w->setup.second && window->stride % size == 0 && (uintptr_t)window->x % size == 0;
    return usable && model_reads(w->setup.model, stored) ? stored : DENSE_REAL;
}

static void fill_features(struct worker *w, const struct data_schema *schema, const struct walk_block *b)
{
    const struct model *m = w->setup.model;
    size_t stride = b->window->stride, row_bytes = m->spec.features * real_bytes(m);
    const char *x = (const char *)b->window->x + b->first * stride;
    w->block.rows = b->rows;
    w->block.at = NULL;
    w->block.next = b->next ? x + b->rows * stride : NULL;
    w->block.stored = stored_in_place(w, schema, b->window);
    if (w->block.stored != DENSE_REAL) {
        w->block.x = x;
        w->block.stride = stride / data_type_size(schema->type);
        return;
    }
    if (usable_in_place(w, schema, b->window)) {
        w->block.x = x;
        w->block.stride = stride / real_bytes(m);
        return;
    }
    bool packed = stride == m->spec.features * data_type_size(schema->type);
    if (packed && b->next && m->spec.precision == MODEL_F32)
        convert_run_to_f32(schema->type, x, b->rows * m->spec.features, w->x);
    else if (packed)
        convert_rows(m, schema->type, x, b->rows, w->x);
    else
        for (size_t i = 0; i < b->rows; i++)
            convert_rows(m, schema->type, x + i * stride, 1, (char *)w->x + i * row_bytes);
    if (w->setup.fill)
        fill_missing(m, w->setup.fill, w->x, b->rows);
    w->block.x = w->x;
    w->block.stride = m->spec.features;
}

static void note_columns(struct worker *w, const struct data_schema *schema, const struct data_window *window,
                         size_t rows)
{
    w->all.rows = rows;
    w->has_target = window->target && schema->targets == w->setup.loss->targets;
    w->has_weight = window->weight != NULL;
    w->has_group = window->group != NULL;
}

void worker_fill(struct worker *w, const struct data_schema *schema, const struct walk_block *b)
{
    const struct data_window *window = b->window;
    size_t target_bytes = schema->targets * data_type_size(schema->target_type);
    if (schema->sparse)
        fill_sparse(w, schema, b);
    else
        fill_features(w, schema, b);
    note_columns(w, schema, window, b->rows);
    if (w->has_target) {
        const char *target = (const char *)window->target + b->first * target_bytes;
        convert_to_f64(schema->target_type, target, b->rows * schema->targets, w->all.target);
        if (b->next)
            fetch_to_read(target + b->rows * target_bytes, b->rows * target_bytes);
    }
    if (w->has_weight)
        memcpy(w->all.weight, window->weight + b->first, b->rows * sizeof(double));
    if (w->has_group)
        memcpy(w->all.group, window->group + b->first, b->rows * sizeof(int64_t));
}

void worker_gather_sides(struct worker *w, const struct data_schema *schema, const struct data_window *window,
                         const size_t *index, size_t rows)
{
    size_t target_bytes = schema->targets * data_type_size(schema->target_type);
    note_columns(w, schema, window, rows);
    for (size_t i = 0; i < rows; i++) {
        size_t row = index[i];
        if (w->has_target)
            convert_to_f64(schema->target_type, (const char *)window->target + row * target_bytes, schema->targets,
                           w->all.target + i * schema->targets);
        if (w->has_weight)
            w->all.weight[i] = window->weight[row];
        if (w->has_group)
            w->all.group[i] = window->group[row];
    }
}

void worker_gather(struct worker *w, const struct data_schema *schema, const struct data_window *window,
                   const size_t *index, size_t rows)
{
    const struct model *m = w->setup.model;
    size_t row_bytes = m->spec.features * real_bytes(m);
    worker_gather_sides(w, schema, window, index, rows);
    if (schema->sparse) {
        gather_sparse(w, schema, window, index, rows);
        return;
    }
    if (m->ops->reads_scattered && usable_in_place(w, schema, window)) {
        w->block =
            (struct model_block){.x = window->x, .stride = window->stride / real_bytes(m), .rows = rows, .at = index};
        return;
    }
    for (size_t i = 0; i < rows; i++) {
        if (i + 1 < rows) /* rows that lie anywhere: the processor cannot see the next one coming */
            fetch_to_read((const char *)window->x + index[i + 1] * window->stride, window->stride);
        convert_rows(m, schema->type, (const char *)window->x + index[i] * window->stride, 1,
                     (char *)w->x + i * row_bytes);
    }
    if (w->setup.fill)
        fill_missing(m, w->setup.fill, w->x, rows);
    w->block = (struct model_block){.x = w->x, .stride = m->spec.features, .rows = rows};
}

void worker_forward(struct worker *w, const void *weights)
{
    const struct model *m = w->setup.model;
    m->ops->forward(m, weights, &w->block, w->scratch, w->all.pred);
}

void worker_backward(struct worker *w, const void *weights, double *lane)
{
    const struct model *m = w->setup.model;
    m->ops->backward(m, weights, &w->block, w->scratch, w->all.grad, lane);
}

static double weight_of(const struct worker *w, const struct worker_part *part)
{
    if (!w->has_weight)
        return (double)part->rows;
    double sum = 0;
    for (size_t i = 0; i < part->rows; i++)
        sum += part->weight[i];
    return sum;
}

/* The plugin adds into zeros, so that what it adds to elsewhere is seen. */
static void add_theta(struct worker *w, double *to)
{
    for (uint32_t i = 0; i < w->setup.loss->spec.n_theta; i++)
        to[i] += w->theta_grad[i];
}

/* Behind the rows of this call, which are fewer than the buffer holds in a last block, there are canaries too. */
static double *end_of(double *values, size_t rows, size_t width)
{
    return values ? values + rows * width : NULL;
}

static int call_plugin(struct worker *w, const struct gm_loss_batch *batch, size_t row, struct gm_loss_result *result)
{
    size_t outputs = w->setup.loss->outputs;
    double *ends[] = {end_of(result->grad, batch->rows, outputs), end_of(result->hess_diag, batch->rows, outputs),
                      end_of(result->hess, batch->rows, outputs * outputs)};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends[i])
            memcpy(ends[i], &canary, sizeof canary);
    pulse_enter(&w->pulse, row);
    int status = w->setup.loss->plugin->vtable.evaluate(batch, result);
    pulse_leave(&w->pulse);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        w->overrun = w->overrun || (ends[i] && memcmp(ends[i], &canary, sizeof canary) != 0);
    return status;
}

/* One call of the plugin. The lane's first failure is remembered in sums. */
static void evaluate(struct worker *w, const struct worker_part *part, int side, uint64_t step, size_t row,
                     struct lane_sums *sums)
{
    struct gm_loss_batch batch = loss_batch(w->setup.loss);
    batch.purpose = side == 0 ? GM_PURPOSE_TRAINING : GM_PURPOSE_VALIDATION;
    batch.rows = part->rows;
    batch.pred = part->pred;
    batch.target = w->has_target ? part->target : NULL;
    batch.weight = w->has_weight ? part->weight : NULL;
    batch.group = w->has_group ? part->group : NULL;
    batch.scratch = w->loss_scratch;
    batch.seed = w->setup.seed;
    batch.step = step;
    batch.host = &w->host;
    struct gm_loss_result result = {.struct_size = sizeof result, .grad = side == 0 ? part->grad : NULL};
    bool learns = side == 0 && sums->theta_grad;
    if (learns) {
        memset(w->theta_grad, 0, w->setup.loss->spec.n_theta * sizeof *w->theta_grad);
        result.theta_grad = w->theta_grad;
    }
    double *second = side == 0 && w->wants_second ? part->second : NULL;
    if (worker_second_is_diagonal(w->setup.loss))
        result.hess_diag = second;
    else
        result.hess = second;
    int status = call_plugin(w, &batch, row, &result);
    if (!sums->code && (status != GM_LOSS_OK || !isfinite(result.loss))) {
        sums->code = status != GM_LOSS_OK ? GM_PLUGIN_BROKEN : GM_DIVERGED;
        sums->status = status;
        sums->row = row;
    }
    if (learns)
        add_theta(w, sums->theta_grad);
    sums->loss[side] += result.loss;
    sums->weight[side] += weight_of(w, part);
}

void worker_loss(struct worker *w, int side, uint64_t step, size_t row, struct lane_sums *sums)
{
    evaluate(w, &w->all, side, step, row, sums);
}

/* Append row i of the block to a part. */
static void push_row(const struct worker *w, size_t i, struct worker_part *part)
{
    size_t outputs = w->setup.loss->outputs, targets = w->setup.loss->targets, at = part->rows++;
    memcpy(part->pred + at * outputs, w->all.pred + i * outputs, outputs * sizeof(double));
    if (w->has_target)
        memcpy(part->target + at * targets, w->all.target + i * targets, targets * sizeof(double));
    if (w->has_weight)
        part->weight[at] = w->all.weight[i];
    if (w->has_group)
        part->group[at] = w->all.group[i];
}

/* What was computed of the rows that train goes back to their places; held-out rows get 0. */
static void spread(const struct worker *w, size_t row, size_t width, const double *from, double *to)
{
    for (size_t i = 0; i < w->all.rows; i++, to += width) {
        bool held = split_held_out(w->setup.split, row + i);
        for (size_t k = 0; k < width; k++)
            to[k] = held ? 0 : *from++;
    }
}

void worker_loss_split(struct worker *w, size_t row, struct lane_sums *sums)
{
    const struct data_split *split = w->setup.split;
    if (!split || !split->mask) {
        evaluate(w, &w->all, 0, 0, row, sums);
        return;
    }
    size_t outputs = w->setup.loss->outputs;
    w->train.rows = w->held.rows = 0;
    for (size_t i = 0; i < w->all.rows; i++)
        push_row(w, i, split_held_out(split, row + i) ? &w->held : &w->train);
    if (w->train.rows)
        evaluate(w, &w->train, 0, 0, row, sums);
    if (w->held.rows)
        evaluate(w, &w->held, 1, 0, row, sums);
    spread(w, row, outputs, w->train.grad, w->all.grad);
    if (w->wants_second)
        spread(w, row, second_width(w), w->train.second, w->all.second);
}

void worker_loss_rows(struct worker *w, const struct worker_rows *from, int side, struct lane_sums *sums)
{
    size_t outputs = w->setup.loss->outputs, targets = w->setup.loss->targets;
    struct worker_part *part = &w->call;
    part->rows = from->rows;
    w->has_target = from->target != NULL;
    w->has_weight = true;
    w->has_group = from->group != NULL;
    for (size_t i = 0; i < from->rows; i++) {
        size_t row = from->index[i];
        memcpy(part->pred + i * outputs, from->pred + row * outputs, outputs * sizeof(double));
        if (from->target)
            memcpy(part->target + i * targets, from->target + row * targets, targets * sizeof(double));
        part->weight[i] = from->weight[row];
        if (from->group)
            part->group[i] = from->group[row];
    }
    evaluate(w, part, side, from->step, from->row, sums);
    for (size_t i = 0; from->grad && i < from->rows; i++)
        for (size_t k = 0; k < outputs; k++)
            from->grad[from->index[i] * outputs + k] = side == 0 ? part->grad[i * outputs + k] : 0;
}

static bool canaries_live(const double *buffer, size_t count)
{
    for (size_t i = 0; buffer && i < CANARY_COUNT; i++)
        if (memcmp(buffer - 1 - i, &canary, sizeof canary) != 0 ||
            memcmp(buffer + count + i, &canary, sizeof canary) != 0)
            return false;
    return true;
}

enum gm_code worker_check(const struct worker *w, struct gm_error *err)
{
    const struct worker_part *parts[] = {&w->all, &w->train, &w->held};
    size_t rows = w->setup.block_rows, outputs = w->setup.loss->outputs;
    bool live = !w->overrun && canaries_live(w->theta_grad, w->setup.loss->spec.n_theta) &&
                canaries_live(w->call.grad, w->setup.call_rows * outputs);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        live = live && canaries_live(parts[i]->grad, rows * outputs) &&
               canaries_live(parts[i]->second, rows * second_width(w));
    if (live)
        return GM_OK;
    const struct loss_plugin *plugin = w->setup.loss->plugin;
    return error_set(err, GM_PLUGIN_BROKEN,
                     "The loss '%s' (%s) wrote outside its buffers. 'gradmill check-loss %s' tells where.",
                     plugin->vtable.id, plugin->path, plugin->path);
}
