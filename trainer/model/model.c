/* What all models share: sizes, standardisation, memory. */
#include "model/model.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "model/factorization.h"

static const struct model_ops *const table[MODEL_TYPES] = {[MODEL_LINEAR] = &model_linear,
                                                           [MODEL_MLP] = &model_mlp,
                                                           [MODEL_FACTORIZATION] = &model_factorization,
                                                           [MODEL_CENTROIDS] = &model_centroids,
                                                           [MODEL_TWO_TOWER] = &model_two_tower};
static const struct model_ops *const sparse_table[MODEL_TYPES] = {
    [MODEL_LINEAR] = &model_linear_sparse, [MODEL_MLP] = &model_mlp_sparse};

bool model_takes_sparse(enum model_type type)
{
    return type < MODEL_TYPES && sparse_table[type];
}

const struct model_ops *model_ops_of(enum model_type type)
{
    return type < MODEL_TYPES ? table[type] : NULL;
}

const struct model_ops *model_ops_named(const char *name, enum model_type *type)
{
    for (int i = 0; i < MODEL_TYPES; i++)
        if (table[i] && strcmp(table[i]->name, name) == 0) {
            *type = (enum model_type)i;
            return table[i];
        }
    return NULL;
}

/* Folding the centers into the bias saves a load for each value, and costs the digits of |center| / scale: in float up
 * to this many times the rounding. double is there for its digits, and always centres. */
#define FOLD_MOST 4.0

static void set_scales(struct model *m, const double *center, const double *scale)
{
    bool single = m->spec.precision == MODEL_F32, near = single;
    m->unscaled = true;
    for (size_t j = 0; j < m->spec.features; j++) {
        double c = center ? center[j] : 0;
        m->center[j] = single ? (double)(float)c : c;
        m->scale[j] = scale ? scale[j] : 1;
        m->unscaled = m->unscaled && m->scale[j] == 1;
        m->centered |= m->center[j] != 0;
        near = near && fabs(m->center[j]) <= FOLD_MOST * m->scale[j];
        if (single)
            ((float *)m->center_real)[j] = (float)c;
        else
            ((double *)m->center_real)[j] = c;
    }
    m->folded = m->centered && near && m->spec.intercept;
    m->centered = m->centered && !m->folded;
}

static void shape(struct model *m, const struct model_spec *spec)
{
    *m = (struct model){.ops = spec->sparse ? sparse_table[spec->type] : table[spec->type],
                        .spec = *spec,
                        .dense = dense_kernels_for(cpu_isa()),
                        .sparse = sparse_kernels_for(cpu_isa()),
                        .panel = panel_kernels_for(cpu_isa())};
    m->n_params = m->ops->n_params(spec);
}

enum gm_code model_sketch(struct model *m, const struct model_spec *spec, struct gm_error *err)
{
    shape(m, spec);
    m->unscaled = true;
    enum gm_code code = m->ops->init ? m->ops->init(m, err) : GM_OK;
    if (code)
        model_release(m);
    return code;
}

enum gm_code model_init(struct model *m, const struct model_spec *spec, const double *center, const double *scale,
                        struct gm_error *err)
{
    shape(m, spec);
    enum gm_code code;
    if ((code = memory_alloc((void **)&m->penalised, m->n_params, 1, "the penalty mask", err)) ||
        (code = memory_alloc((void **)&m->center, spec->features, sizeof(double), "feature centers", err)) ||
        (code = memory_alloc((void **)&m->scale, spec->features, sizeof(double), "feature scales", err)) ||
        (code = memory_alloc(&m->center_real, spec->features, sizeof(double), "feature centers", err))) {
        model_release(m);
        return code;
    }
    set_scales(m, center, scale);
    if (m->ops->init && (code = m->ops->init(m, err))) {
        model_release(m);
        return code;
    }
    m->ops->mark_penalised(m, m->penalised);
    return GM_OK;
}

void model_release(struct model *m)
{
    if (m->ops && m->ops->release)
        m->ops->release(m);
    memory_free(m->penalised);
    memory_free(m->center);
    memory_free(m->scale);
    memory_free(m->center_real);
    *m = (struct model){0};
}

void model_tape_add(const struct model *m, const struct model_tape *tape, void *scratch, double *lane)
{
    const struct model_tape_ops *ops = m->ops->tape;
    struct model_run run;
    for (size_t tile = 0; tile < ops->tiles(m); tile++) {
        ops->gradient(m, tape, tile, scratch);
        for (size_t r = 0; ops->run(m, tile, r, scratch, &run); r++)
            for (size_t i = run.first; i < run.end; i++)
                lane[i] += m->spec.precision == MODEL_F32 ? (double)((const float *)run.gradient)[i - run.first]
                                                          : ((const double *)run.gradient)[i - run.first];
    }
}

void model_divide(const struct model *m, const double *sum, double divisor, size_t first, size_t end, double *gradient)
{
    (void)m;
    for (size_t i = first; i < end; i++)
        gradient[i] = sum[i] / divisor;
}

bool model_reads(const struct model *m, enum dense_stored stored)
{
    return m->ops->reads_stored && m->spec.precision == MODEL_F32 && m->spec.features >= DENSE_STORED_LEAST &&
           m->dense.forward_stored[stored];
}
