/* What the network of dense rows (mlp.c) and that of sparse rows (mlp_sparse.c) share: files are the same. */
#ifndef MODEL_MLP_H
#define MODEL_MLP_H

#include "model/model.h"
#include "model/network.h"

static inline const struct network *mlp_network(const struct model *m)
{
    return m->inside;
}

enum gm_code mlp_init(struct model *m, struct gm_error *err);
void mlp_release(struct model *m);
size_t mlp_n_params(const struct model_spec *spec);
void mlp_mark_penalised(const struct model *m, uint8_t *penalised);
void mlp_start(const struct model *m, const double *baseline, double *params);
size_t mlp_weights_bytes(const struct model *m);
void mlp_prepare(const struct model *m, const double *params, void *weights);
size_t mlp_scratch_bytes(const struct model *m, size_t rows);

extern const struct model_tape_ops mlp_tape; /* of both */

/* By lanes: a block is a small tape in a thread's scratch. */
struct model_tape mlp_tape_in(void *scratch, size_t rows);
void mlp_forward(const struct model *m, const void *weights, const struct model_block *block, void *scratch,
                 double *pred);
/* All parameters but those that no tile has. */
void mlp_backward(const struct model *m, const void *weights, const struct model_block *block, void *scratch,
                  const double *grad_pred, double *lane);

enum gm_code mlp_save(const struct model *m, const double *params, struct archive *a, struct gm_error *err);
enum gm_code mlp_open(const struct archive *a, const char *path, struct model_spec *spec, struct gm_error *err);
enum gm_code mlp_load(const struct model *m, const struct archive *a, double *params, struct gm_error *err);
void mlp_describe(const struct model_spec *spec, char *text, size_t room);

#endif
