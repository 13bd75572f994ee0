/* Inside networks: tiles of a weight matrix. */
#ifndef MODEL_NETWORK_INSIDE_H
#define MODEL_NETWORK_INSIDE_H

#include "model/network.h"

/* Panels of a tile: its slopes stay in the second-level cache while each panel of inputs meets them in the first. */
#define TILE_UNIT_PANELS   4
#define TILE_COLUMN_PANELS 16

struct network_tile {
    const struct network_layer *layer;
    size_t unit_panel, unit_panels; /* first, how many */
    size_t column_panel, column_panels;
    size_t unit, units, column, columns; /* in numbers, to the end of the matrix */
};

struct network_tile network_tile_at(const struct network *net, size_t tile);

#endif
