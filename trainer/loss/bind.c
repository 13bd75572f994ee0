/* A plugin becomes a loss that can be called: parameters, the refined spec, the shapes. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "loss/fpmode.h"
#include "loss/params.h"
#include "loss/plugin.h"
#include "loss/vtable.h"

static void keep_text(const struct gm_loss_host *host, const char *text)
{
    struct gm_error *err = host->context;
    if (err && text)
        snprintf(err->text, sizeof err->text, "%s", text);
}

void loss_host_init(struct gm_loss_host *host, struct gm_error *err)
{
    *host = (struct gm_loss_host){.struct_size = sizeof *host, .context = err, .error = keep_text};
}

static enum gm_code code_of(int status)
{
    return status == GM_LOSS_NO_MEMORY ? GM_SYSTEM : status == GM_LOSS_BAD_TARGET ? GM_BAD_DATA : GM_BAD_JOB;
}

static const char *status_text(int status)
{
    switch (status) {
    case GM_LOSS_BAD_PARAM:
        return "a parameter makes no sense";
    case GM_LOSS_BAD_TARGET:
        return "the target does not fit";
    case GM_LOSS_NO_MEMORY:
        return "out of memory";
    case GM_LOSS_UNSUPPORTED:
        return "this number of targets or classes is not supported";
    default:
        return "no reason given";
    }
}

static enum gm_code run_create(struct loss *loss, struct gm_error *err)
{
    const struct gm_loss *vtable = &loss->plugin->vtable;
    if (!vtable->create)
        return GM_OK;
    struct gm_error said = {0};
    struct gm_loss_host host;
    loss_host_init(&host, &said);
    struct gm_loss_batch batch = loss_batch(loss);
    batch.host = &host;
    batch.outputs = loss->classes;
    uint64_t mode = fpmode_get();
    int status = vtable->create(&batch, &loss->spec, &loss->instance);
    uint64_t after = fpmode_get();
    fpmode_set(mode);
    if (status != GM_LOSS_OK) {
        loss->instance = NULL; /* a create that failed left nothing to destroy */
        return error_set(err, code_of(status), "Loss %s: %s.", vtable->id,
                         *said.text ? said.text : status_text(status));
    }
    if (after != mode)
        return error_set(err, GM_PLUGIN_BROKEN, "Loss %s (%s) changed the floating-point mode in create().", vtable->id,
                         loss->plugin->path);
    struct gm_error why = {0};
    if (vtable_check_spec(&loss->spec, vtable, loss->plugin->path, &why))
        return error_set(err, GM_PLUGIN_BROKEN, "Loss %s: after create(), %s", vtable->id, why.text);
    return GM_OK;
}

static enum gm_code check_target_shape(const struct loss *loss, struct gm_error *err)
{
    const char *id = loss->plugin->vtable.id;
    uint32_t kind = loss->plugin->spec.target_kind;
    if (kind == GM_TARGET_NONE)
        return GM_OK;
    if (loss->targets == 0)
        return error_set(err, GM_BAD_DATA, "Loss %s needs a target, and the dataset has none.", id);
    if (kind == GM_TARGET_CLASS && loss->targets != 1)
        return error_set(
            err, GM_BAD_DATA,
            "Loss %s needs one class index a row; the target has %zu columns. For several labels a row use a "
            "multi-label loss.",
            id, loss->targets);
    if (loss->plugin->spec.outputs == GM_OUTPUTS_PER_CLASS && loss->classes == 0)
        return error_set(err, GM_BAD_DATA,
                         "Loss %s needs to know the number of classes, and the target is not one of classes.", id);
    return GM_OK;
}

static void choose_outputs(struct loss *loss)
{
    if (loss->spec.outputs > 0)
        loss->outputs = (size_t)loss->spec.outputs;
    else if (loss->spec.outputs == GM_OUTPUTS_PER_TARGET)
        loss->outputs = loss->targets;
    else if (loss->spec.outputs == GM_OUTPUTS_PER_CLASS)
        loss->outputs = loss->classes;
    else
        loss->outputs = 0; /* whatever the model gives: the caller sets it */
}

enum gm_code loss_bind(struct loss *loss, const struct loss_plugin *plugin, const struct loss_setting *settings,
                       size_t n_settings, size_t targets, size_t classes, struct gm_error *err)
{
    bool has_target = plugin->spec.target_kind != GM_TARGET_NONE;
    *loss = (struct loss){
        .plugin = plugin,
        .spec = plugin->spec,
        .targets = has_target ? targets : 0,
        .classes = plugin->spec.target_kind == GM_TARGET_CLASS ? classes : 0,
    };
    enum gm_code code = params_parse(loss, settings, n_settings, err);
    if (!code)
        code = check_target_shape(loss, err);
    if (!code)
        code = run_create(loss, err);
    if (!code)
        choose_outputs(loss);
    else
        loss_release(loss);
    return code;
}

enum gm_code loss_try(const struct loss *loss, struct gm_error *err)
{
    struct loss_call call;
    struct gm_loss_result result = {.struct_size = sizeof result};
    double *theta = NULL, nothing[1];
    enum gm_code code = loss_call_open(&call, loss, 0, err);
    if (code)
        return code;
    code = memory_alloc((void **)&theta, loss->spec.n_theta, sizeof *theta, "a loss's parameters", err);
    call.batch.pred = nothing;
    call.batch.target = loss->targets ? nothing : NULL;
    call.batch.theta = loss->spec.n_theta ? theta : NULL;
    int status = code ? GM_LOSS_OK : loss->plugin->vtable.evaluate(&call.batch, &result);
    if (status == GM_LOSS_UNSUPPORTED || status == GM_LOSS_BAD_PARAM)
        code = error_set(err, GM_BAD_JOB, "Loss %s with %zu outputs: %s.", loss->plugin->vtable.id, loss->outputs,
                         *call.said.text ? call.said.text : status_text(status));
    loss_call_close(&call);
    memory_free(theta);
    return code;
}

void loss_release(struct loss *loss)
{
    if (loss->plugin && loss->plugin->vtable.destroy && loss->instance)
        loss->plugin->vtable.destroy(loss->instance);
    memory_free(loss->param);
    memory_free(loss->list_storage);
    *loss = (struct loss){0};
}

struct gm_loss_batch loss_batch(const struct loss *loss)
{
    return (struct gm_loss_batch){
        .struct_size = sizeof(struct gm_loss_batch),
        .outputs = loss->outputs,
        .targets = loss->targets,
        .theta = loss->theta,
        .param = loss->param,
        .instance = loss->instance,
    };
}

size_t loss_scratch_bytes(const struct loss *loss, size_t rows)
{
    size_t bytes;
    if (!memory_product((size_t)loss->spec.scratch_per_row, rows, &bytes) ||
        bytes > SIZE_MAX - loss->spec.scratch_fixed)
        return SIZE_MAX; /* what no allocation grants */
    return bytes + (size_t)loss->spec.scratch_fixed;
}

enum gm_code loss_call_open(struct loss_call *call, const struct loss *loss, size_t rows, struct gm_error *err)
{
    *call = (struct loss_call){.batch = loss_batch(loss)};
    size_t bytes = loss_scratch_bytes(loss, rows);
    enum gm_code code = bytes ? memory_alloc(&call->scratch, bytes, 1, "a loss's scratch", err) : GM_OK;
    loss_host_init(&call->host, &call->said);
    call->batch.rows = rows;
    call->batch.host = &call->host;
    call->batch.scratch = call->scratch;
    return code;
}

void loss_call_close(struct loss_call *call)
{
    memory_free(call->scratch);
}
