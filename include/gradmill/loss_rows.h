/*
 * gradmill/loss_rows.h - the loops around a loss, written once, so that a plugin is left with its formula.
 *
 *  gm_pointwise  one number against one target: regression, counts, binary classification. A whole plugin:
 *
 *     static inline struct gm_point half_square(double pred, double target, const double *constant)
 *     {
 *         double d = pred - target;
 *         return (struct gm_point){constant[0] * 0.5 * d * d, constant[0] * d, constant[0]};
 *     }
 *     GM_POINTWISE(half_square, b->param[0].real)
 *
 *  gm_rowwise    the outputs of a row together: clustering, cosine; gm_rowwise_softmax: cross-entropy.
 *  gm_groupwise  the rows of a group together, one output a row: ranking.
 *
 * They do the weights, the wanted and unwanted outputs, and the sums. The caller's function is inlined into them; a
 * formula of loss_math.h then runs in vector instructions.
 */
#ifndef GRADMILL_LOSS_ROWS_H
#define GRADMILL_LOSS_ROWS_H

#include <gradmill/loss.h>
#include <gradmill/loss_math.h>

/* ---- pointwise ------------------------------------------------------------------------------------------------- */

/* Loss of one prediction, its first and second derivative by pred. */
struct gm_point {
    double loss, slope, curve;
};
typedef struct gm_point gm_point_fn(double pred, double target, const double *constant);

/*
 * The same in two steps, for formulas that are one long chain of operations (an exp, and a log of it): the processor
 * looks ahead over some 200 instructions, so that it overlaps twice as many short chains as long ones. via is computed
 * for a strip of elements first, then handed to the formula.
 */
typedef double gm_via_fn(double pred, double target, const double *constant);
typedef struct gm_point gm_point_via_fn(double pred, double target, double via, const double *constant);

/* A formula as the loops take it: point alone, or via and point_via. */
struct gm_formula {
    gm_point_fn *point;
    gm_via_fn *via;
    gm_point_via_fn *point_via;
    const double *constant;
};

/* via: what f->via gave, where there is one. */
GM_INLINE struct gm_point gm_formula_at(const struct gm_formula *f, double pred, double target, const double *via)
{
    return f->via ? f->point_via(pred, target, *via, f->constant) : f->point(pred, target, f->constant);
}

/* Some adjoining elements of the [rows x outputs] arrays. */
struct gm_strip {
    size_t at, n, row, column; /* first element, how many; its row and column */
    double weight[GM_STRIP];   /* of the row, over the number of outputs */
    double loss[GM_STRIP], slope[GM_STRIP], curve[GM_STRIP];
};

/* Weights of the strip: a row's weight divided by the number of outputs, since row losses are means over outputs. */
GM_INLINE void gm_strip_weights(const struct gm_loss_batch *b, struct gm_strip *strip)
{
    if (b->outputs == 1) {
        for (size_t j = 0; b->weight && j < strip->n; j++)
            strip->weight[j] = b->weight[strip->at + j];
        return;
    }
    size_t row = strip->row, column = strip->column;
    for (size_t j = 0; b->weight && j < strip->n; j++) {
        strip->weight[j] = b->weight[row] / (double)b->outputs;
        column = column + 1 == b->outputs ? (row++, (size_t)0) : column + 1;
    }
}

/* The strip's row losses and Hessians, for several outputs; moves on to the row and column of the next strip. */
GM_INLINE void gm_strip_rows(const struct gm_loss_batch *b, const struct gm_loss_result *r, struct gm_strip *strip)
{
    const size_t outputs = b->outputs;
    for (size_t j = 0; j < strip->n; j++) {
        size_t row = strip->row, column = strip->column;
        if (r->row_loss)
            r->row_loss[row] = (column ? r->row_loss[row] : 0.0) + strip->loss[j] / (double)outputs;
        if (r->hess) {
            double *line = r->hess + (row * outputs + column) * outputs;
            for (size_t k = 0; k < outputs; k++)
                line[k] = 0.0;
            line[column] = strip->weight[j] * strip->curve[j];
        }
        strip->column = column + 1 == outputs ? 0 : column + 1;
        strip->row += strip->column == 0;
    }
}

