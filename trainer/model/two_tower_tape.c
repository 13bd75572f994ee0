/* Two towers on a tape: rows through both networks and the fusion and back, tiles of all of them one after the other.
 */
#include "model/towers.h"

#define LINE ((size_t)64)

static size_t lines(size_t bytes)
{
    return (bytes + LINE - 1) / LINE * LINE;
}

/* ---- the tape's memory: of each network, then what the fusion keeps ---- */

static struct model_tape tape_of(const struct towers *t, const struct model_tape *tape, size_t net)
{
    struct model_tape own = *tape;
    for (size_t i = 0; i < net; i++)
        own.memory = (char *)own.memory + network_tape_bytes(&t->net[i], tape->capacity);
    return own;
}

static size_t tape_bytes(const struct model *m, size_t rows)
{
    const struct towers *t = towers_of(m);
    size_t bytes = lines(t->fused * rows * sizeof(double));
    for (size_t i = 0; i < t->n_nets; i++)
        bytes += network_tape_bytes(&t->net[i], rows);
    return bytes;
}

/* [rows x stride] of the range: u and v; of dot, one more for the slope. */
static double *pairs_of(const struct towers *t, const struct model_tape *tape, size_t stride)
{
    struct model_tape behind = tape_of(t, tape, t->n_nets);
    return (double *)behind.memory + tape->first * stride;
}

/* concat: [rows x 2 width] of the range in the precision. */
static void *head_input(const struct towers *t, const struct model_tape *tape)
{
    struct model_tape behind = tape_of(t, tape, t->n_nets);
    size_t stride = 2 * t->width;
    return (char *)((double *)behind.memory + tape->capacity * stride) + tape->first * stride * t->net[0].real;
}

/* ---- forward ---- */

static void towers_forward(const struct towers *t, const void *weights, const struct model_tape *tape,
                           const struct model_block *block)
{
    struct network_rows rows = {block->x, block->stride, block->at, NULL};
    for (size_t i = 0; i <= TOWER_SECOND; i++) {
        struct model_tape own = tape_of(t, tape, i);
        network_forward(&t->net[i], (const char *)weights + t->weight[i], &own, &rows);
        rows.x = (const char *)rows.x + t->net[i].layers[0].in * t->net[i].real;
    }
}

static void towers_output(const struct towers *t, const struct model_tape *tape, double *pairs, size_t stride)
{
    for (size_t i = 0; i <= TOWER_SECOND; i++) {
        struct model_tape own = tape_of(t, tape, i);
        network_output(&t->net[i], &own, pairs + i * t->width, stride);
    }
}

static void forward_dot(const struct towers *t, const void *weights, const struct model_tape *tape, double *pred)
{
    size_t stride = 2 * t->width + 1;
    double *pairs = pairs_of(t, tape, stride), constant = 0;
    if (t->constant != SIZE_MAX)
        constant = *(const double *)(const void *)((const char *)weights + t->constant_weight);
    towers_output(t, tape, pairs, stride);
    for (size_t i = 0; i < tape->rows; i++) {
        const double *u = pairs + i * stride, *v = u + t->width;
        double sum = 0;
        for (size_t k = 0; k < t->width; k++)
            sum += u[k] * v[k];
        pred[i] = sum + constant;
    }
}

static void forward_concat(const struct towers *t, const void *weights, const struct model_tape *tape, double *pred)
{
    const struct network *head = &t->net[TOWER_HEAD];
    size_t stride = 2 * t->width, count = tape->rows * stride;
    double *pairs = pairs_of(t, tape, stride);
    void *input = head_input(t, tape);
    const struct network_rows rows = {.x = input, .stride = stride};
    struct model_tape own = tape_of(t, tape, TOWER_HEAD);
    towers_output(t, tape, pairs, stride);
    for (size_t i = 0; i < count; i++)
        if (head->single)
            ((float *)input)[i] = (float)pairs[i];
        else
            ((double *)input)[i] = pairs[i];
    network_forward(head, (const char *)weights + t->weight[TOWER_HEAD], &own, &rows);
    network_output(head, &own, pred, head->layers[0].out);
}

static void tape_forward(const struct model *m, const void *weights, const struct model_tape *tape,
                         const struct model_block *block, double *pred)
{
    const struct towers *t = towers_of(m);
    towers_forward(t, weights, tape, block);
    switch (m->spec.fuse) {
    case MODEL_FUSE_PAIR:
        towers_output(t, tape, pred, 2 * t->width);
        break;
    case MODEL_FUSE_DOT:
        forward_dot(t, weights, tape, pred);
        break;
    case MODEL_FUSE_CONCAT:
        forward_concat(t, weights, tape, pred);
        break;
    }
}

/* ---- backward ---- */

