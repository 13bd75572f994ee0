/* Making a sum of losses from what a job asks for. */
#include "loss/sum.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "loss/sum_call.h"

enum { MOST_TERMS = 64 };

/* ---- functions other than evaluate: not in the parallel region, so they may allocate ---- */

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

static int check_targets(const struct gm_loss_batch *b, size_t *bad_row)
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

/* The link of each column is that of the first term it belongs to. */
static int inverse_link(const struct gm_loss_batch *b, double *response)
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

/* ---- the spec of the sum ---- */

static bool links_differ(const struct loss_sum *sum)
{
    for (size_t i = 0; i < sum->count; i++)
        if (sum->terms[i].loss.spec.link != GM_LINK_IDENTITY)
            return true;
    return false;
}

static void make_spec(struct loss_sum *sum)
{
    struct gm_loss_spec *spec = &sum->plugin.spec;
    uint32_t constant = GM_NATURE_HESS_CONSTANT;
    *spec = (struct gm_loss_spec){.struct_size = sizeof *spec,
                                  .target_kind = sum->targets ? GM_TARGET_REAL : GM_TARGET_NONE,
                                  .outputs = (int32_t)sum->outputs,
                                  .gives = GM_GIVES_HESS_DIAG | GM_GIVES_HESS | GM_GIVES_ROW_LOSS,
                                  .link = links_differ(sum) ? GM_LINK_CUSTOM : GM_LINK_IDENTITY,
                                  .task = GM_TASK_MULTI_TASK};
    for (size_t i = 0; i < sum->count; i++) {
        const struct gm_loss_spec *term = &sum->terms[i].loss.spec;
        sum->terms[i].theta = spec->n_theta;
        spec->n_theta += term->n_theta;
        spec->gives &= term->gives;
        spec->nature |= term->nature & ~(uint32_t)GM_NATURE_HESS_CONSTANT;
        constant &= term->nature;
        spec->coupling = term->coupling > spec->coupling ? term->coupling : spec->coupling;
    }
    spec->nature |= constant;
    spec->n_theta += sum->learned ? (uint32_t)sum->count : 0;
    sum_measure(sum, spec);
    sum->plugin.vtable = (struct gm_loss){GM_LOSS_HEADER,
                                          .id = "sum",
                                          .version = "1.0",
                                          .formula = "weighted sum of losses",
                                          .spec = spec,
                                          .evaluate = sum_evaluate,
                                          .check_targets = sum->targets ? check_targets : NULL,
                                          .inverse_link = links_differ(sum) ? inverse_link : NULL};
}

/* ---- terms ---- */

static enum gm_code bind_term(struct sum_term *t, const struct sum_request *q, const struct sum_data *data,
                              struct gm_error *err)
{
    bool is_all = q->first == 0 && q->end == 0;
    size_t width = is_all ? data->outputs : q->end - q->first;
    if (!(q->weight > 0) || !isfinite(q->weight))
        return error_set(err, GM_BAD_JOB, "loss %s: its weight must be a finite number above 0.", q->name);
    if (!is_all && q->end <= q->first)
        return error_set(err, GM_BAD_JOB, "loss %s: its columns %zu:%zu hold nothing.", q->name, q->first, q->end);
    bool is_shared = data->targets <= 1 || is_all; /* the whole target is seen */
    if (!is_shared && q->end > data->targets)
        return error_set(err, GM_BAD_JOB, "loss %s: its columns %zu:%zu reach beyond the %zu columns of the target.",
                         q->name, q->first, q->end, data->targets);
    enum gm_code code = loss_load(&t->plugin, q->name, data->search_path, q->sha256, err);
    if (!code)
        code = loss_bind(&t->loss, &t->plugin, q->settings, q->n_settings, is_shared ? data->targets : width,
                         data->classes, err);
    if (code)
        return code;
    if (t->loss.outputs == 0)
        t->loss.outputs = width;
    if (t->loss.outputs == 0 || (width && t->loss.outputs != width))
        return error_set(err, GM_BAD_JOB, "loss %s: it has %zu outputs, but its columns are %zu.", q->name,
                         t->loss.outputs, width);
    t->weight = q->weight;
    t->first = q->first;
    t->end = q->first + t->loss.outputs;
    t->target_first = is_shared ? 0 : q->first;
    t->target_end = t->target_first + t->loss.targets;
    return GM_OK;
}

