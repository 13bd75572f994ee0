/* From a name to a plugin: by file, by "<id>.so" on the path, by looking into every file of the path. */
#include "loss/plugin.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "loss/collect.h"
#include "loss/vtable.h"

struct wanted {
    const char *id; /* NULL: the only one of the file */
    struct loss_plugin *plugin;
    bool found;
    char seen[256]; /* "a, b, c" */
};

static enum gm_code take_wanted(void *context, struct loss_plugin *plugin, bool *stop, struct gm_error *err)
{
    struct wanted *wanted = context;
    (void)err;
    size_t used = strlen(wanted->seen);
    snprintf(wanted->seen + used, sizeof wanted->seen - used, "%s%s", used ? ", " : "", plugin->vtable.id);
    bool is_it = wanted->id ? strcmp(wanted->id, plugin->vtable.id) == 0 : !wanted->found;
    if (is_it) {
        *wanted->plugin = *plugin;
        wanted->found = true;
        *stop = wanted->id != NULL;
    } else
        loss_plugin_release(plugin);
    return GM_OK;
}

/* "dir/file.so", or "dir/file.so:id" for one of several. */
static enum gm_code load_file(struct loss_plugin *plugin, const char *name, const char *sha256, struct gm_error *err)
{
    char path[PATH_MAX];
    struct wanted wanted = {.plugin = plugin};
    snprintf(path, sizeof path, "%s", name);
    char *colon = strrchr(path, ':');
    if (colon && vtable_is_id(colon + 1) && access(path, F_OK) != 0) {
        *colon = 0;
        wanted.id = colon + 1;
    }
    enum gm_code code = collect_file(path, sha256, take_wanted, &wanted, err);
    if (!code && !wanted.found)
        code = error_set(err, GM_PLUGIN_LOAD, "%s holds no loss%s%s%s%s.", path, wanted.id ? " " : "",
                         wanted.id ? wanted.id : "", *wanted.seen ? "; it holds: " : "", wanted.seen);
    if (!code && !wanted.id && strchr(wanted.seen, ','))
        code = error_set(err, GM_PLUGIN_LOAD, "%s holds several losses: %s. Name one of them: %s:ID.", path,
                         wanted.seen, name);
    if (code && wanted.found)
        loss_plugin_release(plugin);
    return code;
}

static enum gm_code not_found(const char *name, const struct collection *all, char *const *directories, size_t count,
                              struct gm_error *err)
{
    char text[GM_ERROR_TEXT];
    const char *names[256];
    size_t n_names = 0;
    for (; n_names < all->count && n_names < sizeof names / sizeof *names; n_names++)
        names[n_names] = all->plugins[n_names].vtable.id;
    const char *nearest = text_nearest(name, names, n_names);
    size_t used = (size_t)snprintf(text, sizeof text, "There is no loss \"%.80s\".", name);
    if (nearest)
        used += (size_t)snprintf(text + used, sizeof text - used, " Did you mean \"%s\"?", nearest);
    size_t length = strlen(name);
    if (length > 3 && strcmp(name + length - 3, ".so") == 0)
        used += (size_t)snprintf(text + used, sizeof text - used, " A file needs a '/': ./%.80s.", name);
    used += (size_t)snprintf(text + used, sizeof text - used,
                             all->sha256 ? " Found with the SHA-256 asked for:" : " Found:");
    for (size_t i = 0; i < n_names && used < sizeof text / 2; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, " %s", names[i]);
    used += (size_t)snprintf(text + used, sizeof text - used, "%s. Looked in:", n_names ? "" : " none");
    for (size_t i = 0; i < count && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, " %.300s%s", directories[i],
                                 access(directories[i], F_OK) == 0 ? "" : " (not there)");
    return error_set(err, GM_PLUGIN_LOAD, "%s", text);
}

static enum gm_code load_by_id(struct loss_plugin *plugin, const char *id, const char *sha256, char *const *directories,
                               size_t count, struct gm_error *err)
{
    struct collection all = {.sha256 = sha256};
    struct wanted wanted = {.id = id, .plugin = plugin};
    enum gm_code code = GM_OK;
    for (size_t i = 0; i < count && !code && !wanted.found && vtable_is_id(id); i++) {
        char path[PATH_MAX];
        if (snprintf(path, sizeof path, "%s/%s.so", directories[i], id) < (int)sizeof path && access(path, F_OK) == 0)
            code = collect_file(path, sha256, take_wanted, &wanted, err);
    }
    if (code || wanted.found)
        return code;
    code = collect_path(&all, directories, count, NULL, NULL, err);
    for (size_t i = 0; i < all.count && !code && !wanted.found; i++)
        if (strcmp(all.plugins[i].vtable.id, id) == 0) {
            *plugin = all.plugins[i];
            all.plugins[i].path = NULL; /* taken over */
            wanted.found = true;
        }
    if (!code && !wanted.found)
        code = not_found(id, &all, directories, count, err);
    collection_release(&all);
    return code;
}

enum gm_code loss_load(struct loss_plugin *plugin, const char *name, const char *extra_path, const char *sha256,
                       struct gm_error *err)
{
    *plugin = (struct loss_plugin){0};
    if (strchr(name, '/'))
        return load_file(plugin, name, sha256, err);
    char **directories;
    size_t count;
    enum gm_code code = loss_search_path(&directories, &count, extra_path, err);
    if (code)
        return code;
    code = load_by_id(plugin, name, sha256, directories, count, err);
    loss_search_path_free(directories, count);
    return code;
}
