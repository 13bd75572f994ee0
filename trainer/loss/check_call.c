/* One call of evaluate into guarded buffers. */
#include "loss/check_kit.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "loss/fpmode.h"

enum { LITTER = 0xFF, TAIL = 0xA5, SCRATCH_LITTER = 0xDB };

unsigned check_gives(const struct check *c)
{
    uint32_t gives = c->loss.spec.gives;
    return WANT_GRAD | (gives & GM_GIVES_HESS_DIAG ? WANT_HESS_DIAG : 0u) | (gives & GM_GIVES_HESS ? WANT_HESS : 0u) |
           (gives & GM_GIVES_ROW_LOSS ? WANT_ROW_LOSS : 0u) | (c->loss.spec.n_theta ? WANT_THETA : 0u);
}

/* ---- outcomes ---- */

struct outcome outcome_make(struct check *c)
{
    size_t rows = c->rows_most, outputs = c->shape.outputs;
    unsigned gives = check_gives(c);
    return (struct outcome){
        .grad = check_memory(c, rows * outputs, sizeof(double)),
        .hess_diag = gives & WANT_HESS_DIAG ? check_memory(c, rows * outputs, sizeof(double)) : NULL,
        .hess = gives & WANT_HESS ? check_memory(c, rows * outputs * outputs, sizeof(double)) : NULL,
        .theta_grad = gives & WANT_THETA ? check_memory(c, c->loss.spec.n_theta, sizeof(double)) : NULL,
        .row_loss = gives & WANT_ROW_LOSS ? check_memory(c, rows, sizeof(double)) : NULL,
    };
}

/* ---- inputs ---- */

static void *put(struct check *c, enum check_buffer which, const void *from, size_t size, bool at_front)
{
    struct guarded *b = &c->buffers[which];
    guarded_place(b, size, sizeof(double), at_front);
    if (size && from)
        memcpy(b->at, from, size);
    return b->at;
}

static const union gm_loss_value *put_params(struct check *c, bool at_front)
{
    size_t n_params = c->plugin.vtable.n_params, used = 0;
    union gm_loss_value *params = put(c, BUFFER_PARAM, c->loss.param, n_params * sizeof *params, at_front);
    size_t bytes = 0;
    for (size_t i = 0; i < n_params; i++)
        if (c->plugin.vtable.params[i].type == GM_PARAM_LIST)
            bytes += params[i].list.count * sizeof(double);
    double *lists = put(c, BUFFER_LISTS, NULL, bytes, at_front);
    for (size_t i = 0; i < n_params; i++)
        if (c->plugin.vtable.params[i].type == GM_PARAM_LIST) {
            memcpy(lists + used, params[i].list.values, params[i].list.count * sizeof(double));
            params[i].list.values = lists + used;
            used += params[i].list.count;
        }
    return params;
}

struct gm_loss_batch check_batch(struct check *c, const struct sample *sample, struct gm_loss_host *host)
{
    struct gm_loss_batch batch = loss_batch(&c->loss);
    c->said = (struct gm_error){0};
    loss_host_init(host, &c->said);
    batch.outputs = c->shape.outputs;
    batch.rows = sample->rows;
    batch.pred = sample->pred;
    batch.target = c->shape.targets ? sample->target : NULL;
    batch.weight = sample->weight;
    batch.group = sample->group;
    batch.seed = 20070704;
    batch.step = 3;
    batch.host = host;
    if (c->buffers[BUFFER_SCRATCH].map) {
        guarded_place(&c->buffers[BUFFER_SCRATCH], loss_scratch_bytes(&c->loss, sample->rows), MEMORY_ALIGN, false);
        batch.scratch = c->buffers[BUFFER_SCRATCH].size ? c->buffers[BUFFER_SCRATCH].at : NULL;
    }
    return batch;
}

