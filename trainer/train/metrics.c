/*
 * Metrics in one pass. Everything is a weighted sum over rows, kept per lane and side as one row of doubles and added
 * in the fixed tree, so metrics too have the same bits at any number of threads.
 */
#include "train/metrics.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "train/ranking.h"
#include "train/reduce.h"

#define RANKING_LEAST  ((uint64_t)16 << 20) /* bytes that scores may always take */
#define CONFUSION_MOST 256                  /* classes; more make a table that nobody reads, a lane */

/* Columns of a row of sums; behind them square, absolute, target, target^2 [outputs each], then confusion. */
enum { M_ROWS, M_WEIGHT, M_CORRECT, M_TOP, M_LOG_LOSS, M_NOT_BINARY, M_INERTIA, M_FIXED };

#define TOP 5 /* places of top-k accuracy */

struct metrics_pass {
    struct engine *engine;
    const struct sum_term *term; /* of a list of losses; NULL: all of the loss */
    struct loss loss;            /* the engine's, or the term's */
    const struct problem_data *data;
    const struct data_split *split;
    double *sums;                          /* [lanes x 2 sides x width] */
    size_t width, outputs, classes, cells; /* cells of the confusion matrix, 0: none */
    bool regression;                       /* one target an output, on the response scale */
    bool binary;                           /* one output, logit link */
    bool ordinal;                          /* one output, its response is the class */
    bool clusters, grouped;
    struct ranking ranking; /* of two classes, of groups; rows NULL: not kept */
};

static double *side_sums(const struct metrics_pass *p, size_t lane, int side)
{
    return p->sums + (lane * 2 + (size_t)side) * p->width;
}

static void add_regression(const struct metrics_pass *p, const double *response, const double *target, double weight,
                           double *s)
{
    double *square = s + M_FIXED, *absolute = square + p->outputs, *sum = absolute + p->outputs,
           *sum2 = sum + p->outputs;
    for (size_t k = 0; k < p->outputs; k++) {
        double d = response[k] - target[k];
        square[k] += weight * d * d;
        absolute[k] += weight * fabs(d);
        sum[k] += weight * target[k];
        sum2[k] += weight * target[k] * target[k];
    }
}

/* How many outputs stand before output k; of equals the first does. */
static size_t place_of(const double *raw, size_t outputs, size_t k)
{
    size_t before = 0;
    for (size_t i = 0; i < outputs; i++)
        before += raw[i] > raw[k] || (raw[i] == raw[k] && i < k);
    return before;
}

static double nearest(const double *distances, size_t count)
{
    double least = distances[0];
    for (size_t k = 1; k < count; k++)
        least = fmin(least, distances[k]);
    return least;
}

static void add_class(const struct metrics_pass *p, const double *raw, double target, double weight, double *s)
{
    size_t found = 0, truth = (size_t)target;
    double log_loss = 0;
    if (p->ordinal) {
        found = raw[0] > 0 ? (size_t)raw[0] : 0;
    } else if (p->binary) {
        double z = raw[0];
        found = z > 0;
        s[M_NOT_BINARY] += target != 0 && target != 1;
        truth = target > 0.5;
        log_loss = fmax(z, 0) + log1p(exp(-fabs(z))) - target * z;
    } else {
        double sum = 0;
        for (size_t k = 1; k < p->outputs; k++)
            found = raw[k] > raw[found] ? k : found;
        for (size_t k = 0; k < p->outputs; k++)
            sum += exp(raw[k] - raw[found]);
        log_loss = log(sum) + raw[found] - raw[truth];
        s[M_TOP] += place_of(raw, p->outputs, truth) < TOP ? weight : 0;
    }
    s[M_CORRECT] += found == truth ? weight : 0;
    s[M_LOG_LOSS] += weight * log_loss;
    if (p->cells)
        s[M_FIXED + 4 * p->outputs + truth * p->classes + found] += weight;
}

/* Of predictions and targets, what the term sees; it is the loss from here on. */
static void narrow(const struct metrics_pass *p, struct worker *w, size_t rows)
{
    const struct loss *all = &p->engine->loss;
    size_t width = p->loss.outputs, columns = p->loss.targets;
    for (size_t i = 0; i < rows; i++) {
        memmove(w->all.pred + i * width, w->all.pred + i * all->outputs + p->term->first, width * sizeof(double));
        if (columns)
            memmove(w->all.target + i * columns, w->all.target + i * all->targets + p->term->target_first,
                    columns * sizeof(double));
    }
    w->setup.loss = &p->loss;
}

