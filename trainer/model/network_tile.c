/* Tiles of the weight matrices: gradient and refreshed weights. */
#include <string.h>

#include "model/network.h"
#include "model/network_inside.h"

#define K_ROWS ((size_t)256) /* rows of the tape at a time: a panel's stay in the first-level cache */

/* Tile number `part` of `parts` that share `panels` as evenly as can be. */
static size_t share(size_t panels, size_t part, size_t parts)
{
    return panels * part / parts;
}

struct network_tile network_tile_at(const struct network *net, size_t tile)
{
    const struct network_layer *layer = net->layers;
    while (tile >= layer->first_tile + layer->unit_tiles * layer->column_tiles)
        layer++;
    size_t number = tile - layer->first_tile, u = number / layer->column_tiles, c = number % layer->column_tiles;
    struct network_tile t = {.layer = layer,
                             .unit_panel = share(layer->out_panels, u, layer->unit_tiles),
                             .column_panel = share(layer->in_panels, c, layer->column_tiles)};
    size_t unit_end = share(layer->out_panels, u + 1, layer->unit_tiles);
    size_t column_end = share(layer->in_panels, c + 1, layer->column_tiles);
    t.unit_panels = unit_end - t.unit_panel;
    t.column_panels = column_end - t.column_panel;
    t.unit = t.unit_panel * net->wide;
    t.column = t.column_panel * net->wide;
    t.units = (unit_end * net->wide < layer->out ? unit_end * net->wide : layer->out) - t.unit;
    t.columns = (column_end * net->wide < layer->in ? column_end * net->wide : layer->in) - t.column;
    return t;
}

/* ---- gradient: scratch holds [units x row_numbers], then the biases' [units] ---- */

static size_t row_numbers(const struct network *net)
{
    return TILE_COLUMN_PANELS * net->wide;
}

size_t network_tile_bytes(const struct network *net)
{
    return TILE_UNIT_PANELS * net->wide * (row_numbers(net) + net->wide) * net->real;
}

static char *bias_sums(const struct network *net, const void *scratch)
{
    return (char *)(uintptr_t)scratch + TILE_UNIT_PANELS * net->wide * row_numbers(net) * net->real;
}

static const char *panel_of(const struct model_tape *tape, size_t panel)
{
    return (const char *)tape->memory + panel * tape->capacity * PANEL_BYTES;
}

/* Sums of a tile's slopes over the rows, in double. */
static void add_biases(const struct network *net, const struct model_tape *tape, const struct network_tile *t,
                       void *scratch)
{
    for (size_t p = 0; p < t->unit_panels; p++) {
        const void *delta = panel_of(tape, t->layer->delta + t->unit_panel + p);
        double sums[PANEL_F32] = {0};
        for (size_t i = 0; i < tape->rows; i++)
            for (size_t u = 0; u < net->wide; u++)
                sums[u] += net->single ? (double)((const float *)delta)[i * PANEL_F32 + u]
                                       : ((const double *)delta)[i * PANEL_F64 + u];
        for (size_t u = 0; u < net->wide; u++)
            if (net->single)
                ((float *)(void *)bias_sums(net, scratch))[p * PANEL_F32 + u] = (float)sums[u];
            else
                ((double *)(void *)bias_sums(net, scratch))[p * PANEL_F64 + u] = sums[u];
    }
}

void network_tile_gradient(const struct network *net, const struct model_tape *tape, size_t tile, void *scratch)
{
    struct network_tile t = network_tile_at(net, tile);
    size_t stride = row_numbers(net), panel = PANEL_BYTES / net->real * tape->capacity;
    for (size_t i = 0; i < tape->rows || i == 0; i += K_ROWS) {
        size_t rows = tape->rows - i < K_ROWS ? tape->rows - i : K_ROWS;
        for (size_t c = 0; c < t.column_panels; c++)
            for (size_t u = 0; u < t.unit_panels; u++) {
                struct panel_columns product = {
                    .a = panel_of(tape, t.layer->delta + t.unit_panel + u) + i * PANEL_BYTES,
                    .b = panel_of(tape, t.layer->input + t.column_panel + c) + i * PANEL_BYTES,
                    .b_stride = panel,
                    .rows = rows,
                    .b_panels = 1,
                    .add = i > 0,
                    .c = (char *)scratch + (u * net->wide * stride + c * net->wide) * net->real,
                    .c_stride = stride,
                };
                net->columns(&product);
            }
    }
    if (t.column == 0)
        add_biases(net, tape, &t, scratch);
}

bool network_tile_run(const struct network *net, size_t tile, size_t run, const void *scratch, struct model_run *out)
{
    struct network_tile t = network_tile_at(net, tile);
    size_t rows = t.layer->by_feature ? 0 : t.units; /* of weights, before the biases */
    if (run < rows) {
        size_t first = t.layer->weight + (t.unit + run) * t.layer->in + t.column;
        *out = (struct model_run){first, first + t.columns, (const char *)scratch + run * row_numbers(net) * net->real};
        return true;
    }
    if (run > rows || t.column > 0 || t.layer->bias == SIZE_MAX)
        return false;
    size_t first = t.layer->bias + t.unit;
    *out = (struct model_run){first, first + t.units, bias_sums(net, scratch)};
    return true;
}

/* ---- refreshed weights ---- */

static void put(const struct network *net, void *to, size_t at, double value)
{
    if (net->single)
        ((float *)to)[at] = (float)value;
    else
        ((double *)to)[at] = value;
}

/* Weights of the tile's inputs for one panel of units, as forward reads them: [in][P]. */
static void refresh_forward(const struct network *net, const struct network_tile *t, size_t panel, const double *params,
                            char *weights)
{
    const struct network_layer *l = t->layer;
    size_t unit = panel * net->wide;
    const struct panel_turn turn = {
        .a = params + l->weight + unit * l->in + t->column,
        .a_stride = l->in,
        .rows = l->out - unit < net->wide ? l->out - unit : net->wide,
        .columns = t->columns,
        .c = weights + l->forward + (panel * l->in_panels * net->wide + t->column) * PANEL_BYTES,
    };
    net->turn(&turn);
}

/* Weights of one panel of inputs, as backward reads them: [out][P]. */
static void refresh_backward(const struct network *net, const struct network_tile *t, size_t panel,
                             const double *params, char *weights)
{
    const struct network_layer *l = t->layer;
    size_t wide = net->wide, column = panel * wide, columns = l->in - column < wide ? l->in - column : wide;
    void *to = weights + l->backward + panel * l->out_panels * wide * PANEL_BYTES;
    for (size_t u = t->unit; u < t->unit + t->units; u++) {
        const double *from = params + l->weight + u * l->in + column;
        if (net->single)
            for (size_t j = 0; j < columns; j++)
                ((float *)to)[u * PANEL_F32 + j] = (float)from[j];
        else
            for (size_t j = 0; j < columns; j++)
                ((double *)to)[u * PANEL_F64 + j] = from[j];
    }
}

void network_tile_refresh(const struct network *net, size_t tile, const double *params, void *weights)
{
    struct network_tile t = network_tile_at(net, tile);
    for (size_t p = 0; p < t.unit_panels; p++)
        refresh_forward(net, &t, t.unit_panel + p, params, weights);
    for (size_t p = 0; t.layer->backward != SIZE_MAX && p < t.column_panels; p++)
        refresh_backward(net, &t, t.column_panel + p, params, weights);
    if (t.column == 0 && t.layer->bias != SIZE_MAX)
        for (size_t u = t.unit; u < t.unit + t.units; u++)
            put(net, (char *)weights + t.layer->start, u, params[t.layer->bias + u]);
}
