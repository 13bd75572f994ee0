/*
 * Contrastive (InfoNCE) of two towers: the first half of a row's outputs, a_i, belongs to the second half, b_i, and to
 * no other row's of the batch. With s_ij = a_i . b_j / temperature the loss of row i is -s_ii + logsumexp_j s_ij; when
 * symmetric, the mean of that and of -s_ii + logsumexp_j s_ji. With normalize, a and b are first scaled to length 1.
 * Rows of weight 0 are left out; the weight of a row scales its own term. Sources: van den Oord, Li, Vinyals,
 * Representation learning with contrastive predictive coding, arXiv:1807.03748, eq. 4; Radford et al., Learning
 * transferable visual models from natural language supervision, ICML 2021, figure 3 (symmetric).
 */
#include <gradmill/loss_rows.h>

enum { TEMPERATURE, SYMMETRIC, NORMALIZE, PARAMS };

struct towers {
    const struct gm_loss_batch *batch;
    size_t width;                  /* outputs of one tower */
    double *inverse_a, *inverse_b; /* [rows] one over the length, or 1 */
    double *across;                /* [rows] logsumexp_j s_ij of each i */
    double *top, *down; /* [rows] largest s_ij over i and sum of e^(s_ij - top), then the logsumexp, in top */
    double *similar;    /* [rows] s_ij of one i; -inf for rows left out */
};

GM_INLINE const double *tower_a(const struct towers *t, size_t row)
{
    return t->batch->pred + row * t->batch->outputs;
}

GM_INLINE const double *tower_b(const struct towers *t, size_t row)
{
    return tower_a(t, row) + t->width;
}

GM_INLINE double inverse_length(const struct towers *t, const double *x)
{
    const double size = t->batch->param[NORMALIZE].integer ? gm_length(x, t->width) : 1.0;
    return size < 1e-150 ? 0.0 : 1.0 / size;
}

GM_INLINE void fill_similar(const struct towers *t, size_t row)
{
    const double scale = t->inverse_a[row] / t->batch->param[TEMPERATURE].real;
    for (size_t j = 0; j < t->batch->rows; j++)
        t->similar[j] = gm_weight(t->batch, j) == 0.0
                            ? -(double)INFINITY
                            : gm_dot(tower_a(t, row), tower_b(t, j), t->width) * t->inverse_b[j] * scale;
}

/* Both logsumexp of every row; returns the loss. */
GM_INLINE double forward(struct towers *t)
{
    const struct gm_loss_batch *b = t->batch;
    const double half = b->param[SYMMETRIC].integer ? 0.5 : 0.0;
    double loss = 0.0;
    for (size_t i = 0; i < b->rows; i++) {
        t->inverse_a[i] = inverse_length(t, tower_a(t, i));
        t->inverse_b[i] = inverse_length(t, tower_b(t, i));
        t->top[i] = -(double)INFINITY;
        t->down[i] = 0.0;
    }
    for (size_t i = 0; i < b->rows; i++) {
        if (gm_weight(b, i) == 0.0)
            continue;
        fill_similar(t, i);
        t->across[i] = gm_logsumexp(t->similar, b->rows);
        loss += gm_weight(b, i) * ((1.0 - half) * t->across[i] - t->similar[i]);
        for (size_t j = 0; j < b->rows; j++) {
            const double top = gm_max(t->similar[j], t->top[j]);
            t->down[j] =
                gm_weight(b, j) == 0.0 ? 1.0 : t->down[j] * gm_exp(t->top[j] - top) + gm_exp(t->similar[j] - top);
            t->top[j] = top;
        }
    }
    for (size_t j = 0; j < b->rows; j++) {
        t->top[j] += gm_log(t->down[j]);
        loss += gm_weight(b, j) == 0.0 ? 0.0 : half * gm_weight(b, j) * t->top[j];
    }
    return loss;
}

