/* Reading a vtable of any age: nothing beyond struct_size is touched, on either side. */
#include "loss/vtable.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "loss/fpmode.h"

enum { LONGEST_ID = 63, MOST_OUTPUTS = 1 << 20, MOST_THETA = 1 << 20 };
static const uint64_t most_scratch = (uint64_t)1 << 32; /* bytes */

bool vtable_is_id(const char *text)
{
    if (!text || text[0] < 'a' || text[0] > 'z')
        return false;
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return text[length] == 0 && length <= LONGEST_ID;
}

static enum gm_code check_abi(const struct gm_loss *theirs, const char *path, struct gm_error *err)
{
    if (theirs->magic != GM_LOSS_MAGIC)
        return error_set(
            err, GM_PLUGIN_LOAD,
            "%s: the vtable starts with %08x instead of %08x: it is not a gradmill loss, or its header was not "
            "filled. Use GM_LOSS_PLUGIN or GM_LOSS_HEADER from gradmill/loss.h.",
            path, (unsigned)theirs->magic, GM_LOSS_MAGIC);
    if (theirs->abi_major != GM_LOSS_ABI_MAJOR)
        return error_set(
            err, GM_PLUGIN_LOAD,
            "%s is built for loss ABI %u.%u, this gradmill speaks %u.%u. Build it again with this gradmill's "
            "headers.",
            path, (unsigned)theirs->abi_major, (unsigned)theirs->abi_minor, GM_LOSS_ABI_MAJOR, GM_LOSS_ABI_MINOR);
    if (theirs->needs_minor > GM_LOSS_ABI_MINOR)
        return error_set(
            err, GM_PLUGIN_LOAD,
            "%s needs loss ABI %u.%u or newer, this gradmill speaks %u.%u. Use a newer gradmill, or build the "
            "loss without what is new there.",
            path, (unsigned)theirs->abi_major, (unsigned)theirs->needs_minor, GM_LOSS_ABI_MAJOR, GM_LOSS_ABI_MINOR);
    if (theirs->struct_size < VTABLE_SMALLEST)
        return error_set(
            err, GM_PLUGIN_LOAD,
            "%s: the vtable says it has %u bytes, fewer than the %zu that are mandatory. struct_size must be "
            "sizeof(struct gm_loss).",
            path, (unsigned)theirs->struct_size, (size_t)VTABLE_SMALLEST);
    return GM_OK;
}

static enum gm_code check_mandatory(const struct gm_loss *vtable, const char *path, struct gm_error *err)
{
    if (!vtable->id || !vtable_is_id(vtable->id))
        return error_set(
            err, GM_PLUGIN_LOAD,
            "%s: the id %s%.80s%s is not one: a lower-case letter, then lower-case letters, digits and _, at "
            "most %d characters.",
            path, vtable->id ? "\"" : "", vtable->id ? vtable->id : "(NULL)", vtable->id ? "\"" : "", LONGEST_ID);
    if (!vtable->evaluate)
        return error_set(err, GM_PLUGIN_LOAD, "%s: loss %s has no evaluate function, which is mandatory.", path,
                         vtable->id);
    if (vtable->n_params > 0 && !vtable->params)
        return error_set(err, GM_PLUGIN_LOAD, "%s: loss %s says it has %zu parameters, but params is NULL.", path,
                         vtable->id, vtable->n_params);
    if (vtable->destroy && !vtable->create)
        return error_set(err, GM_PLUGIN_LOAD, "%s: loss %s has destroy but no create.", path, vtable->id);
    return GM_OK;
}

