/*
 * The multilayer perceptron on sparse rows: as mlp.c, without centers, so that what is not stored stays 0.
 *
 * The first layer's weights are kept by feature, [features x units], and come first among the parameters: an entry of a
 * row reads one run of them, and a step changes those of the columns that occur. They are folded with the scales, as
 * those of the linear model. All other parameters belong to tiles, as those of dense rows. Files are the same.
 */
#include "model/mlp.h"

static size_t units_of(const struct model *m)
{
    return mlp_network(m)->layers[0].out;
}

static void sparse_refresh(const struct model *m, const double *params, const uint32_t *columns, size_t count,
                           void *weights)
{
    network_features_refresh(mlp_network(m), params, columns, count, weights);
}

static void sparse_backward(const struct model *m, const void *weights, const struct model_block *block, void *scratch,
                            const double *grad_pred, double *lane)
{
    const struct network *net = mlp_network(m);
    const struct sparse_rows rows = model_sparse_rows(block);
    struct model_tape tape = mlp_tape_in(scratch, block->rows);
    mlp_backward(m, weights, block, scratch, grad_pred, lane);
    network_features_add(net, &tape, &rows, lane + net->layers[0].weight);
}

static void sparse_finish(const struct model *m, const double *sum, double divisor, size_t first, size_t end,
                          double *gradient)
{
    size_t units = units_of(m), n = m->spec.features * units;
    for (size_t i = first; i < end; i++)
        gradient[i] = i < n ? sum[i] / divisor / m->scale[i / units] : sum[i] / divisor;
}

const struct model_ops model_mlp_sparse = {
    .name = "mlp",
    .tape = &mlp_tape,
    .init = mlp_init,
    .release = mlp_release,
    .n_params = mlp_n_params,
    .mark_penalised = mlp_mark_penalised,
    .start = mlp_start,
    .weights_bytes = mlp_weights_bytes,
    .prepare = mlp_prepare,
    .refresh = sparse_refresh,
    .scratch_bytes = mlp_scratch_bytes,
    .forward = mlp_forward,
    .backward = sparse_backward,
    .finish = sparse_finish,
    .save = mlp_save,
    .open = mlp_open,
    .load = mlp_load,
    .describe = mlp_describe,
};