/* Hand out what the strip holds; returns its weighted loss. */
GM_INLINE double gm_strip_finish(const struct gm_loss_batch *b, const struct gm_loss_result *r, struct gm_strip *strip)
{
    const size_t at = strip->at, n = strip->n;
    double weighted[GM_STRIP];
    for (size_t j = 0; j < n; j++)
        weighted[j] = strip->weight[j] * strip->loss[j];
    if (r->grad)
        for (size_t j = 0; j < n; j++)
            r->grad[at + j] = strip->weight[j] * strip->slope[j];
    if (r->hess_diag)
        for (size_t j = 0; j < n; j++)
            r->hess_diag[at + j] = strip->weight[j] * strip->curve[j];
    if (b->outputs == 1) {
        for (size_t j = 0; r->hess && j < n; j++)
            r->hess[at + j] = strip->weight[j] * strip->curve[j];
        for (size_t j = 0; r->row_loss && j < n; j++)
            r->row_loss[at + j] = strip->loss[j];
    } else if (r->row_loss || r->hess) {
        gm_strip_rows(b, r, strip);
    } else {
        strip->row = (at + n) / b->outputs;
        strip->column = (at + n) % b->outputs;
    }
    return gm_sum(weighted, n);
}

/* via[0 .. n), where the formula has it. */
GM_INLINE void gm_strip_via(const double *GM_RESTRICT pred, const double *GM_RESTRICT target, size_t n,
                            double *GM_RESTRICT via, const struct gm_formula *f)
{
    for (size_t j = 0; f->via && j < n; j++)
        via[j] = f->via(pred[j], target[j], f->constant);
}

/*
 * The loop that most calls are made of; n is a multiple of 8. The losses go to the eight strands of gm_sum at once: no
 * buffer is written and read again. The compiler must not unroll the eight: it makes vectors of them.
 */
GM_INLINE void gm_strip_points(const double *GM_RESTRICT pred, const double *GM_RESTRICT target, size_t n,
                               double *GM_RESTRICT strand, double *GM_RESTRICT slope, const struct gm_formula *f,
                               double weight)
{
    double via[GM_STRIP], sum[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    gm_strip_via(pred, target, n, via, f);
    for (size_t j = 0; j < n; j += 8) {
        GM_NO_UNROLL
        for (size_t k = 0; k < 8; k++) {
            struct gm_point p = gm_formula_at(f, pred[j + k], target[j + k], via + j + k);
            sum[k] += weight * p.loss;
            slope[j + k] = weight * p.slope;
        }
    }
    for (size_t k = 0; k < 8; k++)
        strand[k] = sum[k];
}

/* The last n < 8 elements of a block: the same loop, on copies filled up with zeros whose losses nobody adds. */
GM_INLINE void gm_strip_rest(const double *GM_RESTRICT pred, const double *GM_RESTRICT target, size_t n,
                             double *GM_RESTRICT strand, double *GM_RESTRICT slope, const struct gm_formula *f,
                             double weight)
{
    double own[4][8] = {{0}};
    for (size_t j = 0; j < n; j++) {
        own[0][j] = pred[j];
        own[1][j] = target[j];
    }
    gm_strip_points(own[0], own[1], 8, own[2], own[3], f, weight);
    for (size_t j = 0; j < n; j++) {
        strand[j] += own[2][j];
        slope[j] = own[3][j];
    }
}

/* Loss and gradient of rows without weights: the way most training goes, in one loop. weight: one over the outputs. */
GM_INLINE int gm_formula_plain(const struct gm_loss_batch *b, struct gm_loss_result *r, const struct gm_formula *f,
                               double weight)
{
    const size_t count = b->rows * b->outputs;
    double own[GM_STRIP], total = 0.0;
    for (size_t at = 0, n; at < count; at += n) {
        const double *pred = b->pred + at, *target = b->target + at;
        double *slope = r->grad ? r->grad + at : own, strand[8];
        n = count - at < GM_STRIP ? count - at : GM_STRIP;
        const size_t whole = n / 8 * 8;
        gm_strip_points(pred, target, whole, strand, slope, f, weight);
        if (n > whole)
            gm_strip_rest(pred + whole, target + whole, n - whole, strand, slope + whole, f, weight);
        total += gm_sum(strand, 8);
    }
    r->loss = total;
    return GM_LOSS_OK;
}

/* Everything. The numbers it shares with gm_formula_plain have the same bits. */
GM_INLINE int gm_formula_full(const struct gm_loss_batch *b, struct gm_loss_result *r, const struct gm_formula *f)
{
    const size_t count = b->rows * b->outputs;
    struct gm_strip strip;
    double via[GM_STRIP], total = 0.0;
    strip.row = strip.column = 0;
    for (size_t j = 0; j < GM_STRIP; j++)
        strip.weight[j] = 1.0 / (double)b->outputs;
    for (strip.at = 0; strip.at < count; strip.at += strip.n) {
        const double *pred = b->pred + strip.at, *target = b->target + strip.at;
        strip.n = count - strip.at < GM_STRIP ? count - strip.at : GM_STRIP;
        gm_strip_weights(b, &strip);
        gm_strip_via(pred, target, strip.n, via, f);
        for (size_t j = 0; j < strip.n; j++) {
            struct gm_point p = gm_formula_at(f, pred[j], target[j], via + j);
            strip.loss[j] = p.loss;
            strip.slope[j] = p.slope;
            strip.curve[j] = p.curve;
        }
        total += gm_strip_finish(b, r, &strip);
    }
    r->loss = total;
    return GM_LOSS_OK;
}

GM_INLINE int gm_formula_evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r, const struct gm_formula *f)
{
    if (b->weight || r->hess_diag || r->hess || r->row_loss)
        return gm_formula_full(b, r, f);
    if (b->outputs == 1)
        return gm_formula_plain(b, r, f, 1.0);
    return gm_formula_plain(b, r, f, 1.0 / (double)b->outputs);
}