/* The batch in its own guarded, read-only memory, with everything it points to. */
static const struct gm_loss_batch *place_batch(struct check *c, const struct call *call, struct gm_loss_host *host)
{
    const struct sample *s = call->sample;
    bool front = call->at_front;
    struct gm_loss_batch batch = check_batch(c, s, host);
    batch.struct_size = (uint32_t)(sizeof batch + call->more_bytes);
    batch.pred = put(c, BUFFER_PRED, s->pred, s->rows * c->shape.outputs * sizeof(double), front);
    const void *target = put(c, BUFFER_TARGET, s->target, s->rows * c->shape.targets * sizeof(double), front);
    batch.target = c->shape.targets ? target : NULL;
    const void *weight = put(c, BUFFER_WEIGHT, s->weight, s->rows * sizeof(double), front);
    batch.weight = call->no_weight ? NULL : weight;
    const void *group = put(c, BUFFER_GROUP, s->group, s->group ? s->rows * sizeof(int64_t) : 0, front);
    batch.group = s->group ? group : NULL;
    const void *theta = put(c, BUFFER_THETA, c->theta, c->loss.spec.n_theta * sizeof(double), front);
    batch.theta = c->loss.spec.n_theta ? theta : NULL;
    batch.param = put_params(c, front);
    size_t scratch = loss_scratch_bytes(&c->loss, s->rows);
    guarded_place(&c->buffers[BUFFER_SCRATCH], scratch, MEMORY_ALIGN, front);
    batch.scratch = scratch ? c->buffers[BUFFER_SCRATCH].at : NULL;
    if (scratch)
        memset(batch.scratch, call->litter ? call->litter : SCRATCH_LITTER, scratch);
    unsigned char *placed = put(c, BUFFER_BATCH, NULL, sizeof batch + call->more_bytes, front);
    memcpy(placed, &batch, sizeof batch);
    memset(placed + sizeof batch, TAIL, call->more_bytes);
    for (int i = 0; i < BUFFER_INPUTS; i++)
        if (c->buffers[i].is_strict)
            guarded_protect(&c->buffers[i], false);
    return (const void *)placed;
}

/* ---- outputs ---- */

static double *output(struct check *c, enum check_buffer which, size_t count, const struct call *call, unsigned wanted)
{
    struct guarded *b = &c->buffers[which];
    b->is_unwanted = !wanted;
    guarded_place(b, wanted ? count * sizeof(double) : 0, sizeof(double), call->at_front);
    if (!wanted)
        return NULL;
    memset(b->at, call->litter ? call->litter : LITTER, b->size);
    return (double *)(void *)b->at;
}

static struct gm_loss_result *place_result(struct check *c, const struct call *call)
{
    size_t rows = call->sample->rows, outputs = c->shape.outputs, n_theta = c->loss.spec.n_theta;
    unsigned want = call->want & check_gives(c);
    unsigned char *placed =
        put(c, BUFFER_RESULT, NULL, sizeof(struct gm_loss_result) + call->more_bytes, call->at_front);
    struct gm_loss_result result = {
        .struct_size = (uint32_t)(sizeof result + call->more_bytes),
        .loss = NAN,
        .grad = output(c, BUFFER_GRAD, rows * outputs, call, want & WANT_GRAD),
        .hess_diag = output(c, BUFFER_HESS_DIAG, rows * outputs, call, want & WANT_HESS_DIAG),
        .hess = output(c, BUFFER_HESS, rows * outputs * outputs, call, want & WANT_HESS),
        .theta_grad = output(c, BUFFER_THETA_GRAD, n_theta, call, want & WANT_THETA),
        .row_loss = output(c, BUFFER_ROW_LOSS, rows, call, want & WANT_ROW_LOSS),
    };
    for (size_t i = 0; result.theta_grad && i < n_theta; i++)
        result.theta_grad[i] = call->theta_before;
    memcpy(placed, &result, sizeof result);
    memset(placed + sizeof result, TAIL, call->more_bytes);
    return (void *)placed;
}

