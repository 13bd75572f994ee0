/* Inside networks: tiles of a weight matrix. */
#ifndef MODEL_NETWORK_INSIDE_H
#define MODEL_NETWORK_INSIDE_H

#include "model/network.h"

/* Panels of a tile: few units, whose slopes meet each panel of inputs in the first-level cache, by whole rows of
 * weights, so that the parameters and what the optimiser keeps of them are one long run of memory. */
#define TILE_UNIT_PANELS   2
#define TILE_COLUMN_PANELS 16

/* Some rows of a tape's range. */
struct network_span {
    size_t done, rows;
};

struct network_tile {
    const struct network_layer *layer;
    size_t unit_panel, unit_panels; /* first, how many */
    size_t column_panel, column_panels;
    size_t unit, units, column, columns; /* in numbers, to the end of the matrix */
};

struct network_tile network_tile_at(const struct network *net, size_t tile);

/* Of sparse rows: sums of the first layer, before its activation, of `rows` rows from number `done` of the tape's range
 * on. */
void network_enter_sparse(const struct network *net, const void *weights, const struct model_tape *tape,
                          const struct sparse_rows *from, struct network_span span);

#endif
