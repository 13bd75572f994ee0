/* The library's face: which losses there are. */
#include <stdlib.h>

#include <gradmill/gradmill.h>

#include "loss/plugin.h"

struct listener {
    gm_loss_seen_fn *seen;
    gm_loss_broken_fn *broken;
    void *context;
};

static void tell_seen(void *context, const struct loss_plugin *plugin)
{
    struct listener *listener = context;
    struct gm_loss_info info = {
        .vtable = &plugin->vtable,
        .spec = &plugin->spec,
        .path = plugin->path,
        .sha256 = plugin->sha256,
    };
    if (listener->seen)
        listener->seen(listener->context, &info);
}

static void tell_broken(void *context, const char *path, const struct gm_error *why)
{
    struct listener *listener = context;
    if (listener->broken)
        listener->broken(listener->context, path, why->text);
}

enum gm_code gm_losses(const char *name, const char *search_path, gm_loss_seen_fn *seen, gm_loss_broken_fn *broken,
                       void *context, struct gm_error *err)
{
    struct listener listener = {.seen = seen, .broken = broken, .context = context};
    const char *extra = search_path ? search_path : getenv("GRADMILL_LOSS_PATH");
    if (!name)
        return loss_list(extra, tell_seen, tell_broken, &listener, err);
    struct loss_plugin plugin;
    enum gm_code code = loss_load(&plugin, name, extra, NULL, err);
    if (code)
        return code;
    tell_seen(&listener, &plugin);
    loss_plugin_release(&plugin);
    return GM_OK;
}
