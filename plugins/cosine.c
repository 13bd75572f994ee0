/*
 * Cosine distance: 1 - pred . target / (|pred| |target|), all outputs of a row together. Not convex; its minimum is a
 * ray. A prediction shorter than 1e-150 has no direction: loss 1, no gradient. Source: Salton, Wong, Yang, A vector
 * space model for automatic indexing, CACM 18 (1975).
 */
#include <gradmill/loss_rows.h>

GM_INLINE double row_loss(const struct gm_row *row, const double *constant)
{
    const size_t n = row->outputs;
    const double size = gm_length(row->pred, n), aim = gm_length(row->target, n);
    double *u = (double *)row->batch->scratch, *v = u + n;
    const double inverse = size < 1e-150 ? 0.0 : 1.0 / size;
    (void)constant;
    for (size_t k = 0; k < n; k++) {
        u[k] = inverse > 0.0 ? row->pred[k] / size : 0.0 * row->pred[k];
        v[k] = aim > 0.0 ? row->target[k] / aim : 0.0;
    }
    const double c = gm_dot(u, v, n);
    for (size_t k = 0; k < n; k++) {
        if (row->grad)
            row->grad[k] = (c * u[k] - v[k]) * inverse;
        if (row->hess_diag)
            row->hess_diag[k] = (2.0 * (u[k] * v[k]) + c - 3.0 * c * (u[k] * u[k])) * inverse * inverse;
        for (size_t l = 0; row->hess && l < n; l++)
            row->hess[k * n + l] =
                (u[k] * v[l] + v[k] * u[l] + (k == l ? c : 0.0) - 3.0 * c * (u[k] * u[l])) * inverse * inverse;
    }
    return 1.0 - c;
}

GM_LOSS_KERNEL static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    return gm_rowwise(b, r, row_loss, NULL);
}

static int create(const struct gm_loss_batch *b, struct gm_loss_spec *spec, void **instance)
{
    *instance = NULL;
    spec->scratch_fixed = 2 * b->targets * sizeof(double);
    return GM_LOSS_OK;
}

static int check_targets(const struct gm_loss_batch *b, size_t *bad_row)
{
    for (size_t i = 0; i < b->rows; i++)
        if (gm_length(b->target + i * b->targets, b->targets) == 0.0) {
            *bad_row = i;
            return gm_fail(b, GM_LOSS_BAD_TARGET, "the target row is all 0 and has no direction");
        }
    return GM_LOSS_OK;
}

/* The mean direction of the targets. */
static int baseline(const struct gm_loss_batch *b, double *raw)
{
    for (size_t k = 0; k < b->outputs; k++)
        raw[k] = 0.0;
    for (size_t i = 0; i < b->rows; i++) {
        const double *target = b->target + i * b->targets, aim = gm_length(target, b->targets);
        for (size_t k = 0; aim > 0.0 && k < b->outputs; k++)
            raw[k] += gm_weight(b, i) * target[k] / aim;
    }
    const double size = gm_length(raw, b->outputs);
    for (size_t k = 0; k < b->outputs; k++)
        raw[k] = size > 0.0 ? raw[k] / size : 1.0;
    return GM_LOSS_OK;
}

static const struct gm_loss_spec spec = {
    .struct_size = sizeof spec, .gives = GM_GIVES_ALL, .nature = GM_NATURE_NON_CONVEX, .task = GM_TASK_METRIC};

GM_LOSS_PLUGIN(.id = "cosine", .version = "1.0", .formula = "1 - pred . target / (|pred| |target|)",
               .help = "Use it when the direction of the target vector counts and its length does not: embeddings.\n"
                       "Not for one output (only a sign is left), nor when lengths matter (mse).",
               .license = "MIT", .spec = &spec, .evaluate = evaluate, .create = create, .check_targets = check_targets,
               .baseline = baseline)