/* evaluate() of a loss that is the mean over outputs of point(pred, target); as many targets as outputs. Gives every
 * output. constant is handed to point. */
GM_INLINE int gm_pointwise(const struct gm_loss_batch *b, struct gm_loss_result *r, gm_point_fn *point,
                           const double *constant)
{
    const struct gm_formula f = {point, NULL, NULL, constant};
    return gm_formula_evaluate(b, r, &f);
}

/* Likewise of point(pred, target, via(pred, target)): the same bits, sooner where via and point are long. */
GM_INLINE int gm_pointwise_via(const struct gm_loss_batch *b, struct gm_loss_result *r, gm_via_fn *via,
                               gm_point_via_fn *point, const double *constant)
{
    const struct gm_formula f = {NULL, via, point, constant};
    return gm_formula_evaluate(b, r, &f);
}

/* The whole evaluate() of such a loss. The constants may be read from the batch, b: GM_POINTWISE(point,
 * b->param[0].real). Without any write 0. */
#define GM_POINTWISE(point, ...)                                                                \
    GM_LOSS_KERNEL static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r) \
    {                                                                                           \
        const double constant[] = {__VA_ARGS__};                                                \
        return gm_pointwise(b, r, point, constant);                                             \
    }
#define GM_POINTWISE_VIA(via, point, ...)                                                       \
    GM_LOSS_KERNEL static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r) \
    {                                                                                           \
        const double constant[] = {__VA_ARGS__};                                                \
        return gm_pointwise_via(b, r, via, point, constant);                                    \
    }

#define GM_GIVES_ALL (GM_GIVES_HESS_DIAG | GM_GIVES_HESS | GM_GIVES_ROW_LOSS)

/* ---- rowwise --------------------------------------------------------------------------------------------------- */

struct gm_row {
    const struct gm_loss_batch *batch;
    size_t index, outputs;
    const double *pred, *target; /* [outputs], [targets] */
    double *grad, *hess_diag;    /* [outputs] to be written without the row's weight; NULL: not wanted */
    double *hess;                /* [outputs x outputs] likewise */
    /* gm_rowwise_softmax only: share_k = e^(factor (pred_k - top)) / e^log_sum, [outputs], whose sum is 1 */
    const double *share;
    double top, log_sum;
};
typedef double gm_row_fn(const struct gm_row *row, const double *constant); /* the row's loss */

GM_INLINE void gm_scale(double *x, size_t n, double factor)
{
    for (size_t i = 0; x && i < n; i++)
        x[i] *= factor;
}

