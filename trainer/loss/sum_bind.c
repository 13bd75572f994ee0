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

/* ---- the spec of the sum ---- */

static bool links_differ(const struct loss_sum *sum)
{
    for (size_t i = 0; i < sum->count; i++)
        if (sum->terms[i].loss.spec.link != GM_LINK_IDENTITY)
            return true;
    return false;
}

static bool has_start(const struct loss_sum *sum)
{
    for (size_t i = 0; i < sum->count; i++)
        if (sum->terms[i].plugin.vtable.theta_start)
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
    for (size_t i = 0; i < sum->count; i++) {
        sum->terms[i].weight_theta = spec->n_theta;
        spec->n_theta += sum->terms[i].learned;
    }
    spec->nature |= constant;
    sum_measure(sum, spec);
    sum->plugin.vtable = (struct gm_loss){GM_LOSS_HEADER,
                                          .id = "sum",
                                          .version = "1.0",
                                          .formula = "weighted sum of losses",
                                          .spec = spec,
                                          .evaluate = sum_evaluate,
                                          .check_targets = sum->targets ? sum_check_targets : NULL,
                                          .theta_start = has_start(sum) ? sum_theta_start : NULL,
                                          .baseline = sum_baseline,
                                          .inverse_link = links_differ(sum) ? sum_inverse_link : NULL};
}

/* ---- terms ---- */

static enum gm_code check_request(const struct sum_request *q, const struct sum_data *data, struct gm_error *err)
{
    bool is_all = q->first == 0 && q->end == 0, is_told = q->target_end > 0;
    if (!isnan(q->weight) && (!(q->weight > 0) || isinf(q->weight)))
        return error_set(err, GM_BAD_JOB, "loss %s: its weight must be a finite number above 0, or learned.", q->name);
    if (!is_all && q->end <= q->first)
        return error_set(err, GM_BAD_JOB, "loss %s: its columns %zu:%zu hold nothing.", q->name, q->first, q->end);
    if (is_told && (q->target_end <= q->target_first || q->target_end > data->targets))
        return error_set(err, GM_BAD_JOB, "loss %s: its target %zu:%zu is not within the %zu columns of the target.",
                         q->name, q->target_first, q->target_end, data->targets);
    if (!is_told && data->targets > 1 && q->end > data->targets)
        return error_set(err, GM_BAD_JOB,
                         "loss %s: its columns %zu:%zu reach beyond the %zu columns of the target. Its key target says "
                         "which columns it looks at.",
                         q->name, q->first, q->end, data->targets);
    return GM_OK;
}

/* Columns of the target that a term sees. */
static void choose_target(struct sum_term *t, const struct sum_request *q, const struct sum_data *data)
{
    bool is_all = q->first == 0 && q->end == 0, is_told = q->target_end > 0;
    bool is_same = !is_told && !is_all && data->targets > 1;
    t->target_first = is_told ? q->target_first : is_same ? q->first : 0;
    t->target_end = is_told ? q->target_end : is_same ? q->end : data->targets;
}

static enum gm_code bind_term(struct sum_term *t, const struct sum_request *q, const struct sum_data *data,
                              struct gm_error *err)
{
    size_t width = q->end > 0 ? q->end - q->first : data->outputs;
    enum gm_code code = check_request(q, data, err);
    if (code)
        return code;
    choose_target(t, q, data);
    if (!(code = loss_load(&t->plugin, q->name, data->search_path, q->sha256, err)))
        code = loss_bind(&t->loss, &t->plugin, q->settings, q->n_settings, t->target_end - t->target_first, q->classes,
                         err);
    if (code)
        return code;
    if (t->loss.outputs == 0)
        t->loss.outputs = width;
    if (t->loss.outputs == 0 || (width && t->loss.outputs != width))
        return error_set(err, GM_BAD_JOB, "loss %s: it has %zu outputs, but its columns are %zu.", q->name,
                         t->loss.outputs, width);
    t->learned = isnan(q->weight);
    t->weight = t->learned ? 1 : q->weight;
    t->first = q->first;
    t->end = q->first + t->loss.outputs;
    t->target_end = t->target_first + t->loss.targets;
    return GM_OK;
}

/* Groups must be whole in a call, and so must batches: both at once cannot be had. */
static enum gm_code check_coupling(const struct loss_sum *sum, struct gm_error *err)
{
    uint32_t seen = 0;
    for (size_t i = 0; i < sum->count; i++)
        seen |= 1u << sum->terms[i].loss.spec.coupling;
    if (seen & 1u << GM_ROWS_GROUPED && seen & 1u << GM_ROWS_BATCH)
        return error_set(err, GM_BAD_JOB,
                         "loss: a ranking loss, of whole groups, and a loss of whole batches do not go "
                         "together in one list.");
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
    *sum = (struct loss_sum){.targets = data->targets};
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
        code = check_coupling(sum, err);
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
                          .targets = sum->targets};
    return GM_OK;
}

const struct loss_sum *sum_of(const struct loss *loss)
{
    return loss->plugin->vtable.evaluate == sum_evaluate ? loss->instance : NULL;
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

/* The number of classes is not to be seen in a target of several columns. */
static const char *classes_text(const struct sum_term *t, char buffer[48])
{
    buffer[0] = 0;
    if (t->loss.classes)
        snprintf(buffer, 48, "\"classes\":%zu,", t->loss.classes);
    return buffer;
}

enum gm_code sum_text(const struct loss_sum *sum, char **text, struct gm_error *err)
{
    char *params[MOST_TERMS] = {0}, number[32], classes[48];
    size_t room = 3, used = 0;
    void *bytes = NULL;
    enum gm_code code = GM_OK;
    for (size_t i = 0; i < sum->count && !code; i++) {
        code = loss_params_text(&sum->terms[i].loss, &params[i], err);
        room += code ? 0 : strlen(params[i]) + strlen(sum->terms[i].plugin.vtable.id) + 240;
    }
    if (!code)
        code = memory_alloc(&bytes, room, 1, "the text of a sum of losses", err);
    for (size_t i = 0; i < sum->count && !code; i++) {
        const struct sum_term *t = &sum->terms[i];
        used += (size_t)snprintf((char *)bytes + used, room - used,
                                 "%s{\"loss\":\"%s\",\"weight\":%s,\"columns\":[%zu,%zu],\"target\":[%zu,%zu],"
                                 "%s\"params\":%s}",
                                 i ? "," : "[", t->plugin.vtable.id,
                                 t->learned ? "\"learned\"" : text_from_real(t->weight, number), t->first, t->end,
                                 t->target_first, t->target_end, classes_text(t, classes), params[i]);
    }
    if (!code) {
        snprintf((char *)bytes + used, room - used, "]");
        *text = bytes;
    }
    for (size_t i = 0; i < sum->count; i++)
        memory_free(params[i]);
    return code;
}
