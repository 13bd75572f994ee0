/*
 * Two towers over two inputs (model/towers.h): sizes, start, and the way by lanes. What the tape does is in
 * two_tower_tape.c, files in two_tower_file.c.
 */
#include <string.h>

#include "base/memory.h"
#include "model/towers.h"

#define LINE 64

struct towers_shapes towers_shapes(const struct model_spec *spec)
{
    struct towers_shapes s = {.n_nets = 2 + (spec->fuse == MODEL_FUSE_CONCAT)};
    for (size_t i = 0; i < s.n_nets; i++)
        s.net[i] = (struct network_shape){.out = spec->embedding,
                                          .bias = true,
                                          .activation = spec->activation,
                                          .dropout = spec->dropout,
                                          .single = spec->precision == MODEL_F32,
                                          .stream = (uint32_t)i * 2 * MODEL_HIDDEN_MOST};
    s.net[TOWER_FIRST].in = spec->first_features;
    s.net[TOWER_FIRST].hidden = spec->hidden;
    s.net[TOWER_FIRST].n_hidden = spec->n_hidden;
    s.net[TOWER_SECOND].in = spec->features - spec->first_features;
    s.net[TOWER_SECOND].hidden = spec->hidden_second;
    s.net[TOWER_SECOND].n_hidden = spec->n_hidden_second;
    struct network_shape *head = &s.net[TOWER_HEAD];
    head->in = 2 * spec->embedding;
    head->out = spec->outputs;
    head->bias = spec->intercept;
    head->dropout = 0;
    head->passes_back = true;
    return s;
}

static bool has_constant(const struct model_spec *spec)
{
    return spec->fuse == MODEL_FUSE_DOT && spec->intercept;
}

static void lay_out(struct towers *t, const struct model_spec *spec)
{
    for (size_t i = 0; i < t->n_nets; i++) {
        t->param[i] = t->n_params;
        t->weight[i] = t->weights_bytes;
        t->n_params += t->net[i].n_params;
        t->n_tiles += t->net[i].n_tiles;
        t->weights_bytes += t->net[i].weights_bytes;
    }
    t->constant = SIZE_MAX;
    if (has_constant(spec)) {
        t->constant = t->n_params++;
        t->constant_weight = t->weights_bytes;
        t->weights_bytes += LINE;
        t->n_tiles++;
    }
    t->width = spec->embedding;
    /* dot: u, v and the slope of the product; concat: u, v, and as the head reads them */
    t->fused = spec->fuse == MODEL_FUSE_PAIR ? 0 : spec->fuse == MODEL_FUSE_DOT ? 2 * t->width + 1 : 4 * t->width;
}

static enum gm_code two_tower_init(struct model *m, struct gm_error *err)
{
    struct towers_shapes shapes = towers_shapes(&m->spec);
    enum gm_code code = memory_alloc(&m->inside, 1, sizeof(struct towers), "the towers", err);
    struct towers *t = m->inside;
    for (size_t i = 0; code == GM_OK && i < shapes.n_nets; i++) {
        size_t first = i == TOWER_SECOND ? m->spec.first_features : 0;
        bool input = i != TOWER_HEAD;
        code = network_init(&t->net[i], &shapes.net[i], input && m->center ? m->center + first : NULL,
                            input && m->scale ? m->scale + first : NULL, err);
        t->n_nets += code == GM_OK;
    }
    if (code == GM_OK)
        lay_out(t, &m->spec);
    return code;
}

static void two_tower_release(struct model *m)
{
    struct towers *t = m->inside;
    for (size_t i = 0; t && i < t->n_nets; i++)
        network_release(&t->net[i]);
    memory_free(t);
}

static size_t two_tower_n_params(const struct model_spec *spec)
{
    struct towers_shapes shapes = towers_shapes(spec);
    size_t count = has_constant(spec);
    for (size_t i = 0; i < shapes.n_nets; i++)
        count += network_count(&shapes.net[i]);
    return count;
}

static void two_tower_mark_penalised(const struct model *m, uint8_t *penalised)
{
    const struct towers *t = towers_of(m);
    for (size_t i = 0; i < t->n_nets; i++)
        network_mark_penalised(&t->net[i], penalised + t->param[i]);
    if (t->constant != SIZE_MAX)
        penalised[t->constant] = 0;
}

static void two_tower_start(const struct model *m, const double *baseline, double *params)
{
    const struct towers *t = towers_of(m);
    for (size_t i = 0; i < t->n_nets; i++)
        network_start(&t->net[i], (enum network_start)m->spec.start, m->spec.seed, params + t->param[i]);
    if (t->constant != SIZE_MAX)
        params[t->constant] = baseline[0];
    if (t->n_nets <= TOWER_HEAD || t->net[TOWER_HEAD].layers[0].bias == SIZE_MAX)
        return;
    double *bias = params + t->param[TOWER_HEAD] + t->net[TOWER_HEAD].layers[0].bias;
    memcpy(bias, baseline, m->spec.outputs * sizeof *bias);
}

static size_t two_tower_weights_bytes(const struct model *m)
{
    return towers_of(m)->weights_bytes;
}

static void two_tower_prepare(const struct model *m, const double *params, void *weights)
{
    for (size_t tile = 0; tile < towers_of(m)->n_tiles; tile++)
        towers_tape.refresh(m, tile, params, weights);
}

/* ---- by lanes ---- */

static struct model_tape tape_in(void *scratch, size_t rows)
{
    return (struct model_tape){.memory = scratch, .capacity = rows, .rows = rows};
}

static size_t two_tower_scratch_bytes(const struct model *m, size_t rows)
{
    return towers_tape.bytes(m, rows) + towers_tape.tile_bytes(m);
}

static void two_tower_forward(const struct model *m, const void *weights, const struct model_block *block,
                              void *scratch, double *pred)
{
    struct model_tape tape = tape_in(scratch, block->rows);
    towers_tape.forward(m, weights, &tape, block, pred);
}

static void two_tower_backward(const struct model *m, const void *weights, const struct model_block *block,
                               void *scratch, const double *grad_pred, double *lane)
{
    struct model_tape tape = tape_in(scratch, block->rows);
    towers_tape.backward(m, weights, &tape, grad_pred);
    model_tape_add(m, &tape, (char *)scratch + towers_tape.bytes(m, block->rows), lane);
}

const struct model_ops model_two_tower = {
    .name = "two_tower",
    .reads_scattered = true,
    .tape = &towers_tape,
    .init = two_tower_init,
    .release = two_tower_release,
    .n_params = two_tower_n_params,
    .mark_penalised = two_tower_mark_penalised,
    .start = two_tower_start,
    .weights_bytes = two_tower_weights_bytes,
    .prepare = two_tower_prepare,
    .scratch_bytes = two_tower_scratch_bytes,
    .forward = two_tower_forward,
    .backward = two_tower_backward,
    .finish = model_divide,
    .save = towers_save,
    .open = towers_open,
    .load = towers_load,
    .describe = towers_describe,
};