GM_INLINE struct gm_row gm_row_at(const struct gm_loss_batch *b, const struct gm_loss_result *r, size_t i)
{
    const size_t outputs = b->outputs;
    struct gm_row row;
    row.batch = b;
    row.index = i;
    row.outputs = outputs;
    row.pred = b->pred + i * outputs;
    row.target = b->target ? b->target + i * b->targets : NULL;
    row.grad = r->grad ? r->grad + i * outputs : NULL;
    row.hess_diag = r->hess_diag ? r->hess_diag + i * outputs : NULL;
    row.hess = r->hess ? r->hess + i * outputs * outputs : NULL;
    row.share = NULL;
    row.top = row.log_sum = 0.0;
    return row;
}

/* The row's loss and weight to where they belong; returns the weighted loss. */
GM_INLINE double gm_row_finish(const struct gm_row *row, const struct gm_loss_result *r, double loss)
{
    const struct gm_loss_batch *b = row->batch;
    if (b->weight) {
        gm_scale(row->grad, row->outputs, b->weight[row->index]);
        gm_scale(row->hess_diag, row->outputs, b->weight[row->index]);
        gm_scale(row->hess, row->outputs * row->outputs, b->weight[row->index]);
    }
    if (r->row_loss)
        r->row_loss[row->index] = loss;
    return gm_weight(b, row->index) * loss;
}

/* evaluate() of a loss whose outputs belong together. */
GM_INLINE int gm_rowwise(const struct gm_loss_batch *b, struct gm_loss_result *r, gm_row_fn *function,
                         const double *constant)
{
    double strand[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    for (size_t i = 0; i < b->rows; i++) {
        const struct gm_row row = gm_row_at(b, r, i);
        strand[i % 8] += gm_row_finish(&row, r, function(&row, constant));
    }
    r->loss = gm_sum(strand, 8);
    return GM_LOSS_OK;
}

/* Bytes of scratch that gm_rowwise_softmax needs: none up to GM_STRIP outputs. */
#define GM_SOFTMAX_BYTES(outputs) ((outputs) > GM_STRIP ? (outputs) * sizeof(double) : (size_t)0)

/* Of n rows [n x outputs]: shares [n x outputs], top and log_sum [n]. */
GM_INLINE void gm_softmax_rows(const double *GM_RESTRICT pred, size_t n, size_t outputs, double factor,
                               double *GM_RESTRICT share, double *GM_RESTRICT top, double *GM_RESTRICT log_sum)
{
    double scale[GM_STRIP];
    for (size_t i = 0; i < n; i++) {
        const double *x = pred + i * outputs;
        double most = x[0];
        for (size_t k = 1; k < outputs; k++)
            most = factor > 0.0 ? gm_max(most, x[k]) : gm_min(most, x[k]);
        for (size_t k = 0; k < outputs; k++)
            share[i * outputs + k] = factor * (x[k] - most);
        top[i] = most;
    }
    for (size_t j = 0; j < n * outputs; j++)
        share[j] = gm_exp(share[j]);
    for (size_t i = 0; i < n; i++)
        log_sum[i] = gm_sum(share + i * outputs, outputs);
    for (size_t i = 0; i < n; i++) {
        scale[i] = 1.0 / log_sum[i];
        log_sum[i] = gm_log(log_sum[i]);
    }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < outputs; k++)
            share[i * outputs + k] *= scale[i];
}

/*
 * Likewise, for a loss of the shares e^(factor pred_k) / sum_l e^(factor pred_l), factor not 0: they are computed for
 * some rows together, so that the exponentials fill vectors however few the outputs are. create() asks for
 * scratch_fixed = GM_SOFTMAX_BYTES(outputs), which may be 0.
 */