enum gm_code vtable_check_spec(const struct gm_loss_spec *spec, const struct gm_loss *vtable, const char *path,
                               struct gm_error *err)
{
    const char *what = NULL;
    if (spec->target_kind > GM_TARGET_NONE)
        what = "target_kind is unknown";
    else if (spec->outputs < GM_OUTPUTS_ANY || spec->outputs > MOST_OUTPUTS)
        what = "outputs is out of range";
    else if (spec->outputs == GM_OUTPUTS_PER_CLASS && spec->target_kind != GM_TARGET_CLASS)
        what = "outputs is one a class, but the target is not a class";
    else if (spec->coupling > GM_ROWS_BATCH)
        what = "coupling is unknown";
    else if (spec->gives & ~(uint32_t)(GM_GIVES_HESS_DIAG | GM_GIVES_HESS | GM_GIVES_ROW_LOSS))
        what = "gives has unknown bits";
    else if (spec->nature &
             ~(uint32_t)(GM_NATURE_NON_SMOOTH | GM_NATURE_NON_CONVEX | GM_NATURE_HESS_BOUND | GM_NATURE_HESS_CONSTANT))
        what = "nature has unknown bits";
    else if (spec->link > GM_LINK_CUSTOM)
        what = "link is unknown";
    else if (spec->link == GM_LINK_CUSTOM && !vtable->inverse_link)
        what = "link is custom, but there is no inverse_link function";
    else if (spec->target_rule &
             ~(uint32_t)(GM_TARGET_LOW | GM_TARGET_LOW_OPEN | GM_TARGET_HIGH | GM_TARGET_HIGH_OPEN | GM_TARGET_INTEGER))
        what = "target_rule has unknown bits";
    else if (isnan(spec->target_low) || isnan(spec->target_high))
        what = "a bound of the target is NaN";
    else if (spec->n_theta > MOST_THETA)
        what = "n_theta is too large";
    else if (spec->task > GM_TASK_MULTI_TASK)
        what = "task is unknown";
    else if (spec->scratch_fixed > most_scratch || spec->scratch_per_row > most_scratch)
        what = "more than 4 GiB of scratch";
    if (!what)
        return GM_OK;
    return error_set(err, GM_PLUGIN_LOAD, "%s: the spec of loss %s is wrong: %s.", path, vtable->id, what);
}

static enum gm_code read_spec(struct loss_plugin *plugin, const char *path, struct gm_error *err)
{
    const struct gm_loss_spec *theirs = plugin->vtable.spec;
    plugin->spec.struct_size = sizeof plugin->spec;
    if (!theirs)
        return GM_OK;
    if (theirs->struct_size < SPEC_SMALLEST)
        return error_set(
            err, GM_PLUGIN_LOAD,
            "%s: the spec of loss %s says it has %u bytes, fewer than %zu. Its struct_size must be sizeof(struct "
            "gm_loss_spec).",
            path, plugin->vtable.id, (unsigned)theirs->struct_size, (size_t)SPEC_SMALLEST);
    size_t size = theirs->struct_size < sizeof plugin->spec ? theirs->struct_size : sizeof plugin->spec;
    memcpy(&plugin->spec, theirs, size);
    plugin->spec.struct_size = sizeof plugin->spec;
    return vtable_check_spec(&plugin->spec, &plugin->vtable, path, err);
}

enum gm_code vtable_read(struct loss_plugin *plugin, const struct loss_object *object, uint32_t index, bool *found,
                         struct gm_error *err)
{
    *plugin = (struct loss_plugin){0};
    uint64_t mode = fpmode_get();
    const struct gm_loss *theirs = object->entry(index);
    uint64_t after = fpmode_get();
    fpmode_set(mode);
    *found = theirs != NULL;
    if (after != mode)
        return error_set(err, GM_PLUGIN_LOAD, "%s: gm_loss_entry_v1 changed the floating-point mode of this thread.",
                         object->path);
    if (!theirs)
        return GM_OK;
    enum gm_code code = check_abi(theirs, object->path, err);
    if (code)
        return code;
    memcpy(&plugin->vtable, theirs,
           theirs->struct_size < sizeof plugin->vtable ? theirs->struct_size : sizeof plugin->vtable);
    plugin->vtable.struct_size = sizeof plugin->vtable;
    code = check_mandatory(&plugin->vtable, object->path, err);
    if (!code)
        code = read_spec(plugin, object->path, err);
    if (!code)
        code = schema_check(&plugin->vtable, object->path, err);
    if (!code)
        code = memory_string(&plugin->path, object->path, err);
    if (!code)
        memcpy(plugin->sha256, object->sha256, sizeof plugin->sha256);
    else
        loss_plugin_release(plugin);
    return code;
}

void loss_plugin_release(struct loss_plugin *plugin)
{
    memory_free(plugin->path);
    *plugin = (struct loss_plugin){0};
}