/* From d loss / d (u, v) [rows x stride]. */
static void towers_backward(const struct towers *t, const void *weights, const struct model_tape *tape,
                            const double *slopes, size_t stride)
{
    for (size_t i = 0; i <= TOWER_SECOND; i++) {
        struct model_tape own = tape_of(t, tape, i);
        network_backward(&t->net[i], (const char *)weights + t->weight[i], &own, slopes + i * t->width, stride);
    }
}

/* d (u . v) / d u is v, and the other way round. */
static void backward_dot(const struct towers *t, const void *weights, const struct model_tape *tape, const double *grad)
{
    size_t stride = 2 * t->width + 1;
    double *pairs = pairs_of(t, tape, stride);
    for (size_t i = 0; i < tape->rows; i++) {
        double *u = pairs + i * stride, *v = u + t->width;
        for (size_t k = 0; k < t->width; k++) {
            double old = u[k];
            u[k] = grad[i] * v[k];
            v[k] = grad[i] * old;
        }
        v[t->width] = grad[i];
    }
    towers_backward(t, weights, tape, pairs, stride);
}

static void backward_concat(const struct towers *t, const void *weights, const struct model_tape *tape,
                            const double *grad)
{
    const struct network *head = &t->net[TOWER_HEAD];
    const void *own_weights = (const char *)weights + t->weight[TOWER_HEAD];
    size_t stride = 2 * t->width;
    double *pairs = pairs_of(t, tape, stride);
    struct model_tape own = tape_of(t, tape, TOWER_HEAD);
    network_backward(head, own_weights, &own, grad, head->layers[0].out);
    network_input_gradient(head, own_weights, &own, pairs, stride);
    towers_backward(t, weights, tape, pairs, stride);
}

static void tape_backward(const struct model *m, const void *weights, const struct model_tape *tape,
                          const double *grad_pred)
{
    const struct towers *t = towers_of(m);
    switch (m->spec.fuse) {
    case MODEL_FUSE_PAIR:
        towers_backward(t, weights, tape, grad_pred, 2 * t->width);
        break;
    case MODEL_FUSE_DOT:
        backward_dot(t, weights, tape, grad_pred);
        break;
    case MODEL_FUSE_CONCAT:
        backward_concat(t, weights, tape, grad_pred);
        break;
    }
}

/* ---- tiles: of each network, then the constant ---- */

static size_t tape_tiles(const struct model *m)
{
    return towers_of(m)->n_tiles;
}

static size_t tape_tile_bytes(const struct model *m)
{
    const struct towers *t = towers_of(m);
    size_t most = LINE;
    for (size_t i = 0; i < t->n_nets; i++)
        most = network_tile_bytes(&t->net[i]) > most ? network_tile_bytes(&t->net[i]) : most;
    return lines(most);
}

/* The network of a tile, and the tile's number there; n_nets: the constant. */
static size_t net_of(const struct towers *t, size_t *tile)
{
    size_t i = 0;
    for (; i < t->n_nets && *tile >= t->net[i].n_tiles; i++)
        *tile -= t->net[i].n_tiles;
    return i;
}

static void tape_gradient(const struct model *m, const struct model_tape *tape, size_t tile, void *scratch)
{
    const struct towers *t = towers_of(m);
    size_t i = net_of(t, &tile), stride = 2 * t->width + 1;
    if (i < t->n_nets) {
        struct model_tape own = tape_of(t, tape, i);
        network_tile_gradient(&t->net[i], &own, tile, scratch);
        return;
    }
    const double *pairs = pairs_of(t, tape, stride);
    double sum = 0;
    for (size_t row = 0; row < tape->rows; row++)
        sum += pairs[row * stride + 2 * t->width];
    if (t->net[0].single)
        *(float *)scratch = (float)sum;
    else
        *(double *)scratch = sum;
}

static bool tape_run(const struct model *m, size_t tile, size_t run, const void *scratch, struct model_run *out)
{
    const struct towers *t = towers_of(m);
    size_t i = net_of(t, &tile);
    if (i == t->n_nets) {
        *out = (struct model_run){t->constant, t->constant + 1, scratch};
        return run == 0;
    }
    if (!network_tile_run(&t->net[i], tile, run, scratch, out))
        return false;
    out->first += t->param[i];
    out->end += t->param[i];
    return true;
}

static void tape_refresh(const struct model *m, size_t tile, const double *params, void *weights)
{
    const struct towers *t = towers_of(m);
    size_t i = net_of(t, &tile);
    if (i == t->n_nets)
        *(double *)(void *)((char *)weights + t->constant_weight) = params[t->constant];
    else
        network_tile_refresh(&t->net[i], tile, params + t->param[i], (char *)weights + t->weight[i]);
}

const struct model_tape_ops towers_tape = {
    .bytes = tape_bytes,
    .forward = tape_forward,
    .backward = tape_backward,
    .tiles = tape_tiles,
    .tile_bytes = tape_tile_bytes,
    .gradient = tape_gradient,
    .run = tape_run,
    .refresh = tape_refresh,
};
