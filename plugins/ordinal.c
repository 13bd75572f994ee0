/*
 * Ordinal (cumulative logit): P(class <= k) = sigmoid(t_k - pred) with rising thresholds t_0 < ... < t_(K-2), learned;
 * the loss is the negative log-likelihood of the class. No constants are left out. Source: McCullagh, Regression models
 * for ordinal data, J. R. Stat. Soc. B 42 (1980), eq. 2.1 and 5.1.
 *
 * theta[0] = t_0, t_k = t_(k-1) + e^theta[k]. The probability between two thresholds u > l (minus pred) is
 * sigmoid(u) sigmoid(-l) (1 - e^(l-u)), which loses no digits. Response: the class the prediction falls into.
 */
#include <stdlib.h>

#include <gradmill/loss_rows.h>

struct classes {
    size_t count;
};

static size_t count_of(const struct gm_loss_batch *b)
{
    return ((const struct classes *)b->instance)->count;
}

GM_INLINE void thresholds(const struct gm_loss_batch *b, size_t count, double *t)
{
    t[0] = b->theta[0];
    for (size_t k = 1; k + 1 < count; k++)
        t[k] = t[k - 1] + gm_exp(b->theta[k]);
}

GM_INLINE double row_loss(const struct gm_row *row, const double *constant)
{
    const size_t count = count_of(row->batch), class = (size_t)row->target[0];
    const double *t = (const double *)row->batch->scratch, pred = row->pred[0];
    double loss = 0.0, slope = 0.0, curve = 0.0;
    (void)constant;
    if (class + 1 < count) {
        loss += gm_softplus(pred - t[class]);
        slope += gm_sigmoid(pred - t[class]);
        curve += gm_sigmoid_slope(pred - t[class]);
    }
    if (class > 0) {
        loss += gm_softplus(t[class - 1] - pred);
        slope -= gm_sigmoid(t[class - 1] - pred);
        curve += gm_sigmoid_slope(t[class - 1] - pred);
    }
    if (class > 0 && class + 1 < count)
        loss -= gm_log(-gm_expm1(-gm_exp(row->batch->theta[class])));
    if (row->grad)
        row->grad[0] = slope;
    if (row->hess_diag)
        row->hess_diag[0] = curve;
    if (row->hess)
        row->hess[0] = curve;
    return loss;
}

/* by_threshold[k] += d loss / d t_k; the gap between two thresholds goes straight to its theta. */
GM_INLINE void threshold_slopes(const struct gm_loss_batch *b, size_t count, double *by_threshold, double *theta_grad)
{
    const double *t = (const double *)b->scratch;
    for (size_t i = 0; i < b->rows; i++) {
        const size_t class = (size_t)b->target[i];
        const double weight = gm_weight(b, i);
        if (class + 1 < count)
            by_threshold[class] -= weight * gm_sigmoid(b->pred[i] - t[class]);
        if (class > 0)
            by_threshold[class - 1] += weight * gm_sigmoid(t[class - 1] - b->pred[i]);
        if (class > 0 && class + 1 < count) {
            const double gap = gm_exp(b->theta[class]);
            theta_grad[class] -= weight * gap / gm_expm1(gap);
        }
    }
}

GM_LOSS_KERNEL static int evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    const size_t count = count_of(b);
    double *t = (double *)b->scratch, *by_threshold = t + count, later = 0.0;
    thresholds(b, count, t);
    if (r->theta_grad) {
        for (size_t k = 0; k < count; k++)
            by_threshold[k] = 0.0;
        threshold_slopes(b, count, by_threshold, r->theta_grad);
        for (size_t k = count - 1; k-- > 0;) {
            later += by_threshold[k];
            r->theta_grad[k] += k ? later * gm_exp(b->theta[k]) : later;
        }
    }
    return gm_rowwise(b, r, row_loss, NULL);
}

static int create(const struct gm_loss_batch *b, struct gm_loss_spec *spec, void **instance)
{
    *instance = NULL;
    if (b->outputs < 2)
        return gm_fail(b, GM_LOSS_UNSUPPORTED, "the target has fewer than two classes");
    struct classes *classes = malloc(sizeof *classes);
    if (!classes)
        return gm_fail(b, GM_LOSS_NO_MEMORY, "no memory for an ordinal loss");
    classes->count = b->outputs;
    *instance = classes;
    spec->n_theta = (uint32_t)(b->outputs - 1);
    spec->scratch_fixed = 2 * b->outputs * sizeof(double);
    return GM_LOSS_OK;
}

static void destroy(void *instance)
{
    free(instance);
}

/* Thresholds at the log odds of the cumulated frequencies: the optimum for pred 0. Empty classes get half a row. */
static int theta_start(const struct gm_loss_batch *b, double *theta)
{
    const size_t count = count_of(b);
    double total = 0.5 * (double)count, below = 0.0, last = 0.0;
    for (size_t i = 0; i < b->rows; i++)
        total += gm_weight(b, i);
    for (size_t k = 0; k + 1 < count; k++) {
        below += 0.5;
        for (size_t i = 0; i < b->rows; i++)
            below += b->target[i] == (double)k ? gm_weight(b, i) : 0.0;
        const double odds = gm_log(below / (total - below));
        theta[k] = k ? gm_log(odds - last) : odds;
        last = odds;
    }
    return GM_LOSS_OK;
}

static int inverse_link(const struct gm_loss_batch *b, double *response)
{
    const size_t count = count_of(b);
    for (size_t i = 0; i < b->rows; i++) {
        const double pred = b->pred[i];
        double t = b->theta[0], class = 0.0;
        for (size_t k = 0; k + 1 < count; k++) {
            t += k ? gm_exp(b->theta[k]) : 0.0;
            class += pred > t ? 1.0 : 0.0;
        }
        response[i] = pred - pred == 0.0 ? class : pred;
    }
    return GM_LOSS_OK;
}

static const struct gm_loss_spec spec = {.struct_size = sizeof spec,
                                         .target_kind = GM_TARGET_CLASS,
                                         .outputs = 1,
                                         .gives = GM_GIVES_ALL,
                                         .link = GM_LINK_CUSTOM,
                                         .task = GM_TASK_ORDINAL};

GM_LOSS_PLUGIN(
        .id = "ordinal", .version = "1.0",
        .formula = "-log(sigmoid(t_k - pred) - sigmoid(t_(k-1) - pred)) for class k; thresholds t learned",
        .help = "Use it for classes with an order and one direction behind them: grades, ratings, stages.\n"
                "Not for classes without order (cross_entropy), nor when distances between grades are known (huber).",
        .license = "MIT", .spec = &spec, .evaluate = evaluate, .create = create, .destroy = destroy,
        .theta_start = theta_start, .inverse_link = inverse_link)
