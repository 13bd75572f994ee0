/*
 * A stack of dense layers: what mlp and two_tower are made of.
 *
 *     act[0] = standardised rows;  act[l+1] = f(act[l] W_l' + b_l), the last layer without f
 *
 * Passes work on a TAPE: activations and slopes of some rows, kept in panels (model/panel.h), where any thread may fill
 * any range of rows: forward and backward of a row have the same bits wherever it stands. Weight gradients are then
 * made TILE by tile of the weight matrices, each one sum over all rows of the tape in their order: nothing is left to
 * reduce, and whoever makes a tile may update its parameters at once.
 *
 * Parameters: for each layer the weights [out x in], then the biases [out]. WEIGHTS are the same numbers in the
 * precision and in panels, both ways round.
 *
 * Of SPARSE rows the first layer's weights are kept by feature, [in x out], so that an entry of a row touches one
 * place, and rows are scaled but not centred. No tile has them: their gradient is made column by column, of the columns
 * that occur (network_sparse.c).
 */
#ifndef MODEL_NETWORK_H
#define MODEL_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

#include "model/activation.h"
#include "model/panel.h"
#include "model/sparse_panel.h"
#include "model/tape.h"

enum network_start { NETWORK_AUTO, NETWORK_HE, NETWORK_GLOROT };

struct network_shape {
    size_t in, out;
    const size_t *hidden; /* [n_hidden], borrowed for network_init */
    size_t n_hidden;
    bool bias; /* of the last layer; hidden layers always have one */
    enum activation activation;
    double dropout;   /* share of the hidden units left out in training */
    bool single;      /* float32 */
    bool passes_back; /* network_input_gradient will be asked for */
    uint32_t stream; /* tells the random numbers of networks of one model apart: 0, or MODEL_HIDDEN_MOST + 1 and more */
    bool sparse;     /* rows are */
};

struct network_layer {
    bool by_feature;                       /* the first layer of sparse rows: weights are [in x out] */
    size_t in, out, in_panels, out_panels; /* in_panels 0: by_feature */
    size_t weight, bias;                   /* first parameter; bias SIZE_MAX: none */
    size_t forward, backward,
        start; /* bytes into the weights; backward SIZE_MAX: none (first layer, unless it passes back) */
    size_t input, output, delta;     /* panels of a tape before act[l], act[l+1] and the slopes of act[l+1] */
    size_t unit_tiles, column_tiles; /* tiles of the weight matrix */
    size_t first_tile;
};

struct network {
    struct network_layer *layers; /* [n_layers] */
    size_t n_layers, n_params, n_tiles, tape_panels, weights_bytes;
    enum activation activation;
    double dropout;
    bool single;
    uint32_t stream;
    size_t real, wide;     /* bytes of a number; numbers of a panel's row */
    void *center, *factor; /* [in] what rows are standardised with, in the precision; sparse rows: NULL */
    const double *scale;   /* [in] sparse rows, borrowed; NULL: ones */
    struct sparse_panel_kernels sparse;
    void (*rows)(const struct panel_rows *p);
    void (*columns)(const struct panel_columns *p);
    void (*turn)(const struct panel_turn *p);
    void (*apply)(enum activation kind, void *z, size_t n, void *slope);
    void (*enter)(const struct activation_entry *e);
    void (*times)(void *a, const void *b, size_t n);
};

/* center, scale [in] or NULL. Everything is allocated here. Sparse rows: scale is borrowed, center not looked at. */
enum gm_code network_init(struct network *net, const struct network_shape *shape, const double *center,
                          const double *scale, struct gm_error *err);
void network_release(struct network *net);               /* a zeroed struct is fine */
size_t network_count(const struct network_shape *shape); /* parameters */

void network_mark_penalised(const struct network *net, uint8_t *penalised);
/* He et al. 2015 (normal, variance 2 / in) or Glorot and Bengio 2010 (uniform, variance 2 / (in + out)); biases 0.
 * auto: He for hidden layers of relu and gelu, else Glorot. */
void network_start(const struct network *net, enum network_start start, uint64_t seed, double *params);
void network_prepare(const struct network *net, const double *params, void *weights);

size_t network_tape_bytes(const struct network *net, size_t rows);
/* Rows in the precision, `stride` numbers apart. */
struct network_rows {
    const void *x; /* [rows x in] */
    size_t stride;
    const size_t *at;                 /* [rows of a tape's range] which rows of x; NULL: the first */
    const struct sparse_rows *sparse; /* in place of all these, for a network of sparse rows */
};
/* Fills the tape's range of rows. */
void network_forward(const struct network *net, const void *weights, const struct model_tape *tape,
                     const struct network_rows *from);
/* Outputs of the range: pred [rows x out], rows `stride` numbers apart. */
void network_output(const struct network *net, const struct model_tape *tape, double *pred, size_t stride);
/* From d loss / d output [rows x out] to the slopes of every layer, after network_forward of the same range. */
void network_backward(const struct network *net, const void *weights, const struct model_tape *tape, const double *grad,
                      size_t stride);

/* d loss / d act[0] [rows x in] of the range, rows `stride` numbers apart, after network_backward. */
void network_input_gradient(const struct network *net, const void *weights, const struct model_tape *tape, double *grad,
                            size_t stride);

/* Weight gradient of tile 0 .. n_tiles-1 over rows [0, tape->rows), in scratch of network_tile_bytes. */
size_t network_tile_bytes(const struct network *net);
void network_tile_gradient(const struct network *net, const struct model_tape *tape, size_t tile, void *scratch);
/* Run number `run` of a tile's parameters, its gradient in scratch. false: there is no such run. */
bool network_tile_run(const struct network *net, size_t tile, size_t run, const void *scratch, struct model_run *out);
/* The tile's part of the weights, after its parameters changed. */
void network_tile_refresh(const struct network *net, size_t tile, const double *params, void *weights);

/* ---- sparse rows: the first layer ---- */

/* Where the weight from input `in` to unit `out` is among the parameters, for layers of either kind. */
static inline size_t network_weight_at(const struct network_layer *l, size_t in, size_t out)
{
    return l->weight + (l->by_feature ? in * l->out + out : out * l->in + in);
}
/* Its weights of some features, after their parameters changed. */
void network_features_refresh(const struct network *net, const double *params, const uint32_t *features, size_t count,
                              void *weights);
/* They will be wanted soon, and may come to the cache. */
void network_feature_fetch(const struct network *net, size_t feature, const void *weights);
/* One column of the tape's rows. */
struct network_column {
    size_t feature;
    const uint32_t *row; /* [count] rows of the tape, */
    const void *value;   /* [count] and what stands there, in the precision */
    size_t count;
};
/* gradient [out_panels x P of the first layer], in the precision at whole lines: of the feature's parameters, summed
 * over rows, but that it is to be divided by the feature's scale. After network_backward. */
void network_feature_gradient(const struct network *net, const struct model_tape *tape,
                              const struct network_column *column, void *gradient);
/* The same for all columns of the tape's rows, added to sum [in x out] in double. */
void network_features_add(const struct network *net, const struct model_tape *tape, const struct sparse_rows *rows,
                          double *sum);

#endif