static void metrics_block(void *context, int thread, size_t lane, const struct walk_block *block)
{
    const struct metrics_pass *p = context;
    struct engine *e = p->engine;
    struct worker *w = &e->workers[thread];
    worker_fill(w, p->data->schema, block);
    worker_forward(w, e->weights);
    if (p->term)
        narrow(p, w, block->rows);
    if (e->coupled.rows)
        ; /* engine_walk has done that */
    else if (p->split)
        worker_loss_split(w, block->row, &e->sums[lane]);
    else
        worker_loss(w, 0, 0, block->row, &e->sums[lane]);
    if (p->regression || p->ordinal)
        loss_inverse_link(&p->loss, w->all.pred, block->rows, NULL);
    w->setup.loss = &e->loss;
    for (size_t i = 0; i < block->rows; i++) {
        double *s = side_sums(p, lane, p->split && split_held_out(p->split, block->row + i));
        double weight = w->has_weight ? w->all.weight[i] : 1;
        s[M_ROWS] += 1;
        s[M_WEIGHT] += weight;
        if (p->ranking.rows) {
            double target = w->all.target[i], up = target > 0.5 ? weight : -weight;
            p->ranking.rows[block->row + i] = (struct ranked_row){w->all.pred[i], p->binary ? up : target};
        }
        if (p->clusters)
            s[M_INERTIA] += weight * nearest(w->all.pred + i * p->outputs, p->outputs);
        if (p->regression)
            add_regression(p, w->all.pred + i * p->outputs, w->all.target + i * p->outputs, weight, s);
        else if (p->classes)
            add_class(p, w->all.pred + i * p->outputs, w->all.target[i], weight, s);
    }
}

static void finish_regression(const struct metrics_pass *p, const double *s, struct gm_metrics *m)
{
    const double *square = s + M_FIXED, *absolute = square + p->outputs, *sum = absolute + p->outputs,
                 *sum2 = sum + p->outputs;
    double weight = s[M_WEIGHT], n = (double)p->outputs;
    m->task = GM_TASK_IS_REGRESSION;
    m->mse = m->mae = m->r2 = 0;
    for (size_t k = 0; k < p->outputs; k++) {
        double spread = sum2[k] - sum[k] * sum[k] / weight;
        m->mse += square[k] / weight / n;
        m->mae += absolute[k] / weight / n;
        /* A constant target has no variance to explain; what is left is rounding. */
        m->r2 += spread > 1e-14 * sum2[k] ? (1 - square[k] / spread) / n : NAN;
    }
    m->rmse = sqrt(m->mse);
}

static enum gm_code finish_classes(const struct metrics_pass *p, const double *s, struct gm_metrics *m,
                                   struct gm_error *err)
{
    if (p->binary && s[M_NOT_BINARY] > 0) /* probabilities as targets: there are no classes to count */
        return GM_OK;
    enum gm_code code = GM_OK;
    if (p->cells)
        code = memory_alloc((void **)&m->confusion, p->cells, sizeof(double), "the confusion matrix", err);
    if (code)
        return code;
    if (p->cells)
        memcpy(m->confusion, s + M_FIXED + 4 * p->outputs, p->cells * sizeof(double));
    m->task = GM_TASK_IS_CLASSIFICATION;
    m->classes = p->classes;
    m->accuracy = s[M_CORRECT] / s[M_WEIGHT];
    if (p->classes > TOP && !p->ordinal)
        m->top5_accuracy = s[M_TOP] / s[M_WEIGHT];
    uint32_t link = p->loss.spec.link;
    if (link == GM_LINK_LOGIT || link == GM_LINK_SOFTMAX)
        m->log_loss = s[M_LOG_LOSS] / s[M_WEIGHT];
    return GM_OK;
}

static enum gm_code finish_side(const struct metrics_pass *p, int side, const struct lane_sums *loss,
                                struct gm_metrics *m, struct gm_error *err)
{
    const double *s = side_sums(p, 0, side);
    *m = (struct gm_metrics){.task = GM_TASK_IS_OTHER,
                             .rows = (size_t)s[M_ROWS],
                             .outputs = p->outputs,
                             .weight_sum = s[M_WEIGHT],
                             .loss = loss->loss[side] / loss->weight[side],
                             .mse = NAN,
                             .rmse = NAN,
                             .mae = NAN,
                             .r2 = NAN,
                             .accuracy = NAN,
                             .log_loss = NAN,
                             .top5_accuracy = NAN,
                             .inertia = p->clusters ? s[M_INERTIA] : NAN,
                             .hit_rate = NAN,
                             .ndcg = NAN,
                             .auc = NAN};
    if (p->regression && m->rows)
        finish_regression(p, s, m);
    else if (p->classes && m->rows)
        return finish_classes(p, s, m, err);
    return GM_OK;
}