GM_INLINE int gm_rowwise_softmax(const struct gm_loss_batch *b, struct gm_loss_result *r, gm_row_fn *function,
                                 const double *constant, double factor)
{
    const size_t outputs = b->outputs, together = outputs <= GM_STRIP ? GM_STRIP / outputs : 1;
    double own[GM_STRIP], top[GM_STRIP], log_sum[GM_STRIP];
    double *share = outputs <= GM_STRIP ? own : (double *)b->scratch;
    double strand[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    for (size_t at = 0, n; at < b->rows; at += n) {
        n = b->rows - at < together ? b->rows - at : together;
        gm_softmax_rows(b->pred + at * outputs, n, outputs, factor, share, top, log_sum);
        for (size_t i = 0; i < n; i++) {
            struct gm_row row = gm_row_at(b, r, at + i);
            row.share = share + i * outputs;
            row.top = top[i];
            row.log_sum = log_sum[i];
            strand[(at + i) % 8] += gm_row_finish(&row, r, function(&row, constant));
        }
    }
    r->loss = gm_sum(strand, 8);
    return GM_LOSS_OK;
}

/* Second derivatives of logsumexp-like losses: scale (diag(p) - p p'), with p = share [outputs]. */
GM_INLINE void gm_softmax_hess(const struct gm_row *row, const double *share, double scale)
{
    const size_t outputs = row->outputs;
    for (size_t k = 0; row->hess_diag && k < outputs; k++)
        row->hess_diag[k] = scale * share[k] * (1.0 - share[k]);
    for (size_t k = 0; row->hess && k < outputs; k++)
        for (size_t l = 0; l < outputs; l++)
            row->hess[k * outputs + l] = scale * share[k] * ((k == l ? 1.0 : 0.0) - share[l]);
}

/* ---- groupwise ------------------------------------------------------------------------------------------------- */

/*
 * The rows of one group, packed. Rows of weight 0 are left out; the group's weight is the mean weight of the others,
 * so that equal weights scale the loss and a row of weight 0 is as good as not there.
 */
struct gm_group {
    const struct gm_loss_batch *batch;
    size_t n;
    double *pred, *target; /* [n] */
    double *grad, *curve;  /* [n] zeroed; to be added into, without weight. Always there */
    double *work[4];       /* [n] scratch */
    size_t *place;         /* [n] scratch */
    size_t *source;        /* [n] row of the batch */
};
typedef double gm_group_fn(struct gm_group *group, const double *constant); /* the group's loss */

/* What a grouped loss puts into spec.scratch_per_row. */
#define GM_GROUP_SCRATCH (10 * 8)

GM_INLINE double gm_group_pack(struct gm_group *g, size_t first, size_t rows)
{
    const struct gm_loss_batch *b = g->batch;
    double weight = 0.0;
    g->n = 0;
    for (size_t i = first; i < first + rows; i++) {
        if (gm_weight(b, i) == 0.0)
            continue;
        g->pred[g->n] = b->pred[i];
        g->target[g->n] = b->target[i];
        g->grad[g->n] = g->curve[g->n] = 0.0;
        g->source[g->n++] = i;
        weight += gm_weight(b, i);
    }
    return g->n ? weight / (double)g->n : 0.0;
}

/* evaluate() of a grouped loss with one output and one target. Gives grad and hess_diag. */
GM_INLINE int gm_groupwise(const struct gm_loss_batch *b, struct gm_loss_result *r, gm_group_fn *function,
                           const double *constant)
{
    double *at = (double *)b->scratch, total = 0.0;
    struct gm_group g;
    g.batch = b;
    g.pred = at;
    g.target = at + b->rows;
    g.grad = at + 2 * b->rows;
    g.curve = at + 3 * b->rows;
    for (size_t k = 0; k < 4; k++)
        g.work[k] = at + (4 + k) * b->rows;
    g.place = (size_t *)(void *)(at + 8 * b->rows);
    g.source = (size_t *)(void *)(at + 9 * b->rows);
    for (size_t i = 0; r->grad && i < b->rows; i++)
        r->grad[i] = 0.0;
    for (size_t i = 0; r->hess_diag && i < b->rows; i++)
        r->hess_diag[i] = 0.0;
    for (size_t first = 0, end; first < b->rows; first = end) {
        for (end = first + 1; end < b->rows && b->group && b->group[end] == b->group[first]; end++)
            ;
        double weight = gm_group_pack(&g, first, end - first);
        if (g.n == 0)
            continue;
        total += weight * function(&g, constant);
        for (size_t i = 0; i < g.n; i++) {
            if (r->grad)
                r->grad[g.source[i]] = weight * g.grad[i];
            if (r->hess_diag)
                r->hess_diag[g.source[i]] = weight * g.curve[i];
        }
    }
    r->loss = total;
    return GM_LOSS_OK;
}

/* place[0..n) = the rows in falling order of key; ties keep their order. Insertion by halves: groups are short. */
GM_INLINE void gm_sort_falling(const double *key, size_t n, size_t *place)
{
    for (size_t i = 0; i < n; i++) {
        size_t low = 0, high = i;
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (key[place[middle]] >= key[i])
                low = middle + 1;
            else
                high = middle;
        }
        memmove(place + low + 1, place + low, (i - low) * sizeof *place);
        place[low] = i;
    }
}

