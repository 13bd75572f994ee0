/* A stack of dense layers: rows forward to the outputs and backward to the slopes of every layer. */
#include <math.h>

#include "base/random.h"
#include "model/network.h"
#include "model/network_inside.h"

#define ROWS_AT_A_TIME ((size_t)64) /* their inputs stay in the second-level cache while panels of weights pass by */

static const double zeros[PANEL_BYTES / sizeof(double)] __attribute__((aligned(PANEL_BYTES))) = {0};

static char *panel_at(const struct model_tape *tape, size_t panel, size_t row)
{
    return (char *)tape->memory + (panel * tape->capacity + row) * PANEL_BYTES;
}

/* ---- dropout: whole units of a row, the others scaled up (Srivastava et al. 2014, inverted) ---- */

static void scale_unit(const struct network *net, void *at, size_t i, double factor)
{
    if (net->single)
        ((float *)at)[i] = factor > 0 ? ((float *)at)[i] * (float)factor : 0;
    else
        ((double *)at)[i] = factor > 0 ? ((double *)at)[i] * factor : 0;
}

/* A unit's number is drawn from (seed, step, layer, row of the batch, unit): four units share one draw of 128 bits. */
static void drop_units(const struct network *net, const struct model_tape *tape, size_t layer, size_t panel,
                       size_t first, size_t rows)
{
    const struct network_layer *l = &net->layers[layer];
    struct random_key key = {tape->seed, RANDOM_DROPOUT | (net->stream + (uint32_t)layer) << 8, (uint32_t)tape->step};
    size_t quads = (l->out + 3) / 4, quads_here = net->wide / 4;
    double threshold = net->dropout * 0x1p32, factor = 1 / (1 - net->dropout);
    for (size_t i = 0; i < rows; i++)
        for (size_t q = 0; q < quads_here && panel * quads_here + q < quads; q++) {
            uint32_t bits[4];
            random_bits(key, (first + i) * quads + panel * quads_here + q, bits);
            for (size_t k = 0; k < 4; k++) {
                double times = bits[k] < threshold ? 0 : factor;
                scale_unit(net, panel_at(tape, l->output + panel, first + i), 4 * q + k, times);
                scale_unit(net, panel_at(tape, l->delta + panel, first + i), 4 * q + k, times);
            }
        }
}

/* ---- forward ---- */

static void forward_layer(const struct network *net, const char *weights, const struct model_tape *tape, size_t layer,
                          size_t first, size_t rows)
{
    const struct network_layer *l = &net->layers[layer];
    const struct panel_rows product = {
        .a = panel_at(tape, l->input, first),
        .a_stride = tape->capacity * net->wide,
        .rows = rows,
        .k_panels = l->in_panels,
        .panels = l->out_panels,
        .b = weights + l->forward,
        .start = weights + l->start,
        .c = panel_at(tape, l->output, first),
        .c_stride = tape->capacity * net->wide,
    };
    net->rows(&product);
}

static void activate_layer(const struct network *net, const struct model_tape *tape, size_t layer, size_t first,
                           size_t rows)
{
    const struct network_layer *l = &net->layers[layer];
    for (size_t p = 0; p < l->out_panels && layer + 1 < net->n_layers; p++) {
        net->apply(net->activation, panel_at(tape, l->output + p, first), rows * net->wide,
                   panel_at(tape, l->delta + p, first));
        if (tape->training && net->dropout > 0)
            drop_units(net, tape, layer, p, first, rows);
    }
}

/* Sums of the first layer. */
static void enter_rows(const struct network *net, const void *weights, const struct model_tape *tape,
                       const struct network_rows *from, struct network_span span)
{
    size_t done = span.done, rows = span.rows;
    struct activation_entry entry = {.x = (const char *)from->x + (from->at ? 0 : done * from->stride * net->real),
                                     .x_stride = from->stride,
                                     .at = from->at ? from->at + done : NULL,
                                     .rows = rows,
                                     .columns = net->layers[0].in,
                                     .center = net->center,
                                     .factor = net->factor,
                                     .out = panel_at(tape, 0, tape->first + done),
                                     .out_stride = tape->capacity * net->wide};
    net->enter(&entry);
    forward_layer(net, weights, tape, 0, tape->first + done, rows);
}

