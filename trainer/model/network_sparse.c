/* Networks on sparse rows: the first layer, whose weights are kept by feature. */
#include "base/fetch.h"
#include "model/network.h"
#include "model/network_inside.h"

static char *panel_at(const struct model_tape *tape, size_t panel, size_t row)
{
    return (char *)tape->memory + (panel * tape->capacity + row) * PANEL_BYTES;
}

void network_enter_sparse(const struct network *net, const void *weights, const struct model_tape *tape,
                          const struct sparse_rows *from, struct network_span span)
{
    const struct network_layer *l = &net->layers[0];
    struct sparse_panel_rows product = {.rows = *from,
                                        .u = (const char *)weights + l->forward,
                                        .panels = l->out_panels,
                                        .start = (const char *)weights + l->start,
                                        .c = panel_at(tape, l->output, tape->first + span.done),
                                        .c_stride = tape->capacity * net->wide};
    product.rows.first += span.done;
    product.rows.count += span.done;
    product.rows.rows = span.rows;
    if (net->single)
        net->sparse.rows_f32(&product);
    else
        net->sparse.rows_f64(&product);
}

void network_features_refresh(const struct network *net, const double *params, const uint32_t *features, size_t count,
                              void *weights)
{
    const struct network_layer *l = &net->layers[0];
    char *u = (char *)weights + l->forward;
    for (size_t c = 0; c < count; c++) {
        size_t feature = features[c];
        const double *w = params + network_weight_at(l, feature, 0);
        double factor = net->scale ? 1 / net->scale[feature] : 1;
        void *to = u + feature * l->out_panels * PANEL_BYTES;
        if (net->single)
            net->sparse.weights_f32(w, l->out, factor, to);
        else
            net->sparse.weights_f64(w, l->out, factor, to);
    }
}

void network_feature_fetch(const struct network *net, size_t feature, const void *weights)
{
    const struct network_layer *l = &net->layers[0];
    size_t bytes = l->out_panels * PANEL_BYTES;
    if (net->scale)
        fetch_to_read(net->scale + feature, sizeof *net->scale);
    fetch_to_write((const char *)weights + l->forward + feature * bytes, bytes);
}

void network_feature_gradient(const struct network *net, const struct model_tape *tape,
                              const struct network_column *column, void *gradient)
{
    const struct network_layer *l = &net->layers[0];
    const struct sparse_panel_column product = {.row = column->row,
                                                .value = column->value,
                                                .count = column->count,
                                                .d = panel_at(tape, l->delta, 0),
                                                .d_stride = tape->capacity * net->wide,
                                                .panels = l->out_panels,
                                                .c = gradient};
    if (net->single)
        net->sparse.column_f32(&product);
    else
        net->sparse.column_f64(&product);
}

void network_features_add(const struct network *net, const struct model_tape *tape, const struct sparse_rows *rows,
                          double *sum)
{
    const struct network_layer *l = &net->layers[0];
    const struct sparse_panel_sums sums = {.rows = *rows,
                                           .d = panel_at(tape, l->delta, tape->first),
                                           .d_stride = tape->capacity * net->wide,
                                           .units = l->out,
                                           .sum = sum};
    if (net->single)
        net->sparse.sums_f32(&sums);
    else
        net->sparse.sums_f64(&sums);
}