/* ---- baselines ------------------------------------------------------------------------------------------------- */

/* Weighted mean of a column of the target. 0 when there is no weight. */
GM_INLINE double gm_target_mean(const struct gm_loss_batch *b, size_t column)
{
    double sum = 0.0, weight = 0.0;
    for (size_t i = 0; i < b->rows; i++) {
        weight += gm_weight(b, i);
        sum += gm_weight(b, i) * b->target[i * b->targets + column];
    }
    return weight > 0.0 ? sum / weight : 0.0;
}

/* raw = mean of each column. */
GM_INLINE int gm_mean_baseline(const struct gm_loss_batch *b, double *raw)
{
    for (size_t k = 0; k < b->outputs; k++)
        raw[k] = gm_target_mean(b, k);
    return GM_LOSS_OK;
}

/* raw = log of the mean: the optimum of every loss of exponential families with a log link. */
GM_INLINE int gm_log_mean_baseline(const struct gm_loss_batch *b, double *raw)
{
    for (size_t k = 0; k < b->outputs; k++)
        raw[k] = gm_log(gm_max(gm_target_mean(b, k), 1e-12));
    return GM_LOSS_OK;
}

/* raw = log odds of the mean, kept finite when all targets are 0 or all are 1. */
GM_INLINE int gm_logit_mean_baseline(const struct gm_loss_batch *b, double *raw)
{
    for (size_t k = 0; k < b->outputs; k++) {
        double mean = gm_min(gm_max(gm_target_mean(b, k), 1e-12), 1.0 - 1e-12);
        raw[k] = gm_log(mean / (1.0 - mean));
    }
    return GM_LOSS_OK;
}

/* Sum of weighted slopes when every prediction of column k is `raw`. */
GM_INLINE double gm_constant_slope(const struct gm_loss_batch *b, size_t column, double raw, gm_point_fn *point,
                                   const double *constant)
{
    double sum = 0.0;
    for (size_t i = 0; i < b->rows; i++)
        sum += gm_weight(b, i) * point(raw, b->target[i * b->targets + column], constant).slope;
    return sum;
}

/*
 * raw between the least and the largest target (plus and minus `margin`) where the slopes sum to zero, by bisection:
 * the best constant of every convex loss of the distance between prediction and target.
 */
GM_INLINE double gm_balance(const struct gm_loss_batch *b, size_t column, double margin, gm_point_fn *point,
                            const double *constant)
{
    if (b->rows == 0)
        return 0.0;
    double low = b->target[column], high = low;
    for (size_t i = 1; i < b->rows; i++) {
        low = gm_min(low, b->target[i * b->targets + column]);
        high = gm_max(high, b->target[i * b->targets + column]);
    }
    low -= margin;
    high += margin;
    for (int step = 0; step < 120; step++) {
        double middle = 0.5 * low + 0.5 * high;
        if (middle <= low || middle >= high)
            break;
        if (gm_constant_slope(b, column, middle, point, constant) < 0.0)
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* The whole baseline() of such a loss; constants as in GM_POINTWISE. */
#define GM_BALANCE_BASELINE(point, margin, ...)                                    \
    GM_LOSS_KERNEL static int baseline(const struct gm_loss_batch *b, double *raw) \
    {                                                                              \
        const double constant[] = {__VA_ARGS__};                                   \
        for (size_t k = 0; k < b->outputs; k++)                                    \
            raw[k] = gm_balance(b, k, margin, point, constant);                    \
        return GM_LOSS_OK;                                                         \
    }

#endif
