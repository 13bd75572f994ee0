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
    double *weight;                /* [rows] */
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

/* a . b_j of four rows j at once: four sums that do not wait for each other. */
GM_INLINE void four_products(const struct towers *t, const double *a, size_t j, double *product)
{
    const double *b0 = tower_b(t, j), *b1 = tower_b(t, j + 1), *b2 = tower_b(t, j + 2), *b3 = tower_b(t, j + 3);
    double s0 = 0.0, s1 = 0.0, s2 = 0.0, s3 = 0.0;
    for (size_t d = 0; d < t->width; d++) {
        s0 += a[d] * b0[d];
        s1 += a[d] * b1[d];
        s2 += a[d] * b2[d];
        s3 += a[d] * b3[d];
    }
    product[0] = s0;
    product[1] = s1;
    product[2] = s2;
    product[3] = s3;
}

GM_INLINE void fill_similar(const struct towers *t, size_t row)
{
    const size_t rows = t->batch->rows;
    const double *a = tower_a(t, row), scale = t->inverse_a[row] / t->batch->param[TEMPERATURE].real;
    size_t j = 0;
    for (; j + 4 <= rows; j += 4)
        four_products(t, a, j, t->similar + j);
    for (; j < rows; j++)
        t->similar[j] = gm_dot(a, tower_b(t, j), t->width);
    for (j = 0; j < rows; j++)
        t->similar[j] = t->weight[j] == 0.0 ? -(double)INFINITY : t->similar[j] * t->inverse_b[j] * scale;
}

GM_INLINE void start(const struct towers *t)
{
    for (size_t i = 0; i < t->batch->rows; i++) {
        t->weight[i] = gm_weight(t->batch, i);
        t->inverse_a[i] = inverse_length(t, tower_a(t, i));
        t->inverse_b[i] = inverse_length(t, tower_b(t, i));
        t->top[i] = -(double)INFINITY;
        t->down[i] = 0.0;
    }
}

/* One more row i in the sums over i of every column j. */
GM_INLINE void add_down(const struct towers *t)
{
    for (size_t j = 0; j < t->batch->rows; j++) {
        const double top = gm_max(t->similar[j], t->top[j]);
        const double down = t->down[j] * gm_exp(t->top[j] - top) + gm_exp(t->similar[j] - top);
        t->down[j] = t->weight[j] == 0.0 ? 1.0 : down;
        t->top[j] = top;
    }
}

/* Both logsumexp of every row; returns the loss. */
GM_INLINE double forward(const struct towers *t)
{
    const struct gm_loss_batch *b = t->batch;
    const double half = b->param[SYMMETRIC].integer ? 0.5 : 0.0;
    double loss = 0.0;
    start(t);
    for (size_t i = 0; i < b->rows; i++) {
        if (t->weight[i] == 0.0)
            continue;
        fill_similar(t, i);
        t->across[i] = gm_logsumexp(t->similar, b->rows);
        loss += t->weight[i] * ((1.0 - half) * t->across[i] - t->similar[i]);
        add_down(t);
    }
    for (size_t j = 0; j < b->rows; j++) {
        t->top[j] += gm_log(t->down[j]);
        loss += t->weight[j] == 0.0 ? 0.0 : half * t->weight[j] * t->top[j];
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

/* pull[j] = d loss / d s_ij, for one i; it stands where similar stood. */
GM_INLINE void fill_pull(const struct towers *t, size_t row)
{
    const double half = t->batch->param[SYMMETRIC].integer ? 0.5 : 0.0, own = t->weight[row];
    const double across = t->across[row];
    for (size_t j = 0; j < t->batch->rows; j++) {
        const double pull = (1.0 - half) * own * gm_exp(t->similar[j] - across) +
                            half * t->weight[j] * gm_exp(t->similar[j] - t->top[j]);
        t->similar[j] = t->weight[j] == 0.0 ? 0.0 : pull;
    }
    t->similar[row] -= own;
}

/* One pair: to += x times a, and from += y times b. */
GM_INLINE void add_pair(size_t width, double x, const double *GM_RESTRICT a, double *GM_RESTRICT to, double y,
                        const double *GM_RESTRICT b, double *GM_RESTRICT from)
{
    for (size_t d = 0; d < width; d++) {
        to[d] += x * a[d];
        from[d] += y * b[d];
    }
}

GM_INLINE void backward(const struct towers *t, double *grad)
{
    const struct gm_loss_batch *b = t->batch;
    const double scale = 1.0 / b->param[TEMPERATURE].real;
    for (size_t i = 0; i < b->rows * b->outputs; i++)
        grad[i] = 0.0;
    for (size_t i = 0; i < b->rows; i++) {
        if (t->weight[i] == 0.0)
            continue;
        fill_similar(t, i);
        fill_pull(t, i);
        for (size_t j = 0; j < b->rows; j++) {
            const double pull = t->similar[j] * scale;
            if (t->weight[j] == 0.0)
                continue;
            add_pair(t->width, pull * t->inverse_b[j], tower_b(t, j), grad + i * b->outputs, pull * t->inverse_a[i],
                     tower_a(t, i), grad + j * b->outputs + t->width);
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
    const struct towers t = {b,
                             b->outputs / 2,
                             at,
                             at + b->rows,
                             at + 2 * b->rows,
                             at + 3 * b->rows,
                             at + 4 * b->rows,
                             at + 5 * b->rows,
                             at + 6 * b->rows};
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
                                         .scratch_per_row = 7 * sizeof(double)};

GM_LOSS_PLUGIN(.id = "contrastive", .version = "1.0",
               .formula = "-s_ii + logsumexp_j s_ij; s_ij = cos(a_i, b_j) / temperature, a and b halves of the outputs",
               .help =
                   "Use it to bring matching pairs together and all others of the batch apart: two-tower retrieval.\n"
                   "Not with small batches (few others to compare), nor when a batch holds doubles of a pair.",
               .license = "MIT", .params = params, .n_params = PARAMS, .spec = &spec, .evaluate = evaluate)
