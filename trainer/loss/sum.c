/* Calling a sum of losses: columns are gathered for each term, its results added back. No allocation: all in scratch.
 */
#include "loss/sum.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "loss/sum_call.h"

/* ---- scratch: the term's own, then its columns ---- */

static size_t round_up(size_t bytes)
{
    return (bytes + MEMORY_ALIGN - 1) / MEMORY_ALIGN * MEMORY_ALIGN;
}

void sum_measure(struct loss_sum *sum, struct gm_loss_spec *spec)
{
    uint64_t fixed = 0, per_row = 0, columns = 0;
    for (size_t i = 0; i < sum->count; i++) {
        const struct sum_term *t = &sum->terms[i];
        uint64_t k = t->end - t->first, own = t->loss.spec.scratch_per_row;
        uint64_t reals = k * (3 + (spec->gives & GM_GIVES_HESS ? k : 0)) + (t->target_end - t->target_first) + 1;
        fixed = t->loss.spec.scratch_fixed > fixed ? t->loss.spec.scratch_fixed : fixed;
        per_row = own > per_row ? own : per_row;
        columns = reals > columns ? reals : columns;
    }
    spec->scratch_fixed = fixed + 8 * MEMORY_ALIGN; /* each of the pieces begins aligned */
    spec->scratch_per_row = per_row + columns * sizeof(double);
}

struct pieces { /* what one term works on */
    void *own;
    double *pred, *target, *grad, *hess_diag, *hess, *row_loss;
};

static double *carve(unsigned char **at, size_t count)
{
    double *piece = (double *)(void *)*at;
    *at += round_up(count * sizeof(double));
    return piece;
}

static struct pieces carve_all(const struct sum_term *t, const struct gm_loss_batch *b, const struct gm_loss_result *r)
{
    unsigned char *at = b->scratch;
    size_t k = t->end - t->first, rows = b->rows, own = loss_scratch_bytes(&t->loss, rows);
    struct pieces p = {.own = own ? at : NULL};
    at += round_up(own);
    p.pred = carve(&at, rows * k);
    p.target = carve(&at, rows * (t->target_end - t->target_first));
    p.grad = r->grad ? carve(&at, rows * k) : NULL;
    p.hess_diag = r->hess_diag ? carve(&at, rows * k) : NULL;
    p.hess = r->hess ? carve(&at, rows * k * k) : NULL;
    p.row_loss = r->row_loss ? carve(&at, rows) : NULL;
    return p;
}

/* Columns [first, end) of a matrix with `width` columns. */
void sum_gather(const double *from, size_t rows, size_t width, size_t first, size_t end, double *to)
{
    for (size_t row = 0; row < rows; row++)
        memcpy(to + row * (end - first), from + row * width + first, (end - first) * sizeof *to);
}

static void add_columns(const double *from, size_t rows, size_t width, const struct sum_term *t, double factor,
                        double *to)
{
    size_t k = t->end - t->first;
    for (size_t row = 0; from && row < rows; row++)
        for (size_t j = 0; j < k; j++)
            to[row * width + t->first + j] += factor * from[row * k + j];
}

static void add_squares(const double *from, size_t rows, size_t width, const struct sum_term *t, double factor,
                        double *to)
{
    size_t k = t->end - t->first;
    for (size_t row = 0; from && row < rows; row++)
        for (size_t i = 0; i < k; i++)
            for (size_t j = 0; j < k; j++)
                to[(row * width + t->first + i) * width + t->first + j] += factor * from[(row * k + i) * k + j];
}

/* ---- one term ---- */

struct gm_loss_batch sum_term_batch(const struct sum_term *t, const struct gm_loss_batch *b)
{
    struct gm_loss_batch own = *b;
    own.struct_size = sizeof own;
    own.outputs = t->end - t->first;
    own.targets = t->loss.targets;
    own.theta = b->theta && t->loss.spec.n_theta ? b->theta + t->theta : NULL;
    own.param = t->loss.param;
    own.instance = t->loss.instance;
    return own;
}

static int evaluate_term(const struct sum_term *t, double factor, const struct gm_loss_batch *b,
                         struct gm_loss_result *r)
{
    size_t rows = b->rows, width = b->outputs;
    struct pieces p = carve_all(t, b, r);
    struct gm_loss_batch own = sum_term_batch(t, b);
    struct gm_loss_result result = {
        .struct_size = sizeof result, .grad = p.grad, .hess_diag = p.hess_diag, .hess = p.hess, .row_loss = p.row_loss};
    double *theta_grad = r->theta_grad && t->loss.spec.n_theta ? r->theta_grad + t->theta : NULL;
    sum_gather(b->pred, rows, width, t->first, t->end, p.pred);
    own.pred = p.pred;
    own.target = NULL;
    if (own.targets) {
        sum_gather(b->target, rows, b->targets, t->target_first, t->target_end, p.target);
        own.target = p.target;
    }
    own.scratch = p.own;
    /* Added into, and to be multiplied by the factor: what was there is divided by it first. */
    for (uint32_t i = 0; theta_grad && i < t->loss.spec.n_theta; i++)
        theta_grad[i] /= factor;
    result.theta_grad = theta_grad;
    int status = t->plugin.vtable.evaluate(&own, &result);
    for (uint32_t i = 0; theta_grad && i < t->loss.spec.n_theta; i++)
        theta_grad[i] *= factor;
    if (status != GM_LOSS_OK)
        return status;
    r->loss += factor * result.loss;
    add_columns(p.grad, rows, width, t, factor, r->grad);
    add_columns(p.hess_diag, rows, width, t, factor, r->hess_diag);
    add_squares(p.hess, rows, width, t, factor, r->hess);
    for (size_t row = 0; p.row_loss && row < rows; row++)
        r->row_loss[row] += factor * p.row_loss[row];
    if (t->learned && r->theta_grad)
        r->theta_grad[t->weight_theta] -= factor * result.loss;
    return GM_LOSS_OK;
}

/* ---- the sum ---- */

static void clear(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    size_t count = b->rows * b->outputs;
    r->loss = 0;
    if (r->grad)
        memset(r->grad, 0, count * sizeof(double));
    if (r->hess_diag)
        memset(r->hess_diag, 0, count * sizeof(double));
    if (r->hess)
        memset(r->hess, 0, count * b->outputs * sizeof(double));
    if (r->row_loss)
        memset(r->row_loss, 0, b->rows * sizeof(double));
}

/* s / 2 for each unit of row weight. */
static void add_log_weight(const struct sum_term *t, const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    size_t at = t->weight_theta;
    double s = b->theta[at], weight = 0;
    for (size_t row = 0; row < b->rows; row++) {
        weight += gm_weight(b, row);
        if (r->row_loss)
            r->row_loss[row] += 0.5 * s;
    }
    r->loss += 0.5 * s * weight;
    if (r->theta_grad)
        r->theta_grad[at] += 0.5 * weight;
}

int sum_evaluate(const struct gm_loss_batch *b, struct gm_loss_result *r)
{
    const struct loss_sum *sum = b->instance;
    int status = GM_LOSS_OK;
    clear(b, r);
    for (size_t i = 0; i < sum->count && status == GM_LOSS_OK; i++) {
        const struct sum_term *t = &sum->terms[i];
        double factor = t->weight;
        if (t->learned) {
            factor *= exp(-b->theta[t->weight_theta]);
            add_log_weight(t, b, r);
        }
        status = evaluate_term(t, factor, b, r);
    }
    return status;
}
