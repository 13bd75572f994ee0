/* What a sum of losses answers outside of training: not in the parallel region, so it may allocate. */
#include <string.h>

#include "base/memory.h"
#include "loss/sum_call.h"

static int gathered_check(const struct sum_term *t, const struct gm_loss_batch *b, double *target, size_t *bad_row)
{
    struct gm_error err = {0};
    size_t columns = t->loss.targets;
    sum_gather(b->target, b->rows, b->targets, t->target_first, t->target_end, target);
    if (loss_check_targets(&t->loss, target, b->rows, 0, "target", &err) == GM_OK)
        return GM_LOSS_OK;
    for (*bad_row = 0; *bad_row + 1 < b->rows; ++*bad_row)
        if (loss_check_targets(&t->loss, target + *bad_row * columns, 1, *bad_row, "target", &err) != GM_OK)
            break;
    return gm_fail(b, GM_LOSS_BAD_TARGET, err.text);
}

int sum_check_targets(const struct gm_loss_batch *b, size_t *bad_row)
{
    const struct loss_sum *sum = b->instance;
    void *target;
    if (memory_alloc(&target, b->rows * b->targets, sizeof(double), "targets", NULL))
        return GM_LOSS_NO_MEMORY;
    int status = GM_LOSS_OK;
    for (size_t i = 0; i < sum->count && status == GM_LOSS_OK; i++)
        if (sum->terms[i].loss.targets)
            status = gathered_check(&sum->terms[i], b, target, bad_row);
    memory_free(target);
    return status;
}

/* ---- where training starts: each term says so for its own part ---- */

int sum_theta_start(const struct gm_loss_batch *b, double *theta)
{
    const struct loss_sum *sum = b->instance;
    void *target;
    if (memory_alloc(&target, b->rows * b->targets, sizeof(double), "targets", NULL))
        return GM_LOSS_NO_MEMORY;
    int status = GM_LOSS_OK;
    for (size_t i = 0; i < sum->count && status == GM_LOSS_OK; i++) {
        const struct sum_term *t = &sum->terms[i];
        struct gm_loss_batch own = sum_term_batch(t, b);
        if (!t->plugin.vtable.theta_start)
            continue;
        if (own.targets)
            sum_gather(b->target, b->rows, b->targets, t->target_first, t->target_end, target);
        own.target = own.targets ? target : NULL;
        status = t->plugin.vtable.theta_start(&own, theta + t->theta);
    }
    memory_free(target);
    return status;
}

/* Of columns that belong to several terms, the first that knows a baseline says it. */
int sum_baseline(const struct gm_loss_batch *b, double *raw)
{
    const struct loss_sum *sum = b->instance;
    void *target;
    if (memory_alloc(&target, b->rows * b->targets + b->outputs, sizeof(double), "targets", NULL))
        return GM_LOSS_NO_MEMORY;
    double *columns = (double *)target + b->rows * b->targets;
    memset(raw, 0, b->outputs * sizeof *raw);
    for (size_t i = sum->count; i-- > 0;) {
        const struct sum_term *t = &sum->terms[i];
        struct gm_loss_batch own = sum_term_batch(t, b);
        if (!t->plugin.vtable.baseline || !own.targets)
            continue;
        sum_gather(b->target, b->rows, b->targets, t->target_first, t->target_end, target);
        own.target = target;
        if (t->plugin.vtable.baseline(&own, columns) == GM_LOSS_OK)
            memcpy(raw + t->first, columns, own.outputs * sizeof *raw);
    }
    memory_free(target);
    return GM_LOSS_OK;
}

/* The link of each column is that of the first term it belongs to. */
int sum_inverse_link(const struct gm_loss_batch *b, double *response)
{
    const struct loss_sum *sum = b->instance;
    void *columns;
    struct gm_error err = {0};
    if (memory_alloc(&columns, b->rows * b->outputs, sizeof(double), "responses", NULL))
        return GM_LOSS_NO_MEMORY;
    if (response != b->pred)
        memcpy(response, b->pred, b->rows * b->outputs * sizeof *response);
    enum gm_code code = GM_OK;
    for (size_t i = sum->count; i-- > 0 && !code;) {
        struct loss one = sum->terms[i].loss;
        size_t first = sum->terms[i].first, end = sum->terms[i].end;
        one.theta = b->theta ? b->theta + sum->terms[i].theta : NULL;
        sum_gather(response, b->rows, b->outputs, first, end, columns);
        code = loss_inverse_link(&one, columns, b->rows, &err);
        for (size_t row = 0; row < b->rows; row++)
            memcpy(response + row * b->outputs + first, (double *)columns + row * (end - first),
                   (end - first) * sizeof *response);
    }
    memory_free(columns);
    return code ? gm_fail(b, GM_LOSS_NUMERIC, err.text) : GM_LOSS_OK;
}
