/* Networks in model files. */
#include "model/network_file.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

static const char *const activations[] = {[ACTIVATION_RELU] = "relu",
                                          [ACTIVATION_TANH] = "tanh",
                                          [ACTIVATION_GELU] = "gelu",
                                          [ACTIVATION_SIGMOID] = "sigmoid"};

#define FEATURES_AT_ONCE ((size_t)8) /* a line of doubles */
#define NAME_ROOM        64          /* of "/first/layers/12/weights" */

const char *network_activation_name(enum activation activation)
{
    return activations[activation];
}

enum gm_code network_activation_read(const struct archive *a, const char *path, enum activation *out,
                                     struct gm_error *err)
{
    char *text = NULL;
    enum gm_code code = archive_get_text(a, "activation", &text, err);
    if (code)
        return code;
    size_t i = 0, count = sizeof activations / sizeof *activations;
    while (i < count && strcmp(activations[i], text) != 0)
        i++;
    *out = (enum activation)(i < count ? i : 0);
    if (i == count)
        code = error_set(err, GM_BAD_DATA, "%s: the model's activation is '%s', which this gradmill does not know.",
                         path, text);
    memory_free(text);
    return code;
}

static const char *layer_name(char name[NAME_ROOM], const char *prefix, size_t layer, const char *what)
{
    snprintf(name, NAME_ROOM, "%s/%zu/%s", prefix, layer, what);
    return name;
}

/* ---- writing ---- */

/* One layer for raw rows: weights [out x in] and bias [out]; center NULL: rows come as they are. */
static void unfold(const struct network_layer *l, const double *center, const double *scale, const double *params,
                   double *weights, double *bias)
{
    for (size_t u = 0; u < l->out; u++) {
        long double shift = l->bias == SIZE_MAX ? 0 : params[l->bias + u]; /* large terms cancel: keep the digits */
        for (size_t j = 0; j < l->in; j++) {
            long double w = params[l->weight + u * l->in + j];
            w /= center ? scale[j] : 1;
            weights[u * l->in + j] = (double)w;
            shift -= center ? w * center[j] : 0;
        }
        bias[u] = (double)shift;
    }
}

/* The same for a layer kept by feature, a line of features at a time; its rows come without center. */
static void unfold_features(const struct network_layer *l, const double *scale, const double *params, double *weights,
                            double *bias)
{
    for (size_t first = 0; first < l->in; first += FEATURES_AT_ONCE)
        for (size_t u = 0; u < l->out; u++)
            for (size_t j = first; j < first + FEATURES_AT_ONCE && j < l->in; j++)
                weights[u * l->in + j] = params[network_weight_at(l, j, u)] / scale[j];
    for (size_t u = 0; u < l->out; u++)
        bias[u] = l->bias == SIZE_MAX ? 0 : params[l->bias + u];
}

static enum gm_code save_layer(const struct network *net, const char *prefix, size_t layer, const double *weights,
                               const double *bias, struct archive *a, struct gm_error *err)
{
    const struct network_layer *l = &net->layers[layer];
    const struct archive_shape matrix = {2, {l->out, l->in}}, column = {1, {l->out}};
    char name[NAME_ROOM];
    enum gm_code code = archive_put(a, layer_name(name, prefix, layer, "weights"), ARCHIVE_F64, &matrix, weights, err);
    return code ? code : archive_put(a, layer_name(name, prefix, layer, "bias"), ARCHIVE_F64, &column, bias, err);
}

enum gm_code network_save(const struct network *net, const char *prefix, const double *center, const double *scale,
                          const double *params, struct archive *a, struct gm_error *err)
{
    enum gm_code code = GM_OK;
    for (size_t l = 0; !code && l < net->n_layers; l++) {
        double *weights = NULL, *bias = NULL;
        size_t out = net->layers[l].out, in = net->layers[l].in;
        if (!(code = memory_alloc((void **)&weights, out * in, sizeof(double), "the model", err)) &&
            !(code = memory_alloc((void **)&bias, out, sizeof(double), "the model", err))) {
            if (net->layers[l].by_feature)
                unfold_features(&net->layers[l], scale, params, weights, bias);
            else
                unfold(&net->layers[l], l ? NULL : center, scale, params, weights, bias);
            code = save_layer(net, prefix, l, weights, bias, a, err);
        }
        memory_free(weights);
        memory_free(bias);
    }
    return code;
}

/* ---- reading ---- */

static enum gm_code read_layer(const struct archive *a, const char *prefix, size_t layer, double **weights,
                               double **bias, struct archive_shape shapes[2], struct gm_error *err)
{
    char name[NAME_ROOM];
    shapes[0] = (struct archive_shape){.rank = 2};
    shapes[1] = (struct archive_shape){.rank = 1};
    enum gm_code code =
        archive_get(a, layer_name(name, prefix, layer, "weights"), ARCHIVE_F64, &shapes[0], (void **)weights, err);
    return code ? code
                : archive_get(a, layer_name(name, prefix, layer, "bias"), ARCHIVE_F64, &shapes[1], (void **)bias, err);
}

enum gm_code network_open(const struct archive *a, const char *path, const char *prefix, struct network_sizes *sizes,
                          struct gm_error *err)
{
    char name[NAME_ROOM];
    struct archive_shape shapes[2];
    size_t layers = 0;
    enum gm_code code = GM_OK;
    while (!code && (layers == 0 || archive_has(a, layer_name(name, prefix, layers, "weights")))) {
        double *weights = NULL, *bias = NULL;
        code = read_layer(a, prefix, layers, &weights, &bias, shapes, err);
        memory_free(weights);
        memory_free(bias);
        if (code)
            break;
        size_t out = shapes[0].dims[0], in = shapes[0].dims[1];
        if (!out || !in || shapes[1].dims[0] != out || (layers && in != sizes->out))
            return error_set(err, GM_BAD_DATA,
                             "%s: %s/%zu: weights are %zu x %zu with %zu biases, which does not fit%s.", path, prefix,
                             layers, out, in, shapes[1].dims[0], layers ? " the layer before" : "");
        if (layers > sizes->most)
            return error_set(err, GM_BAD_DATA, "%s: %s holds more than %zu layers.", path, prefix, sizes->most + 1);
        if (layers)
            sizes->hidden[layers - 1] = sizes->out;
        else
            sizes->in = in;
        sizes->out = out;
        sizes->n_hidden = layers++;
    }
    return code;
}

static void fold(const struct network_layer *l, const double *weights, double *params)
{
    if (!l->by_feature)
        memcpy(params + l->weight, weights, l->in * l->out * sizeof *params);
    for (size_t first = 0; l->by_feature && first < l->in; first += FEATURES_AT_ONCE)
        for (size_t u = 0; u < l->out; u++)
            for (size_t j = first; j < first + FEATURES_AT_ONCE && j < l->in; j++)
                params[network_weight_at(l, j, u)] = weights[u * l->in + j];
}

enum gm_code network_load(const struct network *net, const char *prefix, const struct archive *a, double *params,
                          struct gm_error *err)
{
    enum gm_code code = GM_OK;
    for (size_t l = 0; !code && l < net->n_layers; l++) {
        const struct network_layer *layer = &net->layers[l];
        struct archive_shape shapes[2];
        double *weights = NULL, *bias = NULL;
        if (!(code = read_layer(a, prefix, l, &weights, &bias, shapes, err))) {
            fold(layer, weights, params);
            if (layer->bias != SIZE_MAX)
                memcpy(params + layer->bias, bias, layer->out * sizeof *params);
        }
        memory_free(weights);
        memory_free(bias);
    }
    return code;
}