void network_forward(const struct network *net, const void *weights, const struct model_tape *tape,
                     const struct network_rows *from)
{
    for (size_t done = 0; done < tape->rows; done += ROWS_AT_A_TIME) {
        size_t rows = tape->rows - done < ROWS_AT_A_TIME ? tape->rows - done : ROWS_AT_A_TIME;
        struct network_span span = {done, rows};
        if (from->sparse)
            network_enter_sparse(net, weights, tape, from->sparse, span);
        else
            enter_rows(net, weights, tape, from, span);
        activate_layer(net, tape, 0, tape->first + done, rows);
        for (size_t l = 1; l < net->n_layers; l++) {
            forward_layer(net, weights, tape, l, tape->first + done, rows);
            activate_layer(net, tape, l, tape->first + done, rows);
        }
    }
}

void network_output(const struct network *net, const struct model_tape *tape, double *pred, size_t stride)
{
    const struct network_layer *last = &net->layers[net->n_layers - 1];
    for (size_t k = 0; k < last->out; k++) {
        const char *panel = panel_at(tape, last->output + k / net->wide, tape->first);
        size_t at = k % net->wide;
        for (size_t i = 0; i < tape->rows; i++, at += net->wide)
            pred[i * stride + k] = net->single ? (double)((const float *)(const void *)panel)[at]
                                               : ((const double *)(const void *)panel)[at];
    }
}

/* ---- backward ---- */

/* Columns beyond the last output become 0. */
static void take_gradient(const struct network *net, const struct model_tape *tape, const double *grad, size_t stride)
{
    const struct network_layer *last = &net->layers[net->n_layers - 1];
    for (size_t k = 0; k < last->out_panels * net->wide; k++) {
        char *panel = panel_at(tape, last->delta + k / net->wide, tape->first);
        size_t at = k % net->wide;
        for (size_t i = 0; i < tape->rows; i++, at += net->wide) {
            double value = k < last->out ? grad[i * stride + k] : 0;
            if (net->single)
                ((float *)(void *)panel)[at] = (float)value;
            else
                ((double *)(void *)panel)[at] = value;
        }
    }
}

/* What comes back through the weights of a layer to panel p of its inputs. */
static void back_panel(const struct network *net, const char *weights, const struct model_tape *tape,
                       const struct network_layer *l, struct panel_rows product, size_t p)
{
    product.a_stride = tape->capacity * net->wide;
    product.k_panels = l->out_panels;
    product.panels = 1;
    product.b = weights + l->backward + p * l->out_panels * net->wide * PANEL_BYTES;
    product.start = zeros;
    net->rows(&product);
}

/* Slopes of layer l - 1 become gradients: times what comes back through the weights of layer l. */
static void backward_layer(const struct network *net, const char *weights, const struct model_tape *tape, size_t layer,
                           size_t first, size_t rows)
{
    const struct network_layer *l = &net->layers[layer];
    char back[ROWS_AT_A_TIME * PANEL_BYTES] __attribute__((aligned(PANEL_BYTES)));
    const struct panel_rows product = {.a = panel_at(tape, l->delta, first), .rows = rows, .c = back};
    for (size_t p = 0; p < l->in_panels; p++) {
        back_panel(net, weights, tape, l, product, p);
        net->times(panel_at(tape, net->layers[layer - 1].delta + p, first), back, rows * net->wide);
    }
}

void network_input_gradient(const struct network *net, const void *weights, const struct model_tape *tape, double *grad,
                            size_t stride)
{
    const struct network_layer *l = &net->layers[0];
    char back[ROWS_AT_A_TIME * PANEL_BYTES] __attribute__((aligned(PANEL_BYTES)));
    for (size_t done = 0; done < tape->rows; done += ROWS_AT_A_TIME) {
        size_t rows = tape->rows - done < ROWS_AT_A_TIME ? tape->rows - done : ROWS_AT_A_TIME;
        const struct panel_rows product = {.a = panel_at(tape, l->delta, tape->first + done), .rows = rows, .c = back};
        for (size_t p = 0; p < l->in_panels; p++) {
            back_panel(net, weights, tape, l, product, p);
            for (size_t i = 0; i < rows; i++)
                for (size_t k = 0, j = p * net->wide; k < net->wide && j < l->in; k++, j++)
                    grad[(done + i) * stride + j] = net->single
                                                        ? (double)((const float *)(const void *)back)[i * net->wide + k]
                                                        : ((const double *)(const void *)back)[i * net->wide + k];
        }
    }
}

void network_backward(const struct network *net, const void *weights, const struct model_tape *tape, const double *grad,
                      size_t stride)
{
    take_gradient(net, tape, grad, stride);
    for (size_t done = 0; done < tape->rows; done += ROWS_AT_A_TIME) {
        size_t rows = tape->rows - done < ROWS_AT_A_TIME ? tape->rows - done : ROWS_AT_A_TIME;
        for (size_t l = net->n_layers - 1; l > 0; l--)
            backward_layer(net, weights, tape, l, tape->first + done, rows);
    }
}