static void describe(struct metrics_pass *p)
{
    const struct loss *loss = &p->loss;
    p->outputs = loss->outputs;
    bool real = loss->spec.target_kind == GM_TARGET_REAL && loss->outputs == loss->targets;
    p->binary = loss_is_binary(loss);
    p->ordinal = loss_is_ordinal(loss);
    p->regression = real && p->data->schema->targets > 0;
    if (p->binary)
        p->classes = 2;
    else if (p->ordinal || (loss->spec.target_kind == GM_TARGET_CLASS && loss->outputs == loss->classes))
        p->classes = loss->classes;
    if (!p->data->schema->targets)
        p->classes = 0;
    p->cells = p->classes <= CONFUSION_MOST ? p->classes * p->classes : 0;
    p->clusters = loss->spec.task == GM_TASK_CLUSTERING;
    p->grouped = loss->spec.coupling == GM_ROWS_GROUPED && loss->outputs == 1 && p->data->schema->targets == 1;
    p->width = M_FIXED + 4 * p->outputs + p->cells;
}

/* What needs all rows at once is left out where they would take much of the memory. */
static enum gm_code init_ranking(struct metrics_pass *p, struct gm_error *err)
{
    uint64_t share = p->engine->problem->memory / 8;
    bool one = p->loss.outputs == 1 && p->data->schema->targets == 1;
    if (!(p->binary && one) && !p->grouped)
        return GM_OK;
    return ranking_init(&p->ranking, p->data->schema->rows, share > RANKING_LEAST ? share : RANKING_LEAST, err);
}

static void finish_ranking(struct metrics_pass *p, struct gm_metrics sides[2])
{
    double auc[2], ndcg[2];
    if (p->binary)
        ranking_auc(&p->ranking, p->split, auc);
    else
        ranking_ndcg(&p->ranking, data_groups(p->data->set), p->split, ndcg);
    for (int side = 0; side < 2; side++) {
        bool classes = p->binary && sides[side].task == GM_TASK_IS_CLASSIFICATION;
        sides[side].auc = classes ? auc[side] : NAN;
        sides[side].ndcg = p->binary ? NAN : ndcg[side];
    }
}

static enum gm_code run_one(struct engine *e, const struct metrics_request *request, const struct sum_term *term,
                            struct gm_metrics sides[2], struct gm_error *err)
{
    struct metrics_pass p = {.engine = e, .data = request->data, .term = term, .loss = term ? term->loss : e->loss};
    if (term)
        p.loss.theta = e->theta ? e->theta + term->theta : NULL;
    p.split = request->split && request->split->mask ? request->split : NULL;
    describe(&p);
    size_t lanes = p.data->plan.lanes;
    sides[0] = sides[1] = (struct gm_metrics){0};
    enum gm_code code = memory_alloc((void **)&p.sums, lanes * 2, p.width * sizeof(double), "metrics", err);
    if (code || (code = init_ranking(&p, err)))
        goto done;
    struct walk walk = {.set = p.data->set,
                        .plan = &p.data->plan,
                        .threads = e->threads,
                        .visit = metrics_block,
                        .context = &p,
                        .stop = &e->stop};
    if ((code = engine_walk(e, p.data, &walk, err)))
        goto done;
    reduce_lanes(p.sums, lanes, 2 * p.width, 0, 2 * p.width);
    for (int side = 0; !code && side < 2; side++)
        code = finish_side(&p, side, &e->sums[0], &sides[side], err);
    if (!code && p.ranking.rows)
        finish_ranking(&p, sides);
done:
    ranking_release(&p.ranking);
    memory_free(p.sums);
    return code;
}

/* A term of a list of losses, with what it is. */
static enum gm_code run_term(struct engine *e, const struct metrics_request *request, const struct sum_term *term,
                             struct gm_metrics sides[2], struct gm_error *err)
{
    enum gm_code code = run_one(e, request, term, sides, err);
    for (int side = 0; side < 2; side++) {
        sides[side].loss_id = term->plugin.vtable.id;
        sides[side].column_first = term->first;
        sides[side].column_end = term->end;
        sides[side].weight = term->learned ? exp(-e->theta[term->weight_theta]) : term->weight;
        if (e->coupled.rows)
            sides[side].loss = NAN;
    }
    return code;
}

enum gm_code metrics_run(struct engine *e, const struct metrics_request *request, struct gm_metrics sides[2],
                         struct gm_error *err)
{
    const struct loss_sum *sum = sum_of(&e->loss);
    enum gm_code code = run_one(e, request, NULL, sides, err);
    if (code || !sum)
        return code;
    for (int side = 0; !code && side < 2; side++) {
        if (!sides[side].rows) /* nobody will look at it, nor release it */
            continue;
        code = memory_alloc((void **)&sides[side].terms, sum->count, sizeof *sides[side].terms, "metrics", err);
        sides[side].n_terms = code ? 0 : sum->count;
    }
    for (size_t i = 0; !code && i < sum->count; i++) {
        struct gm_metrics two[2];
        code = run_term(e, request, &sum->terms[i], two, err);
        for (int side = 0; side < 2; side++)
            if (sides[side].n_terms)
                sides[side].terms[i] = two[side];
    }
    return code;
}