static enum gm_code check_columns(struct loss_sum *sum, size_t outputs, struct gm_error *err)
{
    for (size_t i = 0; i < sum->count; i++)
        sum->outputs = sum->terms[i].end > sum->outputs ? sum->terms[i].end : sum->outputs;
    if (outputs && sum->outputs != outputs)
        return error_set(err, GM_BAD_JOB, "The losses reach to output %zu, the model has %zu.", sum->outputs, outputs);
    for (size_t column = 0; column < sum->outputs; column++) {
        bool is_used = false;
        for (size_t i = 0; i < sum->count; i++)
            is_used = is_used || (column >= sum->terms[i].first && column < sum->terms[i].end);
        if (!is_used)
            return error_set(err, GM_BAD_JOB, "Output %zu belongs to no loss of the list: it would not be trained.",
                             column);
    }
    return GM_OK;
}

/* The identity of the sum: the hash of its terms' hashes, in order. */
static enum gm_code name_sum(struct loss_sum *sum, struct gm_error *err)
{
    char hashes[MOST_TERMS * 64];
    for (size_t i = 0; i < sum->count; i++)
        memcpy(hashes + 64 * i, sum->terms[i].plugin.sha256, 64);
    file_sha256_bytes(hashes, 64 * sum->count, sum->plugin.sha256);
    return memory_string(&sum->plugin.path, "a sum of losses", err);
}

enum gm_code sum_bind(struct loss *loss, struct loss_sum *sum, const struct sum_request *requests, size_t count,
                      const struct sum_data *data, struct gm_error *err)
{
    void *terms;
    *loss = (struct loss){0};
    *sum = (struct loss_sum){.targets = data->targets, .learned = data->learned};
    if (count == 0 || count > MOST_TERMS)
        return error_set(err, GM_BAD_JOB, "A sum has 1 to %d losses, not %zu.", MOST_TERMS, count);
    enum gm_code code = memory_alloc(&terms, count, sizeof *sum->terms, "the terms of a sum of losses", err);
    if (code)
        return code;
    sum->terms = terms;
    for (; sum->count < count && !code; sum->count++)
        code = bind_term(&sum->terms[sum->count], &requests[sum->count], data, err);
    if (!code)
        code = check_columns(sum, data->outputs, err);
    if (!code)
        code = name_sum(sum, err);
    if (code) {
        sum_release(loss, sum);
        return code;
    }
    make_spec(sum);
    *loss = (struct loss){.plugin = &sum->plugin,
                          .spec = sum->plugin.spec,
                          .instance = sum,
                          .outputs = sum->outputs,
                          .targets = sum->targets,
                          .classes = data->classes};
    return GM_OK;
}

void sum_release(struct loss *loss, struct loss_sum *sum)
{
    for (size_t i = 0; i < sum->count; i++) {
        loss_release(&sum->terms[i].loss);
        loss_plugin_release(&sum->terms[i].plugin);
    }
    memory_free(sum->terms);
    memory_free(sum->plugin.path);
    *loss = (struct loss){0};
    *sum = (struct loss_sum){0};
}

enum gm_code sum_text(const struct loss_sum *sum, char **text, struct gm_error *err)
{
    char *params[MOST_TERMS] = {0}, number[32];
    size_t room = 3, used = 0;
    void *bytes = NULL;
    enum gm_code code = GM_OK;
    for (size_t i = 0; i < sum->count && !code; i++) {
        code = loss_params_text(&sum->terms[i].loss, &params[i], err);
        room += code ? 0 : strlen(params[i]) + strlen(sum->terms[i].plugin.vtable.id) + 160;
    }
    if (!code)
        code = memory_alloc(&bytes, room, 1, "the text of a sum of losses", err);
    for (size_t i = 0; i < sum->count && !code; i++) {
        const struct sum_term *t = &sum->terms[i];
        used += (size_t)snprintf((char *)bytes + used, room - used,
                                 "%s{\"loss\":\"%s\",\"weight\":%s,\"columns\":[%zu,%zu],\"params\":%s}", i ? "," : "[",
                                 t->plugin.vtable.id, text_from_real(t->weight, number), t->first, t->end, params[i]);
    }
    if (!code) {
        snprintf((char *)bytes + used, room - used, "]");
        *text = bytes;
    }
    for (size_t i = 0; i < sum->count; i++)
        memory_free(params[i]);
    return code;
}
