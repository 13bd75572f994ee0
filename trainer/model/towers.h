/*
 * Two towers: networks over the two inputs of a row, and what fuses their outputs u and v, each of `width` numbers.
 *
 *  - pair: outputs are u, then v, for a loss that compares them (contrastive);
 *  - dot: one output, u . v (+ constant), for matching: Huang et al., Learning deep structured semantic models for web
 *    search using clickthrough data, CIKM 2013 (without the cosine);
 *  - concat: a linear layer over u, v, late fusion.
 *
 * Parameters: those of the first network, of the second, of the head (concat) or the constant (dot). Weights and tiles
 * are in the same order.
 */
#ifndef MODEL_TOWERS_H
#define MODEL_TOWERS_H

#include "model/model.h"
#include "model/network.h"

enum { TOWER_FIRST, TOWER_SECOND, TOWER_HEAD, TOWERS_MOST };

struct towers {
    struct network net[TOWERS_MOST];
    size_t n_nets;                                  /* 3: with a head */
    size_t param[TOWERS_MOST], weight[TOWERS_MOST]; /* of each network: first parameter; bytes into the weights */
    size_t n_params, n_tiles, weights_bytes;
    size_t constant;        /* its parameter; SIZE_MAX: none */
    size_t constant_weight; /* bytes into the weights, a double */
    size_t width;           /* outputs of a tower */
    size_t fused;           /* doubles of a row that the tape keeps beside the networks' own */
};

struct towers_shapes {
    struct network_shape net[TOWERS_MOST];
    size_t n_nets;
};
struct towers_shapes towers_shapes(const struct model_spec *spec);

const char *towers_fuse_name(enum model_fuse fuse); /* as in job files */

static inline const struct towers *towers_of(const struct model *m)
{
    return m->inside;
}

enum gm_code towers_save(const struct model *m, const double *params, struct archive *a, struct gm_error *err);
enum gm_code towers_open(const struct archive *a, const char *path, struct model_spec *spec, struct gm_error *err);
enum gm_code towers_load(const struct model *m, const struct archive *a, double *params, struct gm_error *err);
void towers_describe(const struct model_spec *spec, char *text, size_t room);

extern const struct model_tape_ops towers_tape;

#endif
