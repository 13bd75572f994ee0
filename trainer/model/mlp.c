/*
 * The multilayer perceptron: one stack of dense layers (model/network.h), rows standardised on the way in.
 *
 * By lanes, for full-batch methods, validation and predictions, a block is a small tape of its own.
 */
#include <stdio.h>
#include <string.h>

#include "base/archive.h"
#include "base/error.h"
#include "base/memory.h"
#include "model/mlp.h"
#include "model/network_file.h"

static struct network_shape shape_of(const struct model_spec *spec)
{
    return (struct network_shape){.in = spec->features,
                                  .out = spec->outputs,
                                  .hidden = spec->hidden,
                                  .n_hidden = spec->n_hidden,
                                  .bias = spec->intercept,
                                  .activation = spec->activation,
                                  .dropout = spec->dropout,
                                  .single = spec->precision == MODEL_F32,
                                  .sparse = spec->sparse};
}

enum gm_code mlp_init(struct model *m, struct gm_error *err)
{
    struct network_shape shape = shape_of(&m->spec);
    enum gm_code code = memory_alloc(&m->inside, 1, sizeof(struct network), "the network", err);
    return code ? code : network_init(m->inside, &shape, m->center, m->unscaled && shape.sparse ? NULL : m->scale, err);
}

void mlp_release(struct model *m)
{
    if (m->inside)
        network_release(m->inside);
    memory_free(m->inside);
}

size_t mlp_n_params(const struct model_spec *spec)
{
    struct network_shape shape = shape_of(spec);
    return network_count(&shape);
}

void mlp_mark_penalised(const struct model *m, uint8_t *penalised)
{
    network_mark_penalised(mlp_network(m), penalised);
}

void mlp_start(const struct model *m, const double *baseline, double *params)
{
    const struct network *net = mlp_network(m);
    const struct network_layer *last = &net->layers[net->n_layers - 1];
    network_start(net, (enum network_start)m->spec.start, m->spec.seed, params);
    for (size_t k = 0; last->bias != SIZE_MAX && k < last->out; k++)
        params[last->bias + k] = baseline[k];
}

size_t mlp_weights_bytes(const struct model *m)
{
    return mlp_network(m)->weights_bytes;
}

void mlp_prepare(const struct model *m, const double *params, void *weights)
{
    network_prepare(mlp_network(m), params, weights);
}

/* ---- by tape ---- */

static size_t mlp_tape_bytes(const struct model *m, size_t rows)
{
    return network_tape_bytes(mlp_network(m), rows);
}

static void mlp_tape_forward(const struct model *m, const void *weights, const struct model_tape *tape,
                             const struct model_block *block, double *pred)
{
    const struct sparse_rows sparse = model_sparse_rows(block);
    const struct network_rows rows = {block->x, block->stride, block->at, m->spec.sparse ? &sparse : NULL};
    network_forward(mlp_network(m), weights, tape, &rows);
    network_output(mlp_network(m), tape, pred, m->spec.outputs);
}

static void mlp_tape_backward(const struct model *m, const void *weights, const struct model_tape *tape,
                              const double *grad_pred)
{
    network_backward(mlp_network(m), weights, tape, grad_pred, m->spec.outputs);
}

static size_t mlp_tiles(const struct model *m)
{
    return mlp_network(m)->n_tiles;
}

static size_t mlp_tile_bytes(const struct model *m)
{
    return network_tile_bytes(mlp_network(m));
}

static void mlp_tile_gradient(const struct model *m, const struct model_tape *tape, size_t tile, void *scratch)
{
    network_tile_gradient(mlp_network(m), tape, tile, scratch);
}

static bool mlp_tile_run(const struct model *m, size_t tile, size_t run, const void *scratch, struct model_run *out)
{
    return network_tile_run(mlp_network(m), tile, run, scratch, out);
}

static void mlp_tile_refresh(const struct model *m, size_t tile, const double *params, void *weights)
{
    network_tile_refresh(mlp_network(m), tile, params, weights);
}

/* ---- the first layer of sparse rows ---- */

static size_t mlp_column_units(const struct model *m)
{
    return mlp_network(m)->layers[0].out;
}

static void mlp_column_gradient(const struct model *m, const struct model_tape *tape, const struct model_column *column,
                                void *gradient)
{
    const struct network_column of = {column->column, column->row, column->value, column->count};
    network_feature_gradient(mlp_network(m), tape, &of, gradient);
}

