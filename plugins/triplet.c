/*
 * Triplet, batch-hard: for each row, with the farthest row of its own class at distance p and the nearest row of
 * another class at distance n (Euclidean, over all outputs), max(0, margin + p - n), or, softly, log(1 + e^(margin + p
 * - n)). A row without both costs nothing. Rows of weight 0 are left out; the weight of a row scales its own term.
 * Source: Hermans, Beyer, Leibe, In defense of the triplet loss for person re-identification, arXiv:1703.07737, eq. 5
 * and 8.
 */
#include <gradmill/loss_rows.h>

enum { MARGIN, SHAPE, PARAMS };
enum { SHAPE_HINGE, SHAPE_SOFTPLUS };

struct hardest {
    size_t same, other; /* rows; the row itself: there is none */
    double farthest, nearest;
};

GM_INLINE double distance(const struct gm_loss_batch *b, size_t i, size_t j)
{
    const double *x = b->pred + i * b->outputs, *y = b->pred + j * b->outputs;
    double sum = 0.0;
    for (size_t d = 0; d < b->outputs; d++)
        sum += (x[d] - y[d]) * (x[d] - y[d]);
    return sqrt(sum);
}

GM_INLINE struct hardest find_hardest(const struct gm_loss_batch *b, size_t i)
{
    struct hardest h = {i, i, -1.0, (double)INFINITY};
    for (size_t j = 0; j < b->rows; j++) {
        if (j == i || gm_weight(b, j) == 0.0)
            continue;
        const double far = distance(b, i, j);
        if (b->target[j] == b->target[i] && far > h.farthest) {
            h.farthest = far;
            h.same = j;
        }
        if (b->target[j] != b->target[i] && far < h.nearest) {
            h.nearest = far;
            h.other = j;
        }
    }
    return h;
}

/* grad of i and j for a loss that grows with their distance at this rate. */
GM_INLINE void push(const struct gm_loss_batch *b, double *grad, size_t i, size_t j, double rate)
{
    const double far = distance(b, i, j), scale = far > 0.0 ? rate / far : 0.0;
    for (size_t d = 0; d < b->outputs; d++) {
        const double step = scale * (b->pred[i * b->outputs + d] - b->pred[j * b->outputs + d]);
        grad[i * b->outputs + d] += step;
        grad[j * b->outputs + d] -= step;
    }
}

GM_LOSS_KERNEL static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    const int soft = b->param[SHAPE].integer == SHAPE_SOFTPLUS;
    double total = 0.0, spoiled = 0.0; /* comparisons would lose a NaN */
    for (size_t i = 0; i < b->rows * b->outputs; i++)
        spoiled += 0.0 * b->pred[i];
    for (size_t i = 0; r->grad && i < b->rows * b->outputs; i++)
        r->grad[i] = 0.0;
    for (size_t i = 0; i < b->rows; i++) {
        const double weight = gm_weight(b, i);
        const struct hardest h = find_hardest(b, i);
        const int whole = h.same != i && h.other != i;
        const double excess = whole ? b->param[MARGIN].real + h.farthest - h.nearest : 0.0;
        const double loss = !whole ? 0.0 : soft ? gm_softplus(excess) : gm_max(excess, 0.0);
        const double rate = !whole ? 0.0 : soft ? gm_sigmoid(excess) : excess > 0.0 ? 1.0 : 0.0;
        if (r->row_loss)
            r->row_loss[i] = loss;
        total += weight * loss;
        if (r->grad && weight * rate > 0.0) {
            push(b, r->grad, i, h.same, weight * rate);
            push(b, r->grad, i, h.other, -weight * rate);
        }
    }
    r->loss = total + spoiled;
    return GM_LOSS_OK;
}

static const struct gm_loss_param params[PARAMS] = {
    {.name = "margin",
     .help = "how much farther other classes are to be, in units of the outputs",
     .type = GM_PARAM_REAL,
     .fallback = 0.2,
     .low = 0.0,
     .high = 1e100},
    {.name = "shape",
     .help = "of the loss: max(0, x) or log(1 + exp(x))",
     .type = GM_PARAM_CHOICE,
     .fallback = SHAPE_HINGE,
     .choices = "hinge|softplus"},
};

static const struct gm_loss_spec spec = {.struct_size = sizeof spec,
                                         .target_kind = GM_TARGET_CLASS,
                                         .outputs = GM_OUTPUTS_ANY,
                                         .coupling = GM_ROWS_BATCH,
                                         .gives = GM_GIVES_ROW_LOSS,
                                         .nature = GM_NATURE_NON_SMOOTH | GM_NATURE_NON_CONVEX,
                                         .task = GM_TASK_METRIC};

GM_LOSS_PLUGIN(
        .id = "triplet", .version = "1.0",
        .formula = "max(0, margin + farthest of own class - nearest of another class), over the batch",
        .help = "Use it to learn an embedding in which rows of a class are near each other: recognition, retrieval.\n"
                "Not when batches hold one row a class (contrastive pairs rows), nor with many wrong labels.",
        .license = "MIT", .params = params, .n_params = PARAMS, .spec = &spec, .evaluate = evaluate)
