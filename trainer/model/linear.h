/* What the linear model of dense rows (linear.c) and that of sparse rows (linear_sparse.c) share. */
#ifndef MODEL_LINEAR_H
#define MODEL_LINEAR_H

#include "model/model.h"

size_t linear_n_params(const struct model_spec *spec);
void linear_mark_penalised(const struct model *m, uint8_t *penalised);
void linear_start(const struct model *m, const double *baseline, double *params);
enum gm_code linear_save(const struct model *m, const double *params, struct archive *a, struct gm_error *err);
enum gm_code linear_open(const struct archive *a, const char *path, struct model_spec *spec, struct gm_error *err);
enum gm_code linear_load(const struct model *m, const struct archive *a, double *params, struct gm_error *err);
void linear_describe(const struct model_spec *spec, char *text, size_t room);

/* Where coefficient (output k, feature j) is among the parameters: sparse rows keep a feature's outputs together, so
 * that an entry touches one place. */
static inline size_t linear_at(const struct model_spec *spec, size_t k, size_t j)
{
    return spec->sparse ? j * spec->outputs + k : k * spec->features + j;
}

#endif