static void mlp_column_fetch(const struct model *m, size_t column, const void *weights)
{
    network_feature_fetch(mlp_network(m), column, weights);
}

const struct model_tape_ops mlp_tape = {
    .bytes = mlp_tape_bytes,
    .forward = mlp_tape_forward,
    .backward = mlp_tape_backward,
    .tiles = mlp_tiles,
    .tile_bytes = mlp_tile_bytes,
    .gradient = mlp_tile_gradient,
    .run = mlp_tile_run,
    .refresh = mlp_tile_refresh,
    .column_units = mlp_column_units,
    .column_gradient = mlp_column_gradient,
    .column_fetch = mlp_column_fetch,
};

/* ---- files: /layers/K/weights [out x in], /layers/K/bias [out] ---- */

enum gm_code mlp_save(const struct model *m, const double *params, struct archive *a, struct gm_error *err)
{
    enum gm_code code = network_save(mlp_network(m), "/layers", m->center, m->scale, params, a, err);
    if (!code && !(code = archive_put_text(a, "activation", network_activation_name(m->spec.activation), err)) &&
        !(code = archive_put_real(a, "dropout", m->spec.dropout, err)))
        code = archive_put_integer(a, "has_intercept", m->spec.intercept, err);
    return code;
}

enum gm_code mlp_open(const struct archive *a, const char *path, struct model_spec *spec, struct gm_error *err)
{
    int64_t has_intercept = 0;
    struct network_sizes sizes = {.hidden = spec->hidden, .most = MODEL_HIDDEN_MOST};
    enum gm_code code = network_open(a, path, "/layers", &sizes, err);
    if (code || (code = network_activation_read(a, path, &spec->activation, err)) ||
        (code = archive_get_integer(a, "has_intercept", &has_intercept, err)))
        return code;
    spec->features = sizes.in;
    spec->outputs = sizes.out;
    spec->n_hidden = sizes.n_hidden;
    spec->intercept = has_intercept != 0;
    return archive_get_real(a, "dropout", &spec->dropout, err);
}

enum gm_code mlp_load(const struct model *m, const struct archive *a, double *params, struct gm_error *err)
{
    return network_load(mlp_network(m), "/layers", a, params, err);
}

void mlp_describe(const struct model_spec *spec, char *text, size_t room)
{
    size_t used = (size_t)snprintf(text, room, "%zu", spec->features);
    for (size_t l = 0; l < spec->n_hidden && used < room; l++)
        used += (size_t)snprintf(text + used, room - used, " -> %zu", spec->hidden[l]);
    if (used < room)
        snprintf(text + used, room - used, " -> %zu, %s", spec->outputs, network_activation_name(spec->activation));
}

/* ---- by lanes ---- */

struct model_tape mlp_tape_in(void *scratch, size_t rows)
{
    return (struct model_tape){.memory = scratch, .capacity = rows, .rows = rows};
}

size_t mlp_scratch_bytes(const struct model *m, size_t rows)
{
    return mlp_tape_bytes(m, rows) + mlp_tile_bytes(m);
}

void mlp_forward(const struct model *m, const void *weights, const struct model_block *block, void *scratch,
                 double *pred)
{
    struct model_tape tape = mlp_tape_in(scratch, block->rows);
    mlp_tape_forward(m, weights, &tape, block, pred);
}

void mlp_backward(const struct model *m, const void *weights, const struct model_block *block, void *scratch,
                  const double *grad_pred, double *lane)
{
    struct model_tape tape = mlp_tape_in(scratch, block->rows);
    mlp_tape_backward(m, weights, &tape, grad_pred);
    model_tape_add(m, &tape, (char *)scratch + mlp_tape_bytes(m, block->rows), lane);
}

const struct model_ops model_mlp = {
    .name = "mlp",
    .reads_scattered = true,
    .tape = &mlp_tape,
    .init = mlp_init,
    .release = mlp_release,
    .n_params = mlp_n_params,
    .mark_penalised = mlp_mark_penalised,
    .start = mlp_start,
    .weights_bytes = mlp_weights_bytes,
    .prepare = mlp_prepare,
    .scratch_bytes = mlp_scratch_bytes,
    .forward = mlp_forward,
    .backward = mlp_backward,
    .finish = model_divide,
    .save = mlp_save,
    .open = mlp_open,
    .load = mlp_load,
    .describe = mlp_describe,
};