static void copy_out(const struct check *c, const struct call *call, const struct gm_loss_result *result,
                     struct outcome *o)
{
    size_t rows = call->sample->rows, outputs = c->shape.outputs;
    o->loss = result->loss;
    if (result->grad && o->grad)
        memcpy(o->grad, result->grad, rows * outputs * sizeof(double));
    if (result->hess_diag && o->hess_diag)
        memcpy(o->hess_diag, result->hess_diag, rows * outputs * sizeof(double));
    if (result->hess && o->hess)
        memcpy(o->hess, result->hess, rows * outputs * outputs * sizeof(double));
    if (result->theta_grad && o->theta_grad)
        memcpy(o->theta_grad, result->theta_grad, c->loss.spec.n_theta * sizeof(double));
    if (result->row_loss && o->row_loss)
        memcpy(o->row_loss, result->row_loss, rows * sizeof(double));
}

/* ---- the call ---- */

void check_call(struct check *c, const struct call *call, struct outcome *o)
{
    struct gm_loss_host host;
    const struct gm_loss_batch *batch = place_batch(c, call, &host);
    struct gm_loss_result *result = place_result(c, call);
    const struct gm_loss_result before = *result;
    uint64_t mode = fpmode_get();
    c->shared->doing = "evaluate";
    if (c->protect_own)
        protect_own_memory(c, false);
    o->status = c->plugin.vtable.evaluate(batch, result);
    if (c->protect_own)
        protect_own_memory(c, true);
    c->shared->doing = "the check itself";
    uint64_t after = fpmode_get();
    fpmode_set(mode);
    c->mode_changed = c->mode_changed || after != mode;
    if (result->grad != before.grad || result->hess_diag != before.hess_diag || result->hess != before.hess ||
        result->theta_grad != before.theta_grad || result->row_loss != before.row_loss)
        check_fail(
            c, "evaluate changed a pointer in struct gm_loss_result; it may write only what they point to, and loss.");
    for (int i = BUFFER_INPUTS; i < BUFFER_COUNT; i++)
        if (!guarded_is_clean(&c->buffers[i]))
            check_fail(c, "evaluate wrote outside %s (%zu bytes, %zu rows).", buffer_name((enum check_buffer)i),
                       c->buffers[i].size, call->sample->rows);
    copy_out(c, call, result, o);
}

void check_evaluate(struct check *c, const struct sample *sample, unsigned want, struct outcome *o)
{
    check_call(c, &(struct call){.sample = sample, .want = want}, o);
    if (o->status != GM_LOSS_OK)
        check_fail(c, "evaluate returned %d for %zu ordinary rows. %s", o->status, sample->rows, c->said.text);
}

double check_loss(struct check *c, const struct sample *sample)
{
    struct outcome o = {0};
    check_evaluate(c, sample, 0, &o);
    return o.loss;
}

/* ---- comparing ---- */

bool same_bits(const double *a, const double *b, size_t count)
{
    return count == 0 || memcmp(a, b, count * sizeof *a) == 0;
}

void require_same(struct check *c, const struct outcome *a, const struct outcome *b, size_t rows, unsigned want,
                  const char *what)
{
    size_t outputs = c->shape.outputs;
    const char *differs = NULL;
    want &= check_gives(c);
    if (!same_bits(&a->loss, &b->loss, 1))
        differs = "the loss";
    else if (want & WANT_GRAD && !same_bits(a->grad, b->grad, rows * outputs))
        differs = "grad";
    else if (want & WANT_HESS_DIAG && !same_bits(a->hess_diag, b->hess_diag, rows * outputs))
        differs = "hess_diag";
    else if (want & WANT_HESS && !same_bits(a->hess, b->hess, rows * outputs * outputs))
        differs = "hess";
    else if (want & WANT_THETA && !same_bits(a->theta_grad, b->theta_grad, c->loss.spec.n_theta))
        differs = "theta_grad";
    else if (want & WANT_ROW_LOSS && !same_bits(a->row_loss, b->row_loss, rows))
        differs = "row_loss";
    if (differs)
        check_fail(c, "%s: %s differs (%zu rows; loss %.17g against %.17g).", what, differs, rows, a->loss, b->loss);
}