/* grad of a row's tower is by the scaled vector so far; make it that by the vector itself. */
GM_INLINE void unscale(const struct towers *t, const double *x, double inverse, double *grad)
{
    if (!t->batch->param[NORMALIZE].integer)
        return;
    const double along = gm_dot(grad, x, t->width) * inverse * inverse;
    for (size_t d = 0; d < t->width; d++)
        grad[d] = (grad[d] - along * x[d]) * inverse;
}

GM_INLINE void backward(const struct towers *t, double *grad)
{
    const struct gm_loss_batch *b = t->batch;
    const double half = b->param[SYMMETRIC].integer ? 0.5 : 0.0, scale = 1.0 / b->param[TEMPERATURE].real;
    for (size_t i = 0; i < b->rows * b->outputs; i++)
        grad[i] = 0.0;
    for (size_t i = 0; i < b->rows; i++) {
        const double own = gm_weight(b, i);
        if (own == 0.0)
            continue;
        fill_similar(t, i);
        for (size_t j = 0; j < b->rows; j++) {
            if (gm_weight(b, j) == 0.0)
                continue;
            double pull = (1.0 - half) * own * gm_exp(t->similar[j] - t->across[i]) +
                          half * gm_weight(b, j) * gm_exp(t->similar[j] - t->top[j]) - (i == j ? own : 0.0);
            double *grad_a = grad + i * b->outputs, *grad_b = grad + j * b->outputs + t->width;
            const double to_a = pull * scale * t->inverse_b[j], to_b = pull * scale * t->inverse_a[i];
            for (size_t d = 0; d < t->width; d++) {
                grad_a[d] += to_a * tower_b(t, j)[d];
                grad_b[d] += to_b * tower_a(t, i)[d];
            }
        }
    }
    for (size_t i = 0; i < b->rows; i++) {
        unscale(t, tower_a(t, i), t->inverse_a[i], grad + i * b->outputs);
        unscale(t, tower_b(t, i), t->inverse_b[i], grad + i * b->outputs + t->width);
    }
}

GM_LOSS_KERNEL static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    double *at = (double *)b->scratch;
    if (b->outputs % 2)
        return gm_fail(b, GM_LOSS_UNSUPPORTED, "the two towers need an even number of outputs");
    struct towers t = {
        b, b->outputs / 2, at, at + b->rows, at + 2 * b->rows, at + 3 * b->rows, at + 4 * b->rows, at + 5 * b->rows};
    r->loss = forward(&t);
    if (r->grad)
        backward(&t, r->grad);
    return GM_LOSS_OK;
}

static const struct gm_loss_param params[PARAMS] = {
    {.name = "temperature",
     .help = "divides the similarities; small: only the closest rows count",
     .type = GM_PARAM_REAL,
     .flags = GM_PARAM_LOW_OPEN,
     .fallback = 0.07,
     .low = 0.0,
     .high = INFINITY},
    {.name = "symmetric",
     .help = "find b for a and a for b, not only b for a",
     .type = GM_PARAM_BOOLEAN,
     .fallback = 1.0},
    {.name = "normalize", .help = "scale both towers to length 1 first", .type = GM_PARAM_BOOLEAN, .fallback = 1.0},
};

static const struct gm_loss_spec spec = {.struct_size = sizeof spec,
                                         .target_kind = GM_TARGET_NONE,
                                         .outputs = GM_OUTPUTS_ANY,
                                         .coupling = GM_ROWS_BATCH,
                                         .nature = GM_NATURE_NON_CONVEX,
                                         .task = GM_TASK_METRIC,
                                         .scratch_per_row = 6 * sizeof(double)};

GM_LOSS_PLUGIN(.id = "contrastive", .version = "1.0",
               .formula = "-s_ii + logsumexp_j s_ij; s_ij = cos(a_i, b_j) / temperature, a and b halves of the outputs",
               .help =
                   "Use it to bring matching pairs together and all others of the batch apart: two-tower retrieval.\n"
                   "Not with small batches (few others to compare), nor when a batch holds doubles of a pair.",
               .license = "MIT", .params = params, .n_params = PARAMS, .spec = &spec, .evaluate = evaluate)
