/* A stack of dense layers: shape, start values, and the weights that the passes read. */
#include "model/network.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "model/network_inside.h"

static size_t divide_up(size_t a, size_t b)
{
    return a / b + (a % b != 0);
}

size_t network_count(const struct network_shape *shape)
{
    size_t count = 0, in = shape->in;
    for (size_t l = 0; l < shape->n_hidden; l++) {
        count += (in + 1) * shape->hidden[l];
        in = shape->hidden[l];
    }
    return count + (in + shape->bias) * shape->out;
}

/* ---- shape ---- */

static void lay_out(struct network *net, const struct network_shape *shape)
{
    size_t in = shape->in, bytes = 0;
    for (size_t l = 0; l < net->n_layers; l++) {
        bool last = l + 1 == net->n_layers;
        size_t out = last ? shape->out : shape->hidden[l];
        struct network_layer *layer = &net->layers[l];
        bool by_feature = l == 0 && shape->sparse;
        *layer = (struct network_layer){.by_feature = by_feature,
                                        .in = in,
                                        .out = out,
                                        .in_panels = by_feature ? 0 : divide_up(in, net->wide),
                                        .out_panels = divide_up(out, net->wide),
                                        .weight = net->n_params,
                                        .bias = SIZE_MAX,
                                        .backward = SIZE_MAX,
                                        .first_tile = net->n_tiles};
        net->n_params += in * out;
        if (!last || shape->bias) {
            layer->bias = net->n_params;
            net->n_params += out;
        }
        size_t matrix = (by_feature ? in : layer->in_panels * net->wide) * layer->out_panels * PANEL_BYTES;
        layer->start = bytes;
        layer->forward = layer->start + layer->out_panels * PANEL_BYTES;
        bytes = layer->forward + matrix;
        if (l > 0 || shape->passes_back) {
            layer->backward = bytes;
            bytes += matrix;
        }
        layer->input = l ? net->layers[l - 1].output : 0;
        layer->output = l ? net->tape_panels : layer->in_panels;
        layer->delta = layer->output + layer->out_panels;
        net->tape_panels = layer->delta + layer->out_panels;
        layer->unit_tiles = divide_up(layer->out_panels, TILE_UNIT_PANELS);
        layer->column_tiles = by_feature ? 1 : divide_up(layer->in_panels, TILE_COLUMN_PANELS);
        net->n_tiles += layer->unit_tiles * layer->column_tiles;
        in = out;
    }
    net->weights_bytes = bytes;
}

static enum gm_code alloc_entry(struct network *net, size_t features, struct gm_error *err)
{
    enum gm_code code = memory_alloc(&net->center, features, net->real, "feature centers", err);
    return code ? code : memory_alloc(&net->factor, features, net->real, "feature scales", err);
}

static void set_entry(struct network *net, size_t features, const double *center, const double *scale)
{
    for (size_t j = 0; j < features; j++) {
        double c = center ? center[j] : 0, f = scale ? 1 / scale[j] : 1;
        if (net->single) {
            ((float *)net->center)[j] = (float)c;
            ((float *)net->factor)[j] = (float)f;
        } else {
            ((double *)net->center)[j] = c;
            ((double *)net->factor)[j] = f;
        }
    }
}

static void choose_kernels(struct network *net)
{
    struct panel_kernels panel = panel_kernels_for(cpu_isa());
    struct activation_kernels activation = activation_kernels_for(cpu_isa());
    net->rows = net->single ? panel.rows_f32 : panel.rows_f64;
    net->columns = net->single ? panel.columns_f32 : panel.columns_f64;
    net->turn = net->single ? panel.turn_f32 : panel.turn_f64;
    net->apply = net->single ? activation.apply_f32 : activation.apply_f64;
    net->enter = net->single ? activation.enter_f32 : activation.enter_f64;
    net->times = net->single ? activation.times_f32 : activation.times_f64;
    net->sparse = sparse_panel_kernels_for(cpu_isa());
}

enum gm_code network_init(struct network *net, const struct network_shape *shape, const double *center,
                          const double *scale, struct gm_error *err)
{
    *net = (struct network){.n_layers = shape->n_hidden + 1,
                            .activation = shape->activation,
                            .dropout = shape->dropout,
                            .single = shape->single,
                            .stream = shape->stream,
                            .real = shape->single ? sizeof(float) : sizeof(double),
                            .wide = shape->single ? PANEL_F32 : PANEL_F64};
    enum gm_code code = memory_alloc((void **)&net->layers, net->n_layers, sizeof *net->layers, "layers", err);
    if (!code && !shape->sparse)
        code = alloc_entry(net, shape->in, err);
    if (code) {
        network_release(net);
        return code;
    }
    lay_out(net, shape);
    if (shape->sparse)
        net->scale = scale;
    else
        set_entry(net, shape->in, center, scale);
    choose_kernels(net);
    return GM_OK;
}

void network_release(struct network *net)
{
    memory_free(net->layers);
    memory_free(net->center);
    memory_free(net->factor);
    *net = (struct network){0};
}

size_t network_tape_bytes(const struct network *net, size_t rows)
{
    return net->tape_panels * rows * PANEL_BYTES;
}

/* ---- parameters ---- */

void network_mark_penalised(const struct network *net, uint8_t *penalised)
{
    memset(penalised, 0, net->n_params);
    for (size_t l = 0; l < net->n_layers; l++)
        memset(penalised + net->layers[l].weight, 1, net->layers[l].in * net->layers[l].out);
}

void network_start(const struct network *net, enum network_start start, uint64_t seed, double *params)
{
    memset(params, 0, net->n_params * sizeof *params);
    for (size_t l = 0; l < net->n_layers; l++) {
        const struct network_layer *layer = &net->layers[l];
        struct random_key key = {seed, RANDOM_INIT, net->stream + (uint32_t)l};
        bool hidden = l + 1 < net->n_layers,
             rectifies = net->activation == ACTIVATION_RELU || net->activation == ACTIVATION_GELU;
        bool he = start == NETWORK_HE || (start == NETWORK_AUTO && hidden && rectifies);
        double deviation = sqrt(2.0 / (double)layer->in), most = sqrt(6.0 / (double)(layer->in + layer->out));
        for (size_t k = 0; k < layer->in * layer->out; k++) {
            size_t i = layer->by_feature ? k % layer->out * layer->in + k / layer->out : k; /* in [out x in] */
            params[layer->weight + k] =
                he ? deviation * random_normal(key, i) : most * (2 * random_uniform(key, i) - 1);
        }
    }
}

void network_prepare(const struct network *net, const double *params, void *weights)
{
    for (size_t tile = 0; tile < net->n_tiles; tile++)
        network_tile_refresh(net, tile, params, weights);
    for (uint32_t j = 0; net->layers[0].by_feature && j < net->layers[0].in; j++)
        network_features_refresh(net, params, &j, 1, weights);
}
